"""Everything that collation knows after part of a corpus: the same size whatever the corpus's.

States of different parts merge into that of the whole, in any order and grouping, bit for bit.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.exemplars.layout import Group, Recipe
from neuron_explainer.exemplars.leaders import Leaders
from neuron_explainer.exemplars.observing import Batch
from neuron_explainer.exemplars.tally import Tally


class GroupState:
    """Statistics and leading excerpts of the components of one kind, layer and stream."""

    def __init__(self, tally: Tally, positive: Leaders, negative: Leaders | None) -> None:
        self.tally = tally
        self.positive = positive
        self.negative = negative
        """None where values are never negative."""

    @staticmethod
    def empty(group: Group, recipe: Recipe, device: torch.device) -> "GroupState":
        def leaders() -> Leaders:
            n_places = group.n_positions(recipe.window)
            return Leaders(group.n_components, recipe.n_top, n_places, recipe.precision, device)

        negative = leaders() if group.is_signed else None
        return GroupState(Tally(group.n_components, device), leaders(), negative)

    def add(
        self, batch: Batch, values: Float[Tensor, "window place component"], pairs: bool
    ) -> None:
        """Take in what the components did on a batch."""
        n_text = batch.n_text(pairs=pairs)
        moments = self.tally.add(values, n_text)
        for leaders, sign in self.sides():
            leaders.add(moments.best(sign), values, n_text, batch)

    def merge(self, other: "GroupState") -> None:
        self.tally.merge(other.tally)
        self.positive.merge(other.positive)
        if self.negative is not None and other.negative is not None:
            self.negative.merge(other.negative)

    def parts(self) -> dict[str, Tally | Leaders]:
        parts: dict[str, Tally | Leaders] = {"tally": self.tally, "positive": self.positive}
        if self.negative is not None:
            parts["negative"] = self.negative
        return parts

    def sides(self) -> list[tuple[Leaders, int]]:
        """The leaders of each side, with the sign that takes their values back."""
        return [(self.positive, 1)] + ([] if self.negative is None else [(self.negative, -1)])


class State:
    """The state of every group."""

    def __init__(self, groups: Mapping[str, GroupState]) -> None:
        self.groups = dict(groups)

    @staticmethod
    def empty(groups: Sequence[Group], recipe: Recipe, device: torch.device) -> "State":
        return State({g.name: GroupState.empty(g, recipe, device) for g in groups})

    def receive(self, group: Group, batch: Batch, values: Float[Tensor, "w p c"]) -> None:
        """What `Observer.run` calls."""
        try:
            self.groups[group.name].add(batch, values, pairs=group.kind == "attn")
        except ValueError as problem:
            raise ValueError(f"{group.name}: {problem}.") from problem

    def merge(self, other: "State") -> None:
        for name, group in self.groups.items():
            group.merge(other.groups[name])

    def tensors(self) -> dict[str, Tensor]:
        """Flat, by "group/part/name": what a checkpoint holds."""
        return {
            f"{name}/{part}/{field}": tensor
            for name, group in self.groups.items()
            for part, own in group.parts().items()
            for field, tensor in own.tensors().items()
        }

    @staticmethod
    def of_tensors(tensors: Mapping[str, Tensor], device: torch.device) -> "State":
        nested: dict[str, dict[str, dict[str, Tensor]]] = {}
        for path, tensor in tensors.items():
            name, part, field = path.split("/")
            own = nested.setdefault(name, {}).setdefault(part, {})
            own[field] = tensor.to("cpu" if field == "n_values" else device)
        return State(
            {
                name: GroupState(
                    Tally.of_tensors(parts["tally"]),
                    Leaders.of_tensors(parts["positive"]),
                    Leaders.of_tensors(parts["negative"]) if "negative" in parts else None,
                )
                for name, parts in nested.items()
            }
        )
