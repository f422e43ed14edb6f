"""Explanations over HTTP: search in every mode, labels, simulations, coverage, and sentences of one's own."""

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from httpx2 import Response

from activation_server.app import create_app
from activation_server.explaining import by_rule
from activation_server.explanation_shelf import ExplanationShelf
from activation_server.jobs import JobRunner
from activation_server.schemas import JobInfo
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.layout import Recipe
from neuron_explainer.exemplars.store import open_dataset
from neuron_explainer.explanations.encoders import RETIRED, word_vectors
from neuron_explainer.explanations.explanation import Explanation, Score
from neuron_explainer.explanations.rule_explainer import GroupToExplain, explain_group
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import VectorTable, save_vectors, update_vectors
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.exemplars.small_corpus import small_corpus
from tests.explanations.endpoint import Script, endpoint
from tests.server.sample import BASE_URL

MARKUP = "musical instruments <img src=x onerror=alert(1)> & more"


@pytest.fixture(scope="module")
def data(model: Transformer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset and a store of explanations."""
    folder = tmp_path_factory.mktemp("explained")
    corpus = open_corpus(str(small_corpus(folder / "corpus.jsonl", 120)))
    recipe = Recipe(window=16, n_top=6, n_random=6, n_per_band=1)
    dataset = collate(model, corpus, folder / "dataset", recipe=recipe)
    with ExplanationStore.open(folder / "e.sqlite", writable=True) as store:
        group = GroupToExplain(model, dataset, "mlp", 0)
        for explanation in explain_group(group, components=dataset.components("mlp", 0)[:2]):
            store.add(explanation)
        score = {"correlation": Score(0.9, 0.8, 0.95, 100)}
        store.add(Explanation(Component("mlp", 2, 5), MARKUP, "negative", "human", "now", score))
        update_vectors(store, word_vectors())
    return folder


@pytest.fixture
def explained(model: Transformer, data: Path, tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(
        datasets=(str(data / "dataset"),), explanations=(str(data / "e.sqlite"),), data_dir=tmp_path
    )
    session = ModelSession(model, settings)
    with TestClient(create_app(settings, session), base_url=BASE_URL) as client:
        yield client


def test_search_by_meaning_and_keyword_gives_text_as_it_is(explained: TestClient) -> None:
    for mode, query in (("meaning", "piano and guitar"), ("keyword", "instrum")):
        found = explained.get("/api/search", params={"q": query, "mode": mode, "limit": 1}).json()
        (hit,) = found["hits"]
        assert (hit["component"], hit["side"]) == ("mlp_L2_5", "negative")
        assert hit["explanation"]["text"] == MARKUP
        assert hit["explanation"]["measures"]["correlation"]["n"] == 100
    answer = explained.get("/api/search", params={"q": "piano"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["encoders"] == ["words-128-content"]


def test_filters_reach_every_mode(explained: TestClient) -> None:
    for mode, query in (
        ("meaning", "music"),
        ("keyword", "fires"),
        ("token", "a"),
        ("text", "Mary"),
    ):
        params = {"q": query, "mode": mode, "kind": "mlp", "layer": 0, "limit": 5}
        answer = explained.get("/api/search", params=params)
        assert answer.status_code == 200, answer.text
        hits = answer.json()["hits"]
        assert hits
        assert all(hit["component"].startswith("mlp_L0_") for hit in hits)
        none = explained.get("/api/search", params={**params, "min_score": 0.9999}).json()
        assert none["hits"] == []


@pytest.mark.parametrize(("mode", "query"), [("token", "a"), ("text", "Mary sat on the mat")])
def test_filters_of_explanations_hold_before_the_cut_to_the_limit(
    explained: TestClient, mode: str, query: str
) -> None:
    """Two neurons of hundreds are explained: they are found at the smallest limit, whatever their rank."""

    def found(**filters: object) -> list[dict[str, Any]]:
        params = {"q": query, "mode": mode, "limit": 1, "side": "positive", **filters}
        answer = explained.get("/api/search", params=params)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["hits"])

    for filters in ({"explainer": "lookup"}, {"min_score": -1}, {"min_density": 0.0}):
        (hit,) = found(**filters)
        assert hit["component"] in ("mlp_L0_0", "mlp_L0_1"), filters
        assert hit["explanation"]["explainer"] == filters.get(
            "explainer", hit["explanation"]["explainer"]
        )
    assert found(explainer="nobody") == found(max_density=0.0) == []
    assert found(kind="latent") == found(stream="attn") == []


def test_search_by_token_ranks_by_the_direct_effect_of_a_unit(
    explained: TestClient, model: Transformer
) -> None:
    params = {"q": "a", "mode": "token", "limit": 3}
    (best, *_) = explained.get("/api/search", params=params).json()["hits"]
    tokens = explained.get(f"/api/components/{best['component']}/tokens", params={"n": 100}).json()
    promoted = {it["text"]: it["logit"] for it in tokens["promotes"]}
    assert promoted["a"] == pytest.approx(best["value"], abs=1e-4)
    least = explained.get("/api/search", params={**params, "side": "negative"}).json()["hits"]
    assert least[0]["value"] < 0
    assert explained.get("/api/search", params={**params, "q": "a b"}).status_code == 422


def test_search_by_text_says_where(explained: TestClient) -> None:
    params = {"q": "Mary sat on the mat", "mode": "text", "limit": 4}
    hits = explained.get("/api/search", params=params).json()["hits"]
    assert all(0 <= hit["value"] <= 1 and hit["token"] for hit in hits)
    assert [hit["value"] for hit in hits] == sorted((hit["value"] for hit in hits), reverse=True)


def test_components_and_tables_show_their_explanations(explained: TestClient) -> None:
    page = explained.get("/api/components/mlp_L0_0").json()
    assert {it["explainer"] for it in page["explanations"]} == {"lookup", "trigger_graph"}
    asked = {"components": ["mlp_L0_0", "mlp_L2_5", "mlp_L1_1", "attn_L0_0"]}
    labels = explained.post("/api/components/labels", json=asked).json()["labels"]
    assert labels.keys() == {"mlp_L0_0", "mlp_L2_5"}
    sides = [it["side"] for it in labels["mlp_L0_0"]]
    assert len(sides) == len(set(sides))
    best = {
        side: max(e["score"] or -1 for e in page["explanations"] if e["side"] == side)
        for side in sides
    }
    assert all((it["score"] or -1) == best[it["side"]] for it in labels["mlp_L0_0"])
    bad = explained.post("/api/components/labels", json={"components": ["nonsense"]})
    assert bad.status_code == 422
    assert "components[0]" in bad.json()["message"]


def test_a_rules_simulation_stands_beside_the_truth(explained: TestClient) -> None:
    found = explained.get("/api/components/mlp_L0_0/simulation").json()
    assert found["excerpts"]
    for it in found["excerpts"]:
        assert len(it["tokens"]) == len(it["true"]) == len(it["simulated"])
    assert {it["sample"] for it in found["excerpts"]} <= {"top", "random"}
    other = explained.get("/api/components/mlp_L0_0/simulation", params={"explanation": "0:99"})
    assert other.status_code == 404
    assert explained.get("/api/components/mlp_L1_1/simulation").status_code == 404


def test_a_sentence_of_ones_own_is_scored_and_kept(explained: TestClient) -> None:
    body = {"text": "fires on ' Mary' and ' John' <b>", "side": "positive"}
    first = explained.post("/api/components/mlp_L0_1/explanations", json=body)
    assert first.status_code == 200, first.text
    said = first.json()["explanation"]
    assert said["text"] == body["text"]
    assert said["explainer"] == "human:literal"
    measure = said["measures"]["correlation"]
    assert measure["value"] is not None or measure["reason"]
    page = explained.get("/api/components/mlp_L0_1").json()
    assert said["id"] in {it["id"] for it in page["explanations"]}
    assert explained.get("/api/search", params={"q": "Mary", "mode": "keyword"}).json()["hits"]
    empty = explained.post("/api/components/mlp_L0_1/explanations", json={"text": "  "})
    assert empty.status_code == 422


def test_the_served_model_scores_a_sentence_each_time_anew(
    explained: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TDB_CACHE", str(tmp_path / "cache"))
    said = {"text": "fires on ' Mary'", "simulator": "local"}
    path = "/api/components/mlp_L1_7"
    for _ in range(2):
        written = explained.post(f"{path}/explanations", json=said)
        assert written.status_code == 200, written.text
        own = written.json()["explanation"]
        assert own["explainer"] == "human:local"
        assert written.json()["excerpts"] or written.json()["problems"]
        known = [it["id"] for it in explained.get(path).json()["explanations"]]
        assert own["id"] in known
        assert explained.delete(f"{path}/explanations/{own['id']}").status_code == 204


def test_an_endpoint_that_hangs_delays_nobody_else(
    explained: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What needs the model is answered while a sentence of one's own still waits for its language model."""
    go_on = threading.Event()

    def answer(body: dict[str, Any]) -> str:
        go_on.wait(60)
        last = body["messages"][-1]["content"]
        return json.dumps({"activations": [n % 4 for n in range(last.count("\n") - 2)]})

    script = Script(answer)
    said = {"text": "fires on ' Mary'", "simulator": "endpoint"}
    monkeypatch.setenv("TDB_CACHE", str(tmp_path))
    with endpoint(script) as url, ThreadPoolExecutor(1) as pool:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        post = pool.submit(explained.post, "/api/components/mlp_L0_1/explanations", json=said)
        while not script.at_once and not post.done():
            time.sleep(0.01)
        found = explained.get("/api/search", params={"q": "Mary sat", "mode": "text"})
        was_waiting = not post.done()
        go_on.set()
        written = post.result()
    assert found.status_code == 200
    assert was_waiting
    assert written.status_code == 200, written.text
    assert written.json()["explanation"]["score"] is not None


def test_without_an_endpoint_it_says_at_once_what_to_set(
    explained: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    body = {"text": "fires on ' Mary'", "simulator": "endpoint"}
    answer = explained.post("/api/components/mlp_L0_1/explanations", json=body)
    assert answer.status_code == 422
    assert "OPENAI_API_KEY" in answer.json()["message"]


def test_ones_own_can_be_deleted_and_written_again(explained: TestClient) -> None:
    at = "/api/components/mlp_L0_1"
    body = {"text": "fires on ' zebras'"}

    def ids() -> list[str]:
        return [it["id"] for it in explained.get(at).json()["explanations"]]

    def found() -> int:
        params = {"q": "zebras", "mode": "keyword"}
        return len(explained.get("/api/search", params=params).json()["hits"])

    for _ in range(2):
        own = explained.post(f"{at}/explanations", json=body).json()["explanation"]["id"]
        assert own in ids()
        assert found() == 1
        assert explained.delete(f"{at}/explanations/{own}").status_code == 204
        assert own not in ids()
        assert found() == 0
    assert explained.delete(f"{at}/explanations/{own}").status_code == 404
    given = explained.delete(f"{at}/explanations/{ids()[0]}")
    assert given.status_code == 422
    assert "written in the viewer" in given.json()["hint"]


def test_a_sentence_written_in_place_of_a_deleted_one_is_found_by_its_own_meaning(
    explained: TestClient,
) -> None:
    at = "/api/components/mlp_L0_1/explanations"

    def closest(query: str) -> str:
        found = explained.get("/api/search", params={"q": query, "limit": 1}).json()
        return str(found["hits"][0]["explanation"]["text"])

    for text, query in (("zebras and penguins", "zebras"), ("violins in an orchestra", "violin")):
        own = explained.post(at, json={"text": text}).json()["explanation"]["id"]
        assert closest(query) == text
        assert explained.delete(f"{at}/{own}").status_code == 204


def test_only_neurons_have_a_negative_side_to_explain(explained: TestClient) -> None:
    body = {"text": "previous token", "side": "negative"}
    answer = explained.post("/api/components/attn_L0_0/explanations", json=body)
    assert answer.status_code == 422
    assert "no negative side" in answer.json()["message"]


def test_each_method_explains_what_it_has_not_explained_itself(
    model: Transformer, data: Path, tmp_path: Path
) -> None:
    """Not what another one has: lookups leave the trigger graphs to be made."""
    dataset = open_dataset(data / "dataset")
    chosen = [Component("mlp", 1, 0), Component("attn", 1, 0)]
    with ExplanationStore.open(tmp_path / "e.sqlite", writable=True) as store:

        def explainers(*methods: str) -> set[str]:
            by_rule(dataset, chosen, store, model, [], methods, lambda _: None)  # type: ignore[arg-type]  # a report
            return {it.explainer for it in store.all()}

        assert explainers("lookup") == {"lookup"}
        assert explainers("trigger_graph") == {"lookup", "trigger_graph", "attention_patterns"}
        before = [(it.id, it.explainer) for it in store.all()]
        explainers("lookup", "trigger_graph")
        assert [(it.id, it.explainer) for it in store.all()] == before


def test_coverage_counts_what_is_explained(explained: TestClient) -> None:
    found = explained.get("/api/explanations/coverage").json()
    row = next(it for it in found["layers"] if it["explainer"] == "trigger_graph")
    assert (row["kind"], row["layer"], row["n_explained"], row["n_components"]) == ("mlp", 0, 2, 64)
    assert sum(row["histogram"]) == row["n_scored"]
    assert (
        found["n_explanations"] == sum(it["n_scored"] for it in found["layers"])
        or found["n_explanations"] > 0
    )


def test_without_explanations_the_error_says_how_to_make_some(client: TestClient) -> None:
    answer = client.get("/api/search", params={"q": "x"})
    assert answer.status_code == 404
    assert "tdb explain" in answer.json()["hint"]
    assert client.post("/api/components/labels", json={"components": ["mlp_L0_0"]}).json() == {
        "labels": {}
    }


def test_what_a_language_model_would_take_is_told_and_whether_there_is_one(
    explained: TestClient, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "TDB_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    body = {"dataset": str(data / "dataset"), "components": ["mlp_L0_0-2"], "candidates": 3}
    told = explained.post("/api/explanations/estimate", json=body).json()
    assert (told["is_configured"], told["model"], told["address"]) == (False, None, None)
    assert "OPENAI_BASE_URL" in told["hint"]
    assert told["n_components"] == 3
    assert told["n_tokens"] > told["n_calls"] > told["n_sides"] >= 3
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("TDB_LLM_MODEL", "small")
    told = explained.post("/api/explanations/estimate", json=body).json()
    assert (told["is_configured"], told["model"], told["hint"]) == (True, "small", "")
    assert told["address"] == "http://127.0.0.1:9/v1"
    unknown = explained.post("/api/explanations/estimate", json={**body, "components": ["mlp_L9"]})
    assert unknown.status_code in (404, 422)


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


def test_search_says_how_many_match_and_which(explained: TestClient) -> None:
    for mode, query, n in (
        ("meaning", "musical instruments", 1),
        ("keyword", "instruments", 1),
        ("meaning", "volcano", 0),
    ):
        found = explained.get("/api/search", params={"q": query, "mode": mode}).json()
        assert found["n_matches"] == n
        matching = {(it["component"], it["side"]) for it in found["hits"] if it["is_match"]}
        assert matching == ({("mlp_L2_5", "negative")} if n else set())
    assert (
        explained.get("/api/search", params={"q": " a", "mode": "token"}).json()["n_matches"]
        is None
    )
