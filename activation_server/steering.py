"""Answers what a typed concept would steer, and how hard it may be steered."""

import time
from collections.abc import Generator, Sequence
from dataclasses import asdict
from typing import Any

from activation_server import wire
from activation_server.conversations import read_text, steers_of
from activation_server.errors import BadRequest, NotFound
from activation_server.extremes import EXTREME_TAIL, Extremes
from activation_server.influence import read_token, refuse_layers
from activation_server.meanings import Meanings
from activation_server.questions import POSITION_HINT, field
from activation_server.schemas import ConceptSpec, SteerPreviewRequest, SweepRequest
from activation_server.streaming import Event
from neuron_explainer.explanations.matching import Matching, count_sides
from neuron_explainer.explanations.search import Filters, Hit, SearchIndex, merge
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.chat import plain_text
from neuron_explainer.models.interventions import Intervention
from neuron_explainer.models.sweep import OTHER_TEXTS, Sweep, Watched
from neuron_explainer.models.tokens import token_text
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Kind, Side


def preview(
    model: Transformer, meanings: Meanings, extremes: Extremes, body: SteerPreviewRequest
) -> bytes:
    """The components whose explanations are nearest to the concept; needs no run of the model."""
    start = time.perf_counter()
    refuse_layers(model, body.layers or ())
    indices = meanings.needed()
    if body.dataset is not None:
        _known_dataset(extremes, body.dataset)
    found = [index.matches(body.text, _filters(body), body.min_similarity) for index in indices]
    hits = _nearest(indices, found, body.k)
    matches = [_match(hit, extremes, body.dataset) for hit in hits]
    return wire.to_bytes(
        {
            "text": body.text,
            "matches": matches,
            "n_matches": count_sides(found),
            "min_similarity": min(it.bar for it in found),
            "encoder": indices[0].encoder.name,
            "extreme_level": EXTREME_TAIL
            if any(match["extreme"] is not None for match in matches)
            else None,
            "timing_ms": {"total": 1000 * (time.perf_counter() - start)},
        }
    )


def _nearest(indices: Sequence[SearchIndex], found: Sequence[Matching], k: int) -> list[Hit]:
    """The k nearest sides of components, of all stores together."""
    seen: dict[tuple[Component, Side], Hit] = {}
    each = [index.hits(matching, k) for index, matching in zip(indices, found, strict=True)]
    for hit in merge(each, k * len(each)):
        seen.setdefault((hit.explanation.component, hit.explanation.side), hit)
    return list(seen.values())[:k]


def _filters(body: SteerPreviewRequest) -> list[Filters]:
    """One for each kind and layer that is admitted."""
    kinds: Sequence[Kind | None] = body.kinds or (None,)
    layers: Sequence[int | None] = body.layers or (None,)
    return [
        Filters(kind=kind, layer=layer, side=body.side, min_score=body.min_score)
        for kind in kinds
        for layer in layers
    ]


def _known_dataset(extremes: Extremes, name: str) -> None:
    try:
        extremes.check(name)
    except NotFound as problem:
        raise BadRequest(problem.message, problem.hint, where="dataset") from problem


def _match(hit: Hit, extremes: Extremes, dataset: str | None) -> dict[str, Any]:
    explanation = hit.explanation
    component = explanation.component
    return {
        "component": str(component),
        "kind": component.kind,
        "layer": component.layer,
        "side": explanation.side,
        "explanation": explanation.text,
        "score": explanation.score,
        "similarity": hit.similarity,
        "extreme": extremes.of(component, explanation.side, dataset),
    }


def read_sweep(
    model: Transformer, body: SweepRequest, extremes: Extremes, bases: Bases
) -> Generator[Event, None, None]:
    """Read a request now; its events are `baseline`, a `cell` each, then `done`."""
    watched = _watched(model, body)
    _refuse_positions(body, len(watched.text.tokens))
    for number, k in enumerate(body.ks):
        if k > len(body.members):
            raise BadRequest(
                f"{k} was given; there are {len(body.members)} members.",
                "k takes the first k of `members`: give at most as many.",
                where=f"ks[{number}]",
            )
    if body.interventions or body.concepts:
        raise BadRequest(
            "A sweep tries one concept alone.",
            "Leave `interventions` and `concepts` out; give its `members`.",
            where="interventions" if body.interventions else "concepts",
        )
    edits = {
        strength: _edits(model, body, strength, extremes, bases) for strength in body.strengths
    }
    return _sweep_events(Sweep(model, watched, bases), body, edits)


def _refuse_positions(body: SweepRequest, n_tokens: int) -> None:
    for number, position in enumerate(body.positions or ()):
        if position >= n_tokens:
            raise BadRequest(
                f"{position} was given; the conversation has tokens 0-{n_tokens - 1}.",
                POSITION_HINT,
                where=f"positions[{number}]",
            )


def _edits(
    model: Transformer, body: SweepRequest, strength: float, extremes: Extremes, bases: Bases
) -> Sequence[Intervention]:
    concept = ConceptSpec(
        members=body.members,
        strength=strength,
        method=body.method,
        positions=body.positions,
        where=body.where,
        only_matching_side=body.only_matching_side,
    )
    return steers_of(model, concept, extremes, bases, body.dataset, "")


def _watched(model: Transformer, body: SweepRequest) -> Watched:
    text = read_text(model, body)
    n_tokens = len(text.tokens)
    position = n_tokens - 1 if body.position == -1 else body.position
    if not 1 <= position <= n_tokens:
        raise BadRequest(
            f"{body.position} was given; the conversation has tokens 0-{n_tokens - 1}, and the "
            "first is predicted from nothing.",
            f"{POSITION_HINT} {n_tokens} is the token to come.",
            where="position",
        )
    if body.token is None and position == n_tokens:
        raise BadRequest(
            "The token to come is not known yet.", "Say which one is meant.", where="token"
        )
    token = text.tokens[position] if body.token is None else read_token(model, body.token, "token")
    for number, other in enumerate(body.other_texts):
        with field(f"other_texts[{number}]", "Give at least one token of text."):
            plain_text(model, other)
    return Watched(
        text,
        position,
        token,
        body.other_texts or OTHER_TEXTS,
        body.n_reply_tokens,
        body.max_kl,
        body.max_repetition,
    )


def _sweep_events(
    sweep: Sweep, body: SweepRequest, edits: dict[float, Sequence[Intervention]]
) -> Generator[Event, None, None]:
    watched, model = sweep.watched, sweep.model
    sweep.begin()
    opening = {
        "token": {"id": watched.token, "text": token_text(model, watched.token)},
        "position": watched.position,
        "baseline": sweep.baseline,
        "baseline_repetition": sweep.baseline_repetition,
    }
    yield "baseline", opening
    cells = []
    for k in body.ks:
        for strength in body.strengths:
            cell = sweep.cell(k, strength, edits[strength][:k])
            cells.append(cell)
            yield "cell", asdict(cell)
    yield (
        "done",
        {
            **opening,
            "cells": [asdict(cell) for cell in cells],
            "best": sweep.best(cells),
            "max_kl": watched.max_kl,
            "max_repetition": watched.max_repetition,
        },
    )
