"""What an explainer may see of a component, and what is kept back to score it.

A dataset's windows are divided once, for all components alike, so that no text is both learnt from and judged on:

    random windows    the first, third, ... to learn from; the second, fourth, ... held out
    other windows     by a hash of their tokens

Held out for one side of a component are its `N_TOP` strongest such excerpts and `N_RANDOM` random ones, as many as
Bills et al. 2023 use. A side's values are those of its sign, others count as 0.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from neuron_explainer.exemplars.records import ComponentRecord, Exemplar
from neuron_explainer.explanations.explanation import Side

N_TOP = 5
N_RANDOM = 5
MIN_SIDE = 0.1
"""A side whose largest value is a smaller share than this of the other's is not explained: a GELU never goes
below -0.17."""


@dataclass(frozen=True)
class Excerpt:
    """A window of text with one side's values."""

    tokens: tuple[str, ...]
    token_ids: tuple[int, ...]
    values: Float[np.ndarray, "*axes"]
    """One for each token; for heads "query key", 0 above the diagonal."""
    sample: str
    """`top`, `quantile` or `random`."""
    source: str = ""

    @property
    def largest(self) -> float:
        return float(self.values.max()) if self.values.size else 0.0


@dataclass(frozen=True)
class Evidence:
    """One side of a component: what to learn from, and what to be judged on."""

    component: str
    side: Side
    largest: float
    """The side's largest value in the dataset."""
    density: float | None
    """Share of all values that are of the side's sign."""
    train: tuple[Excerpt, ...]
    """Strongest first, then by quantile band, then random."""
    held_out: tuple[Excerpt, ...]

    def of(self, sample: str) -> tuple[Excerpt, ...]:
        """Training excerpts of one sample."""
        return tuple(it for it in self.train if it.sample == sample)


class Split:
    """Which windows of a dataset are held out."""

    def __init__(self, random: Sequence[Exemplar]) -> None:
        self._random = {it.token_ids: bool(number % 2) for number, it in enumerate(random)}

    def is_held_out(self, token_ids: tuple[int, ...]) -> bool:
        known = self._random.get(token_ids)
        if known is not None:
            return known
        return bool(zlib.crc32(np.asarray(token_ids, dtype=np.int64).tobytes()) % 2)


def sides_of(record: ComponentRecord) -> tuple[Side, ...]:
    """The sides that are worth explaining: those that reach a fair share of the other's largest value."""
    return worth_explaining(*largest_values(record))


def worth_explaining(positive: float, negative: float) -> tuple[Side, ...]:
    """`sides_of` what goes up and down so far."""
    greatest = max(positive, negative)
    if greatest <= 0:
        return ()
    sides: list[Side] = []
    if positive >= MIN_SIDE * greatest:
        sides.append("positive")
    if negative >= MIN_SIDE * greatest:
        sides.append("negative")
    return tuple(sides)


def largest_values(record: ComponentRecord) -> tuple[float, float]:
    """How far a component goes up, and how far down."""
    top = max((it.value for it in record.top_positive), default=0.0)
    bottom = min((it.value for it in record.top_negative), default=0.0)
    return max(top, 0.0), max(-bottom, 0.0)


def density(record: ComponentRecord, side: Side) -> float | None:
    """Share of a component's values above zero, or below it; None where the dataset does not tell.

    Below zero it is read off the histogram, in which values smaller than a thousandth of the lowest count as silent.
    """
    if side == "positive":
        return record.statistics.fraction_active
    edges, counts = record.histogram.edges, record.histogram.counts
    if record.statistics.fraction_active is None or not sum(counts):
        return None
    below = sum(n for n, upper in zip(counts, edges[1:], strict=True) if upper < 0)
    return below / sum(counts)


def evidence(record: ComponentRecord, side: Side) -> Evidence:
    """One side of a component, its excerpts divided."""
    split = Split(record.random)
    top = record.top_positive if side == "positive" else record.top_negative
    every = [
        *_excerpts(top, side, "top"),
        *_excerpts((it for band in record.quantiles for it in band.exemplars), side, "quantile"),
        *_excerpts(record.random, side, "random"),
    ]
    kept_back = [it for it in every if split.is_held_out(it.token_ids)]
    positive, negative = largest_values(record)
    return Evidence(
        component=record.component,
        side=side,
        largest=positive if side == "positive" else negative,
        density=density(record, side),
        train=tuple(it for it in every if not split.is_held_out(it.token_ids)),
        held_out=tuple(
            [
                *[it for it in kept_back if it.sample == "top"][:N_TOP],
                *[it for it in kept_back if it.sample == "random"][:N_RANDOM],
            ]
        ),
    )


def side_values(values: Float[np.ndarray, "*axes"], side: Side) -> Float[np.ndarray, "*axes"]:
    """Values of one sign; others are 0."""
    return np.asarray(np.maximum(values if side == "positive" else -values, 0.0))


def _excerpts(exemplars: Iterable[Exemplar], side: Side, sample: str) -> list[Excerpt]:
    return [
        Excerpt(it.tokens, it.token_ids, side_values(_array(it), side), sample, it.source)
        for it in exemplars
    ]


def _array(exemplar: Exemplar) -> Float[np.ndarray, "*axes"]:
    rows = exemplar.activations
    if not rows or not isinstance(rows[0], tuple):
        return np.asarray(rows, dtype=np.float64)
    square = np.zeros((len(rows), len(rows)))
    for query, row in enumerate(rows):
        square[query, : len(row)] = row
    return square
