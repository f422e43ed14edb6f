"""The distribution of a component's values: a log-spaced histogram, and quantiles read off it.

A half-precision number is sign, exponent and mantissa, so its upper bits are a logarithmic bin: with
3 bits of the mantissa an octave has 8 bins, each at most 1/8 of its lower edge wide. Values are
multiplied by 16 first, which puts the octaves at 2^-18 to 2^12. Counting is exact integer arithmetic,
so histograms of parts of a corpus add up to that of the whole, in any order.

    bin 247              |value| < 2^-21: silent
    bins 248 ... 494     positive values, ascending; the last also holds everything from 2^12 on
    bins 246 ... 0       negative values likewise
    (the eight bins below 2^-18 on either side are of equal width)

A quantile at level p is the value of rank ceil(p n) (numpy's `inverted_cdf`). Off the histogram it
is known up to its bin; within the bin it is interpolated, and it never leaves [min, max], so that
levels beyond 1/n give the extremes exactly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

SCALE = 16.0
TOP = 2.0**12
"""Where the last bins would end, if they did not hold everything beyond, which is known by its extreme only."""
SHIFT = 7
"""Bits of a half that are dropped: 7 of its 10 bits of mantissa."""
N_KEYS = 1 << (16 - SHIFT)
"""Upper bits of a half, sign included: how bins are counted before they are put in order."""
N_SIDE = (0x7C00 >> SHIFT) - 1
"""Bins on either side of the silent one; 0x7C00 is infinity."""
N_BINS = 2 * N_SIDE + 1
SILENT = N_SIDE


def bin_keys(values: Float[Tensor, "..."]) -> Int[Tensor, "..."]:
    """The key of each value, from -N_KEYS / 2 (negative ones, small first) to N_KEYS / 2 - 1."""
    half = (values * SCALE).half()
    return half.view(torch.int16).bitwise_right_shift_(SHIFT)


def ordered(by_key: Int[Tensor, "component key"]) -> Int[Tensor, "component bin"]:
    """Counts by key + N_KEYS / 2 as counts by bin, ascending in value."""
    negative, positive = (
        torch.cat((side[:, 1:N_SIDE], side[:, N_SIDE:].sum(1, keepdim=True)), dim=1)
        for side in torch.split(by_key, N_KEYS // 2, dim=1)
    )
    silent = by_key[:, 0] + by_key[:, N_KEYS // 2]
    return torch.cat((negative.flip(1), silent[:, None], positive), dim=1)


_TAIL = tuple(digit * 10.0**-power for power in range(7, 1, -1) for digit in (1, 2, 5))
_MIDDLE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LEVELS: tuple[float, ...] = tuple(
    float(f"{level:.7f}") for level in (*_TAIL, *_MIDDLE, *(1 - level for level in reversed(_TAIL)))
)
"""Levels of the quantiles that are kept: 1e-7 from either side, then 2e-7, 5e-7, 1e-6 and so on; tenths in between."""


def side_edges(*, nominal: bool = False) -> Float[np.ndarray, " edge"]:
    """Absolute values of the edges on one side, from 2^-21 up to 2^12.

    Conversion to half rounds to the nearest, so an edge lies midway between two halves; the nominal
    one is the upper of them, a round number 1/4000 larger.
    """
    bits = np.arange(1, N_SIDE + 2, dtype=np.uint16) << SHIFT
    edges = bits.view(np.float16).astype(np.float64)
    edges[-1] = 2.0**16  # its bits say infinity
    if not nominal:
        before = (bits[:-1] - 1).view(np.float16).astype(np.float64)
        edges[:-1] = (edges[:-1] + before) / 2
    return edges / SCALE


def bin_edges() -> Float[np.ndarray, " edge"]:
    """All edges in ascending order; the silent bin lies around zero."""
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
    values = silent.where(at == SILENT, values)
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
    """Share of its dataset's values that each component's value exceeds, 0 to 1, in float64: in float32 the
    shares next to 1 are 6e-8 apart, as far as the levels themselves.

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
    return rank.where(given[:, 0] <= table.highest[components], 1.0)
