"""Statistics of many components at once, taken value by value and exact to add up.

Counts are integers. Sums are kept in fixed point, as integers too: each batch's sum, taken in
float64 of float32 sums over single windows, is rounded once to a multiple of 2^-40 and split into two int64
limbs, high * 2^-8 + low * 2^-40. So merging is associative: parts of a corpus give the same statistics
in whatever order they are merged, bit for bit. The rounding is worth 2^-41 per batch.

On a CPU everything goes through the values in pieces that fit its cache: a pass over a layer's values
in memory costs as much as a tenth of the layer.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.exemplars.distribution import N_KEYS, bin_keys, ordered, quantiles
from neuron_explainer.exemplars.histogram import shown_counts

COMPONENTS_AT_ONCE = 48
"""Components counted together on a CPU: their counters fit its cache."""


class Moments(NamedTuple):
    """Of each window and component, over what is text of the window: float32."""

    lowest: Float[Tensor, "window component"]
    highest: Float[Tensor, "window component"]
    sums: Float[Tensor, "window component"]
    squares: Float[Tensor, "window component"]

    @staticmethod
    def of(
        values: Float[Tensor, "window place component"], spans: Sequence[tuple[slice, int]]
    ) -> "Moments":
        """`spans` are windows and how many of their places are text."""
        n, _, n_components = values.shape
        found = torch.empty(4, n, n_components, device=values.device)
        for windows, n_places in spans:
            at_once = 1 if values.device.type == "cpu" else n
            for first in range(windows.start, windows.stop, at_once):
                some = slice(first, min(first + at_once, windows.stop))
                own = values[some, :n_places].float()
                torch.amin(own, 1, out=found[0, some])
                torch.amax(own, 1, out=found[1, some])
                torch.sum(own, 1, out=found[2, some])
                torch.sum(own.square(), 1, out=found[3, some])
        return Moments(*found)


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
        moments: Moments,
        spans: Sequence[tuple[slice, int]],
    ) -> None:
        """Take in the values of some windows.

        Raises ValueError where a value is not finite.
        """
        sums, squares = (total.double().sum(0) for total in (moments.sums, moments.squares))
        if not squares.isfinite().all():
            at = int((~squares.isfinite()).nonzero()[0, 0])
            raise ValueError(f"component {at} has a value that is not finite: use float32")
        self.n_values += sum((windows.stop - windows.start) * n for windows, n in spans)
        self.sums += torch.stack((*_limbs(sums), *_limbs(squares)))
        torch.minimum(self.lowest, moments.lowest.amin(0), out=self.lowest)
        torch.maximum(self.highest, moments.highest.amax(0), out=self.highest)
        if len(spans) > 1:  # of different lengths: what is text, one after the other
            texts = [values[windows, :n].flatten(0, 1) for windows, n in spans]
            values = torch.cat(texts)[:, None]
        else:
            values = values[:, : spans[0][1]]
        self._count(values)

    def _count(self, values: Float[Tensor, "window place component"]) -> None:
        n = values.shape[-1]
        size = min(n, COMPONENTS_AT_ONCE) if values.device.type == "cpu" else n
        offsets = torch.arange(size, device=values.device, dtype=torch.int32) * N_KEYS + N_KEYS // 2
        one = torch.ones(1, dtype=torch.int64, device=values.device)
        for first in range(0, n, size):
            part = values[..., first : first + size]
            own = offsets[: part.shape[-1]]
            if part.stride(-1) != 1:  # heads: memory holds all places of a component together
                part, own = part.transpose(1, 2), own[:, None]
            keys = torch.add(bin_keys(part.float()), own).flatten()
            # Onto the counters themselves: bincount makes new ones, which then are added to these.
            self.keys[first : first + size].view(-1).index_add_(0, keys, one.expand(len(keys)))

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
        mean = _float(high, low) / n
        variance = (_float(high_squares, low_squares) / n - mean.square()).clamp(min=0)
        shown, tops = shown_counts(counts)
        return {
            "mean": mean,
            "std": variance.sqrt(),
            "fraction_active": counts[:, counts.shape[1] // 2 + 1 :].sum(1).double() / n,
            "min": self.lowest.cpu(),
            "max": self.highest.cpu(),
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
