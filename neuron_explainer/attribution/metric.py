"""A number for every node of a kind, kept as value times factor."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Metric:
    """One number for each node of a kind: value times factor, multiplied out only where it is looked at."""

    values: tuple[Float[Tensor, "*axes"], ...]
    """Activations by layer; neurons "token neuron", heads "head query key", embeddings "token" in one layer."""
    factors: tuple[Tensor | None, ...]
    """What each is multiplied by, broadcast; None is 1. With `positions`, only for those tokens."""
    is_signed: bool
    positions: tuple[int, ...] | None = None
    """Writing tokens at which the metric is not zero; None means any."""

    @property
    def token_axis(self) -> int:
        """Axis of the writing token."""
        return self.values[0].ndim - 2 if self.values[0].ndim > 1 else 0

    def rows(self, layer: int) -> Float[Tensor, "*axes"]:
        """The layer's numbers, at `positions` only if there are any."""
        value, factor = self.values[layer], self.factors[layer]
        if self.positions is not None:
            at = torch.tensor(self.positions, device=value.device)
            value = value.index_select(self.token_axis, at)
        return value if factor is None else value * factor

    @property
    def layers(self) -> tuple[Float[Tensor, "*axes"], ...]:
        """All numbers of all layers. Large: for checks and small models."""
        return tuple(self._dense(layer) for layer in range(len(self.values)))

    def _dense(self, layer: int) -> Tensor:
        if self.positions is None:
            return self.rows(layer)
        full = torch.zeros_like(self.values[layer])
        at = torch.tensor(self.positions, device=full.device)
        return full.index_copy(self.token_axis, at, self.rows(layer))

    def at(self, layer: int, index: Int[Tensor, "axis n"]) -> Float[Tensor, " n"]:
        """The numbers at n places of a layer, given their indices along each axis."""
        value = self.values[layer][tuple(index)]
        factor = self.factors[layer]
        if factor is None:
            return value
        if self.positions is None:
            return value * factor.expand_as(self.values[layer])[tuple(index)]
        slots = torch.full((self.values[layer].shape[self.token_axis],), -1, device=value.device)
        slots[list(self.positions)] = torch.arange(len(self.positions), device=value.device)
        slot = slots[index[self.token_axis]]
        index = index.clone()
        index[self.token_axis] = slot.clamp(min=0)
        return torch.where(slot >= 0, value * factor[tuple(index)], 0.0)


def plain(values: tuple[Tensor, ...], *, is_signed: bool) -> Metric:
    return Metric(values, (None,) * len(values), is_signed)
