"""A latent of the second coder of its stream: explained, by hand and by a job, as that coder's and no other's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from activation_server.app import create_app
from activation_server.jobs import JobRunner
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer.exemplars import Recipe
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from tests.autoencoders.random_coders import random_coder_set
from tests.exemplars.small_corpus import small_corpus
from tests.server.job_client import over
from tests.server.sample import BASE_URL

AT = "/api/components/mlp_ae_L1_5"
CODERS = ("first", "wide")


@pytest.fixture(scope="module")
def root(model: Transformer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two coders of one stream, each with a dataset of its latents."""
    root = tmp_path_factory.mktemp("second")
    corpus = open_corpus(str(small_corpus(root / "small.jsonl", n_documents=40)))
    recipe = Recipe(window=16, n_top=6, n_random=6, n_per_band=1)
    for name, variant in zip(CODERS, ("relu", "layer-normed"), strict=True):
        coders = random_coder_set(name, "resid_delta_mlp", 16, variant=variant)
        coders.save(root / name, model="tiny")
        collate(model, corpus, root / f"{name}-data", recipe=recipe, coder_sets=[coders])
    return root


def settings_of(root: Path, data_dir: Path, coders: tuple[str, ...] = CODERS) -> Settings:
    return Settings(
        coders=tuple(str(root / name) for name in coders),
        datasets=tuple(str(root / f"{name}-data") for name in CODERS),
        data_dir=data_dir,
    )


def client_of(model: Transformer, settings: Settings) -> TestClient:
    app = create_app(settings, ModelSession(model, settings), JobRunner(settings))
    return TestClient(app, base_url=BASE_URL, raise_server_exceptions=False)


@pytest.fixture
def second(model: Transformer, root: Path, tmp_path: Path) -> Iterator[TestClient]:
    with client_of(model, settings_of(root, tmp_path)) as client:
        yield client


def write(client: TestClient, text: str, at: str = AT, **params: str) -> dict[str, Any]:
    answer = client.post(f"{at}/explanations", json={"text": text}, params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def texts(client: TestClient, at: str = AT, **params: str) -> list[str]:
    answer = client.get(at, params=params).json()
    return sorted(it["text"] for it in answer["explanations"])


def test_a_sentence_is_kept_as_of_its_coder_and_shown_only_with_it(
    model: Transformer, root: Path, tmp_path: Path
) -> None:
    wide = {"coder": "wide"}
    with client_of(model, settings_of(root, tmp_path)) as client:
        of_wide = write(client, 'fires on " Mary"', **wide)
        of_first = write(client, 'fires on " cat"')
        named = write(client, 'fires on " dog"', coder="first")
        write(client, 'fires on " mat"', at="/api/components/mlp_L1_5", **wide)
        assert (
            texts(client) == texts(client, coder="first") == ['fires on " cat"', 'fires on " dog"']
        )
        assert texts(client, **wide) == ['fires on " Mary"']
        for coder in CODERS:
            assert texts(client, "/api/components/mlp_L1_5", coder=coder) == ['fires on " mat"']
        # Each was scored on excerpts of its own coder's latent.
        seen = [[it["true"] for it in of["excerpts"]] for of in (of_wide, of_first, named)]
        assert seen[0] != seen[1] == seen[2]

        shown = {"explanation": of_wide["explanation"]["id"]}
        simulated = client.get(f"{AT}/simulation", params=shown | wide).json()
        assert simulated["explanation"]["id"] == of_wide["explanation"]["id"]
        assert len(simulated["excerpts"]) == len(of_wide["excerpts"])
        for kept, told in zip(simulated["excerpts"], of_wide["excerpts"], strict=True):
            assert kept["true"] == pytest.approx(told["true"], rel=1e-4)  # kept to five figures
        assert client.get(f"{AT}/simulation", params=wide).json() == simulated
        best = client.get(f"{AT}/simulation").json()["explanation"]["id"]
        assert best in {it["explanation"]["id"] for it in (of_first, named)}
        for params in (shown, shown | {"coder": "first"}):
            foreign = client.get(f"{AT}/simulation", params=params)
            assert foreign.status_code == 404
            assert "'wide'" in foreign.json()["message"] and "?coder=wide" in foreign.json()["hint"]
        number = of_wide["explanation"]["id"]
        assert client.delete(f"{AT}/explanations/{number}").status_code == 404
    # A later server that is told of the coders in the other order shows the same.
    with client_of(model, settings_of(root, tmp_path, CODERS[::-1])) as client:
        assert texts(client) == texts(client, **wide) == ['fires on " Mary"']
        assert texts(client, coder="first") == ['fires on " cat"', 'fires on " dog"']
        (kept,) = client.get(AT).json()["explanations"]
        assert client.delete(f"{AT}/explanations/{kept['id']}", params=wide).status_code == 204
        assert texts(client) == []
        assert texts(client, coder="first") == ['fires on " cat"', 'fires on " dog"']


@pytest.mark.parametrize("what", ["simulation", "explanations", "delete"])
def test_an_unknown_coder_is_told_the_ones_there_are(second: TestClient, what: str) -> None:
    params = {"coder": "nobody"}
    match what:
        case "simulation":
            answer = second.get(f"{AT}/simulation", params=params)
        case "explanations":
            answer = second.post(f"{AT}/explanations", json={"text": "x"}, params=params)
        case _:
            answer = second.delete(f"{AT}/explanations/0:1", params=params)
    assert answer.status_code == 404
    assert "first, wide" in answer.json()["hint"]


def test_a_job_explains_the_latents_of_the_datasets_coder(
    model: Transformer, root: Path, tmp_path: Path, checkpoint: Path
) -> None:
    settings = replace(settings_of(root, tmp_path), model=str(checkpoint))
    with client_of(model, settings) as client:
        options = {"name": "made", "dataset": str(root / "wide-data"), "components": ["mlp_ae_L1"]}
        started = client.post("/api/jobs", json={"kind": "explain", "options": options})
        info = over(client, started.json()["id"])
        assert info["state"] == "done", info
        assert client.post("/api/explanations/stores", json={"job": info["id"]}).status_code == 200
        latents = {"components": [f"mlp_ae_L1_{n}" for n in range(48)]}
        labels = client.post("/api/components/labels", json=latents).json()["labels"]
        assert labels == {}
        asked = latents | {"coders": ["wide"]}
        labels = client.post("/api/components/labels", json=asked).json()["labels"]
        name, said = next(iter(labels.items()))
        at, wide = f"/api/components/{name}", {"coder": "wide"}
        # Simulated by its rule on the excerpts of that coder's latent.
        shown = client.get(f"{at}/simulation", params=wide | {"explanation": said[0]["id"]}).json()
        record = client.get(at, params=wide).json()["exemplars"]
        top = {tuple(it["tokens"]) for it in record["top_positive"]}
        tokens = {tuple(it["tokens"]) for it in shown["excerpts"] if it["sample"] == "top"}
        assert tokens and tokens <= top
        assert client.get(f"{at}/simulation").status_code == 404
