"""Two coders of one stream: what is said of the latents of one is never said of the other's."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from activation_server.app import create_app
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer.exemplars import Recipe
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.explanations.encoders import word_vectors
from neuron_explainer.explanations.explanation import Explanation, Score
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import update_vectors
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.autoencoders.random_coders import random_coder_set
from tests.exemplars.small_corpus import small_corpus
from tests.server.sample import BASE_URL, PROMPT

N_LATENTS = 48
SAID = {"first": "rivers and streams", "wide": "rivers"}
"""Of every latent. The other coder's sentences are the nearer ones to "rivers", in both modes."""


@pytest.fixture(scope="module")
def two(model: Transformer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One store for both coders' latents each, and of each store one neuron."""
    root = tmp_path_factory.mktemp("two")
    first = random_coder_set("first", "resid_delta_mlp", 16)
    first.save(root / "first", model="tiny")
    random_coder_set("wide", "resid_delta_mlp", 16).save(root / "wide", model="tiny")
    corpus = open_corpus(str(small_corpus(root / "small.jsonl", n_documents=12)))
    collate(model, corpus, root / "data", recipe=Recipe(window=8, n_top=2), coder_sets=[first])
    for place, (coder, text) in enumerate(SAID.items()):
        with ExplanationStore.open(root / f"{coder}.sqlite", writable=True) as store:
            store.note_coder("mlp", coder)
            _write(store, coder, text, 0.1 + place / 2, neuron=place)
    settings = Settings(
        coders=(str(root / "first"), str(root / "wide")),
        datasets=(str(root / "data"),),
        explanations=tuple(str(root / f"{coder}.sqlite") for coder in SAID),
    )
    app = create_app(settings, ModelSession(model, settings))
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


def _write(store: ExplanationStore, coder: str, text: str, score: float, neuron: int) -> None:
    scores = {"correlation": Score(score, score, score, 10)}
    latents = [Component("latent", 1, n, "mlp") for n in range(N_LATENTS)]
    with store.transaction():
        for of in (*latents, Component("mlp", 1, neuron)):
            store.add(Explanation(of, text, "positive", coder, "now", scores))
    update_vectors(store, word_vectors())


def _get(client: TestClient, **params: object) -> dict[str, Any]:
    answer = client.get("/api/search", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("mode", ["meaning", "keyword"])
def test_a_page_of_search_is_full_of_the_meant_coders_latents(two: TestClient, mode: str) -> None:
    found = _get(two, q="rivers", mode=mode, limit=N_LATENTS)
    texts = {hit["explanation"]["text"] for hit in found["hits"] if "_ae_" in hit["component"]}
    assert len(found["hits"]) == N_LATENTS
    assert texts == {SAID["first"]}
    assert found["n_matches"] == N_LATENTS + 2
    (alone,) = (few := _get(two, q="rivers", mode=mode, explainer="wide", limit=1))["hits"]
    assert (alone["component"], few["n_matches"]) == ("mlp_L1_1", 1)


@pytest.mark.parametrize("mode", ["token", "text"])
def test_what_is_asked_of_explanations_is_asked_of_the_meant_coders(
    two: TestClient, mode: str
) -> None:
    params = {"q": "a", "mode": mode, "kind": "latent", "limit": 5, "layer": 1}
    assert _get(two, **params, explainer="first")["hits"]
    assert _get(two, **params, explainer="wide")["hits"] == []
    assert (
        _get(two, **params, min_score=0.5)["hits"] == []
    )  # so well only the other's are explained


def test_coverage_counts_the_latents_of_each_coder_apart(two: TestClient) -> None:
    found = two.get("/api/explanations/coverage").json()
    rows = [
        (it["coder"], it["n_explained"], it["n_components"], it["n_scored"])
        for it in found["layers"]
        if it["kind"] == "latent"
    ]
    # Only the first coder's latents are in the dataset.
    assert rows == [
        ("first", N_LATENTS, N_LATENTS, N_LATENTS),
        ("wide", N_LATENTS, None, N_LATENTS),
    ]
    assert {it["coder"] for it in found["layers"] if it["kind"] != "latent"} == {None}


def test_a_concept_is_not_steered_by_sentences_about_other_latents(two: TestClient) -> None:
    found = two.post("/api/monitor/steer_preview", json={"text": "rivers", "k": 500}).json()
    latents = [it["explanation"] for it in found["matches"] if it["kind"] == "latent"]
    assert latents == [SAID["first"]] * N_LATENTS
    assert found["n_matches"] == N_LATENTS + 2


@pytest.mark.parametrize("coder", SAID)
def test_an_influential_latent_means_what_its_own_coder_says(two: TestClient, coder: str) -> None:
    body = {"prompt": PROMPT, "mlp_basis": coder, "kinds": ["latent"], "layers": [1], "top_k": 20}
    items = two.post("/api/monitor/influence", json=body).json()["items"]
    said = {it["explanation"] for it in items if it["side"] == "positive"}
    assert said == {SAID[coder]}
