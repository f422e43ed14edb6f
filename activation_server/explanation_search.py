"""Search for components: by what is said of them, by a token they promote, by a text that excites them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request, Response

from activation_server import wire
from activation_server.datasets import Datasets
from activation_server.errors import BadRequest
from activation_server.explanation_shelf import ExplanationShelf, Record, record
from activation_server.monitor import Answering
from activation_server.questions import field, read_prompt
from activation_server.schemas import SearchMode
from neuron_explainer.attribution.token_search import promotions, top_promotions
from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.exemplars.observing import Observer
from neuron_explainer.exemplars.unusual import most_unusual
from neuron_explainer.explanations.matching import Matching, count_sides
from neuron_explainer.explanations.search import (
    KINDS,
    Filters,
    Hit,
    keyword_sides,
    search_keywords,
)
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.models.tokens import encode_one
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Side


class ExplanationSearch:
    """Answers `GET /api/search`. By meaning and keyword the model is left alone, so nothing waits for it."""

    def __init__(
        self,
        session: Answering,
        model: Transformer,
        datasets: Datasets,
        coder_sets: Sequence[CoderSet],
        shelf: ExplanationShelf,
    ) -> None:
        self._session, self._model, self._datasets = session, model, datasets
        self._coder_sets, self._shelf = coder_sets, shelf
        self._observer: Observer | None = None
        # By (kind, layer, stream), of the token asked for last.
        self._by_token: dict[int, Mapping[Any, Any]] = {}

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
        if dataset is not None and mode != "text":
            raise BadRequest(
                f"A search by {mode} looks at no dataset.",
                "Leave `dataset` out, or search with mode=text.",
                where="dataset",
            )
        if mode in ("meaning", "keyword"):
            found = await asyncio.to_thread(self._sentences, mode, query, limit, filters)
            return wire.json_response(found)

        def read() -> Callable[[], bytes]:
            if mode == "token":
                return self._read_token(query, limit, filters)
            return self._read_text(query, limit, filters, dataset)

        key = ("search", mode, query, limit, filters, dataset, self._shelf.version)
        return await self._session.answer(key, read, request)

    def _sentences(self, mode: SearchMode, query: str, limit: int, filters: Filters) -> bytes:
        self._shelf.needed()
        found: list[dict[str, Any]] = []
        encoders: list[str] = []
        matching: list[Matching] = []
        holding: set[tuple[str, Side]] = set()
        for number, store in enumerate(self._shelf.stores):
            if mode == "keyword":
                asked = self._of_meant_coders(filters, store)
                holding |= keyword_sides(store, query, asked)
                hits, needed = search_keywords(store, query, limit, asked), 0.0
            elif (index := self._shelf.index(store)) is not None:
                encoders.append(index.encoder.name)
                hits, matched = index.meaning_and_matches(query, limit, filters)
                matching.append(matched)
                needed = matched.bar
            else:
                continue
            found += [_said(hit, number, needed) for hit in hits]
        found.sort(key=lambda hit: -hit["value"])
        n = len(holding) if mode == "keyword" else count_sides(matching)
        return _answer(mode, found[:limit], n, encoders)

    def _read_token(self, query: str, limit: int, filters: Filters) -> Callable[[], bytes]:
        with field("q", 'Name exactly one token, as in " Paris".'):
            token = encode_one(self._model, query)

        def compute() -> bytes:
            if token not in self._by_token:
                self._by_token = {token: promotions(self._model, token, self._coder_sets)}
            side = filters.side or "positive"
            among = self._admitted(filters)
            found = top_promotions(
                self._by_token[token],
                limit,
                kind=filters.kind,
                layer=filters.layer,
                stream=filters.stream,
                suppress=filters.side == "negative",
                among=None if among is None else [it for it, its in among if its == side],
            )
            labels = self._shelf.records([it.component for it in found])
            hits = [
                _hit(str(it.component), side, _best(labels, it.component, side, filters), it.logit)
                for it in found
            ]
            return _answer("token", hits, None)

        return compute

    def _read_text(
        self, query: str, limit: int, filters: Filters, name: str | None
    ) -> Callable[[], bytes]:
        tokens = read_prompt(self._model, query, "q")
        dataset = self._datasets.find_any(name)
        kinds = KINDS if filters.kind is None else (filters.kind,)
        layers = None if filters.layer is None else (filters.layer,)
        sides = ("positive", "negative") if filters.side is None else (filters.side,)

        def compute() -> bytes:
            self._observer = self._observer or Observer(self._model, self._coder_sets)
            found = most_unusual(
                self._observer,
                dataset,
                tokens,
                limit=limit,
                kinds=kinds,
                layers=layers,
                stream=filters.stream,
                sides=sides,
                among=self._admitted(filters),
            )
            labels = self._shelf.records([Component.parse(it.component) for it in found])
            texts = wire.tokens(self._model, tokens)
            hits = [
                _hit(
                    it.component,
                    it.side,
                    _best(labels, Component.parse(it.component), it.side, filters),
                    1 - it.share_beyond,
                    str(texts[it.position]["text"]),
                    it.position,
                )
                for it in found
            ]
            return _answer("text", hits, None)

        return compute

    def _admitted(self, filters: Filters) -> set[tuple[Component, str]] | None:
        """The sides with an explanation as it is asked for; None where nothing is asked of explanations."""
        asked = (filters.min_score, filters.min_density, filters.max_density, filters.explainer)
        if all(it is None for it in asked):
            return None
        admitted: set[tuple[Component, str]] = set()
        for store in self._shelf.stores:
            where, values = self._of_meant_coders(filters, store).conditions()
            rows = store.select(
                f"SELECT DISTINCT component, side FROM explanations e WHERE {where}", values
            )
            admitted |= {(Component.parse(name), side) for name, side in rows}
        return admitted

    def _of_meant_coders(self, filters: Filters, store: ExplanationStore) -> Filters:
        return replace(filters, foreign=self._shelf.coders.foreign(store))


def _answer(
    mode: SearchMode,
    hits: list[dict[str, Any]],
    n_matches: int | None,
    encoders: Sequence[str] = (),
) -> bytes:
    return wire.to_bytes(
        {
            "mode": mode,
            "encoders": list(dict.fromkeys(encoders)),
            "n_matches": n_matches,
            "hits": hits,
        }
    )


def _said(hit: Hit, store: int, needed: float) -> dict[str, Any]:
    """An explanation that was found; it matches if it is as similar as is needed."""
    it = hit.explanation
    shown = _hit(str(it.component), it.side, record(it, store), hit.similarity)
    return {**shown, "is_match": hit.similarity >= needed}


def _hit(
    component: str,
    side: str,
    explanation: Record | None,
    value: float,
    token: str | None = None,
    position: int | None = None,
) -> dict[str, Any]:
    return {
        "component": component,
        "side": side,
        "explanation": explanation,
        "value": value,
        "is_match": True,
        "token": token,
        "position": position,
    }


def _best(
    labels: Mapping[str, list[Record]], component: Component, side: str, filters: Filters
) -> Record | None:
    """The best explanation of a side, by the explainer that is asked for."""
    return next(
        (
            it
            for it in labels.get(str(component), ())
            if it["side"] == side and filters.explainer in (None, it["explainer"])
        ),
        None,
    )
