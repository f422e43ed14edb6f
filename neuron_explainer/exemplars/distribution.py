"""The distribution of a component's values: a log-spaced histogram, and quantiles read off it.

A float32 is sign, exponent and mantissa, so its upper bits are a logarithmic bin: with 3 bits of
the mantissa every octave has 8 bins, each at most 1/8 of its lower edge wide. Counting is exact
integer arithmetic, so histograms of parts of a corpus add up to that of the whole, in any order.

    bin 0 ... 255        value <= -2^-20, most negative first
    bin 256              |value| < 2^-20: silent
    bin 257 ... 512      value >= 2^-20; the last holds everything from 2^12 on

A quantile at level p is the value of rank ceil(p n) (numpy's `inverted_cdf`). Off the histogram it
is known up to its bin; within the bin it is interpolated, and it never leaves [min, max], so that
levels beyond 1/n give the extremes exactly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

MANTISSA_BITS = 3
SHIFT = 23 - MANTISSA_BITS
LOWEST_EXPONENT, HIGHEST_EXPONENT = -20, 12
N_SIDE = (HIGHEST_EXPONENT - LOWEST_EXPONENT) << MANTISSA_BITS
"""Bins on either side of the silent one."""
N_BINS = 2 * N_SIDE + 1
LOWEST_KEY = (127 + LOWEST_EXPONENT) << MANTISSA_BITS
"""Upper bits of the smallest value that is not silent."""

_TAIL = tuple(digit * 10.0**-power for power in range(7, 1, -1) for digit in (1, 2, 5))
_MIDDLE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LEVELS: tuple[float, ...] = tuple(
    float(f"{level:.7f}") for level in (*_TAIL, *_MIDDLE, *(1 - level for level in reversed(_TAIL)))
)
"""Levels of the quantiles that are kept: 1e-7 from either side, then 2e-7, 5e-7, 1e-6 and so on; tenths in between."""


def side_edges() -> Float[np.ndarray, " edge"]:
    """Absolute values of the edges on one side, from 2^-20 up to 2^12, exactly."""
    steps = np.arange(N_SIDE + 1)
    octave, part = steps >> MANTISSA_BITS, steps & ((1 << MANTISSA_BITS) - 1)
    mantissa = 1 + part / (1 << MANTISSA_BITS)
    edges: np.ndarray = np.ldexp(mantissa, octave + LOWEST_EXPONENT)
    return edges


def bin_edges() -> Float[np.ndarray, " edge"]:
    """All edges in ascending order; the silent bin lies between -2^-20 and 2^-20."""
    edges = side_edges()
    return np.concatenate((-edges[::-1], edges))


def quantiles(
    counts: Int[Tensor, "component bin"],
    lowest: Float[Tensor, " component"],
    highest: Float[Tensor, " component"],
    levels: tuple[float, ...] = LEVELS,
) -> Float[Tensor, "component level"]:
    """Quantiles of each component from its histogram and its extremes."""
    running = counts.cumsum(1)
    n = running[:, -1:].clamp(min=1)
    ranks = torch.ceil(torch.tensor(levels, dtype=torch.float64) * n - 1e-6).long().clamp(min=1)
    ranks = ranks.minimum(n)
    at = torch.searchsorted(running, ranks).clamp(max=N_BINS - 1)
    inside = counts.gather(1, at)
    before = running.gather(1, at) - inside
    low, high = lowest.double()[:, None], highest.double()[:, None]
    edges = torch.from_numpy(bin_edges())
    left = low.where(at == 0, torch.maximum(edges[at], low))
    right = high.where(at == N_BINS - 1, torch.minimum(edges[at + 1], high))
    values = left + (ranks - before - 0.5) / inside.clamp(min=1) * (right - left)
    silent = torch.zeros_like(values).maximum(low).minimum(high)
    values = silent.where(at == N_SIDE, values)
    values = low.where(ranks == 1, high.where(ranks == n, values))
    return values.maximum(low).minimum(high).float()


@dataclass(frozen=True)
class QuantileTable:
    """Quantiles of every component of one kind and layer."""

    levels: Float[Tensor, " level"]
    """Ascending shares, 1e-7 to 1 - 1e-7."""
    values: Float[Tensor, "component level"]
    lowest: Float[Tensor, " component"]
    highest: Float[Tensor, " component"]

    def row(self, index: int) -> Float[Tensor, " level"]:
        return self.values[index]

    def extreme(self, index: int, side: str, tail: float = 1e-5) -> float:
        """The quantile at `tail` from the top (side "positive") or from the bottom ("negative")."""
        level = 1 - tail if side == "positive" else tail
        at = int((self.levels - level).abs().argmin())
        return float(self.values[index, at])


def rank_in_own_distribution(
    values: Float[Tensor, " n"],
    table: QuantileTable,
    components: Int[Tensor, " n"] | None = None,
) -> Float[Tensor, " n"]:
    """Share of its dataset's values that each component's value exceeds, 0 to 1.

    Interpolated between the kept quantiles; beyond the dataset's own extremes it is 0 or 1. Where
    many values are equal (a latent's zeros), such a value ranks in the middle of them.

    Args:
        components: the component of each value; None: value i is of component i.
    """
    if components is None:
        components = torch.arange(len(values))
    rows, given = table.values[components].double(), values.double()[:, None]
    levels, last = table.levels.double(), len(table.levels) - 1
    below, not_above = (rows < given).sum(1), (rows <= given).sum(1)
    low, high = (below - 1).clamp(min=0), below.clamp(max=last)
    left, right = rows.gather(1, low[:, None])[:, 0], rows.gather(1, high[:, None])[:, 0]
    share = ((given[:, 0] - left) / (right - left).clamp(min=1e-30)).clamp(0, 1)
    between = levels[low] + share * (levels[high] - levels[low])
    tied = (levels[below.clamp(max=last)] + levels[(not_above - 1).clamp(min=0)]) / 2
    rank = tied.where(not_above > below, between)
    rank = rank.where(given[:, 0] >= table.lowest[components], 0.0)
    return rank.where(given[:, 0] <= table.highest[components], 1.0).float()
