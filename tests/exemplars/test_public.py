"""OpenAI's public layout: with type tags and without, new field names and old, neurons and heads."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neuron_explainer.exemplars import DatasetUnavailable
from neuron_explainer.exemplars.public import SOURCES, PublicDataset, open_public
from neuron_explainer.nodes import Component

NEURON = Component.parse("mlp_L3_17")


def activation_record(tokens: list[str], activations: list[float], tagged: bool) -> dict[str, Any]:
    tag = {"dataclass_name": "ActivationRecord"} if tagged else {}
    return {**tag, "tokens": tokens, "activations": activations}


def neuron_record(tagged: bool = True, old_names: bool = False, **changes: Any) -> dict[str, Any]:
    """A record as published: two top excerpts, a random one, five quantile bands."""
    names = ("layer", "idx") if old_names else ("layer_index", "neuron_index")
    tag = {"dataclass_name": "NeuronId"} if tagged else {}
    weak = activation_record([" a", " b"], [0.5, 0.25], tagged)
    record = {
        "neuron_id": {**tag, names[0]: 3, names[1]: 17},
        "random_sample": [activation_record([" x", " y"], [0.0, -0.1], tagged)],
        "random_sample_by_quantile": [[weak], [weak], [], [weak], [weak]],
        "quantile_boundaries": [0.01, 0.1, 0.5, 1.5],
        "mean": 0.1,
        "variance": 0.04,
        "skewness": 1.0,
        "kurtosis": 2.0,
        "most_positive_activation_records": [
            activation_record([" c", " d"], [0.1, 2.0], tagged),
            activation_record([" e", " f", " g"], [0.0, 3.0, 1.0], tagged),
        ],
    }
    return ({"dataclass_name": "NeuronRecord"} if tagged else {}) | record | changes


def write(folder: Path, component: Component, data: Any, ending: str = "json") -> None:
    path = folder / str(component.layer) / f"{component.index}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))


@pytest.fixture
def neurons(tmp_path: Path) -> PublicDataset:
    return open_public(f"openai:gpt2-small={tmp_path}")


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("old_names", [True, False])
def test_a_neurons_record(
    neurons: PublicDataset, tmp_path: Path, tagged: bool, old_names: bool
) -> None:
    write(tmp_path, NEURON, neuron_record(tagged, old_names))
    record = neurons.record(NEURON)
    assert record.dataset == "openai:gpt2-small"
    assert [e.value for e in record.top_positive] == [3.0, 2.0]  # largest first
    assert record.top_positive[0].tokens == (" e", " f", " g")
    assert record.top_positive[0].peak == 1
    assert record.statistics.max == 3.0
    assert record.statistics.mean == 0.1
    assert record.statistics.std == pytest.approx(0.2)
    assert record.statistics.quantiles == {"0.5": 0.01, "0.9": 0.1, "0.99": 0.5, "0.999": 1.5}
    bands = [(band.lower, band.upper) for band in record.quantiles]
    assert bands == [(0, 0.5), (0.5, 0.9), (0.99, 0.999), (0.999, 1.0)]
    assert len(record.random) == 1
    assert any("GELU" in caveat for caveat in record.caveats)
    assert any("excerpts only" in caveat for caveat in record.caveats)


def test_what_a_record_may_lack(neurons: PublicDataset, tmp_path: Path) -> None:
    lacking = dict.fromkeys(
        ("mean", "variance", "quantile_boundaries", "random_sample_by_quantile")
    )
    write(tmp_path, NEURON, neuron_record(**lacking))
    record = neurons.record(NEURON)
    assert (record.statistics.mean, record.statistics.std) == (None, None)
    assert record.quantiles == ()


def heads(folder: Path) -> PublicDataset:
    return open_public(f"openai:gpt2-small-heads={folder}")


def test_a_heads_record_is_a_triangle(tmp_path: Path) -> None:
    head = Component.parse("attn_L5_1")
    pairs = [0.1, 0.2, 0.3, 0.4, 5.0, 0.6]
    one = activation_record([" a", " b", " c"], pairs, tagged=True)
    write(
        tmp_path,
        head,
        neuron_record(
            most_positive_activation_records=[one],
            random_sample=[],
            random_sample_by_quantile=None,
            neuron_id={"layer_index": 5, "neuron_index": 1},
        ),
    )
    (exemplar,) = heads(tmp_path).record(head).top_positive
    assert exemplar.activations == ((0.1,), (0.2, 0.3), (0.4, 5.0, 0.6))
    assert (exemplar.peak, exemplar.peak_key, exemplar.value) == (2, 1, 5.0)
    assert heads(tmp_path).record(head).measure == "write_magnitude"


def test_a_window_of_keys_shorter_than_the_text(tmp_path: Path) -> None:
    head = Component.parse("attn_L0_0")
    pairs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0]  # four tokens, each sees two
    one = activation_record([" a", " b", " c", " d"], pairs, tagged=False)
    write(
        tmp_path,
        head,
        neuron_record(
            most_positive_activation_records=[one],
            random_sample=[],
            random_sample_by_quantile=None,
            neuron_id={"layer_index": 0, "neuron_index": 0},
        ),
    )
    (exemplar,) = heads(tmp_path).record(head).top_positive
    assert exemplar.activations == ((1.0,), (2.0, 3.0), (0.0, 4.0, 5.0), (0.0, 0.0, 6.0, 9.0))
    assert (exemplar.peak, exemplar.peak_key, exemplar.value) == (3, 3, 9.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"neuron_id": {"neuron_in', "damaged"),
        ("[]", "not in the known layout"),
        ("[{}]", "not in the known layout"),
        ('"a record"', "not in the known layout"),
        ("5", "not in the known layout"),
        (neuron_record(neuron_id="L3 17"), "not in the known layout"),
        (neuron_record(random_sample=[" a"]), "not in the known layout"),
        (neuron_record(variance=-1.0), "not in the known layout"),
        (neuron_record(mean=float("nan")), "it holds NaN"),
        (json.dumps(neuron_record()).replace("0.5", "1e999"), "inf is no number"),
        (neuron_record(neuron_id={"layer_index": 3, "neuron_index": 18}), "index 18"),
        ({"neuron_id": {}, "random_sample": []}, "most_positive_activation_records"),
        (neuron_record(random_sample=[{"tokens": [" a"], "activations": [1, 2]}]), "2 activations"),
    ],
)
def test_a_damaged_record_spoils_no_other(
    neurons: PublicDataset, tmp_path: Path, content: Any, said: str
) -> None:
    write(tmp_path, NEURON, content)
    other = Component.parse("mlp_L3_18")
    write(tmp_path, other, neuron_record(neuron_id={"layer_index": 3, "neuron_index": 18}))
    with pytest.raises(DatasetUnavailable, match=said):
        neurons.record(NEURON)
    assert neurons.record(other).top_positive


def test_a_missing_record_says_what_to_do(neurons: PublicDataset) -> None:
    with pytest.raises(DatasetUnavailable, match="no public record") as problem:
        neurons.record(NEURON)
    assert "tdb collate" in problem.value.hint
    for name in ("mlp_L12_0", "mlp_L0_3072", "attn_L0_0"):
        with pytest.raises(DatasetUnavailable, match="holds nothing"):
            neurons.record(Component.parse(name))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(DatasetUnavailable) as problem:
        open_public("openai:gpt5")
    assert "openai:gpt2-small" in problem.value.hint


@pytest.mark.parametrize("old_names", [True, False])
def test_explanations(neurons: PublicDataset, tmp_path: Path, old_names: bool) -> None:
    names = (
        ("explanation_or_baseline", "simulation")
        if old_names
        else ("explanation", "scored_simulation")
    )
    scored = {
        names[0]: " words about the sea",
        names[1]: {"ev_correlation_score": 0.4, "rsquared_score": 0.1},
    }
    write(tmp_path, NEURON, {"neuron_id": {}, "scored_explanations": [scored]}, "jsonl")
    own = PublicDataset(replace(neurons.source, explanations=str(tmp_path)))
    (explanation,) = own.explanations(NEURON)
    assert explanation["text"] == "words about the sea"
    assert explanation["score"] == 0.4
    assert explanation["scores"] == {"correlation": 0.4, "r_squared": 0.1}
    assert own.explanations(Component.parse("mlp_L3_18")) == []


@pytest.mark.parametrize("content", [[], "x", {"scored_explanations": ["x"]}, 5])
def test_explanations_in_another_layout_are_none(
    neurons: PublicDataset, tmp_path: Path, content: Any
) -> None:
    write(tmp_path, NEURON, json.dumps(content), "jsonl")
    own = PublicDataset(replace(neurons.source, explanations=str(tmp_path)))
    assert own.explanations(NEURON) == []


def test_the_published_places() -> None:
    assert SOURCES["openai:gpt2-xl"].folder.endswith("neuron-explainer/data/collated-activations")
    attn = SOURCES["openai:gpt2-small-resid-delta-attn-v4"]
    assert (attn.stream, attn.n_components) == ("attn", 10240)
    assert attn.folder.endswith("autoencoder_latent/resid_delta_attn_v4/collated-activations")
