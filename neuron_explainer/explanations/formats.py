"""Explanations in other people's files, and in ours: JSON lines.

OpenAI's public explanations (GPT-2 XL and small; one file for each neuron, `{layer}/{neuron}.jsonl`): a
`NeuronSimulationResults` (older: `ScoredExplanationOrBaseline`s under other names) with simulated sequences.
Neuronpedia's exports: one explanation a line, `{modelId, layer: "6-res-jb", index, description, ...}`.
Our own: one explanation a line, as `to_line` writes it.
"""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from neuron_explainer.explanations.explanation import (
    PREFERRED_SCORE,
    Explanation,
    Score,
    SimulatedExcerpt,
    now,
)
from neuron_explainer.nodes import Component, Stream

# OpenAI's name for each score, and ours.
_OPENAI_SCORES = {
    "ev_correlation_score": PREFERRED_SCORE,
    "rsquared_score": "r_squared",
    "absolute_dev_explained_score": "absolute_deviation",
}
_NEURONPEDIA_LAYER = re.compile(r"(?P<layer>\d+)(?:-(?P<source>.+))?")


class Imported(NamedTuple):
    """An explanation with the excerpts it was scored on, if the file holds them."""

    explanation: Explanation
    simulations: tuple[SimulatedExcerpt, ...] = ()


# Values of other people's JSON are Any until checked.
def read_explanations(path: Path) -> Iterator[Imported]:
    """Every explanation in a file (or a .gz of it), whichever of the three forms its lines have.

    Raises ValueError that names the line.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                yield from _read_record(record)
            except (ValueError, KeyError, TypeError, AttributeError) as problem:
                raise ValueError(
                    f"{path.name}, line {number}: not an explanation of OpenAI's, Neuronpedia's "
                    f"or ours ({type(problem).__name__}: {problem})."
                ) from problem


def _read_record(record: Mapping[str, Any]) -> Iterator[Imported]:
    if "scored_explanations" in record:
        yield from _openai(record)
    elif "description" in record:
        yield _neuronpedia(record)
    else:
        yield Imported(_ours(record))


# --- OpenAI ---------------------------------------------------------------------------------------


def _openai(record: Mapping[str, Any]) -> Iterator[Imported]:
    neuron = record.get("neuron_id") or record["unit"]
    layer = neuron.get("layer_index", neuron.get("layer"))
    index = neuron.get("neuron_index", neuron.get("idx"))
    component = Component("mlp", int(layer), int(index))
    for scored in record["scored_explanations"]:
        text = scored.get("explanation") or scored["explanation_or_baseline"]
        simulation = scored.get("scored_simulation") or scored["simulation"]
        sequences = simulation["scored_sequence_simulations"]
        excerpts = tuple(_openai_excerpt(it, n, len(sequences)) for n, it in enumerate(sequences))
        n_tokens = sum(len(it.tokens) for it in excerpts)
        measures = {
            ours: Score(simulation[theirs], n=n_tokens)
            for theirs, ours in _OPENAI_SCORES.items()
            if simulation.get(theirs) is not None
        }
        explanation = Explanation(
            component, text.strip(), "positive", "openai:gpt-4", now(), measures
        )
        yield Imported(explanation, excerpts)


def _openai_excerpt(scored: Mapping[str, Any], number: int, count: int) -> SimulatedExcerpt:
    """Their validation set is five top excerpts and then five random ones."""
    simulated = scored.get("sequence_simulation") or scored["simulation"]
    return SimulatedExcerpt(
        tuple(simulated["tokens"]),
        tuple(scored["true_activations"]),
        tuple(simulated["expected_activations"]),
        "top" if number < count / 2 else "random",
    )


# --- Neuronpedia ----------------------------------------------------------------------------------


def _neuronpedia(record: Mapping[str, Any]) -> Imported:
    found = _NEURONPEDIA_LAYER.match(str(record["layer"]))
    if found is None:
        raise ValueError(f"layer {record['layer']!r} does not begin with its number")
    layer, index = int(found["layer"]), int(record["index"])
    stream = _stream_of(found["source"])
    component = (
        Component("mlp", layer, index)
        if stream is None
        else Component("latent", layer, index, stream)
    )
    model = record.get("explanationModelName") or "unknown"
    kind = record.get("typeName") or "explanation"
    scores = {
        str(it["explanationScoreTypeName"]): Score(float(it["value"]))
        for it in record.get("scores") or ()
        if it.get("value") is not None
    }
    return Imported(
        Explanation(
            component,
            str(record["description"]).strip(),
            "positive",
            f"neuronpedia:{kind}:{model}",
            str(record.get("createdAt") or now()),
            scores,
        )
    )


def _stream_of(source: str | None) -> Stream | None:
    """Where a source set sits: `6-res-jb`, `0-att-kk`, `3-mlp-oai`, `2-transcoder`; None: neurons."""
    if source is None or source.startswith("neurons"):
        return None
    if source.startswith("att"):
        return "attn"
    return "resid" if source.startswith("res") else "mlp"


# --- ours -----------------------------------------------------------------------------------------


def to_line(explanation: Explanation) -> str:
    """One explanation as a line of JSON."""
    record = {
        "component": str(explanation.component),
        "side": explanation.side,
        "text": explanation.text,
        "score": explanation.score,
        "measures": {name: asdict(score) for name, score in explanation.measures.items()},
        "explainer": explanation.explainer,
        "created": explanation.created,
        "density": explanation.density,
        "rule": explanation.rule,
        "prompt_hash": explanation.prompt_hash,
    }
    return json.dumps(record, ensure_ascii=False)


def write_explanations(explanations: Iterable[Explanation], path: Path) -> int:
    """Write JSON lines; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for explanation in explanations:
            file.write(to_line(explanation) + "\n")
            count += 1
    return count


def _ours(record: Mapping[str, Any]) -> Explanation:
    side = record["side"]
    if side not in ("positive", "negative"):
        raise ValueError(f"side {side!r} is neither positive nor negative")
    return Explanation(
        Component.parse(record["component"]),
        record["text"],
        side,
        record["explainer"],
        record["created"],
        {name: Score(**score) for name, score in record.get("measures", {}).items()},
        density=record.get("density"),
        rule=record.get("rule"),
        prompt_hash=record.get("prompt_hash", ""),
    )
