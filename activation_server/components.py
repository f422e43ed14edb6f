"""The component pages: what datasets recorded of a component, beside what the model does now."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

from fastapi import Request, Response

from activation_server import wire
from activation_server.datasets import Datasets
from activation_server.errors import NotFound
from activation_server.extremes import Extremes
from activation_server.monitor import Answering
from activation_server.questions import read_component_of_path, read_prompt
from neuron_explainer.attribution.ablation import ablation_effect
from neuron_explainer.autoencoders.coder_set import CoderSet, bases_of
from neuron_explainer.exemplars.observing import Observer
from neuron_explainer.exemplars.public import PublicDataset
from neuron_explainer.exemplars.similar import Part, similar_by_coactivation, similar_by_weights
from neuron_explainer.exemplars.unusual import most_unusual
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Kind

Explanations = Callable[[Component, str | None], Sequence[dict[str, Any]]]
"""The explanations of a component, as `ExplanationRecord` has them; of a latent of the coder that is named."""


def no_explanations(_: Component, __: str | None) -> Sequence[dict[str, Any]]:
    """Where no explanations are loaded."""
    return ()


class ComponentPages:
    """Answers about single components; reached as `session.components`."""

    def __init__(
        self,
        session: Answering,
        model: Transformer,
        datasets: Datasets,
        coder_sets: Sequence[CoderSet],
        bases: Bases,
    ) -> None:
        self._session = session
        self._model = model
        self._coder_sets = coder_sets
        self._bases = bases
        self.datasets = datasets
        self.extremes = Extremes(datasets)
        self.explanations: Explanations = no_explanations
        self._observers: dict[tuple[CoderSet, ...], Observer] = {}

    async def record(self, name: str, dataset: str | None, coder: str | None) -> Response:
        """A component's record. Needs no turn at the model, so it never waits for one."""

        def read() -> bytes:
            component = self.named(name, coder)
            found = self.datasets.recorded(component, dataset, coder)
            explanations = list(self.explanations(component, coder))
            if isinstance(found, PublicDataset):
                explanations += found.explanations(component)
            record = found.record(component).to_json()
            return wire.to_bytes(record | {"explanations": explanations})

        return wire.json_response(await asyncio.to_thread(read))

    async def similar(
        self,
        name: str,
        by: Literal["output", "input", "coactivation"],
        limit: int,
        dataset: str | None,
        coder: str | None,
        request: Request,
    ) -> Response:
        """Components that write, read or fire alike."""

        def read() -> Callable[[], bytes]:
            component = self.named(name, coder)
            if component.kind not in ("attn", "mlp", "latent"):
                raise NotFound(f"{component} is no single unit.", "Name a head, neuron or latent.")
            return lambda: self._similar(component, by, limit, dataset, coder)

        key = ("similar", name, by, limit, dataset, coder)
        return await self._session.answer(key, read, request)

    def _similar(
        self,
        component: Component,
        by: Part | Literal["coactivation"],
        limit: int,
        dataset: str | None,
        coder: str | None,
    ) -> bytes:
        if by == "coactivation":
            record = self.datasets.find(component, dataset, coder).record(component)
            found = similar_by_coactivation(self._observer(coder), record, limit=limit)
        else:
            found = similar_by_weights(
                self._model, self._sets(coder), component, part=by, limit=limit
            )
        return wire.to_bytes({"component": str(component), "by": by, "items": found})

    async def ablation_effect(
        self, name: str, prompt: str, coder: str | None, request: Request
    ) -> Response:
        """What each next token's probability loses without a component."""

        def read() -> Callable[[], bytes]:
            component = self.named(name, coder)
            tokens = read_prompt(self._model, prompt, "prompt")

            def compute() -> bytes:
                effect = ablation_effect(self._model, self._sets(coder), component, tokens)
                return wire.to_bytes(
                    {
                        "component": str(component),
                        "tokens": wire.tokens(self._model, tokens),
                        "at_token": effect.at_token,
                        "everywhere": effect.everywhere,
                    }
                )

            return compute

        return await self._session.answer(("ablation", name, prompt, coder), read, request)

    async def unusual(
        self,
        text: str,
        request: Request,
        *,
        limit: int,
        kinds: Collection[Kind] = ("attn", "mlp", "latent"),
        layers: Collection[int] | None = None,
        sides: Collection[str] = ("positive", "negative"),
        dataset: str | None = None,
    ) -> Response:
        """Components most active on a text relative to their own quantiles: search by text."""
        key = ("unusual", text, limit, frozenset(kinds), _frozen(layers), frozenset(sides), dataset)

        def read() -> Callable[[], bytes]:
            tokens = read_prompt(self._model, text, "q")
            found = self.datasets.find_any(dataset)

            def compute() -> bytes:
                items = most_unusual(
                    self._observer(None),
                    found,
                    tokens,
                    limit=limit,
                    kinds=kinds,
                    layers=layers,
                    sides=sides,
                )
                return wire.to_bytes(
                    {
                        "dataset": found.name,
                        "tokens": wire.tokens(self._model, tokens),
                        "items": items,
                    }
                )

            return compute

        return await self._session.answer(key, read, request)

    def _observer(self, coder: str | None) -> Observer:
        """On the model's own thread only."""
        sets = self._sets(coder)
        if sets not in self._observers:
            self._observers[sets] = Observer(self._model, sets)
        return self._observers[sets]

    def bases(self, coder: str | None) -> Bases:
        """With the coder set of a name for its stream; without a name those of the session.

        Raises NotFound for a name that is not loaded.
        """
        return self._bases if coder is None else bases_of(self._sets(coder))

    def _sets(self, coder: str | None) -> tuple[CoderSet, ...]:
        """One coder set for each stream: the named one, else the first. Raises NotFound."""
        chosen = {each.stream: each for each in reversed(self._coder_sets)}
        if coder is not None:
            named = {each.name: each for each in self._coder_sets}
            if coder not in named:
                loaded = f"Loaded are: {', '.join(named)}." if named else "No coder is loaded."
                raise NotFound(f"There is no coder {coder[:80]!r}.", loaded)
            chosen[named[coder].stream] = named[coder]
        return tuple(chosen.values())

    def named(self, name: str, coder: str | None = None) -> Component:
        """A component of the model, or one that only a dataset knows (of coders not loaded)."""
        bases = self.bases(coder)
        try:
            component = Component.parse(name)
        except ValueError:
            return read_component_of_path(self._model, name, bases)
        if component.kind == "latent" and self.datasets.first(component, coder) is not None:
            return component
        return read_component_of_path(self._model, name, bases)


def _frozen(layers: Collection[int] | None) -> frozenset[int] | None:
    return None if layers is None else frozenset(layers)
