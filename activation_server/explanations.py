"""The explanations that are served: searched, shown beside components and in tables, compared, and written.

Stores are read as they are; sentences of one's own go to a store in the data folder, so that what came with the demo
stays as it was made. Everything but search by token or text and scoring leaves the model alone, so it never waits.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastapi import Request, Response

from activation_server import wire
from activation_server.assets import demo_dir
from activation_server.components import ComponentPages
from activation_server.errors import BadRequest, NotFound
from activation_server.monitor import Answering
from activation_server.questions import field
from activation_server.schemas import OwnExplanationRequest, SearchMode
from activation_server.scoring import score_own
from neuron_explainer.attribution.token_search import promotions, top_promotions
from neuron_explainer.exemplars.observing import Observer
from neuron_explainer.exemplars.unusual import most_unusual
from neuron_explainer.explanations.coverage import coverage
from neuron_explainer.explanations.encoders import load_encoder
from neuron_explainer.explanations.explanation import Explanation, SimulatedExcerpt, now
from neuron_explainer.explanations.search import (
    KINDS,
    Filters,
    Hit,
    SearchIndex,
    merge,
    search_keywords,
)
from neuron_explainer.explanations.simulations import simulated_by_rule
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import load_vectors, update_vectors
from neuron_explainer.models.tokens import encode_one
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component

EXPLAIN_HINT = (
    "Make some with `tdb explain --dataset DIR --out FILE`, then serve with --explanations FILE."
)


class Explanations:
    """Answers about explanations; reached as `session.explanations`."""

    def __init__(
        self,
        session: Answering,
        model: Transformer,
        pages: ComponentPages,
        paths: Sequence[str],
        data_dir: Path | None,
    ) -> None:
        self._session, self._model, self._pages = session, model, pages
        self._stores = [ExplanationStore.open(path) for path in store_paths(paths, model)]
        name = "".join(it if it.isalnum() else "-" for it in model.config.name)
        self._own_path = (
            None if data_dir is None else data_dir / "explanations" / f"own-{name}.sqlite"
        )
        if self._own_path is not None and self._own_path.is_file():
            self._stores.append(ExplanationStore.open(self._own_path, writable=True))
        self._indexes: dict[Path, SearchIndex] = {}
        self._lock = threading.Lock()
        self._observer: Observer | None = None
        self._by_token: dict[int, Mapping[Any, Any]] = {}
        pages.explanations = self.of

    def close(self) -> None:
        """Close the stores."""
        for store in self._stores:
            store.close()

    def indexes(self) -> list[SearchIndex]:
        """The index of every store that has vectors."""
        return [index for store in self._stores if (index := self._index(store)) is not None]

    def of(self, component: Component) -> list[dict[str, Any]]:
        """All explanations of a component, as `ExplanationRecord` has them, the best first."""
        return self._records([component]).get(str(component), [])

    # --- search ---------------------------------------------------------------------------------

    async def search(
        self, mode: SearchMode, query: str, limit: int, filters: Filters, request: Request
    ) -> Response:
        """Components whose explanations, weights or activations match."""
        if mode in ("meaning", "keyword"):
            found = await asyncio.to_thread(self._search_sentences, mode, query, limit, filters)
            return wire.json_response(found)
        key = ("search", mode, query, limit, filters)
        if mode == "token":
            return await self._session.answer(
                key, lambda: self._read_token(query, limit, filters), request
            )
        return await self._session.answer(
            key, lambda: self._read_text(query, limit, filters), request
        )

    def _search_sentences(
        self, mode: SearchMode, query: str, limit: int, filters: Filters
    ) -> bytes:
        self._needed()
        found: list[tuple[int, list[Hit]]] = []
        encoders: list[str] = []
        for number, store in enumerate(self._stores):
            if mode == "keyword":
                found.append((number, search_keywords(store, query, limit, filters)))
                continue
            index = self._index(store)
            if index is not None:
                encoders.append(index.encoder.name)
                found.append((number, index.meaning(query, limit, filters)))
        of_store = {id(hit): number for number, hits in found for hit in hits}
        hits = [
            {
                "component": str(hit.explanation.component),
                "side": hit.explanation.side,
                "explanation": record(hit.explanation, of_store[id(hit)]),
                "value": hit.similarity,
                "token": None,
                "position": None,
            }
            for hit in merge([hits for _, hits in found], limit)
        ]
        return wire.to_bytes(
            {"mode": mode, "encoders": list(dict.fromkeys(encoders)), "hits": hits}
        )

    def _index(self, store: ExplanationStore) -> SearchIndex | None:
        """A store's index, opened once and again when the store has grown; None without vectors."""
        with self._lock:
            index = self._indexes.get(store.path)
            if index is None or index.is_stale():
                table = load_vectors(store.path)
                if table is None:
                    return None
                encoder = index.encoder if index else load_encoder(table.encoder)
                index = self._indexes[store.path] = SearchIndex(store, encoder, table)
            return index

    def _read_token(self, query: str, limit: int, filters: Filters) -> Callable[[], bytes]:
        with field("q", 'Name exactly one token, as in " Paris".'):
            token = encode_one(self._model, query)

        def compute() -> bytes:
            if token not in self._by_token:
                self._by_token = {token: promotions(self._model, token)}
            found = top_promotions(
                self._by_token[token],
                limit,
                kind=filters.kind,
                layer=filters.layer,
                suppress=filters.side == "negative",
            )
            side = filters.side or "positive"
            labels = self._records([it.component for it in found])
            hits = [self._hit(str(it.component), side, it.logit, labels, filters) for it in found]
            return wire.to_bytes(
                {"mode": "token", "encoders": [], "hits": [hit for hit in hits if hit]}
            )

        return compute

    def _read_text(self, query: str, limit: int, filters: Filters) -> Callable[[], bytes]:
        from activation_server.questions import read_prompt

        tokens = read_prompt(self._model, query, "q")
        dataset = self._pages.datasets.find_any()
        kinds = KINDS if filters.kind is None else (filters.kind,)
        layers = None if filters.layer is None else (filters.layer,)
        sides = ("positive", "negative") if filters.side is None else (filters.side,)

        def compute() -> bytes:
            self._observer = self._observer or Observer(self._model, ())
            found = most_unusual(
                self._observer,
                dataset,
                tokens,
                limit=limit,
                kinds=kinds,
                layers=layers,
                sides=sides,
            )
            labels = self._records([Component.parse(it.component) for it in found])
            texts = wire.tokens(self._model, tokens)
            hits = []
            for it in found:
                hit = self._hit(it.component, it.side, 1 - it.share_beyond, labels, filters)
                if hit is not None:
                    token = texts[it.position]["text"]
                    hits.append(hit | {"token": token, "position": it.position})
            return wire.to_bytes({"mode": "text", "encoders": [], "hits": hits})

        return compute

    def _hit(
        self,
        component: str,
        side: str,
        value: float,
        labels: Mapping[str, list[dict[str, Any]]],
        filters: Filters,
    ) -> dict[str, Any] | None:
        """A component found without its explanation, with the best one of that side; None if filtered."""
        best = next((it for it in labels.get(component, ()) if it["side"] == side), None)
        score = None if best is None else best["score"]
        if filters.min_score is not None and (score is None or score < filters.min_score):
            return None
        return {
            "component": component,
            "side": side,
            "explanation": best,
            "value": value,
            "token": None,
            "position": None,
        }

    # --- labels, simulations, coverage ------------------------------------------------------------

    async def labels(self, names: Sequence[str]) -> Response:
        """The best explanation of each side of many components."""

        def read() -> bytes:
            components = []
            for number, name in enumerate(names):
                with field(f"components[{number}]", "Names are as in attn_L9_9, mlp_L3_117."):
                    components.append(Component.parse(name))
            best: dict[str, list[dict[str, Any]]] = {}
            for name, found in self._records(components).items():
                sides = {it["side"]: it for it in reversed(found)}
                best[name] = sorted(sides.values(), key=lambda it: it["side"], reverse=True)
            return wire.to_bytes({"labels": best})

        return wire.json_response(await asyncio.to_thread(read))

    async def simulation(self, name: str, number: str | None) -> Response:
        """The true and simulated activations of an explanation, the best one by default."""

        def read() -> bytes:
            component = self._pages.named(name)
            store, explanation = self._find(component, number)
            kept = self._stores[store].simulations(explanation.id or 0)
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
            self._needed()
            sizes = {
                (group.kind, group.stream, group.layer): group.n_components
                for dataset in self._pages.datasets.all()
                for group in dataset.groups
            }
            layers = [
                {**asdict(it), "n_components": sizes.get((it.kind, it.stream, it.layer))}
                for store in self._stores
                for it in coverage(store)
            ]
            return wire.to_bytes(
                {
                    "n_explanations": sum(map(len, self._stores)),
                    "n_failures": sum(len(store.failures()) for store in self._stores),
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
                store = self._own()
                kept = store.add(
                    replace(scored.explanation, density=source.statistics.fraction_active),
                    scored.simulations,
                )
                table = load_vectors(store.path)
                update_vectors(store, load_encoder(table.encoder if table else "words"))
                return wire.to_bytes(
                    {
                        "component": name,
                        "explanation": record(kept, self._stores.index(store)),
                        "excerpts": [excerpt(it) for it in scored.simulations],
                        "problems": scored.problems,
                    }
                )

            return compute

        return await self._session.answer(("explanation", name, body), read, request)

    def _own(self) -> ExplanationStore:
        if self._own_path is None:
            raise BadRequest(
                "This server keeps no data, so it cannot keep explanations.",
                "Serve with --data DIR.",
            )
        for store in self._stores:
            if store.path == self._own_path:
                return store
        store = ExplanationStore.open(self._own_path, writable=True)
        self._stores.append(store)
        return store

    # --- reading ----------------------------------------------------------------------------------

    def _records(self, components: Sequence[Component]) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for number, store in enumerate(self._stores):
            for component, explanations in store.of(components).items():
                found.setdefault(str(component), []).extend(
                    record(it, number) for it in explanations
                )
        for records in found.values():
            records.sort(key=lambda it: (it["score"] is None, -(it["score"] or 0.0)))
        return found

    def _find(self, component: Component, number: str | None) -> tuple[int, Explanation]:
        best: list[tuple[bool, float, int, Explanation]] = []
        for store_number, store in enumerate(self._stores):
            for it in store.of([component]).get(component, ()):
                if number == f"{store_number}:{it.id}":
                    return store_number, it
                best.append((it.score is None, -(it.score or 0.0), store_number, it))
        if number is not None:
            raise NotFound(f"{component} has no explanation {number[:40]!r}.", EXPLAIN_HINT)
        if not best:
            raise NotFound(f"{component} has no explanation yet.", EXPLAIN_HINT)
        _, _, store_number, explanation = min(best, key=lambda it: it[:3])
        return store_number, explanation

    def _needed(self) -> None:
        if not self._stores:
            raise NotFound("No explanations are loaded.", EXPLAIN_HINT)


def store_paths(paths: Sequence[str], model: Transformer) -> list[Path]:
    """The stores that were asked for, after the demo's own where the model is the demo."""
    demo = demo_dir()
    own = [] if demo is None or model.folder != demo / "model" else [demo / "explanations.sqlite"]
    return [path for path in own if path.is_file()] + [Path(path) for path in paths]


def record(explanation: Explanation, store: int) -> dict[str, Any]:
    """An explanation as `ExplanationRecord` has it; its number names its store."""
    return {
        "id": f"{store}:{explanation.id}",
        "text": explanation.text,
        "side": explanation.side,
        "score": explanation.score,
        "scores": dict(explanation.scores),
        "measures": {name: asdict(it) for name, it in explanation.measures.items()},
        "explainer": explanation.explainer,
        "created": explanation.created,
    }


def excerpt(simulated: SimulatedExcerpt) -> dict[str, Any]:
    """A simulated excerpt as JSON."""
    return {
        "tokens": simulated.tokens,
        "true": list(simulated.true),
        "simulated": list(simulated.simulated),
        "sample": simulated.sample,
    }
