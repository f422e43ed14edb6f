"""Excerpts that are not extremes: a random sample, and some from each band of a component's quantiles.

When the corpus has been read, a uniform sample of its windows is run once more, now that every
component's quantiles are known:

    random      the first n_random windows of the sample, the same for every component
    a band      the first windows in which a value lies in (lower, upper]; its first such place is the peak

A component shows a window in one band only, the narrowest that still has room for it.

The sample has 512 windows whatever the corpus, so this costs the same however long the corpus is.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.exemplars.distribution import LEVELS
from neuron_explainer.exemplars.layout import Group, Recipe
from neuron_explainer.exemplars.leaders import encoded
from neuron_explainer.exemplars.observing import Batch
from neuron_explainer.exemplars.state import State

SAMPLE_WINDOWS = 512
BATCH_WINDOWS = 16


class Sampled:
    """Slots of one group for the random sample and the bands."""

    def __init__(self, group: Group, recipe: Recipe, quantiles: Tensor) -> None:
        shape = (group.n_components, recipe.n_slots(group.is_signed))
        device = quantiles.device
        dtype = torch.int8 if recipe.precision == "int8" else torch.float16
        places = group.n_positions(recipe.window)
        self.tensors = {
            "window": torch.full(shape, -1, dtype=torch.int64, device=device),
            "peak": torch.zeros(shape, dtype=torch.int32, device=device),
            "value": torch.zeros(shape, device=device),
            "scale": torch.zeros(shape, device=device),
            "activations": torch.zeros(*shape, places, dtype=dtype, device=device),
        }
        lists = [one for one in recipe.slots(group.is_signed) if not one[0].startswith("top_")]
        self._lists = sorted(lists, key=_width)
        self._quantiles = quantiles
        self._filled = torch.zeros(len(self._lists), group.n_components, dtype=torch.int64).to(
            device
        )

    def add(
        self, batch: Batch, values: Float[Tensor, "window place component"], pairs: bool
    ) -> None:
        valid = batch.valid(pairs=pairs)
        if valid is not None:
            values = values.masked_fill(~valid[..., None], torch.nan)  # in no band
        in_a_band = torch.zeros_like(values[:, 0], dtype=torch.bool)
        for number, (_, band, slots) in enumerate(self._lists):
            open_ones = (self._filled[number] < len(slots)).nonzero()[:, 0]
            if len(open_ones) == 0:
                continue
            own = values if len(open_ones) == values.shape[2] else values[..., open_ones]
            if band is None:
                strength = own.abs().nan_to_num(-1)
                is_peak = strength == strength.amax(1, keepdim=True)
            else:
                lower, upper = (edge[open_ones] for edge in self._edges(band))
                is_peak = (own > lower) & (own <= upper) & ~in_a_band[:, None, open_ones]
            taken = self._take(number, slots, open_ones, own, is_peak, batch.windows)
            if band is not None:
                in_a_band[:, open_ones] |= taken

    def _edges(self, band: tuple[float, float]) -> tuple[Tensor, Tensor]:
        """Values between which each component's band lies; the outermost are open."""
        found = []
        for level, outermost in zip(band, (-torch.inf, torch.inf), strict=True):
            if level in (0.0, 1.0):
                found.append(torch.full_like(self._quantiles[:, 0], outermost))
            else:
                at = min(range(len(LEVELS)), key=lambda i: abs(LEVELS[i] - level))
                found.append(self._quantiles[:, at])
        return found[0], found[1]

    def _take(
        self,
        number: int,
        slots: range,
        components: Int[Tensor, " component"],
        values: Float[Tensor, "window place component"],
        is_peak: Bool[Tensor, "window place component"],
        windows: Int[Tensor, " window"],
    ) -> Bool[Tensor, "window component"]:
        """Fill a list's free slots; says which windows went there."""
        hits = is_peak.any(1)
        place = hits.cumsum(0) - 1 + self._filled[number, components]
        taken = hits & (place < len(slots))
        window, column = taken.nonzero(as_tuple=True)
        rows, at = components[column], slots.start + place[window, column]
        own = values[window, :, column].nan_to_num(0.0)
        peak = is_peak[window, :, column].int().argmax(1)
        codes, scale = encoded(own, self.tensors["activations"].dtype)
        self.tensors["window"][rows, at] = windows[window]
        self.tensors["peak"][rows, at] = peak.int()
        self.tensors["value"][rows, at] = own.gather(1, peak[:, None])[:, 0]
        self.tensors["scale"][rows, at] = scale
        self.tensors["activations"][rows, at, : codes.shape[1]] = codes
        self._filled[number, components] += taken.sum(0)
        return taken


def _width(one: tuple[str, tuple[float, float] | None, range]) -> float:
    """Share of all values that a band holds; of the random sample, all."""
    _, band, _ = one
    return 1.0 if band is None else band[1] - band[0]


class Sampling:
    """The sampled slots of every group, filled batch by batch."""

    def __init__(self, groups: list[Group], recipe: Recipe, state: State) -> None:
        self.groups: Mapping[str, Sampled] = {
            group.name: Sampled(group, recipe, _quantiles(state, group)) for group in groups
        }

    def receive(self, group: Group, batch: Batch, values: Float[Tensor, "w p c"]) -> None:
        """What `Observer.run` calls."""
        self.groups[group.name].add(batch, values.float(), pairs=group.kind == "attn")


def _quantiles(state: State, group: Group) -> Tensor:
    tally = state.groups[group.name].tally
    return tally.quantiles().to(tally.keys.device)
