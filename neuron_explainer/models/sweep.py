"""How hard to steer: strength times number of components, and what each choice costs.

For each cell of the grid, with the first k components driven at one strength:

    probability   of the watched token, given the text before it
    kl            KL(default, steered) of the next token on unrelated texts, mean over tokens, in nats:
                  what the edit breaks where it should not matter; it acts on all of their tokens
    repetition    share of the three-token sequences of a greedy reply that occurred before in it: steering too
                  hard makes a model say one thing over and over

A cell is usable when its kl and its repetition are at most what is asked. Of the usable cells the best
is the one that moves the probability furthest from where it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import PLAIN, Bases
from neuron_explainer.models.chat import Text, plain_text
from neuron_explainer.models.interventions import Intervention
from neuron_explainer.models.sampling import Continuation, Generation, Overflow, Sampling
from neuron_explainer.models.transformer import Transformer

MAX_KL = 0.25
MAX_REPETITION = 0.2
N_GRAM = 3

OTHER_TEXTS = (
    "The museum opens at nine and closes at five, except on Mondays.",
    "She put the kettle on, fed the cat, and sat down to read the newspaper.",
    "To install the package, run the command below and restart the program.",
    "Most of the rain falls in spring, when the rivers are already high.",
)
"""Plain sentences on nothing in particular."""

Steering = Callable[[int, float], Sequence[Intervention]]
"""Number of components and strength -> the edits."""


@dataclass(frozen=True)
class Cell:
    """One choice of strength and number of components."""

    k: int
    strength: float
    probability: float
    kl: float | None
    """None when values overflowed."""
    repetition: float | None
    """None when no reply was written, or one too short to tell."""
    usable: bool


@dataclass(frozen=True)
class Watched:
    """What a sweep looks at."""

    text: Text
    position: int
    """The token's place: its probability is read after those before."""
    token: int
    other_texts: tuple[str, ...] = OTHER_TEXTS
    n_reply_tokens: int = 24
    max_kl: float = MAX_KL
    max_repetition: float = MAX_REPETITION


class Sweep:
    """A grid being computed, cell by cell."""

    def __init__(self, model: Transformer, watched: Watched, bases: Bases = PLAIN) -> None:
        self.model, self.watched, self.bases = model, watched, bases
        self._others = [plain_text(model, text) for text in watched.other_texts]
        self._plain: list[Tensor] = []
        self.baseline = 0.0
        self.baseline_repetition: float | None = None

    def begin(self) -> "Sweep":
        """Run everything once without steering."""
        self._plain = [self._log_probs(text, ()) for text in self._others]
        self.baseline = self._probability(())
        self.baseline_repetition = self._repetition(())
        return self

    def cells(
        self, ks: Sequence[int], strengths: Sequence[float], steering: Steering
    ) -> Iterator[Cell]:
        """Every cell, k by k."""
        for k, strength in product(ks, strengths):
            yield self.cell(k, strength, steering(k, strength))

    def cell(self, k: int, strength: float, edits: Sequence[Intervention]) -> Cell:
        """One cell. Values that overflow make it unusable."""
        watched = self.watched
        try:
            probability, kl = self._probability(edits), self._kl(edits)
            repetition = self._repetition(edits)
        except Overflow:
            return Cell(k, strength, 0.0, None, None, False)
        usable = kl <= watched.max_kl and (repetition or 0.0) <= watched.max_repetition
        return Cell(k, strength, probability, kl, repetition, usable)

    def best(self, cells: Sequence[Cell]) -> int | None:
        """The usable cell that moves the probability most."""
        usable = [number for number, cell in enumerate(cells) if cell.usable]
        return max(usable, key=lambda n: abs(cells[n].probability - self.baseline), default=None)

    def _probability(self, edits: Sequence[Intervention]) -> float:
        text, position = self.watched.text, self.watched.position
        n_prompt = min(text.n_prompt, position)
        continuation = Continuation(self.model, n_prompt, len(text.tokens), edits, self.bases)
        logits = continuation.logits(text.tokens[:position])
        return float(logits.softmax(-1)[self.watched.token])

    def _kl(self, edits: Sequence[Intervention]) -> float:
        everywhere = [replace(edit, positions=None, where="everything") for edit in edits]
        total, n = 0.0, 0
        for text, plain in zip(self._others, self._plain, strict=True):
            steered = self._log_probs(text, everywhere)
            total += float((plain.exp() * (plain - steered)).sum())
            n += len(plain)
        return max(total / max(n, 1), 0.0)

    def _log_probs(self, text: Text, edits: Sequence[Intervention]) -> Float[Tensor, "seq vocab"]:
        continuation = Continuation(self.model, text.n_prompt, len(text.tokens), edits, self.bases)
        return torch.cat(list(continuation.all_logits(text.tokens))).log_softmax(-1)

    def _repetition(self, edits: Sequence[Intervention]) -> float | None:
        n_new, text = self.watched.n_reply_tokens, self.watched.text
        if n_new == 0:
            return None
        prompt = Text(
            text.tokens[: text.n_prompt],
            text.owners[: text.n_prompt],
            text.messages[: text.n_prompt],
            text.n_prompt,
        )
        asked = Sampling(n_new, n_top=0)
        limit = min(text.n_prompt + n_new, self.model.config.n_ctx)
        kept = list(_within(edits, limit))
        reply = Generation(self.model, prompt, asked, kept, self.bases).run()
        return repetition([token.id for token in reply.tokens])


def _within(edits: Sequence[Intervention], limit: int) -> Iterator[Intervention]:
    """The edits without the positions that a text of this length has not."""
    for edit in edits:
        if edit.positions is None:
            yield edit
        elif at := tuple(position for position in edit.positions if position < limit):
            yield replace(edit, positions=at)


def repetition(tokens: Sequence[int], n: int = N_GRAM) -> float | None:
    """Share of the n-token sequences that occurred before; None when there is none at all."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return None if not grams else 1 - len(set(grams)) / len(grams)
