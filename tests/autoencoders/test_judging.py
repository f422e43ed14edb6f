"""Judging: each figure against a plain computation over the same text."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from neuron_explainer.autoencoders.cards import read_card, write_card
from neuron_explainer.autoencoders.judging import DENSITY_EDGES, Judgement, judge
from neuron_explainer.autoencoders.recipe import Point
from neuron_explainer.autoencoders.sparse_coder import (
    SparseCoder,
    SparseCoderConfig,
    coder_from_tensors,
)
from neuron_explainer.models.corpus import Corpus, open_corpus
from neuron_explainer.models.hooks import Hooks, Recorder, Site
from neuron_explainer.models.transformer import Transformer
from tests.autoencoders.training_runs import write_text
from tests.tiny_models import TinyModels

D, N, WINDOW = 32, 80, 12
ALL = 10**9


def coder_at(site: Site, layer: int) -> SparseCoder:
    generator = torch.Generator().manual_seed(layer)
    config = SparseCoderConfig(site, layer, d_in=D, n_latents=N, nonlinearity="topk", k=6)
    tensors = {
        "w_enc": torch.randn(N, D, generator=generator),
        "b_enc": torch.cat([torch.zeros(N - 5), torch.full((5,), -1e6)]),  # the last five are dead
        "w_dec": 0.1 * torch.randn(D, N, generator=generator),
        "b_dec": 0.1 * torch.randn(D, generator=generator),
    }
    return coder_from_tensors(config, tensors, "test")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return open_corpus(str(write_text(tmp_path, n_documents=25)))


def windows(model: Transformer, corpus: Corpus) -> list[Tensor]:
    """Each document's windows, one row each, as a person would cut them."""
    found = []
    for document in corpus:
        ids = model.tokenizer.encode(document.text)
        found += [ids[first : first + WINDOW] for first in range(0, len(ids), WINDOW)]
    return [torch.tensor([window]) for window in found if len(window) > 1]


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox"])
@pytest.mark.parametrize("site", ["resid_delta_mlp", "resid_post"])
def test_every_figure_is_what_a_plain_computation_gives(
    tiny_models: TinyModels, corpus: Corpus, kind: str, site: Site
) -> None:
    model, coder = tiny_models(kind).ours, coder_at(site, 1)
    values, sums, n_predicted = [], [0.0, 0.0, 0.0], 0
    for tokens in windows(model, corpus):
        recorder = Recorder([site])
        runs = [model(tokens, recorder.hooks())]
        value = recorder.values[site][1]
        values.append(value[0])
        for new in (torch.zeros_like(value), coder(value)):
            hook = Hooks([(site, lambda v, layer, new=new: new if layer == 1 else v)])
            runs.append(model(tokens, hook))
        for index, logits in enumerate(runs):
            sums[index] += float(F.cross_entropy(logits[0, :-1], tokens[0, 1:], reduction="sum"))
        n_predicted += tokens.shape[1] - 1
    x = torch.cat(values)
    z = coder.encode(x)
    error = (x - coder.decode(z)).square().sum()
    bare, zero, spliced = (total / n_predicted for total in sums)

    judged = judge(model, {Point(site, 1): coder}, corpus, tokens=ALL, window=WINDOW)
    found = judged[Point(site, 1)]
    assert (found.n_tokens, found.n_latents) == (len(x), N)
    expected = {
        "explained_variance": 1 - error / (x - x.mean(dim=0)).square().sum(),
        "normalized_mse": error / x.square().sum(),
        "l0": (z > 0).sum() / len(x),
        "l0_share": (z > 0).sum() / z.numel(),
        "dead_fraction": (z == 0).all(dim=0).float().mean(),
        "loss_bare": bare,
        "loss_zero": zero,
        "loss_spliced": spliced,
        "loss_recovered": (zero - spliced) / (zero - bare),
    }
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(float(value), rel=1e-4), name
    assert found.dead_fraction >= 5 / N


