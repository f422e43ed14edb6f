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

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.exemplars.layout import Precision
from neuron_explainer.exemplars.observing import Batch

EMPTY = -torch.inf
DENSE_SHARE = 1 / 4
"""Share of all windows and components from which on peaks are sought in all of them: memory is read in order."""
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

    def add(
        self,
        best: Float[Tensor, "window component"],
        values: Float[Tensor, "window place component"],
        batch: Batch,
        sign: int,
        valid: Bool[Tensor, "window place"] | None,
    ) -> None:
        """Let some windows compete; `best` is the largest of `sign * values` in each."""
        enters = (best >= self.value[:, -1]) & (best > 0)
        rows = enters.any(0).nonzero()[:, 0]
        if len(rows) == 0:
            return
        entering = best.where(enters, EMPTY)[:, rows].T
        new = _Entrants(entering, values, rows, batch, sign, valid)
        k = self.value.shape[1]
        both = {
            name: torch.cat((getattr(self, name)[rows], getattr(new, name)), 1)
            for name in ("window", "text", "peak")
        }
        old = self.value[rows]
        value, order = _ranked(torch.cat((old, new.value), 1), both["window"], both["text"], k)
        stays = (order < k) & (value > EMPTY)
        before = order.clamp(max=k - 1)
        slots = _slots(self._slot[rows].gather(1, before), stays)
        for name, kept in both.items():
            getattr(self, name)[rows] = kept.gather(1, order)
        self.scale[rows] = self.scale[rows].gather(1, before)
        self.value[rows], self._slot[rows] = value, slots
        row, place = ((order >= k) & (value > EMPTY)).nonzero(as_tuple=True)
        own = new.activations(row, order[row, place] - k, values, valid)
        codes, self.scale[rows[row], place] = encoded(own, self.activations.dtype)
        at = slots[row, place]
        self.activations[rows[row], at, : codes.shape[1]] = codes
        self.activations[rows[row], at, codes.shape[1] :] = 0

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


class _Entrants:
    """Windows that may enter the leaders of some components: "row entry", padded with EMPTY."""

    def __init__(
        self,
        entering: Float[Tensor, "row window"],
        values: Float[Tensor, "window place component"],
        components: Int[Tensor, " row"],
        batch: Batch,
        sign: int,
        valid: Bool[Tensor, "window place"] | None,
    ) -> None:
        n_new = int((entering > EMPTY).sum(1).max())
        self.value, self._chosen = entering.topk(n_new, dim=1)
        self._components = components
        self._own: Tensor | None = None
        row, column = (self.value > EMPTY).nonzero(as_tuple=True)
        window = self._chosen[row, column]
        if len(window) > DENSE_SHARE * values.shape[0] * values.shape[2]:
            peak = _peaks(values, sign, valid)[window, components[row]]
        else:
            self._own = _rows(values, window, components[row], valid)
            self._entry = torch.zeros_like(self._chosen)
            self._entry[row, column] = torch.arange(len(row), device=row.device)
            peak = (sign * self._own).nan_to_num(EMPTY).argmax(1)
        self.peak = torch.zeros_like(self._chosen, dtype=torch.int32)
        self.peak[row, column] = peak.int()
        self.window = batch.windows[self._chosen]
        self.text = torch.zeros_like(self._chosen)
        self.text[row, column] = batch.prefixes[window, batch.token_of(peak, values.shape[1])]

    def activations(
        self,
        row: Int[Tensor, " n"],
        column: Int[Tensor, " n"],
        values: Float[Tensor, "window place component"],
        valid: Bool[Tensor, "window place"] | None,
    ) -> Float[Tensor, "n place"]:
        """All values of some entrants' windows; 0 beyond their text."""
        if self._own is None:
            own = _rows(values, self._chosen[row, column], self._components[row], valid)
        else:
            own = self._own[self._entry[row, column]]
        return own.nan_to_num(0.0)


def _rows(
    values: Float[Tensor, "window place component"],
    window: Int[Tensor, " n"],
    component: Int[Tensor, " n"],
    valid: Bool[Tensor, "window place"] | None,
) -> Float[Tensor, "n place"]:
    """What some components did on some windows; nothing (NaN) beyond their text."""
    own = values[window, :, component].float()
    return own if valid is None else own.where(valid[window], torch.nan)


def _peaks(
    values: Float[Tensor, "window place component"],
    sign: int,
    valid: Bool[Tensor, "window place"] | None,
) -> Int[Tensor, "window component"]:
    """First place of the largest (or smallest) value of every window and component."""
    if valid is not None:
        values = values.masked_fill(~valid[..., None], sign * EMPTY)
    return values.argmax(1) if sign > 0 else values.argmin(1)


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
