"""Similar components against cosines and correlations written out; search by text against sorting."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from neuron_explainer.exemplars import (
    Dataset,
    QuantileTable,
    Recipe,
    rank_in_own_distribution,
)
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.observing import Observer
from neuron_explainer.exemplars.similar import similar_by_coactivation, similar_by_weights
from neuron_explainer.exemplars.unusual import most_unusual
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.hooks import Recorder
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.autoencoders.random_coders import random_coder_set
from tests.exemplars.brute_force import everything
from tests.exemplars.small_corpus import small_corpus
from tests.tiny_models import TinyModels, some_tokens


@pytest.fixture(scope="module", params=["gpt2", "llama-grouped"])
def model(request: pytest.FixtureRequest, tiny_models: TinyModels) -> Transformer:
    return tiny_models(request.param).ours


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus") / "small.jsonl", n_documents=20)


@pytest.fixture(scope="module")
def dataset(model: Transformer, corpus: Path, tmp_path_factory) -> Dataset:
    out = tmp_path_factory.mktemp("collated") / "small"
    recipe = Recipe(window=12, n_top=4, n_random=3, n_per_band=1)
    return collate(model, open_corpus(str(corpus)), out, recipe=recipe)


def cosine(a: Tensor, b: Tensor) -> float:
    return float((a * b).sum() / (a.norm() * b.norm()))


def test_neurons_and_latents_are_compared_by_what_they_write(model: Transformer) -> None:
    coders = random_coder_set("random", "resid_delta_attn", model.config.d_model)
    found = similar_by_weights(model, [coders], Component.parse("mlp_L1_5"), limit=8)
    own = model.block(1).mlp.w_out[:, 5]
    expected = {
        f"mlp_L{layer}_{i}": cosine(own, model.block(layer).mlp.w_out[:, i])
        for layer in range(3)
        for i in range(model.config.d_mlp)
    } | {
        f"attn_ae_L{layer}_{i}": cosine(own, coder.decoder[:, i])
        for layer, coder in coders.coders.items()
        for i in range(coder.config.n_latents)
    }
    del expected["mlp_L1_5"]
    best = sorted(expected.values(), reverse=True)[:8]
    assert [s.score for s in found] == pytest.approx(best, abs=1e-5)
    assert all(expected[s.component] == pytest.approx(s.score, abs=1e-5) for s in found)


@pytest.mark.parametrize("part", ["output", "input"])
def test_heads_are_compared_by_their_matrices(model: Transformer, part) -> None:
    def matrix(layer: int, head: int) -> Tensor:
        block = model.block(layer)
        attn = block.attn
        shared = head * attn.n_kv_heads // attn.n_heads
        q, k, v = torch.split(attn.w_qkv * block.norm_attn.weight, attn.sizes)
        rows = slice(shared * attn.d_head, (shared + 1) * attn.d_head)
        if part == "output":
            return v[rows].T @ attn.head_w_o()[head]
        return q[head * attn.d_head : (head + 1) * attn.d_head].T @ k[rows]

    found = similar_by_weights(model, [], Component.parse("attn_L0_2"), part=part, limit=11)
    own = matrix(0, 2)
    expected = {
        f"attn_L{layer}_{head}": cosine(own, matrix(layer, head))
        for layer in range(3)
        for head in range(4)
    }
    assert len(found) == 11
    assert all(expected[s.component] == pytest.approx(s.score, abs=1e-5) for s in found)
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


@pytest.mark.parametrize("name", ["mlp_L1_3", "attn_L2_1"])
def test_coactivation_is_correlation_on_its_own_excerpts(
    model: Transformer, dataset: Dataset, name: str
) -> None:
    record = dataset.record(Component.parse(name))
    found = similar_by_coactivation(Observer(model, []), record, limit=5)
    exemplars = [*record.top_positive, *record.top_negative, *record.random]
    own = [max(a) if isinstance(a, tuple) else a for e in exemplars for a in e.activations]
    for similar in found:
        other, series = Component.parse(similar.component), []
        for exemplar in exemplars:
            recorder = Recorder(["mlp_post_act", "attn_pattern", "attn_v"])
            model(torch.tensor([exemplar.token_ids]), recorder.hooks())
            values = {site: v[other.layer or 0][0] for site, v in recorder.values.items()}
            series.append(activity(model, other, values))
        expected = np.corrcoef(own, torch.cat(series).numpy())[0, 1]
        assert similar.score == pytest.approx(expected, abs=2e-3)
    assert str(record.component) not in [s.component for s in found]


def activity(model: Transformer, component: Component, values: dict[str, Tensor]) -> Tensor:
    index = component.index or 0
    if component.kind == "mlp":
        return values["mlp_post_act"][:, index]
    attn = model.block(component.layer or 0).attn
    v = values["attn_v"][index * attn.n_kv_heads // attn.n_heads]
    return (values["attn_pattern"][index] * (v @ attn.head_w_o()[index]).norm(dim=1)).amax(1)


def test_both_sides_are_ranked_alike(dataset: Dataset) -> None:
    levels = dataset.quantiles("mlp", 0).levels
    values = torch.arange(len(levels)) - (len(levels) - 1) / 2  # as many below zero as above
    ends = values.amax(0, keepdim=True) + 1
    table = QuantileTable(levels, values[None], -ends, ends)
    for at, level in enumerate(levels.tolist()):
        rank, mirrored = (
            float(rank_in_own_distribution(sign * values[at : at + 1], table)) for sign in (1, -1)
        )
        assert rank == pytest.approx(level, rel=1e-9)
        assert 1 - mirrored == pytest.approx(rank, rel=1e-9)
        assert 1 - rank == pytest.approx(mirrored, rel=1e-6)


def test_search_by_text_lists_what_is_most_extreme_for_itself(
    model: Transformer, corpus: Path, dataset: Dataset
) -> None:
    tokens = some_tokens(10, seed=1)
    found = most_unusual(Observer(model, []), dataset, tokens, limit=30)
    assert len(found) == 30
    assert [u.share_beyond for u in found] == sorted(u.share_beyond for u in found)
    truth = everything(model, open_corpus(str(corpus)), 12)
    recorder = Recorder(["mlp_post_act"])
    model(torch.tensor([tokens]), recorder.hooks())
    for unusual in found:
        component = Component.parse(unusual.component)
        if component.kind != "mlp":
            assert unusual.key_position is not None
            continue
        sign = 1 if unusual.side == "positive" else -1
        layer, index = component.layer or 0, component.index or 0
        own = sign * recorder.values["mlp_post_act"][layer][0, :, index]
        assert unusual.value == pytest.approx(sign * float(own.max()), abs=1e-5)
        assert unusual.position == int(own.argmax())
        values = sign * truth.flat(f"mlp_L{layer}", index)
        exact = float((values > sign * unusual.value).double().mean())
        assert unusual.share_beyond == pytest.approx(exact, abs=0.02)
        extreme = float(values.max())
        assert unusual.times_extreme == pytest.approx(sign * unusual.value / extreme, rel=1e-4)


def test_search_by_text_can_be_narrowed(model: Transformer, dataset: Dataset) -> None:
    found = most_unusual(
        Observer(model, []),
        dataset,
        some_tokens(6),
        kinds=["mlp"],
        layers=[1],
        sides=["negative"],
    )
    assert found
    assert {(u.component[:6], u.side) for u in found} == {("mlp_L1", "negative")}
