"""Steering: components driven to a multiple of their own extreme quantile, on one side only.

With a the activation, q its extreme quantile on the chosen side (negative on the negative side) and
s the strength:

    set      a <- s q       the published way (Transluce's Monitor); strength 0 suppresses
    add      a <- a + s q   for a latent: s q times its decoder direction is added
    scale    a <- s a       strength 1 changes nothing

A head has no value of its own to set: its weights at a token add up to 1, and how much it writes
depends on what it reads. `set` and `scale` multiply its weights by s, `add` by 1 + s.

Only the matching side acts: where the sign of the activation is that of the side. An activation of
exactly 0 lies on neither side, so it may be driven to either: else nothing could strengthen a
latent that is off. The quantile is given as a number, so that this needs no dataset.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.models.extent import Where
from neuron_explainer.nodes import Component, Side

SteerMethod = Literal["set", "add", "scale"]


@dataclass(frozen=True)
class Steer:
    """Drive a component to a multiple of its extreme quantile."""

    component: Component
    positions: tuple[int, ...] | None = None
    key_positions: tuple[int, ...] | None = None
    strength: float = 0.0
    method: SteerMethod = "set"
    side: Side = "positive"
    extreme: float = 0.0
    """The component's extreme quantile on that side; `scale`, and strength 0, do without."""
    only_matching_side: bool = True
    where: Where = field(default="everything", kw_only=True)

    def __post_init__(self) -> None:
        sign = 1.0 if self.side == "positive" else -1.0
        if sign * self.extreme < 0:
            raise ValueError(
                f"{self.component}: {self.extreme} cannot be a quantile of its {self.side} side: "
                "the sign is wrong."
            )


def steered(
    edits: Sequence[Steer],
    old: Float[Tensor, "*axes edit"],
    before: Float[Tensor, "*axes edit"] | None = None,
) -> Float[Tensor, "*axes edit"]:
    """New activations of components that are steered in the same way, one on the last axis each.

    `before`: the activations whose sign says which side each is on; by default the old ones.
    """
    first = edits[0]
    strength = torch.tensor([edit.strength for edit in edits], dtype=old.dtype, device=old.device)
    target = torch.tensor(
        [edit.strength * edit.extreme for edit in edits], dtype=old.dtype, device=old.device
    )
    match first.method:
        case "set":
            new = target.expand_as(old)
        case "add":
            new = old + target
        case "scale":
            new = old * strength
    if not first.only_matching_side:
        return new
    return torch.where(_is_on_side(edits, old if before is None else before), new, old)


def head_factor(edit: Steer) -> float:
    """What a head's attention weights are multiplied by. They are never negative, so its other side does nothing."""
    if edit.only_matching_side and edit.side == "negative":
        return 1.0
    return 1.0 + edit.strength if edit.method == "add" else edit.strength


def _is_on_side(
    edits: Sequence[Steer], old: Float[Tensor, "*axes edit"]
) -> Bool[Tensor, "*axes edit"]:
    signs = [1.0 if edit.side == "positive" else -1.0 for edit in edits]
    return old * torch.tensor(signs, dtype=old.dtype, device=old.device) >= 0


@dataclass(frozen=True)
class Turn:
    """Neurons of one layer steered in the same way at the same tokens."""

    edits: tuple[Steer, ...]
    positions: Int[Tensor, " position"]
    """Rows of the pass's token axis."""


@dataclass(frozen=True)
class SteeredNeurons:
    """All steered neurons of one layer, in one hook.

    Sides are those of the activations before any of it: what one edit drives to zero is not on the
    other side for the next.
    """

    layer: int
    turns: tuple[Turn, ...]
    row: int | None = None
    """The batch row to edit; None edits all rows."""

    def __call__(self, value: Float[Tensor, "batch seq d_mlp"], layer: int) -> Tensor:
        if layer != self.layer:
            return value
        before, value = value, value.clone()
        rows = slice(None) if self.row is None else self.row
        for turn in self.turns:
            if not len(turn.positions):
                continue
            neurons = torch.tensor([edit.component.index or 0 for edit in turn.edits])
            at = (turn.positions.to(value.device)[:, None], neurons.to(value.device)[None, :])
            new = steered(turn.edits, value[rows, *at], before[rows, *at])
            value[rows, *at] = new
        return value


def gathered(
    edits: Sequence[tuple[Steer, tuple[int, ...]]], start: int, row: int | None = None
) -> list[SteeredNeurons]:
    """Steered neurons and their positions, as one hook for each layer.

    Edits of different neurons commute; a neuron that is steered twice keeps its order.
    """
    groups: dict[tuple[int, int], dict[Hashable, tuple[list[Steer], tuple[int, ...]]]] = {}
    seen: dict[Component, int] = {}
    for edit, positions in edits:
        turn = seen[edit.component] = seen.get(edit.component, 0) + 1
        of_turn = groups.setdefault((edit.component.layer or 0, turn), {})
        manner = (edit.method, edit.only_matching_side, positions)
        of_turn.setdefault(manner, ([], positions))[0].append(edit)
    turns: dict[int, list[Turn]] = {}
    for (layer, _), of_turn in sorted(groups.items()):
        turns.setdefault(layer, []).extend(
            Turn(tuple(members), torch.tensor([p - start for p in positions], dtype=torch.long))
            for members, positions in of_turn.values()
        )
    return [SteeredNeurons(layer, tuple(own), row) for layer, own in turns.items()]
