"""Train the demo model: one thread, one command, the same text for the same seed.

    python -m scripts.demo.train --out datasets/demo/.build/run --minutes 88 --seed 1

The length of the run is set in minutes: the learning rate follows a cosine of the time gone by, so a
run ends well whatever else the machine does. Called again on the same folder, it goes on from its
last checkpoint. `--start-from` begins with the weights of an earlier run, for a second stage with
other `--shares`.

A run has three phases. In `text` the model reads the corpus, and heads of the first layer learn to look
at the tokens just before. In `copying` most rows are random tokens said again, and all words count
alike, until their loss has fallen: on top of those heads the induction circuit forms, within some
hundred steps; without the first phase it hardly forms at all. In `mixture`, the rest, the corpus is
read for what it asks.

For so small a model, three more choices matter. Embeddings start at 1/sqrt(d_model) and positions as
sines, or copying comes late. A word that the text determines counts four times in the loss. And rows
are half as long as the context, some of them at positions further on: attention costs half as much,
while every position is learnt; the last minutes use whole rows.
"""

import argparse
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Literal

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from scripts.demo.mixture import SHARES, Rows, word_tokens

log = logging.getLogger("demo.train")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the run, beside the code."""

    minutes: float
    seed: int
    d_model: int = 128
    n_layer: int = 6
    d_head: int = 32
    context: int = 256
    row: int = 128
    """Tokens in a row, until the last `whole_rows` of the time; then rows fill the context."""
    whole_rows: float = 0.1
    batch_tokens: int = 2048
    """Tokens in a step: few, since circuits form after a number of steps rather than of tokens."""
    predicted_tokens: int = 768
    """How many of them count in the loss: the answers, and a random choice of the others."""
    learning_rate: float = 2e-3
    final_rate: float = 0.03
    """Share of the learning rate that is left at the end."""
    warmup_steps: int = 200
    answer_weight: float = 4.0
    repeats: float = 0.12
    """Share of rows that hold repeated random tokens, but for the phase `copying`."""
    text_tokens: float = 8e6
    """Tokens in the phase `text`."""
    copying_repeats: float = 0.85
    """Share of rows that hold repeated random tokens in the phase `copying`."""
    copying_loss: float = 2.5
    """That phase ends when the loss on repeated tokens is below this, in nats."""


Phase = Literal["text", "copying", "mixture"]


def next_phase(recipe: Recipe, phase: Phase, tokens: int, copies: float) -> Phase:
    """The phase of the next step, given the tokens read so far and the loss on repeated ones."""
    if phase == "text" and tokens >= recipe.text_tokens:
        return "copying"
    if phase == "copying" and copies < recipe.copying_loss:
        return "mixture"
    return phase


def new_model(recipe: Recipe, n_tokens: int) -> GPT2LMHeadModel:
    config = GPT2Config(
        vocab_size=n_tokens, n_positions=recipe.context, n_embd=recipe.d_model, n_layer=recipe.n_layer,
        n_head=recipe.d_model // recipe.d_head, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=n_tokens - 1, eos_token_id=n_tokens - 1, attn_implementation="eager",
    )  # fmt: skip
    torch.manual_seed(recipe.seed)
    model = GPT2LMHeadModel(config)
    scale = recipe.d_model**-0.5
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("c_attn.weight", "c_fc.weight")):
                weight.normal_(0.0, scale)
        model.transformer.wte.weight.normal_(0.0, scale)
        model.transformer.wpe.weight.copy_(scale * sines(recipe.context, recipe.d_model))
    return model


def sines(n_positions: int, d_model: int) -> Tensor:
    """Sines and cosines of the position, `[position d_model]`: neighbours are one rotation apart."""
    rate = torch.exp(-math.log(10_000.0) * torch.arange(0, d_model, 2) / d_model)
    angle = torch.arange(n_positions)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    warm = min(1.0, (step + 1) / recipe.warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return recipe.learning_rate * warm * (recipe.final_rate + (1 - recipe.final_rate) * cosine)


@dataclass(frozen=True)
class Batch:
    """One step's rows, `[row position]`, and the places in them that count, flat."""

    inputs: Tensor
    positions: Tensor
    chosen: Tensor
    targets: Tensor
    weights: Tensor
    copied: Tensor
    """Which of the chosen places lie in rows of repeated random tokens."""


