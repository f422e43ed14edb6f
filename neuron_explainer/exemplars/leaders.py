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
DENSE_SHARE = 1 / 16
"""Share of all windows and components from which on peaks are sought in all of them: memory is read in order."""
_LAST_WINDOW = 2**32 - 1


class Leaders:
    """One side of every component of a group: largest values, or smallest with their sign turned."""

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
        value, order = _ranked(
            torch.cat((self.value[rows], new.value), 1),
            torch.cat((self.window[rows], new.window), 1),
            torch.cat((self.text[rows], new.text), 1),
            k,
        )
        self._rearrange(rows, order.clamp(max=k - 1))
        self.value[rows] = value
        row, place = ((order >= k) & (value > EMPTY)).nonzero(as_tuple=True)
        self._fill(rows[row], place, new, row, order[row, place] - k, values, valid)
        self._blank(rows)

    def _rearrange(self, rows: Int[Tensor, " row"], order: Int[Tensor, "row k"]) -> None:
        for name in ("window", "text", "peak", "scale"):
            kept = getattr(self, name)
            kept[rows] = kept[rows].gather(1, order)
        codes = self.activations[rows]
        self.activations[rows] = codes.gather(1, order[..., None].expand_as(codes))

    def _fill(
        self,
        rows: Int[Tensor, " n"],
        places: Int[Tensor, " n"],
        new: "_Entrants",
        row: Int[Tensor, " n"],
        column: Int[Tensor, " n"],
        values: Float[Tensor, "window place component"],
        valid: Bool[Tensor, "window place"] | None,
    ) -> None:
        """Put entrants into the places they have won."""
        for name in ("window", "text", "peak"):
            getattr(self, name)[rows, places] = getattr(new, name)[row, column]
        chosen = new.chosen[row, column]
        own = values[chosen, :, rows]
        if valid is not None:
            own = own.where(valid[chosen], 0.0)
        codes, self.scale[rows, places] = encoded(own, self.activations.dtype)
        self.activations[rows, places, : codes.shape[1]] = codes
        self.activations[rows, places, codes.shape[1] :] = 0

    def merge(self, other: "Leaders") -> None:
        """Let the leaders of another part of the corpus compete."""
        k = self.value.shape[1]
        both = {n: torch.cat((mine, vars(other)[n]), 1) for n, mine in vars(self).items()}
        value, order = _ranked(both["value"], both["window"], both["text"], k)
        for name, tensor in both.items():
            at = order if tensor.ndim == 2 else order[..., None].expand(-1, -1, tensor.shape[2])
            setattr(self, name, tensor.gather(1, at))
        self.value = value
        self._blank(torch.arange(len(value), device=value.device))

    def _blank(self, rows: Int[Tensor, " row"]) -> None:
        """Leave nothing in empty places, so that equal leaders are equal in every bit."""
        empty = self.value[rows] == EMPTY
        if not empty.any():
            return
        for name, nothing in {"window": -1, "text": -1, "peak": 0, "scale": 0}.items():
            kept = getattr(self, name)
            kept[rows] = kept[rows].masked_fill(empty, nothing)
        self.activations[rows] = self.activations[rows].masked_fill(empty[..., None], 0)

    def tensors(self) -> dict[str, Tensor]:
        return dict(vars(self))

    @staticmethod
    def of_tensors(tensors: Mapping[str, Tensor]) -> "Leaders":
        leaders = Leaders(0, 0, 0, "int8", tensors["value"].device)
        vars(leaders).update({name: tensors[name] for name in vars(leaders)})
        return leaders


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
        self.value, self.chosen = entering.topk(n_new, dim=1)
        row, column = (self.value > EMPTY).nonzero(as_tuple=True)
        window = self.chosen[row, column]
        peak = _peaks(values, window, components[row], sign, valid)
        self.peak = torch.zeros_like(self.chosen, dtype=torch.int32)
        self.peak[row, column] = peak.int()
        self.window = batch.windows[self.chosen]
        self.text = torch.zeros_like(self.chosen)
        self.text[row, column] = batch.prefixes[window, batch.token_of(peak, values.shape[1])]


def _peaks(
    values: Float[Tensor, "window place component"],
    window: Int[Tensor, " n"],
    component: Int[Tensor, " n"],
    sign: int,
    valid: Bool[Tensor, "window place"] | None,
) -> Int[Tensor, " n"]:
    """First place of the largest (or smallest) value of each window and component named."""
    if len(window) > DENSE_SHARE * values.shape[0] * values.shape[2]:
        if valid is not None:
            values = values.masked_fill(~valid[..., None], sign * EMPTY)
        return (values.argmax(1) if sign > 0 else values.argmin(1))[window, component]
    own = values[window, :, component]
    if valid is not None:
        own = own.where(valid[window], sign * EMPTY)
    return own.argmax(1) if sign > 0 else own.argmin(1)


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
