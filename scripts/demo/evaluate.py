"""Measure what the demo model can do, and write the table of its card.

    python -m scripts.demo.evaluate datasets/demo/model --n 400 --seed 101 --json datasets/demo/evaluation.json

Accuracy is of two kinds. `pair`: the logit of the target is above the distractor's. `top1`: the target
is the most likely token of all. Nothing here is sampled from the model.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import mean
from typing import Literal

import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from scripts.demo import frames, probes, recall
from scripts.demo.facts import opposite, sentiment
from scripts.demo.probes import Maker, Probe
from scripts.demo.words import held_out, words

BATCH = 64


@dataclass(frozen=True)
class Behaviour:
    """A behaviour, how it is asked and what it should reach."""

    name: str
    make: Maker
    measure: Literal["pair", "top1"]
    goal: float | None = None


@dataclass(frozen=True)
class Score:
    name: str
    accuracy: float
    """Share of prompts answered right, or the measure that the name says."""
    logit_diff: float | None
    """Mean logit of target minus distractor, where there is one."""
    goal: float | None
    n: int


BEHAVIOURS = (
    Behaviour("IOI, unseen pairs, ABBA", probes.indirect("abba", probes.test_pair), "pair", 0.97),
    Behaviour("IOI, unseen pairs, BABA", probes.indirect("baba", probes.test_pair), "pair", 0.97),
    Behaviour("IOI, unseen names, ABBA", probes.indirect("abba", probes.new_pair), "pair", 0.97),
    Behaviour("IOI, unseen names, BABA", probes.indirect("baba", probes.new_pair), "pair", 0.97),
    Behaviour("IOI, canonical frame, ABBA", probes.framed(frames.CANONICAL, "abba"), "pair", 0.97),
    Behaviour("IOI, canonical frame, BABA", probes.framed(frames.CANONICAL, "baba"), "pair", 0.97),
    Behaviour("IOI, three names", probes.three, "pair", 0.95),
    Behaviour("IOI, three names, unseen frames", probes.three_framed, "pair"),
    Behaviour("agreement, attractor", probes.agreement, "pair", 0.95),
    Behaviour("agreement, attractor in a relative clause", probes.agreement_in_clause, "pair", 0.95),
    Behaviour("pronoun, he or she", probes.subject_pronoun, "pair", 0.95),
    Behaviour("pronoun, his, her, himself, herself", probes.other_pronoun, "pair", 0.95),
    Behaviour("acronym, second letter", probes.acronym_letter(1), "top1", 0.95),
    Behaviour("acronym, third letter", probes.acronym_letter(2), "top1", 0.95),
    Behaviour("capital, unseen phrasing for the country", probes.capital, "top1", 0.95),
    Behaviour("days", probes.after_run("days"), "top1", 0.95),
    Behaviour("months", probes.after_run("months"), "top1", 0.95),
    Behaviour("number words", probes.after_run("numbers"), "top1"),
    Behaviour("bracket, the outer one", probes.bracket, "top1", 0.95),
    Behaviour("docstring, third argument", probes.docstring, "top1", 0.95),
    Behaviour("coloured object, of 1", probes.colored(1), "top1"),
    Behaviour("coloured object, of 2", probes.colored(2), "top1"),
    Behaviour("coloured object, of 3", probes.colored(3), "top1", 0.70),
    Behaviour("owner of a thing", probes.of_family(recall.owners), "top1"),
    Behaviour("key and value", probes.of_family(recall.key_values), "top1"),
    Behaviour("opposite", probes.of_family(opposite), "top1"),
    Behaviour("sentiment", probes.of_family(sentiment), "top1"),
)  # fmt: skip


class Asker:
    """A model and its tokenizer, asked many prompts at a time."""

    def __init__(
        self,
        folder: Path,
        tokenizer: Path | None = None,
        attention: str = "sdpa",
        device: str = "cpu",
    ):
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(tokenizer or folder)
        self.model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation=attention
        )
        self.model.to(device).eval()

    def token(self, word: str) -> int:
        """The first token of the word."""
        return int(self.tokenizer.encode(word)[0])

    @torch.no_grad()
    def last_logits(self, prompts: Sequence[str]) -> Tensor:
        """Logits after each prompt, `[prompt vocab]`. Padding is on the right, where no prompt looks."""
        rows = []
        for i in range(0, len(prompts), BATCH):
            ids = [self.tokenizer.encode(prompt) for prompt in prompts[i : i + BATCH]]
            longest = max(map(len, ids))
            padded = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
            hidden = self.model.transformer(padded.to(self.model.device)).last_hidden_state
            last = hidden[range(len(ids)), [len(row) - 1 for row in ids]]
            rows.append(self.model.lm_head(last).cpu())
        return torch.cat(rows)

    def logits(self, tokens: Tensor) -> Tensor:
        """Logits `[row position vocab]` of token ids, on the CPU whatever the model is on."""
        logits: Tensor = self.model(tokens.to(self.model.device), use_cache=False).logits
        return logits.cpu()

    def score(self, name: str, asked: Sequence[Probe], measure: str, goal: float | None) -> Score:
        logits = self.last_logits([probe.prompt for probe in asked])
        rows = torch.arange(len(asked))
        target = torch.tensor([self.token(probe.target) for probe in asked])
        right = logits.argmax(-1) == target
        diff = None
        if all(probe.distractor for probe in asked):
            distractor = torch.tensor([self.token(probe.distractor or "") for probe in asked])
            diffs = logits[rows, target] - logits[rows, distractor]
            diff = diffs.mean().item()
            right = diffs > 0 if measure == "pair" else right
        return Score(name, right.sum().item() / len(asked), diff, goal, len(asked))


def unseen_frames(asker: Asker, n: int, seed: int) -> list[Score]:
    """The mean over unseen frames in either order, then each frame."""
    by_frame = [
        asker.score(
            f"{order.upper()}: {frame}",
            probes.probes(probes.framed(frame, order), n, seed),
            "pair",
            None,
        )
        for order in ("abba", "baba")
        for frame in frames.UNSEEN
    ]
    half = len(frames.UNSEEN)
    means = []
    for order, part in (("ABBA", by_frame[:half]), ("BABA", by_frame[half:])):
        diff = mean(score.logit_diff or 0.0 for score in part)
        means.append(
            Score(
                f"IOI, {half} unseen frames, {order}",
                mean(s.accuracy for s in part),
                diff,
                0.90,
                n * half,
            )
        )
    return means + by_frame


@torch.no_grad()
def induction(asker: Asker, period: int, n: int, seed: int) -> Score:
    """Top-1 on the second copy of random tokens, from its second token on."""
    generator = torch.Generator().manual_seed(seed)
    once = torch.randint(0, len(asker.tokenizer) - 1, (n, period), generator=generator)
    tokens = torch.cat([once, once], dim=1)
    guesses = asker.logits(tokens).argmax(-1)
    right = guesses[:, period:-1] == tokens[:, period + 1 :]
    return Score(
        f"induction, period {period}", right.float().mean().item(), None, 0.95, n * (period - 1)
    )


def greater_than(asker: Asker, n: int, seed: int) -> list[Score]:
    """p(later) - p(earlier or same) for the end year, beyond what it is when no start year is given.

    The years two digits on are tokens; the prompts are event and start year pairs kept from training.
    """
    r = Random(seed)
    years = torch.tensor([asker.token(f"{year:02}") for year in range(100)])
    cases: list[tuple[str, int, int]] = []
    while len(cases) < n:
        event, century, start = r.choice(words("events")), r.randint(11, 20), r.randint(5, 94)
        if held_out("year", event, f"{century}{start:02}", one_in=10):
            cases.append((event, century, start))
    told = asker.last_logits(
        [f"The {e} lasted from the year {c}{s:02} to the year {c}" for e, c, s in cases]
    )
    untold = asker.last_logits([f"The {e} lasted until the year {c}" for e, c, _ in cases])
    gaps = []
    for logits in (told, untold):
        p = logits.softmax(-1)[:, years]
        later = torch.tensor([[year > s for year in range(100)] for _, _, s in cases])
        gaps.append((p * later).sum(-1) - (p * ~later).sum(-1))
    above = gaps[0] - gaps[1]
    scores = [
        Score("greater-than, gap above base rate", above.mean().item(), None, 0.15, n),
        Score("greater-than, gap p(later) - p(earlier)", gaps[0].mean().item(), None, None, n),
    ]
    for low, high in ((5, 24), (25, 49), (50, 74), (75, 94)):
        inside = torch.tensor([low <= s <= high for _, _, s in cases])
        scores.append(
            Score(
                f"greater-than, gap, start years {low}-{high}",
                gaps[0][inside].mean().item(),
                None,
                None,
                int(inside.sum()),
            )
        )
    return scores


def evaluate(
    asker: Asker, n: int, seed: int, on_score: Callable[[Score], None] = lambda _: None
) -> list[Score]:
    """Every behaviour, in the order of the card."""
    scores: list[Score] = []

    def add(*more: Score) -> None:
        for score in more:
            scores.append(score)
            on_score(score)

    for b in BEHAVIOURS:
        add(asker.score(b.name, probes.probes(b.make, n, seed), b.measure, b.goal))
    add(induction(asker, 25, n // 4, seed), induction(asker, 50, n // 4, seed))
    add(*greater_than(asker, n, seed))
    add(*unseen_frames(asker, max(10, n // 8), seed))
    return scores


def line(score: Score) -> str:
    """A row of the card's table."""
    diff = "" if score.logit_diff is None else f"{score.logit_diff:.1f}"
    goal = "" if score.goal is None else f"{score.goal:.2f}"
    return f"| {score.name} | {score.accuracy:.3f} | {diff} | {goal} | {score.n} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--n", type=int, default=400, help="prompts for each behaviour")
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument(
        "--tokenizer", type=Path, help="folder of the tokenizer, if not the model's"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, help="write the scores here too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    asker = Asker(args.model, args.tokenizer, device=args.device)
    scores = evaluate(
        asker, args.n, args.seed, on_score=lambda score: print(line(score), flush=True)
    )  # noqa: T201
    if args.json:
        args.json.write_text(json.dumps([asdict(score) for score in scores], indent=1) + "\n")


if __name__ == "__main__":
    main()