def draw_batch(rows: Rows, recipe: Recipe, step: int, length: int, repeats: float) -> Batch:
    """A step's batch: it depends on the seed, the step and its two sizes only."""
    r = Random(f"{recipe.seed}/{step}")
    ids, weights, copied, starts = [], [], [], []
    for _ in range(recipe.batch_tokens // length):
        copied.append(r.random() < repeats)
        row_ids, row_weights = rows.draw(r, length, copied[-1])
        ids.append(row_ids)
        weights.append(row_weights)
        starts.append(r.randint(0, recipe.context - length) if r.random() < 0.4 else 0)
    tokens, weight = torch.tensor(ids), torch.tensor(weights)[:, 1:].flatten()
    generator = torch.Generator().manual_seed(step)
    # Answers sort first, then the others in random order, then what cannot be known.
    order = torch.rand(len(weight), generator=generator) + (weight > 1) - 2 * (weight == 0).float()
    chosen = order.topk(recipe.predicted_tokens).indices.sort().values
    return Batch(
        inputs=tokens[:, :-1].contiguous(),
        positions=torch.tensor(starts)[:, None] + torch.arange(length),
        chosen=chosen,
        targets=tokens[:, 1:].flatten()[chosen],
        weights=weight[chosen],
        copied=torch.tensor(copied).repeat_interleave(length)[chosen],
    )


def make_losses(model: GPT2LMHeadModel) -> Callable[[Batch], Tensor]:
    """The loss at each chosen place, compiled, with matrix products in bfloat16."""

    @torch.compile(dynamic=False)
    def losses(inputs: Tensor, positions: Tensor, chosen: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model.transformer(
                input_ids=inputs, position_ids=positions, use_cache=False
            ).last_hidden_state
            logits = model.lm_head(hidden.flatten(0, 1)[chosen])
        return F.cross_entropy(logits.float(), targets, reduction="none")

    return lambda batch: losses(batch.inputs, batch.positions, batch.chosen, batch.targets)


class Averages:
    """Running means of the loss over answers, other text and copied random tokens."""

    def __init__(self) -> None:
        self.means: dict[str, float] = {}

    def update(self, batch: Batch, losses: Tensor) -> None:
        parts = {
            "answers": batch.weights > 1,
            "text": (batch.weights == 1) & ~batch.copied,
            "copies": batch.copied & (batch.weights > 0),
        }
        for name, part in parts.items():
            if part.any():
                mean = losses[part].mean().item()
                self.means[name] = 0.98 * self.means.get(name, mean) + 0.02 * mean


def train(
    recipe: Recipe, rows: Rows, out: Path, start_from: Path | None, save_every: float
) -> None:
    model = new_model(recipe, rows.end_of_text + 1)
    if start_from:
        weights = GPT2LMHeadModel.from_pretrained(start_from, dtype=torch.float32).state_dict()
        model.load_state_dict(weights)
    model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.95), weight_decay=0.01, fused=True
    )
    step, seconds, tokens = 0, 0.0, 0
    phase: Phase = "text"
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step, seconds, tokens, phase = (saved[k] for k in ("step", "seconds", "tokens", "phase"))

    compute_losses, averages = make_losses(model), Averages()
    total = recipe.minutes * 60
    began, last_save, last_log = time.monotonic() - seconds, seconds, (seconds, tokens)
    while seconds < total:
        rate = learning_rate(recipe, step, seconds / total)
        for group in optimizer.param_groups:
            group["lr"] = rate
        length = recipe.row if seconds < (1 - recipe.whole_rows) * total else recipe.context
        repeats = recipe.copying_repeats if phase == "copying" else recipe.repeats
        batch = draw_batch(rows, recipe, step, length, repeats)
        losses = compute_losses(batch)
        counts = batch.weights.clamp(max=1.0) if phase == "copying" else batch.weights
        (losses * counts).sum().div(counts.sum()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        averages.update(batch, losses.detach())
        step, tokens, seconds = step + 1, tokens + batch.inputs.numel(), time.monotonic() - began
        phase = next_phase(recipe, phase, tokens, averages.means.get("copies", math.inf))
        if step % 100 == 0:
            speed = (tokens - last_log[1]) / (seconds - last_log[0])
            means = "  ".join(f"{name} {mean:.3f}" for name, mean in averages.means.items())
            log.info("step %d  %.1f min  %.2f Mtok  %.0f tok/s  lr %.1e  %s  nats: %s",
                     step, seconds / 60, tokens / 1e6, speed, rate, phase, means)  # fmt: skip
            last_log = (seconds, tokens)
        if seconds - last_save > save_every * 60 or seconds >= total:
            state = {"step": step, "seconds": seconds, "tokens": tokens, "phase": phase}
            save(model, optimizer, state, out)
            last_save = seconds


def save(
    model: GPT2LMHeadModel,
    optimizer: torch.optim.Optimizer,
    state: dict[str, float | str],
    out: Path,
) -> None:
    """The checkpoint to go on from, and the model alone to look at."""
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), **state}
    torch.save(saved, out / "checkpoint.part")
    (out / "checkpoint.part").replace(out / "checkpoint.pt")
    model.save_pretrained(out / "model")


def parse_shares(text: str) -> dict[str, float]:
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
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--d-model", type=int, default=Recipe.d_model)
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    parser.add_argument("--answer-weight", type=float, default=Recipe.answer_weight)
    parser.add_argument(
        "--tokenizer", type=Path, default=Path("datasets/demo/model/tokenizer.json")
    )
    parser.add_argument("--repeats", type=float, default=Recipe.repeats)
    parser.add_argument("--text-tokens", type=float, default=Recipe.text_tokens)
    parser.add_argument("--start-from", type=Path)
    parser.add_argument("--shares", type=parse_shares, default=SHARES)
    parser.add_argument("--save-every", type=float, default=4.0, help="minutes between checkpoints")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    recipe = Recipe(
        args.minutes,
        args.seed,
        args.d_model,
        learning_rate=args.learning_rate,
        answer_weight=args.answer_weight,
        repeats=args.repeats,
        text_tokens=args.text_tokens,
    )
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    rows = Rows(
        tokenizer,
        word_tokens(tokenizer),
        tokenizer.get_vocab_size() - 1,
        recipe.answer_weight,
        tuple(args.shares.items()),
    )
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "recipe.json").write_text(
        json.dumps(asdict(recipe) | {"shares": args.shares}, indent=2) + "\n"
    )
    train(recipe, rows, args.out, args.start_from, args.save_every)


if __name__ == "__main__":
    main()
