"""How similar an explanation must be to a query to count as a match: more so than explanations that have nothing to do
with it.

    bar = max(FLOOR, median + 3 * 1.4826 * median absolute deviation)      over the similarities of a whole index

Nearly all of an index has nothing to do with a given query, so its bulk shows what similarity means nothing: with the
built-in encoder 0.0 +- 0.1 for "kitchen" but 0.3 +- 0.2 for "punctuation", with others' 0.7. The median and its
deviation (1.4826 times which is the standard deviation of a normal sample) are hardly moved by the matches
themselves. The floor is for concepts that nothing is about; a few explanations alone say too little of what is usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

FLOOR = 0.35
"""Cosine below which nothing matches. `tests/explanations/test_matching.py` has what is meant by it."""
DEVIATIONS = 3.0
MIN_EXPLANATIONS = 100
_NORMAL = 1.4826


@dataclass(frozen=True)
class Matching:
    """The sides of components that match a query, each by its most similar explanation, the best first."""

    bar: float
    numbers: Int[Tensor, " side"]
    """The explanations."""
    similarities: Float[Tensor, " side"]
    sides: Int[Tensor, " side"]
    """A code for component and side, the same in every index."""


NO_MATCH = Matching(
    FLOOR,
    torch.empty(0, dtype=torch.int64),
    torch.empty(0),
    torch.empty(0, dtype=torch.int64),
)


def count_sides(found: Sequence[Matching]) -> int:
    """How many sides of components match, each counted once though several stores explain it."""
    return len(np.unique(torch.cat([NO_MATCH.sides, *(it.sides for it in found)]).numpy()))


def bar(similarities: Float[Tensor, " row"]) -> float:
    """What an explanation must reach, from the similarities of a whole index."""
    if similarities.numel() < MIN_EXPLANATIONS:
        return FLOOR
    middle = similarities.median()
    deviation = _NORMAL * (similarities - middle).abs().median()
    return max(FLOOR, float(middle + DEVIATIONS * deviation))


def by_side(
    least: float,
    numbers: Int[Tensor, " row"],
    similarities: Float[Tensor, " row"],
    sides: Int[Tensor, " row"],
) -> Matching:
    """The rows that reach `least`; of several of one side the most similar."""
    reaching = (similarities >= least).nonzero()[:, 0]
    order = reaching[similarities[reaching].argsort(descending=True, stable=True)]
    _, first = np.unique(sides[order].numpy(), return_index=True)
    kept = order[torch.from_numpy(np.sort(first))]
    return Matching(least, numbers[kept], similarities[kept], sides[kept])
