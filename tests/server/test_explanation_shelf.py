"""The stores that are served: one more while the server runs, one's own, and those of earlier versions."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from httpx2 import Response

from activation_server.explanation_shelf import ExplanationShelf
from activation_server.jobs import JobRunner
from activation_server.schemas import JobInfo
from activation_server.settings import Settings
from neuron_explainer.explanations.encoders import RETIRED, word_vectors
from neuron_explainer.explanations.explanation import Explanation
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import VectorTable, save_vectors, update_vectors
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component


def test_what_a_finished_job_made_is_served_at_once(
    explained: TestClient, model: Transformer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, others = tmp_path / "made.sqlite", tmp_path / "others.sqlite"
    for path, name in ((made, model.config.name), (others, "another")):
        with ExplanationStore.open(path, writable=True) as store:
            store.note(model=name)
            store.add(Explanation(Component("mlp", 1, 3), "made by a job", "positive", "x", "now"))
            update_vectors(store, word_vectors())

    def job(kind: str, state: str, output: Path) -> None:
        info = JobInfo.model_construct(id="7", kind=kind, state=state, output=str(output))
        monkeypatch.setattr(JobRunner, "get", lambda *_: info)

    def show() -> Response:
        return explained.post("/api/explanations/stores", json={"job": "7"})

    for kind, state in (("explain", "running"), ("collate", "done")):
        job(kind, state, made)
        assert show().status_code == 409
    job("explain", "done", others)
    assert "another" in show().json()["message"]
    job("explain", "done", made)
    assert [show().json() for _ in range(2)] == [{"n_explanations": 1}] * 2
    (said,) = explained.get("/api/components/mlp_L1_3").json()["explanations"]
    assert said["text"] == "made by a job"
    found = explained.get("/api/search", params={"q": "job", "mode": "keyword"}).json()["hits"]
    assert [hit["component"] for hit in found] == ["mlp_L1_3"]


def test_a_store_of_an_earlier_versions_vectors_says_how_to_make_them_anew(
    explained: TestClient, model: Transformer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (retired,) = RETIRED
    name = re.sub(r"[\W_]", "-", model.config.name)
    made, own = (tmp_path / f"{it}.sqlite" for it in ("made", f"explanations/own-{name}"))
    for path in (made, own):
        with ExplanationStore.open(path, writable=True) as store:
            store.add(Explanation(Component("mlp", 1, 3), "rivers", "positive", "human", "now"))
            save_vectors(path, VectorTable(retired, torch.tensor([1]), torch.ones(1, 4)))
    info = JobInfo.model_construct(id="7", kind="explain", state="done", output=str(made))
    monkeypatch.setattr(JobRunner, "get", lambda *_: info)
    refused = explained.post("/api/explanations/stores", json={"job": "7"})
    assert refused.status_code == 404
    assert retired in refused.json()["message"] and "--reindex" in refused.json()["message"]
    with pytest.raises(LookupError, match="--reindex"):
        ExplanationShelf(model, Settings(explanations=(str(made),)))
    shelf = ExplanationShelf(model, Settings(data_dir=tmp_path))
    assert [index.encoder.name for index in shelf.indices()] == [word_vectors().name]
    shelf.close()


def test_a_search_while_a_sentence_is_written_does_not_hide_it_from_later_ones(
    explained: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search() -> str:
        found = explained.get("/api/search", params={"q": "volcanoes", "limit": 1}).json()
        return str(found["hits"][0]["explanation"]["text"])

    def slow_update(*arguments: Any) -> VectorTable:
        search()  # the store has the sentence, and no vector of it
        return update_vectors(*arguments)

    at = "/api/components/mlp_L0_1/explanations"
    assert explained.post(at, json={"text": "violins"}).status_code == 200
    monkeypatch.setattr("activation_server.explanation_shelf.update_vectors", slow_update)
    assert explained.post(at, json={"text": "volcanoes"}).status_code == 200
    assert search() == "volcanoes"
