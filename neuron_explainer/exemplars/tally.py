"""Statistics of many components at once, taken value by value and exact to add up.

Counts are integers. Sums are kept in fixed point, as integers too: each batch's sum, taken in
float64 of float32 sums over parts of windows, is rounded once to a multiple of 2^-40 and split into two int64
limbs, high * 2^-8 + low * 2^-40. So merging is associative: parts of a corpus give the same statistics
in whatever order they are merged, bit for bit. The rounding is worth 2^-41 per batch.

On a CPU compiled loops take everything from each value at once (`compiled.py`); on other devices tensor
operations do, one after the other.
"""

from collections.abc import Mapping
from itertools import chain
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.exemplars.compiled import float_bits, in_threads, observe
from neuron_explainer.exemplars.distribution import N_KEYS, bin_keys, ordered, quantiles
from neuron_explainer.exemplars.histogram import shown_counts
from neuron_explainer.exemplars.leaders import Best


class Moments(NamedTuple):
    """Of each window and component, over what is text of the window."""

    lowest: Float[Tensor, "window component"]
    highest: Float[Tensor, "window component"]
    sums: Float[Tensor, "window component"]
    squares: Float[Tensor, "window component"]
    at_lowest: Int[Tensor, "window component"]
    """The first place of the lowest value."""
    at_highest: Int[Tensor, "window component"]

    @staticmethod
    def empty(n_windows: int, n_components: int, device: torch.device) -> "Moments":
        shape = (2, n_windows, n_components)
        dtypes = (torch.float32, torch.float64, torch.int32)
        pairs = (torch.empty(shape, dtype=dtype, device=device) for dtype in dtypes)
        return Moments(*chain.from_iterable(pairs))

    def best(self, sign: int) -> Best:
        """What competes to lead on one side."""
        if sign > 0:
            return Best(self.highest, self.at_highest)
        return Best(-self.lowest, self.at_lowest)


class Tally:
    """Counts, sums and extremes of every component of a group."""

    def __init__(self, n_components: int, device: torch.device) -> None:
        self.n_values = torch.zeros((), dtype=torch.int64)
        self.keys = torch.zeros(n_components, N_KEYS, dtype=torch.int64, device=device)
        self.sums = torch.zeros(4, n_components, dtype=torch.int64, device=device)
        """High and low limb of the sum, and of the sum of squares."""
        self.lowest = torch.full((n_components,), torch.inf, device=device)
        self.highest = torch.full((n_components,), -torch.inf, device=device)

    def add(
        self,
        values: Float[Tensor, "window place component"],
        n_text: Int[Tensor, " window"],
    ) -> Moments:
        """Take in the values of some windows, over the `n_text` places of each that are text.

        Raises ValueError where a value is not finite.
        """
        moments = Moments.empty(values.shape[0], values.shape[2], values.device)
        is_cpu = values.device.type == "cpu"
        (self._observe_compiled if is_cpu else self._observe)(values, n_text, moments)
        sums, squares = moments.sums.sum(0), moments.squares.sum(0)
        if not squares.isfinite().all():
            at = int((~squares.isfinite()).nonzero()[0, 0])
            raise ValueError(f"component {at} has a value that is not finite: use float32")
        self.n_values += int(n_text.sum())
        self.sums += torch.stack((*_limbs(sums), *_limbs(squares)))
        torch.minimum(self.lowest, moments.lowest.amin(0), out=self.lowest)
        torch.maximum(self.highest, moments.highest.amax(0), out=self.highest)
        return moments

    def _observe_compiled(self, values: Tensor, n_text: Tensor, moments: Moments) -> None:
        """Fill in the moments and count."""
        bits, shift = float_bits(values)
        changed = [each.numpy() for each in (*moments, self.keys)]
        in_threads(
            lambda first, last: observe(bits, shift, n_text.numpy(), first, last, *changed),
            values.shape[2],
        )

    def _observe(self, values: Tensor, n_text: Tensor, moments: Moments) -> None:
        """The same with tensor operations."""
        values = values.float()
        is_text = (torch.arange(values.shape[1], device=values.device) < n_text[:, None])[..., None]
        lowest = values.where(is_text, torch.inf).min(1)
        highest = values.where(is_text, -torch.inf).max(1)
        text = values.where(is_text, 0.0)
        sums = (text.sum(1), text.square().sum(1))
        for into, found in zip(
            moments, (lowest[0], highest[0], *sums, lowest[1], highest[1]), strict=True
        ):
            into.copy_(found)
        offsets = torch.arange(values.shape[2], device=values.device) * N_KEYS + N_KEYS // 2
        keys = (bin_keys(text) + offsets).flatten()
        self.keys.view(-1).index_add_(0, keys, is_text.long().expand_as(values).flatten())

    def merge(self, other: "Tally") -> None:
        """Take in what another part of the corpus gave."""
        for name in ("n_values", "keys", "sums"):
            getattr(self, name).add_(getattr(other, name))
        torch.minimum(self.lowest, other.lowest, out=self.lowest)
        torch.maximum(self.highest, other.highest, out=self.highest)

    def tensors(self) -> dict[str, Tensor]:
        return dict(vars(self))

    @staticmethod
    def of_tensors(tensors: Mapping[str, Tensor]) -> "Tally":
        tally = Tally(0, tensors["keys"].device)
        vars(tally).update({name: tensors[name] for name in vars(tally)})
        return tally

    def quantiles(self) -> Float[Tensor, "component level"]:
        return quantiles(ordered(self.keys.cpu()), self.lowest.cpu(), self.highest.cpu())

    def statistics(self) -> dict[str, Tensor]:
        """Everything a dataset keeps of it, by tensor name."""
        counts = ordered(self.keys.cpu())
        n = max(1, int(self.n_values))
        high, low, high_squares, low_squares = self.sums.cpu().double()
        lowest, highest = self.lowest.cpu(), self.highest.cpu()
        mean = (_float(high, low) / n).maximum(lowest.double()).minimum(highest.double())
        variance = (_float(high_squares, low_squares) / n - mean.square()).clamp(min=0)
        # The difference of two large numbers where values hardly vary; half their range is never exceeded.
        std = variance.sqrt().minimum((highest.double() - lowest.double()) / 2)
        shown, tops = shown_counts(counts)
        return {
            "mean": mean,
            "std": std,
            "fraction_active": counts[:, counts.shape[1] // 2 + 1 :].sum(1).double() / n,
            "min": lowest,
            "max": highest,
            "quantiles": self.quantiles(),
            "histogram_counts": shown,
            "histogram_top": tops,
        }


def _limbs(sums: Float[Tensor, " component"]) -> tuple[Tensor, Tensor]:
    """A float64 sum in fixed point: high * 2^-8 + low * 2^-40, with 0 <= low < 2^32."""
    scaled = sums * 2.0**8
    high = scaled.floor()
    return high.long(), ((scaled - high) * 2.0**32).round().long()


def _float(high: Float[Tensor, " component"], low: Float[Tensor, " component"]) -> Tensor:
    return high * 2.0**-8 + low * 2.0**-40
