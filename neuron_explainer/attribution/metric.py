"""A number for every node of a kind: dense, as value times factor, or sparse, for the active latents alone."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.models.bases import Active


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
    numbers: tuple[int, ...] | None = None
    """Which layers these are; None means all, from 0."""

    @property
    def of_layers(self) -> tuple[int, ...]:
        """Which layers there are."""
        return tuple(range(len(self.values))) if self.numbers is None else self.numbers

    @property
    def token_axis(self) -> int:
        """Axis of the writing token."""
        return self.values[0].ndim - 2 if self.values[0].ndim > 1 else 0

    def rows(self, layer: int) -> Float[Tensor, "*axes"]:
        """The layer's numbers, at `positions` only if there are any."""
        value, factor = self._parts(layer)
        if self.positions is not None:
            at = torch.tensor(self.positions, device=value.device)
            value = value.index_select(self.token_axis, at)
        return value if factor is None else value * factor

    @property
    def layers(self) -> tuple[Float[Tensor, "*axes"], ...]:
        """All numbers of all layers. Large: for checks and small models."""
        return tuple(self._dense(layer) for layer in self.of_layers)

    def _parts(self, layer: int) -> tuple[Tensor, Tensor | None]:
        index = layer if self.numbers is None else self.numbers.index(layer)
        return self.values[index], self.factors[index]

    def _dense(self, layer: int) -> Tensor:
        if self.positions is None:
            return self.rows(layer)
        full = torch.zeros_like(self._parts(layer)[0])
        at = torch.tensor(self.positions, device=full.device)
        return full.index_copy(self.token_axis, at, self.rows(layer))

    def at(self, layer: int, index: Int[Tensor, "axis n"]) -> Float[Tensor, " n"]:
        """The numbers at n places of a layer, given their indices along each axis."""
        values, factor = self._parts(layer)
        index = index.to(values.device)
        value = values[tuple(index)]
        if factor is None:
            return value
        if self.positions is None:
            return value * factor.expand_as(values)[tuple(index)]
        slots = torch.full((values.shape[self.token_axis],), -1, device=value.device)
        slots[list(self.positions)] = torch.arange(len(self.positions), device=value.device)
        slot = slots[index[self.token_axis]]
        index = index.clone()
        index[self.token_axis] = slot.clamp(min=0)
        return torch.where(slot >= 0, value * factor[tuple(index)], 0.0)


def plain(
    values: tuple[Tensor, ...], *, is_signed: bool, numbers: tuple[int, ...] | None = None
) -> Metric:
    return Metric(values, (None,) * len(values), is_signed, numbers=numbers)


@dataclass(frozen=True)
class SparseMetric:
    """One number for each active latent; those that are off have 0."""

    of_layers: tuple[int, ...]
    active: tuple[Active, ...]
    """By layer, sorted by token, then latent."""
    values: tuple[Float[Tensor, " _active"], ...]
    """By layer, one for each active latent."""
    is_signed: bool
    shape: tuple[int, int]
    """Tokens and latents there could be."""

    @property
    def layers(self) -> tuple[Float[Tensor, "token latent"], ...]:
        """All numbers of all layers, zeros included. Large: for checks and small models."""
        return tuple(
            value.new_zeros(self.shape).index_put((active.token, active.latent), value)
            for active, value in zip(self.active, self.values, strict=True)
        )

    def sums(self, layer: int) -> Float[Tensor, " token"]:
        """Summed over latents, by token."""
        index = self.of_layers.index(layer)
        value = self.values[index]
        return value.new_zeros(self.shape[0]).index_add(0, self.active[index].token, value)

    def at(self, layer: int, index: Int[Tensor, "axis n"]) -> Float[Tensor, " n"]:
        """The numbers at n places of a layer: token and latent."""
        number = self.of_layers.index(layer)
        active, value = self.active[number], self.values[number]
        if not len(value):
            return value.new_zeros(index.shape[1])
        token, latent = index.to(value.device)
        keys, wanted = (t * self.shape[1] + j for t, j in (active[:2], (token, latent)))
        found = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
        return torch.where(keys[found] == wanted, value[found], 0.0)
