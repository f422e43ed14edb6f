"""The explanations that are served: shown beside components and in tables, compared, searched, and written.

Everything but search by token or text and scoring leaves the model alone, so it never waits.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastapi import Request, Response

from activation_server import wire
from activation_server.components import ComponentPages
from activation_server.errors import BadRequest, Conflict
from activation_server.explanation_search import ExplanationSearch
from activation_server.explanation_shelf import ExplanationShelf, Record, record
from activation_server.monitor import Answering
from activation_server.questions import field
from activation_server.schemas import (
    JobInfo,
    OwnExplanationRequest,
    SearchMode,
    ShowStoreResponse,
)
from activation_server.scoring import score_by_endpoint, score_by_model, score_literally
from activation_server.settings import Settings
from activation_server.waiting import unless_gone
from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.exemplars.records import ComponentRecord
from neuron_explainer.explanations.coverage import coverage
from neuron_explainer.explanations.evidence import density
from neuron_explainer.explanations.explain import Explained
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
        self._shelf = ExplanationShelf(model, settings, coder_sets)
        self._search = ExplanationSearch(session, model, pages.datasets, coder_sets, self._shelf)
        pages.explanations = self.of

    def close(self) -> None:
        """Close the stores."""
        self._shelf.close()

    def of(self, component: Component, coder: str | None = None) -> list[Record]:
        """All explanations of a component, the best first; `coder` says whose latent is meant."""
        coders = () if coder is None else (coder,)
        return self._shelf.records([component], coders).get(str(component), [])

    def indexes(self) -> list[SearchIndex]:
        """The stores that can be searched by meaning."""
        return self._shelf.indices()

    async def search(
        self,
        mode: SearchMode,
        query: str,
        limit: int,
        filters: Filters,
        dataset: str | None,
        request: Request,
    ) -> Response:
        """Components whose explanations, weights or activations match."""
        return await self._search.search(mode, query, limit, filters, dataset, request)

    # --- labels, simulations, coverage ------------------------------------------------------------

    async def labels(self, names: Sequence[str], coders: Sequence[str] = ()) -> Response:
        """The best explanation of each side of many components."""

        def read() -> bytes:
            components = []
            for number, name in enumerate(names):
                with field(f"components[{number}]", "Names are as in attn_L9_9, mlp_L3_117."):
                    components.append(Component.parse(name))
            best: dict[str, list[dict[str, Any]]] = {}
            for name, found in self._shelf.records(components, coders).items():
                sides = {it["side"]: it for it in reversed(found)}
                best[name] = sorted(sides.values(), key=lambda it: it["side"], reverse=True)
            return wire.to_bytes({"labels": best})

        return wire.json_response(await asyncio.to_thread(read))

    async def simulation(self, name: str, number: str | None, coder: str | None) -> Response:
        """The true and simulated activations of an explanation, the best one by default."""

        def read() -> bytes:
            component = self._pages.named(name, coder)
            store, explanation = self._shelf.find(component, number, coder)
            kept = self._shelf.stores[store].simulations(explanation.id or 0)
            if not kept and explanation.rule is not None:
                source = self._pages.datasets.find(component, None, coder).record(component)
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
        """How much is explained, and how well, by layer; of latents, by coder."""

        def read() -> bytes:
            self._shelf.needed()
            coders, sizes = self._shelf.coders, dict[tuple[object, ...], int]()
            for dataset in self._pages.datasets.all():
                for group in dataset.groups:
                    of = group.coder or coders.first(group.stream)
                    # The first dataset that holds them; where nobody knows whose they are, any coder's.
                    for coder in (of, None):
                        place = (group.kind, group.stream, group.layer, coder)
                        sizes.setdefault(place, group.n_components)
            layers = [
                {**asdict(it), "n_components": sizes.get((it.kind, it.stream, it.layer, it.coder))}
                for it in coverage(self._shelf.stores, coders)
            ]
            return wire.to_bytes(
                {
                    "n_explanations": sum(map(len, self._shelf.stores)),
                    "n_failures": sum(len(store.failures()) for store in self._shelf.stores),
                    "layers": layers,
                }
            )

        return wire.json_response(await asyncio.to_thread(read))

    async def show(self, job: JobInfo) -> ShowStoreResponse:
        """Serve what a finished explain job made, beside what is served already."""
        if job.kind != "explain" or job.state != "done" or job.output is None:
            raise Conflict(
                f"There is nothing to show of job {job.id}: it is a job to {job.kind}, {job.state}.",
                "Only what a finished explain job made can be shown.",
            )
        return ShowStoreResponse(
            n_explanations=await asyncio.to_thread(self._shelf.add, Path(job.output))
        )

    # --- one's own --------------------------------------------------------------------------------

    async def write(
        self, name: str, body: OwnExplanationRequest, coder: str | None, request: Request
    ) -> Response:
        """Keep a sentence of one's own and score it at once; only the served model's part waits for the model."""
        said, source = await asyncio.to_thread(self._said, name, body, coder)
        if body.simulator == "local":

            def compute() -> bytes:
                return self._keep(score_by_model(said, source, self._model), coder)

            # A key of its own, so that no earlier answer is given again.
            return await self._session.answer(("explanation", object()), lambda: compute, request)
        if body.simulator == "endpoint":
            with field("simulator", "Start the server with OPENAI_BASE_URL or OPENAI_API_KEY."):
                scored = await unless_gone(request, score_by_endpoint(said, source))
        else:
            scored = await asyncio.to_thread(score_literally, said, source)
        return wire.json_response(await asyncio.to_thread(self._keep, scored, coder))

    async def remove(self, name: str, number: str, coder: str | None) -> None:
        """Forget a sentence of one's own."""

        def remove() -> None:
            self._shelf.remove(self._pages.named(name, coder), number, coder)

        await asyncio.to_thread(remove)

    def _said(
        self, name: str, body: OwnExplanationRequest, coder: str | None
    ) -> tuple[Explanation, ComponentRecord]:
        """What is said, of what; its density is that of its side."""
        component = self._pages.named(name, coder)
        if not body.text.strip():
            raise BadRequest("The explanation is empty.", "Write a sentence.", where="text")
        if body.side == "negative" and component.kind != "mlp":
            raise BadRequest(
                f"{name} is never below zero: it has no negative side.",
                "Explain the positive side.",
                where="side",
            )
        source = self._pages.datasets.find(component, None, coder).record(component)
        explainer = f"human:{body.simulator}"
        said = Explanation(component, body.text.strip(), body.side, explainer, now())
        return replace(said, density=density(source, body.side)), source

    def _keep(self, scored: Explained, coder: str | None) -> bytes:
        store, kept = self._shelf.keep(scored.explanation, scored.simulations, coder)
        return wire.to_bytes(
            {
                "component": str(kept.component),
                "explanation": record(kept, store),
                "excerpts": [excerpt(it) for it in scored.simulations],
                "problems": scored.problems,
            }
        )


def excerpt(simulated: SimulatedExcerpt) -> dict[str, Any]:
    """A simulated excerpt as JSON."""
    return {
        "tokens": simulated.tokens,
        "true": list(simulated.true),
        "simulated": list(simulated.simulated),
        "sample": simulated.sample,
    }