def test_the_density_histogram_counts_every_live_latent(
    tiny_models: TinyModels, corpus: Corpus
) -> None:
    model, point = tiny_models("gpt2").ours, Point("resid_post", 1)
    found = judge(model, {point: coder_at("resid_post", 1)}, corpus, tokens=ALL, window=WINDOW)[
        point
    ]
    assert found.density.edges == DENSITY_EDGES
    n_dead = round(found.dead_fraction * N)
    assert sum(found.density.counts) == N - n_dead
    # Means of density: between the histogram's edges.
    low = sum(n * 10**left for n, left in zip(found.density.counts, DENSITY_EDGES, strict=False))
    high = sum(
        n * 10**right for n, right in zip(found.density.counts, DENSITY_EDGES[1:], strict=True)
    )
    assert low <= found.l0 <= high


def test_a_perfect_coder_recovers_everything(tiny_models: TinyModels, corpus: Corpus) -> None:
    """Pairs of latents for each direction and its opposite, together the identity."""
    model, point = tiny_models("gpt2").ours, Point("resid_delta_attn", 0)
    config = SparseCoderConfig("resid_delta_attn", 0, d_in=D, n_latents=2 * D)
    pairs = torch.cat([torch.eye(D), -torch.eye(D)])
    tensors = {
        "w_enc": pairs,
        "b_enc": torch.zeros(2 * D),
        "w_dec": pairs.T,
        "b_dec": torch.zeros(D),
    }
    coder = coder_from_tensors(config, tensors, "identity")
    found = judge(model, {point: coder}, corpus, tokens=ALL, window=WINDOW)[point]
    assert found.explained_variance == pytest.approx(1.0)
    assert found.loss_recovered == pytest.approx(1.0, abs=1e-4)
    assert found.l0 == pytest.approx(D, rel=0.01)


def test_coders_judged_together_are_judged_as_alone(
    tiny_models: TinyModels, corpus: Corpus
) -> None:
    model = tiny_models("gpt2").ours
    coders = {Point(s, n): coder_at(s, n) for s, n in (("resid_mid", 0), ("resid_delta_mlp", 2))}
    together = judge(model, coders, corpus, tokens=300, window=WINDOW)
    for point, coder in coders.items():
        assert (
            judge(model, {point: coder}, corpus, tokens=300, window=WINDOW)[point]
            == together[point]
        )
    assert 300 <= together[Point("resid_mid", 0)].n_tokens < 300 + 4 * 2048 + WINDOW


def test_a_coder_that_does_not_fit_is_refused(tiny_models: TinyModels, corpus: Corpus) -> None:
    model, coder = tiny_models("gpt2").ours, coder_at("resid_post", 1)
    with pytest.raises(ValueError, match="it is 32 wide; the site is 128 wide"):
        judge(model, {Point("mlp_post_act", 1): coder}, corpus)
    with pytest.raises(ValueError, match="layers 0-2"):
        judge(model, {Point("resid_post", 9): coder}, corpus)


def test_a_text_without_two_tokens_is_refused(tiny_models: TinyModels, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(ValueError, match="too short to judge"):
        judge(
            tiny_models("gpt2").ours,
            {Point("resid_post", 1): coder_at("resid_post", 1)},
            open_corpus(str(tmp_path / "a.txt")),
        )


def test_a_card_keeps_what_is_not_written_anew(
    tiny_models: TinyModels, corpus: Corpus, tmp_path: Path
) -> None:
    point = Point("resid_post", 1)
    judged: Judgement = judge(
        tiny_models("gpt2").ours, {point: coder_at("resid_post", 1)}, corpus, tokens=300
    )[point]
    assert read_card(tmp_path) is None
    write_card(tmp_path, model="tiny", recipe={"k": 6}, curve=[{"tokens": 1, "fvu": 0.5}])
    write_card(tmp_path, model="tiny", judgement=judged, judged_on="text")
    card = read_card(tmp_path)
    assert card is not None
    assert (card["recipe"], card["judged_on"]) == ({"k": 6}, "text")
    assert card["curve"] == [{"tokens": 1, "fvu": 0.5}]
    assert card["judgement"]["l0"] == judged.l0
    assert math.isfinite(card["judgement"]["loss_recovered"])
