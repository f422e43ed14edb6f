"""Extreme quantiles of components, from the datasets that are served: what a strength of 1 means."""

from functools import lru_cache

from torch import Tensor

from activation_server.datasets import MAKE_HINT, Datasets
from activation_server.errors import BadRequest, NotFound
from activation_server.schemas import SteerSpec
from neuron_explainer.exemplars import Dataset
from neuron_explainer.exemplars.distribution import QuantileTable
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.steering import Steer
from neuron_explainer.nodes import Component, Kind, Side, Stream

EXTREME_TAIL = 1e-4
"""Share of a dataset's tokens that lie beyond a component's extreme quantile."""


class Extremes:
    """Looks quantiles up; a layer's table is read once."""

    def __init__(self, datasets: Datasets) -> None:
        self.datasets = datasets
        self._table = lru_cache(maxsize=256)(_table)

    def table(
        self, component: Component, dataset: str | None = None, bases: Bases | None = None
    ) -> QuantileTable | None:
        """Quantiles of all components of its kind and layer; None where no dataset knows it.

        A latent is of the coder that `bases` have for it, by default of the first set of its stream.
        Raises NotFound for a dataset that is not served.
        """
        site = None
        if bases is not None and component.stream is not None and component.layer is not None:
            site = bases.find(component.stream, component.layer)
        coder = None if site is None else site.name
        if dataset is None:
            found = self.datasets.first(component, coder)
        else:
            found = self.datasets.knowing(component, dataset, coder)
        if found is None or component.layer is None:
            return None
        return self._table(found, component.kind, component.layer, component.stream)

    def check(self, dataset: str) -> None:
        """Raises NotFound for a dataset that is not served."""
        self.datasets.named(dataset)

    def of(
        self,
        component: Component,
        side: Side,
        dataset: str | None = None,
        bases: Bases | None = None,
    ) -> float | None:
        """The extreme quantile on one side, 0 where the component never goes there."""
        table = self.table(component, dataset, bases)
        if table is None or component.index is None:
            return None
        found = table.extreme(component.index, side, EXTREME_TAIL)
        return max(found, 0.0) if side == "positive" else min(found, 0.0)

    def both_sides(
        self,
        kind: Kind,
        layer: int,
        stream: Stream | None,
        dataset: str | None = None,
        bases: Bases | None = None,
    ) -> tuple[Tensor, Tensor] | None:
        """Extreme quantiles of a whole layer: of the negative side, and of the positive side."""
        table = self.table(Component(kind, layer, 0, stream), dataset, bases)
        if table is None:
            return None
        low = (table.levels - EXTREME_TAIL).abs().argmin()
        high = (table.levels - (1 - EXTREME_TAIL)).abs().argmin()
        return table.values[:, low].clamp(max=0), table.values[:, high].clamp(min=0)

    def needed(
        self, component: Component, side: Side, dataset: str | None, bases: Bases | None
    ) -> float:
        """The extreme quantile, where nothing can be done without it. Raises BadRequest."""
        try:
            found = self.of(component, side, dataset, bases)
        except NotFound as problem:
            raise BadRequest(problem.message, problem.hint, where="dataset") from problem
        if found is None:
            raise BadRequest(
                f"{component} is steered in units of its extreme quantile, and no dataset that is "
                "loaded holds it.",
                f"{MAKE_HINT} Strength 0 and the method `scale` need none.",
            )
        return found

    def steer(
        self, spec: SteerSpec, component: Component, bases: Bases, dataset: str | None = None
    ) -> Steer:
        """The edit, with the quantile that its strength is in units of; a head needs none. Raises BadRequest."""
        needs_extreme = spec.method != "scale" and spec.strength != 0 and component.kind != "attn"
        return Steer(
            component,
            spec.positions,
            spec.key_positions,
            spec.strength,
            spec.method,
            spec.side,
            self.needed(component, spec.side, dataset, bases) if needs_extreme else 0.0,
            spec.only_matching_side is not False,
            where=spec.where or "everything",
        )


def _table(dataset: Dataset, kind: Kind, layer: int, stream: Stream | None) -> QuantileTable:
    return dataset.quantiles(kind, layer, stream)
