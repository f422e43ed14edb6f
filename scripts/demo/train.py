"""Train the demo model, on a CPU core or on a GPU: one command, the same text for the same seed.

    python -m scripts.demo.train --out datasets/demo/.build/run --minutes 88 --seed 1
    python -m scripts.demo.train --out datasets/demo/.build/run --minutes 7 --seed 1 \\
        --device cuda --workers 14 --batch-tokens 8192

The length of the run is set in minutes: the learning rate follows a cosine of the time gone by, so a
run ends well whatever else the machine does. Called again on the same folder, it goes on from its
last checkpoint. `--start-from` begins with the weights of an earlier run.

A run has three phases. In `text` the model reads the corpus, and heads of the first layer learn to look
at the tokens just before. In `copying` most rows are random tokens said again, and all words count
alike, until their loss has fallen: on top of those heads the induction circuit forms, within some
hundred steps; without the first phase it hardly forms at all. In `mixture`, the rest, the corpus is
read for what it asks, and a word that the text determines counts four times in the loss.
"""

import argparse
import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from scripts.demo.batches import ROWS_IN_CHUNK, Batches, text_chunks
from scripts.demo.mixture import SHARES, Rows
from scripts.demo.network import new_model
from scripts.demo.steps import Averages, Stepper

log = logging.getLogger("demo.train")

READ_EVERY = 50
"""Steps between two readings of the losses: on a GPU a reading waits for all that was queued."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the run, beside the code."""

    minutes: float
    seed: int = 1
    device: str = "cpu"
    d_model: int = 128
    n_layer: int = 6
    d_head: int = 32
    context: int = 256
    batch_tokens: int = 2048
    """Tokens in a step: few, since circuits form after a number of steps rather than of tokens."""
    predicted: float = 0.375
    """Share of the tokens that count in the loss: the answers, and a random choice of the others."""
    learning_rate: float = 2e-3
    final_rate: float = 0.02
    """Share of the learning rate that is left at the end."""
    warmup_steps: int = 200
    weight_decay: float = 0.01
    answer_weight: float = 4.0
    repeats: float = 0.12
    """Share of rows that hold repeated random tokens, but for the phase `copying`."""
    text_steps: int = 4000
    """Steps in the phase `text`."""
    copying_repeats: float = 0.85
    """Share of rows that hold repeated random tokens in the phase `copying`."""
    copying_loss: float = 2.5
    """That phase ends when the loss on repeated tokens is below this, in nats."""

    @property
    def n_rows(self) -> int:
        return self.batch_tokens // self.context


Phase = Literal["text", "copying", "mixture"]


