"""The excerpts on which each component is strongest, kept while a corpus streams by.

Every component has k places on a side. One window gives at most one excerpt, at its largest value.
The order is total, so that parts of a corpus can be merged in any order and give the same:

    1. the larger value goes first;
    2. of equal values, the window that comes first in the corpus;
    3. of windows with the same text up to their peak, only the first in this order stays: what
       follows makes no difference to the value.

Within a window, of equal values the first place is the peak.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import pad

from neuron_explainer.exemplars.layout import Precision
from neuron_explainer.exemplars.observing import Batch

EMPTY = -torch.inf
DENSE_SHARE = 1 / 4
"""Share of all windows and components from which on all of them are turned round: memory is read in order."""
WAITING_SHARE, WAITING_BATCHES = 1 / 2, 8
"""Entrants wait to be ranked until they are as many as this share of all places, or of so many batches."""
_LAST_WINDOW = 2**32 - 1


class Leaders:
    """One side of every component of a group: largest values, or smallest with their sign turned.

    Rows of `activations` are long, so they stay where they are while ranks change: place i of a
    component has its own in row `slot[i]`, until `tidy` puts them in order.
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
        self._waiting: list[_Entrants] = []

    def add(
        self,
        best: Float[Tensor, "window component"],
        values: Float[Tensor, "window place component"],
        batch: Batch,
        sign: int,
        valid: Bool[Tensor, "window place"] | None,
    ) -> None:
        """Let some windows compete; `best` is the largest of `sign * values` in each.

        Those that beat a place as last ranked wait: ranking costs the same for few as for many.
        """
        window, component = ((best >= self.value[:, -1]) & (best > 0)).nonzero(as_tuple=True)
        if len(window) == 0:
            return
        own = _rows(values, window, component, valid)
        peak = own.argmax(1) if sign > 0 else own.argmin(1)
        codes, scale = encoded(own, self.activations.dtype)
        self._waiting.append(
            _Entrants(
                component,
                best[window, component],
                batch.windows[window],
                batch.prefixes[window, batch.token_of(peak, values.shape[1])],
                peak.int(),
                scale,
                pad(codes, (0, self.activations.shape[2] - codes.shape[1])),
            )
        )
        n_waiting = sum(len(some.component) for some in self._waiting)
        is_enough = n_waiting >= WAITING_SHARE * self.value.numel()
        if is_enough or len(self._waiting) == WAITING_BATCHES:
            self._rank()

    def _rank(self) -> None:
        """Give those that wait their places."""
        if not self._waiting:
            return
        new = _Entrants(*(torch.cat(some) for some in zip(*self._waiting, strict=True)))
        self._waiting.clear()
        rows, entry = new.by_component()
        k = self.value.shape[1]
        both = {
            name: torch.cat((getattr(self, name)[rows], getattr(new, name)[entry]), 1)
            for name in ("window", "text", "peak", "scale")
        }
        entering = new.value[entry].masked_fill(entry < 0, EMPTY)
        values = torch.cat((self.value[rows], entering), 1)
        value, order = _ranked(values, both["window"], both["text"], k)
        stays = (order < k) & (value > EMPTY)
        slots = _slots(self._slot[rows].gather(1, order.clamp(max=k - 1)), stays)
        for name, kept in both.items():
            getattr(self, name)[rows] = kept.gather(1, order)
        self.value[rows], self._slot[rows] = value, slots
        row, place = ((order >= k) & (value > EMPTY)).nonzero(as_tuple=True)
        chosen = entry[row, order[row, place] - k]
        self.activations[rows[row], slots[row, place]] = new.codes[chosen]

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
        """Rank those that wait, put activations in the order of their ranks, and leave nothing in
        empty places: then equal leaders are equal in every bit."""
        self._rank()
        codes = self.activations
        self.activations = codes.gather(1, self._slot[..., None].expand_as(codes))
        self._slot.copy_(torch.arange(self._slot.shape[1], device=self._slot.device))
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


def _slots(before: Int[Tensor, "row k"], stays: Bool[Tensor, "row k"]) -> Int[Tensor, "row k"]:
    """Slots of places in their new order: those that stay keep theirs, the others get what is free."""
    k = before.shape[1]
    is_taken = torch.zeros_like(before).scatter_reduce(1, before, stays.long(), "amax")
    free = is_taken.argsort(dim=1, stable=True)
    nth = ((~stays).cumsum(1) - 1).clamp(min=0, max=k - 1)
    return before.where(stays, free.gather(1, nth))


class _Entrants(NamedTuple):
    """Windows that may enter the leaders of some components, one entry each."""

    component: Int[Tensor, " entry"]
    value: Float[Tensor, " entry"]
    window: Int[Tensor, " entry"]
    text: Int[Tensor, " entry"]
    peak: Int[Tensor, " entry"]
    scale: Float[Tensor, " entry"]
    codes: Float[Tensor, "entry place"] | Int[Tensor, "entry place"]

    def by_component(self) -> tuple[Int[Tensor, " row"], Int[Tensor, "row nth"]]:
        """The components, and a row for each with the numbers of its entries, filled up with -1."""
        entry = self.component.argsort(stable=True)
        counts = self.component.bincount()
        rows = counts.nonzero()[:, 0]
        counts = counts[rows]
        row = torch.arange(len(rows), device=rows.device).repeat_interleave(counts)
        nth = torch.arange(len(entry), device=rows.device) - (counts.cumsum(0) - counts)[row]
        table = entry.new_full((len(rows), int(counts.max())), -1)
        table[row, nth] = entry
        return rows, table


def _rows(
    values: Float[Tensor, "window place component"],
    window: Int[Tensor, " n"],
    component: Int[Tensor, " n"],
    valid: Bool[Tensor, "window place"] | None,
) -> Float[Tensor, "n place"]:
    """What some components did on some windows; 0 beyond their text."""
    by_component = values.transpose(1, 2)
    if len(window) > DENSE_SHARE * values.shape[0] * values.shape[2]:
        by_component = by_component.contiguous()
    own = by_component[window, component].float()
    return own if valid is None else own.where(valid[window], 0.0)


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
