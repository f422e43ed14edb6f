"""Explanations over HTTP: search in every mode, labels, simulations, coverage, and sentences of one's own."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from activation_server.explaining import by_rule
from neuron_explainer.exemplars.store import open_dataset
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.explanations.endpoint import Script, endpoint
from tests.server.sample import MARKUP


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
    model: Transformer, explained_folder: Path, tmp_path: Path
) -> None:
    """Not what another one has: lookups leave the trigger graphs to be made."""
    dataset = open_dataset(explained_folder / "dataset")
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
    explained: TestClient, explained_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "TDB_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    body = {
        "dataset": str(explained_folder / "dataset"),
        "components": ["mlp_L0_0-2"],
        "candidates": 3,
    }
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
    backward = {**body, "components": ["mlp_L0_9-1"]}
    refused = explained.post("/api/explanations/estimate", json=backward)
    assert refused.status_code == 404
    assert "mlp_L0_9-1" in refused.json()["message"] and "0-63" in refused.json()["message"]


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