def next_phase(recipe: Recipe, phase: Phase, step: int, copies: float) -> Phase:
    """The phase after so many steps, given the loss on repeated tokens."""
    if phase == "text" and step >= recipe.text_steps:
        return "copying"
    if phase == "copying" and copies < recipe.copying_loss:
        return "mixture"
    return phase


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    warm = min(1.0, (step + 1) / recipe.warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return recipe.learning_rate * warm * (recipe.final_rate + (1 - recipe.final_rate) * cosine)


@dataclass(frozen=True)
class Progress:
    """How far a run has come: what a restart goes on from, beside weights and optimizer."""

    step: int = 0
    seconds: float = 0.0
    text_rows: int = 0
    phase: Phase = "text"


def initial_model(recipe: Recipe, n_tokens: int, start_from: Path | None) -> GPT2LMHeadModel:
    model = new_model(
        recipe.seed, n_tokens, recipe.d_model, recipe.n_layer, recipe.d_head, recipe.context
    )
    if start_from:
        earlier = GPT2LMHeadModel.from_pretrained(start_from, dtype=torch.float32)
        model.load_state_dict(earlier.state_dict())
    return model


def train(
    recipe: Recipe, rows: Rows, out: Path, start_from: Path | None, workers: int, save_every: float
) -> None:
    saved, at = None, Progress()
    if (out / "checkpoint.pt").exists():
        saved = torch.load(out / "checkpoint.pt", weights_only=True)
        at = Progress(**saved["progress"])
    first = at.text_rows // ROWS_IN_CHUNK
    with text_chunks(rows, recipe.seed, recipe.context, workers, first) as chunks:
        batches = Batches(
            chunks, rows, recipe.seed, recipe.n_rows, recipe.context,
            int(recipe.predicted * recipe.n_rows * recipe.context),
        )  # fmt: skip
        batches.n_text_rows = first * ROWS_IN_CHUNK
        batches.draw(0, 0.0, alike=False)  # The workers have begun before a GPU is touched.
        model = initial_model(recipe, rows.end_of_text + 1, start_from).to(recipe.device).train()
        stepper = Stepper(model, recipe.learning_rate, recipe.weight_decay)
        if saved:
            stepper.load_state_dict(saved)
        run(recipe, batches, stepper, at, out, save_every)


def run(
    recipe: Recipe, batches: Batches, stepper: Stepper, at: Progress, out: Path, save_every: float
) -> None:
    """Step until the time is over, reading the losses and saving now and then."""
    averages, total = Averages(), recipe.minutes * 60
    began, last_save, last_log = time.monotonic() - at.seconds, at.seconds, at
    while at.seconds < total:
        repeats = recipe.copying_repeats if at.phase == "copying" else recipe.repeats
        batch = batches.draw(at.step, repeats, alike=at.phase == "copying")
        stepper.step(batch, learning_rate(recipe, at.step, at.seconds / total))
        at = replace(at, step=at.step + 1, seconds=time.monotonic() - began)
        if at.step % READ_EVERY:
            continue
        averages.update(stepper.read_losses())
        copies = averages.means.get("copies", math.inf)
        at = replace(
            at, text_rows=batches.n_text_rows, phase=next_phase(recipe, at.phase, at.step, copies)
        )
        if at.step % (10 * READ_EVERY) == 0:
            steps_a_second = (at.step - last_log.step) / (at.seconds - last_log.seconds)
            log.info("step %d  %.1f min  %.2f Mtok  %.0f tok/s  %s  nats: %s",
                     at.step, at.seconds / 60, at.step * recipe.batch_tokens / 1e6,
                     steps_a_second * recipe.batch_tokens, at.phase, averages)  # fmt: skip
            last_log = at
        if at.seconds - last_save > save_every * 60:
            save(stepper, at, out)
            last_save = at.seconds
    save(stepper, replace(at, text_rows=batches.n_text_rows), out)


def save(stepper: Stepper, at: Progress, out: Path) -> None:
    """The checkpoint to go on from, and the model alone to look at."""
    torch.save({**stepper.state_dict(), "progress": asdict(at)}, out / "checkpoint.part")
    (out / "checkpoint.part").replace(out / "checkpoint.pt")
    stepper.model.save_pretrained(out / "model")


def parse_shares(text: str) -> Mapping[str, float]:
    """`story=10,agreement=8`: the named shares changed, the others kept."""
    changed = {
        name: float(share) for name, share in (item.split("=") for item in text.split(",") if item)
    }
    if unknown := changed.keys() - SHARES.keys():
        raise ValueError(f"no such families: {sorted(unknown)}; there are {sorted(SHARES)}")
    return SHARES | changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    recipe = parser.add_argument_group("recipe", "each is described beside its field of `Recipe`")
    recipe.add_argument("--minutes", type=float, required=True)
    options: dict[str, type] = {
        "seed": int, "device": str, "d_model": int, "batch_tokens": int, "predicted": float,
        "learning_rate": float, "weight_decay": float, "answer_weight": float, "repeats": float,
        "text_steps": int,
    }  # fmt: skip
    for name, kind in options.items():
        default = getattr(Recipe, name)
        recipe.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default)
    parser.add_argument("--workers", type=int, default=0, help="processes that generate text")
    parser.add_argument("--tokenizer", type=Path, default=Path("datasets/demo/model"))
    parser.add_argument("--start-from", type=Path)
    parser.add_argument("--shares", type=parse_shares, default=SHARES)
    parser.add_argument("--save-every", type=float, default=4.0, help="minutes between checkpoints")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    chosen = Recipe(args.minutes, **{name: getattr(args, name) for name in options})
    tokenizer = Tokenizer.from_file(str(args.tokenizer / "tokenizer.json"))
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "recipe.json").write_text(
        json.dumps(asdict(chosen) | {"shares": args.shares}, indent=2) + "\n"
    )
    rows = Rows(tokenizer, chosen.answer_weight, args.shares)
    train(chosen, rows, args.out, args.start_from, args.workers, args.save_every)


if __name__ == "__main__":
    main()
