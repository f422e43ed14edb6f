"""Explanations from other people's files, and our own JSON lines there and back."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from neuron_explainer.explanations.explanation import Explanation, Score
from neuron_explainer.explanations.formats import read_explanations, write_explanations
from neuron_explainer.nodes import Component

SEQUENCE = {
    "simulation": {
        "tokens": ["The", " cat"],
        "expected_activations": [0.0, 7.5],
        "activation_scale": "simulated_normalized_activations",
        "distribution_values": [],
        "distribution_probabilities": [],
    },
    "true_activations": [0.1, 2.5],
    "ev_correlation_score": 1.0,
}
# As the public GPT-2 files are written, and as the code of the debugger writes them since.
OLD = {
    "neuron_id": {"layer_index": 3, "neuron_index": 117},
    "scored_explanations": [
        {
            "explanation": " words about cats",
            "scored_simulation": {
                "scored_sequence_simulations": [SEQUENCE, SEQUENCE],
                "ev_correlation_score": 0.5,
                "rsquared_score": 0.2,
                "absolute_dev_explained_score": 0.1,
            },
        }
    ],
}
OLDER = json.loads(
    json.dumps(OLD)
    .replace('"explanation"', '"explanation_or_baseline"')
    .replace('"scored_simulation"', '"simulation"')
    .replace('"neuron_id"', '"unit"')
    .replace("layer_index", "layer")
    .replace("neuron_index", "idx")
)


@pytest.mark.parametrize("record", [OLD, OLDER], ids=["old", "older"])
def test_openais_files_are_read_with_scores_and_simulations(tmp_path: Path, record: object) -> None:
    path = tmp_path / "117.jsonl"
    path.write_text(json.dumps(record) + "\n")
    ((explanation, simulations),) = read_explanations(path)
    assert explanation.component == Component("mlp", 3, 117)
    assert explanation.text == "words about cats"
    assert explanation.scores == {
        "correlation": 0.5,
        "r_squared": 0.2,
        "absolute_deviation": 0.1,
    }
    assert explanation.measures["correlation"].n == 4
    assert [it.sample for it in simulations] == ["top", "random"]
    assert list(simulations[0].simulated) == [0.0, 7.5]
    assert list(simulations[0].true) == [0.1, 2.5]


@pytest.mark.parametrize(
    ("layer", "component"),
    [
        ("6-res-jb", Component("latent", 6, 10, "resid")),
        ("0-att-kk", Component("latent", 0, 10, "attn")),
        ("3-mlp-oai", Component("latent", 3, 10, "mlp")),
        ("5", Component("mlp", 5, 10)),
    ],
)
def test_neuronpedias_exports_are_read(tmp_path: Path, layer: str, component: Component) -> None:
    record = {
        "modelId": "gpt2-small",
        "layer": layer,
        "index": "10",
        "description": "cats and dogs",
        "explanationModelName": "gpt-4o-mini",
        "typeName": "oai_token-act-pair",
        "scores": [{"explanationScoreTypeName": "eleuther_fuzz", "value": 0.75}],
    }
    path = tmp_path / "batch-0.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write(json.dumps(record) + "\n\n")
    ((explanation, _),) = read_explanations(path)
    assert explanation.component == component
    assert explanation.explainer == "neuronpedia:oai_token-act-pair:gpt-4o-mini"
    assert explanation.scores == {"eleuther_fuzz": 0.75}


def test_ours_come_back_as_they_went(tmp_path: Path) -> None:
    explanation = Explanation(
        Component("latent", 2, 7, "attn"),
        "fires on \u201c\u4e16\u201d\n",
        "negative",
        "trigger_graph",
        "2026-01-31T12:00:00Z",
        {"correlation": Score(0.5, 0.4, 0.6, 100), "auroc": Score(None, reason="one class")},
        density=0.25,
        rule={"tokens": [1, 2]},
        prompt_hash="00",
    )
    plain = replace(explanation, rule=None, density=None, measures={})
    path = tmp_path / "out.jsonl"
    assert write_explanations([explanation, plain], path) == 2
    assert [it.explanation for it in read_explanations(path)] == [explanation, plain]


@pytest.mark.parametrize("line", ["{", "[]", "3", '{"x": 1}', '{"scored_explanations": 3}'])
def test_a_line_that_is_no_explanation_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("\n" + line)
    with pytest.raises(ValueError, match=r"bad.jsonl, line 2"):
        list(read_explanations(path))
