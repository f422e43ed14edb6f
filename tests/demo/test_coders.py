"""The bundled coders: they fit the bundled model, and do on a sample what their cards say."""

import json
from pathlib import Path
from typing import Any

import pytest

from neuron_explainer import load_model
from neuron_explainer.autoencoders.cards import read_card
from neuron_explainer.autoencoders.coder_set import CoderSet, load_coder_set
from neuron_explainer.autoencoders.judging import judge
from neuron_explainer.autoencoders.recipe import Point
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer

DEMO = Path(__file__).parents[2] / "datasets" / "demo"
CODERS = DEMO / "coders"
SITES = {"mlp": "resid_delta_mlp", "attn": "resid_delta_attn"}


@pytest.fixture(scope="module")
def model() -> Transformer:
    return load_model("demo")


def coder_set(name: str, model: Transformer) -> CoderSet:
    return load_coder_set(str(CODERS / name), model.config)


def cards() -> dict[str, dict[str, Any]]:
    found = {
        f.parent.relative_to(CODERS).as_posix(): read_card(f.parent)
        for f in CODERS.rglob("card.json")
    }
    return {place: card for place, card in found.items() if card is not None}


@pytest.mark.parametrize("name", SITES)
def test_every_layer_has_a_coder_under_the_known_name(name: str, model: Transformer) -> None:
    found = coder_set(name, model)
    assert (found.name, found.site) == (f"demo-{name}", SITES[name])
    assert found.layers == tuple(range(model.config.n_layers))


def test_they_are_small() -> None:
    assert sum(file.stat().st_size for file in CODERS.rglob("*") if file.is_file()) < 11e6


def test_their_cards_show_what_is_asked_of_them(model: Transformer) -> None:
    found = cards()
    assert len(found) == 2 * model.config.n_layers
    for place, card in found.items():
        judged = card["judgement"]
        assert judged["n_tokens"] >= 50_000, place
        assert judged["explained_variance"] >= 0.93, place
        assert judged["l0_share"] <= 0.03, place
        assert judged["dead_fraction"] < 0.05, place
        assert judged["loss_recovered"] >= 0.9, place
        assert len(card["curve"]) > 10, place


def test_the_page_shows_the_figures_of_the_cards() -> None:
    page = (CODERS / "README.md").read_text()
    for card in cards().values():
        j = card["judgement"]
        row = f"| `{j['site']}` | {j['layer']} | {j['n_latents']:,} | {j['explained_variance']:.3f} | {j['l0']:.1f} "
        assert row in page
        assert f"| {j['dead_fraction']:.2%} | {j['loss_recovered']:.3f} |" in page


def test_on_a_sample_of_the_text_they_are_as_good_as_their_cards_say(model: Transformer) -> None:
    coders = {
        Point(found.site, layer): coder
        for found in (coder_set(name, model) for name in SITES)
        for layer, coder in found.coders.items()
    }
    corpus = open_corpus(str(DEMO / "corpus.jsonl"), seed=5)
    judged = judge(model, coders, corpus, tokens=8000)
    by_place = {Point(c["judgement"]["site"], c["judgement"]["layer"]): c for c in cards().values()}
    for point, found in judged.items():
        card = by_place[point]["judgement"]
        # 8,000 tokens of 60,000: the figures of samples of this size vary by about a hundredth.
        assert found.explained_variance == pytest.approx(card["explained_variance"], abs=0.02)
        assert found.l0 == pytest.approx(card["l0"], rel=0.05)
        assert found.loss_recovered == pytest.approx(card["loss_recovered"], abs=0.05)


def test_no_file_of_the_run_is_left_among_them() -> None:
    names = {file.name for file in CODERS.rglob("*") if file.is_file()}
    assert names == {"README.md", "coders.json", "config.json", "coder.safetensors", "card.json"}
    about = json.loads((CODERS / "mlp/coders.json").read_text())
    assert about["model"] == "demo"
