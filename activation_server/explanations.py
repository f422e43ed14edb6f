"""The explanations that are served: shown beside components and in tables, compared, searched, and written.

Everything but search by token or text and scoring leaves the model alone, so it never waits.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from fastapi import Request, Response

from activation_server import wire
from activation_server.components import ComponentPages
from activation_server.errors import BadRequest
from activation_server.explanation_search import ExplanationSearch
from activation_server.explanation_shelf import ExplanationShelf, Record, record
from activation_server.monitor import Answering
from activation_server.questions import field
from activation_server.schemas import OwnExplanationRequest, SearchMode
from activation_server.scoring import score_own
from activation_server.settings import Settings
from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.explanations.coverage import coverage
from neuron_explainer.explanations.explanation import Explanation, SimulatedExcerpt, now
from neuron_explainer.explanations.search import Filters, SearchIndex
from neuron_explainer.explanations.simulations import simulated_by_rule
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component


class Explanations:
    """Answers about explanations; reached as `session.explanations`."""

    def __init__(
        self,
        session: Answering,
        model: Transformer,
        pages: ComponentPages,
        coder_sets: Sequence[CoderSet],
        settings: Settings,
    ) -> None:
        self._session, self._model, self._pages = session, model, pages
        self._shelf = ExplanationShelf(model, settings)
        self._search = ExplanationSearch(session, model, pages.datasets, coder_sets, self._shelf)
        pages.explanations = self.of

    def close(self) -> None:
        """Close the stores."""
        self._shelf.close()

    def of(self, component: Component) -> list[Record]:
        """All explanations of a component, the best first."""
        return self._shelf.records([component]).get(str(component), [])

    def indexes(self) -> list[SearchIndex]:
        """The stores that can be searched by meaning."""
        return self._shelf.indices()

    async def search(
        self, mode: SearchMode, query: str, limit: int, filters: Filters, request: Request
    ) -> Response:
        """Components whose explanations, weights or activations match."""
        return await self._search.search(mode, query, limit, filters, request)

    # --- labels, simulations, coverage ------------------------------------------------------------

    async def labels(self, names: Sequence[str]) -> Response:
        """The best explanation of each side of many components."""

        def read() -> bytes:
            components = []
            for number, name in enumerate(names):
                with field(f"components[{number}]", "Names are as in attn_L9_9, mlp_L3_117."):
                    components.append(Component.parse(name))
            best: dict[str, list[dict[str, Any]]] = {}
            for name, found in self._shelf.records(components).items():
                sides = {it["side"]: it for it in reversed(found)}
                best[name] = sorted(sides.values(), key=lambda it: it["side"], reverse=True)
            return wire.to_bytes({"labels": best})

        return wire.json_response(await asyncio.to_thread(read))

    async def simulation(self, name: str, number: str | None) -> Response:
        """The true and simulated activations of an explanation, the best one by default."""

        def read() -> bytes:
            component = self._pages.named(name)
            store, explanation = self._shelf.find(component, number)
            kept = self._shelf.stores[store].simulations(explanation.id or 0)
            if not kept and explanation.rule is not None:
                source = self._pages.datasets.find(component).record(component)
                kept = simulated_by_rule(explanation, source)
            return wire.to_bytes(
                {
                    "component": name,
                    "explanation": record(explanation, store),
                    "excerpts": [excerpt(it) for it in kept],
                }
            )

        return wire.json_response(await asyncio.to_thread(read))

    async def coverage(self) -> Response:
        """How much is explained, and how well, by layer."""

        def read() -> bytes:
            self._shelf.needed()
            sizes = {
                (group.kind, group.stream, group.layer): group.n_components
                for dataset in self._pages.datasets.all()
                for group in dataset.groups
            }
            layers = [
                {**asdict(it), "n_components": sizes.get((it.kind, it.stream, it.layer))}
                for store in self._shelf.stores
                for it in coverage(store)
            ]
            return wire.to_bytes(
                {
                    "n_explanations": sum(map(len, self._shelf.stores)),
                    "n_failures": sum(len(store.failures()) for store in self._shelf.stores),
                    "layers": layers,
                }
            )

        return wire.json_response(await asyncio.to_thread(read))

    # --- one's own --------------------------------------------------------------------------------

    async def write(self, name: str, body: OwnExplanationRequest, request: Request) -> Response:
        """Keep a sentence of one's own and score it at once."""

        def read() -> Callable[[], bytes]:
            component = self._pages.named(name)
            source = self._pages.datasets.find(component).record(component)
            if not body.text.strip():
                raise BadRequest("The explanation is empty.", "Write a sentence.", where="text")

            def compute() -> bytes:
                said = Explanation(
                    component, body.text.strip(), body.side, f"human:{body.simulator}", now()
                )
                scored = score_own(said, source, body.simulator, self._model)
                store, kept = self._shelf.keep(
                    replace(scored.explanation, density=source.statistics.fraction_active),
                    scored.simulations,
                )
                return wire.to_bytes(
                    {
                        "component": name,
                        "explanation": record(kept, store),
                        "excerpts": [excerpt(it) for it in scored.simulations],
                        "problems": scored.problems,
                    }
                )

            return compute

        return await self._session.answer(("explanation", name, body), read, request)


def excerpt(simulated: SimulatedExcerpt) -> dict[str, Any]:
    """A simulated excerpt as JSON."""
    return {
        "tokens": simulated.tokens,
        "true": list(simulated.true),
        "simulated": list(simulated.simulated),
        "sample": simulated.sample,
    }
