"""The excerpts on which each component is strongest, kept while a corpus streams by.

Every component has k places on a side. One window gives at most one excerpt, at its largest value.
The order is total, so that parts of a corpus can be merged in any order and give the same:

    1. the larger value goes first;
    2. of equal values, the window that comes first in the corpus;
    3. of windows with the same text up to their peak, only the first in this order stays: what
       follows makes no difference to the value.

Within a window, of equal values the first place is the peak. A batch's windows are ranked first; the
activations of those that got a place are fetched then.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.exemplars.compiled import enter, fetched, in_threads
from neuron_explainer.exemplars.layout import Precision
from neuron_explainer.exemplars.observing import Batch

EMPTY = -torch.inf
_LAST_WINDOW = 2**32 - 1


class Best(NamedTuple):
    """The largest value of each window on one side, sign turned on the negative one, and its place."""

    value: Float[Tensor, "window component"]
    place: Int[Tensor, "window component"]


class Entered(NamedTuple):
    """Windows of a batch that got a place: the component, the row for its activations, and the window's
    row in the batch."""

    component: Int[Tensor, " entry"]
    slot: Int[Tensor, " entry"]
    window: Int[Tensor, " entry"]


class Leaders:
    """One side of every component of a group: largest values, or smallest with their sign turned.

    Rows of `activations`, with their `scale`, stay where they are while ranks change: the leader at
    place i of a component has its own in row `slot[i]`, until `tidy` puts them in order.
    """

    def __init__(
        self, n_components: int, k: int, n_places: int, precision: Precision, device: torch.device
    ) -> None:
        shape = (n_components, k)
        self.value = torch.full(shape, EMPTY, device=device)
        self.window = torch.full(shape, -1, dtype=torch.int64, device=device)
        self.text = torch.full(shape, -1, dtype=torch.int64, device=device)
        self.peak = torch.zeros(shape, dtype=torch.int32, device=device)
        self.scale = torch.zeros(shape, device=device)
        dtype = torch.int8 if precision == "int8" else torch.float16
        self.activations = torch.zeros(*shape, n_places, dtype=dtype, device=device)
        self._slot = torch.arange(k, device=device).repeat(n_components, 1)

    def add(
        self,
        best: Best,
        values: Float[Tensor, "window place component"],
        n_text: Int[Tensor, " window"],
        batch: Batch,
    ) -> None:
        """Let the windows of a batch compete; `n_text` of their places are text."""
        n_places = values.shape[1]
        is_cpu = values.device.type == "cpu"
        entered = (self._enter_compiled if is_cpu else self._enter)(best, batch, n_places)
        component, slot, window = entered
        rows = (fetched if is_cpu else _rows)(values, n_text, window, component)
        codes, scale = encoded(rows, self.activations.dtype)
        self.scale[component, slot] = scale
        self.activations[component, slot, :n_places] = codes
        self.activations[component, slot, n_places:] = 0

    def _enter_compiled(self, best: Best, batch: Batch, n_places: int) -> Entered:
        n_components, k = self.value.shape
        source = torch.full((n_components, k), -1, dtype=torch.int32)
        token_of = batch.token_of(torch.arange(n_places), n_places)
        given = [own.numpy() for own in (*best, batch.windows, batch.prefixes, token_of)]
        places = (self.value, self.window, self.text, self.peak, self._slot, source)
        changed = [own.numpy() for own in places]
        in_threads(lambda first, last: enter(*given, first, last, *changed), n_components)
        component, place = (source >= 0).nonzero(as_tuple=True)
        window = source[component, place].long()
        window, order = window.sort(stable=True)  # windows lie together in memory
        component, place = component[order], place[order]
        return Entered(component, self._slot[component, place], window)

    def _enter(self, best: Best, batch: Batch, n_places: int) -> Entered:
        """The same with tensor operations."""
        window, component = ((best.value >= self.value[:, -1]) & (best.value > 0)).nonzero(
            as_tuple=True
        )
        place = best.place[window, component]
        text = batch.prefixes[window, batch.token_of(place.long(), n_places)]
        rows, entry = _by_component(component)
        new = {"window": batch.windows[window], "text": text, "peak": place}
        both = {
            name: torch.cat((getattr(self, name)[rows], own[entry]), 1) for name, own in new.items()
        }
        entering = best.value[window, component][entry].masked_fill(entry < 0, EMPTY)
        values = torch.cat((self.value[rows], entering), 1)
        k = self.value.shape[1]
        value, order = _ranked(values, both["window"], both["text"], k)
        stays = (order < k) & (value > EMPTY)
        slots = _slots(self._slot[rows].gather(1, order.clamp(max=k - 1)), stays)
        for name, kept in both.items():
            getattr(self, name)[rows] = kept.gather(1, order)
        self.value[rows], self._slot[rows] = value, slots
        row, at = ((order >= k) & (value > EMPTY)).nonzero(as_tuple=True)
        chosen = entry[row, order[row, at] - k]
        return Entered(rows[row], slots[row, at], window[chosen])

    def merge(self, other: "Leaders") -> None:
        """Let the leaders of another part of the corpus compete."""
        k = self.value.shape[1]
        mine, theirs = self.tensors(), other.tensors()
        both = {name: torch.cat((mine[name], theirs[name]), 1) for name in mine}
        value, order = _ranked(both["value"], both["window"], both["text"], k)
        for name, tensor in both.items():
            at = order if tensor.ndim == 2 else order[..., None].expand(-1, -1, tensor.shape[2])
            setattr(self, name, tensor.gather(1, at))
        self.value = value

    def tidy(self) -> None:
        """Put activations in the order of their ranks, and leave nothing in empty places: then equal
        leaders are equal in every bit."""
        codes, slot = self.activations, self._slot
        self.activations = codes.gather(1, slot[..., None].expand_as(codes))
        self.scale = self.scale.gather(1, slot)
        slot.copy_(torch.arange(slot.shape[1], device=slot.device))
        empty = self.value == EMPTY
        for name, nothing in {"window": -1, "text": -1, "peak": 0, "scale": 0}.items():
            getattr(self, name).masked_fill_(empty, nothing)
        self.activations.masked_fill_(empty[..., None], 0)

    def tensors(self) -> dict[str, Tensor]:
        self.tidy()
        return {name: own for name, own in vars(self).items() if not name.startswith("_")}

    @staticmethod
    def of_tensors(tensors: Mapping[str, Tensor]) -> "Leaders":
        n_components, k = tensors["value"].shape
        leaders = Leaders(n_components, k, 0, "int8", tensors["value"].device)
        vars(leaders).update(tensors)
        return leaders


def _by_component(
    component: Int[Tensor, " entry"],
) -> tuple[Int[Tensor, " row"], Int[Tensor, "row nth"]]:
    """The components that have entries, and a row for each with their numbers, filled up with -1."""
    entry = component.argsort(stable=True)
    counts = component.bincount()
    rows = counts.nonzero()[:, 0]
    counts = counts[rows]
    row = torch.arange(len(rows), device=rows.device).repeat_interleave(counts)
    nth = torch.arange(len(entry), device=rows.device) - (counts.cumsum(0) - counts)[row]
    table = entry.new_full((len(rows), int(counts.max()) if len(counts) else 0), -1)
    table[row, nth] = entry
    return rows, table


def _slots(before: Int[Tensor, "row k"], stays: Bool[Tensor, "row k"]) -> Int[Tensor, "row k"]:
    """Slots of places in their new order: those that stay keep theirs, the others get what is free."""
    k = before.shape[1]
    is_taken = torch.zeros_like(before).scatter_reduce(1, before, stays.long(), "amax")
    free = is_taken.argsort(dim=1, stable=True)
    nth = ((~stays).cumsum(1) - 1).clamp(min=0, max=k - 1)
    return before.where(stays, free.gather(1, nth))


def _rows(
    values: Float[Tensor, "window place component"],
    n_text: Int[Tensor, " window"],
    window: Int[Tensor, " n"],
    component: Int[Tensor, " n"],
) -> Float[Tensor, "n place"]:
    """What some components did on some windows; 0 beyond their text."""
    own = values.transpose(1, 2)[window, component].float()
    is_text = torch.arange(values.shape[1], device=own.device) < n_text[window, None]
    return own.where(is_text, 0.0)


def _ranked(
    value: Float[Tensor, "row entry"],
    window: Int[Tensor, "row entry"],
    text: Int[Tensor, "row entry"],
    k: int,
) -> tuple[Float[Tensor, "row k"], Int[Tensor, "row k"]]:
    """The first k entries of each row in the order above: their values and where they stood.

    The bits of positive floats are in the order of the floats, so value and window make one number.
    """
    bits = value.contiguous().view(torch.int32).long() << 32
    key = (bits + (_LAST_WINDOW - window)).masked_fill(value == EMPTY, -1)
    key, order = key.sort(dim=1, descending=True)
    texts, by_text = text.gather(1, order).sort(dim=1, stable=True)
    is_same = (texts[:, 1:] == texts[:, :-1]) & (key.gather(1, by_text[:, 1:]) >= 0)
    if is_same.any():
        is_repeated = torch.zeros_like(is_same[:, :1]).expand_as(key).clone()
        is_repeated.scatter_(1, by_text[:, 1:], is_same)
        key, again = key.masked_fill(is_repeated, -1).sort(dim=1, descending=True)
        order = order.gather(1, again)
    order = order[:, :k]
    return value.gather(1, order).where(key[:, :k] >= 0, EMPTY), order


def encoded(
    values: Float[Tensor, "n place"], dtype: torch.dtype
) -> tuple[Float[Tensor, "n place"] | Int[Tensor, "n place"], Float[Tensor, " n"]]:
    """Activations as codes, and the factor that takes each row of codes back."""
    largest = 127 if dtype == torch.int8 else 1
    scale = values.abs().amax(1) / largest
    codes = values / scale.clamp(min=torch.finfo(scale.dtype).tiny)[:, None]
    return (codes.round() if dtype == torch.int8 else codes).to(dtype), scale
