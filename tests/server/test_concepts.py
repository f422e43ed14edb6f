"""Concepts, steering by meaning and quantiles, and the sweep, over a small store and dataset."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient

from activation_server import schemas
from activation_server.datasets import Datasets
from activation_server.extremes import Extremes
from activation_server.session import ModelSession
from neuron_explainer.exemplars.distribution import LEVELS, QuantileTable
from neuron_explainer.explanations.encoders import WordVectors
from neuron_explainer.explanations.explanation import Explanation, now
from neuron_explainer.explanations.group_names import Phrases
from neuron_explainer.explanations.search import SearchIndex
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.nodes import Component, Kind, Stream
from tests.explanations.endpoint import Script, endpoint
from tests.server.sample import PROMPT, a_case, debug_body
from tests.server.test_contract import checked
from tests.server.test_generation import events

TOPICS = (
    "fires on ' Monday', ' Friday' and other days of the week",
    "fires on colours such as ' red'",
    "fires on musical instruments",
    "fires on names of women, after ' and'",
)


class SmallDataset:
    """Knows every neuron's quantiles: 2 at the top and -1 at the bottom."""

    name = "small"
    folder = "gs://nowhere/small"

    def __contains__(self, component: Component) -> bool:
        return component.kind == "mlp"

    def quantiles(self, kind: Kind, layer: int, stream: Stream | None = None) -> QuantileTable:
        levels = torch.tensor(LEVELS)
        values = (levels * 3 - 1).expand(64, -1)
        return QuantileTable(levels, values, torch.full((64,), -1.0), torch.full((64,), 2.0))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SearchIndex]:
    """Every neuron's positive side has one of four meanings; its negative side a fifth."""
    with ExplanationStore.open(tmp_path / "explanations.sqlite", writable=True) as store:
        with store.transaction():
            for layer in range(3):
                for n in range(64):
                    for side, text in (
                        ("positive", TOPICS[n % 4]),
                        ("negative", "fires on numbers of years"),
                    ):
                        store.add(
                            Explanation(Component("mlp", layer, n), text, side, "human", now())
                        )
        yield SearchIndex.open(store, WordVectors(), update=True)


@pytest.fixture
def monitor(
    session: ModelSession, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> ModelSession:
    """The session with explanations and a dataset, whatever the environment of these tests."""
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    session.monitor.meanings.indices = lambda: [index]
    session.monitor.extremes.datasets = Datasets([SmallDataset()])  # type: ignore[list-item]
    return session


@pytest.fixture
def bare(session: ModelSession) -> ModelSession:
    """The session with neither."""
    assert isinstance(session.monitor.extremes, Extremes)
    return session


def test_clusters_are_named_measured_and_compared(
    monitor: ModelSession, client: TestClient
) -> None:
    body = {"prompt": PROMPT, "leading": 200, "n_controls": 8}
    answer = checked(client.post("/api/monitor/clusters", json=body), schemas.ClustersResponse)
    names = [cluster["name"] for cluster in answer["clusters"]]
    assert any("days of the week" in name for name in names)
    assert any("musical instruments" in name for name in names)
    effects = [abs(cluster["measured_effect"]) for cluster in answer["clusters"]]
    assert effects == sorted(effects, reverse=True)
    for cluster in answer["clusters"]:
        sides = [member["side"] for member in cluster["members"]]
        assert cluster["n_positive"] == sides.count("positive")
        assert ("years" in cluster["name"]) == (sides.count("negative") == len(sides))
        assert cluster["attribution"] == pytest.approx(
            sum(member["attribution"] for member in cluster["members"]), abs=1e-6
        )
        assert len(cluster["controls"]["effects"]) == 8
        assert cluster["coherence"] is None
    again = client.post("/api/monitor/clusters", json=body | {"seed": 0}).json()
    assert again == answer


def test_names_are_of_what_the_store_says_now(
    monitor: ModelSession, client: TestClient, index: SearchIndex
) -> None:
    """As many sentences as before, one of them another."""

    def phrases() -> Phrases:
        return monitor.monitor._concepts._phrases_of(index)

    before = phrases()
    assert phrases() is before
    (first, *_) = index.store.all()
    index.store.remove(first.id or 0)
    index.store.add(replace(first, text="volcanoes and lava"))
    assert phrases() is not before


def test_a_cluster_s_effect_is_that_of_suppressing_it(
    monitor: ModelSession, client: TestClient
) -> None:
    """The measured effect is what the Suppress button does to the token's log-probability."""
    body = {"prompt": PROMPT, "leading": 100, "n_controls": 0, "of": "logprob"}
    answer = client.post("/api/monitor/clusters", json=body).json()
    cluster = answer["clusters"][0]
    members = [
        {"component": member["component"], "side": member["side"]} for member in cluster["members"]
    ]
    at = list(range(answer["objective"]["position"]))
    concept = {"members": members, "strength": 0, "positions": at}
    asked = {"prompt": PROMPT, "concepts": [concept]}
    suppressed = client.post("/api/monitor/tokens", json=asked).json()["tokens"][-1]["logprob"]
    change = answer["objective"]["value"] - suppressed
    assert cluster["measured_effect"] == pytest.approx(change, abs=1e-4)
    assert cluster["controls"] is None


def test_clusters_arrive_as_they_are_measured(monitor: ModelSession, client: TestClient) -> None:
    body = {"prompt": PROMPT, "leading": 200, "n_controls": 4}
    streamed = client.post(
        "/api/monitor/clusters", json=body, headers={"accept": "text/event-stream"}
    )
    (first, opening), *measured, (last, closing) = events(streamed.text)
    assert (first, last) == ("clusters", "done")
    assert {name for name, _ in measured} == {"cluster"}
    assert all(cluster["measured_effect"] is None for cluster in opening["clusters"])
    by_id = {cluster["id"]: cluster for _, cluster in measured}
    assert closing["clusters"] == [by_id[cluster["id"]] for cluster in closing["clusters"]]
    assert closing == client.post("/api/monitor/clusters", json=body).json()


def test_a_typed_concept_shows_what_it_means(monitor: ModelSession, client: TestClient) -> None:
    body = {"text": "days of the week", "k": 10}
    answer = checked(
        client.post("/api/monitor/steer_preview", json=body), schemas.SteerPreviewResponse
    )
    assert len(answer["matches"]) == 10
    for match in answer["matches"]:
        assert match["explanation"] == TOPICS[0]
        assert match["side"] == "positive"
        assert match["extreme"] == pytest.approx(2.0, abs=1e-3)
    some = {"text": "years", "k": 500, "layers": [1], "min_similarity": 0.5}
    found = client.post("/api/monitor/steer_preview", json=some).json()
    assert found["n_matches"] == len(found["matches"]) == 64
    assert {match["layer"] for match in found["matches"]} == {1}
    assert [match["extreme"] for match in found["matches"]] == pytest.approx([-1.0] * 64, abs=1e-3)


@pytest.mark.parametrize(
    ("url", "body"),
    [("clusters", {"prompt": PROMPT}), ("steer_preview", {"text": "days of the week"})],
)
@pytest.mark.parametrize(
    ("changes", "says"),
    [({"kinds": []}, "some of attn, mlp and latent"), ({"layers": [1, 99]}, "has layers 0-2")],
)
def test_filters_that_admit_nothing_are_refused_in_words(
    monitor: ModelSession,
    client: TestClient,
    url: str,
    body: dict[str, Any],
    changes: dict[str, Any],
    says: str,
) -> None:
    answer = client.post(f"/api/monitor/{url}", json=body | changes)
    assert answer.status_code == 422, answer.text
    told = answer.json()["message"] + answer.json()["hint"]
    (field,) = changes
    assert told.startswith(field)
    assert says in told


def test_strength_is_in_extreme_quantiles(monitor: ModelSession, client: TestClient) -> None:
    """A concept at strength 0.5 is each member set to half of its quantile."""
    member = {"component": "mlp_L1_5", "side": "positive"}
    concept = {"members": [member], "strength": 0.5, "only_matching_side": False}
    extreme = client.post(
        "/api/monitor/steer_preview", json={"text": "red colours", "k": 1}
    ).json()["matches"][0]["extreme"]
    steered = client.post(
        "/api/monitor/tokens", json={"prompt": PROMPT, "concepts": [concept]}
    ).json()
    edit = {"kind": "set", "component": "mlp_L1_5", "value": extreme / 2}
    alike = client.post(
        "/api/monitor/tokens", json={"prompt": PROMPT, "interventions": [edit]}
    ).json()
    for a, b in zip(steered["tokens"][1:], alike["tokens"][1:], strict=True):
        assert a["logprob"] == pytest.approx(b["logprob"], abs=1e-5)


def test_activations_rank_in_their_own_units(monitor: ModelSession, client: TestClient) -> None:
    body = {"prompt": PROMPT, "by": "activation", "kinds": ["mlp"], "top_k": 30}
    answer = checked(client.post("/api/monitor/influence", json=body), schemas.InfluenceResponse)
    assert answer["extreme_level"] == 1e-4
    for item in answer["items"]:
        extreme = 2.0 if item["side"] == "positive" else -1.0
        assert item["value"] == pytest.approx(item["activation"] / extreme, rel=1e-3)
        # The made-up distribution is uniform from -1 to 2.
        expected = min(max((item["activation"] + 1) / 3, 0.0), 1.0)
        assert item["quantile"] == pytest.approx(expected, abs=1e-3)
        assert item["explanation"] is not None


def test_debug_steers_in_the_same_units(monitor: ModelSession, client: TestClient) -> None:
    """A strength of 0.5 is half of the made-up extreme, 2, whatever the activation was."""
    edit = {"kind": "steer", "component": "mlp_L1_3", "strength": 0.5, "only_matching_side": False}
    by_hand = {"kind": "set", "component": "mlp_L1_3", "value": 1.0}
    steered, known = (
        checked(
            client.post("/api/debug", json=debug_body(a_case(interventions=[each]))),
            schemas.DebugResponse,
        )
        for each in (edit, by_hand)
    )
    assert steered["cases"][0]["objective"]["value"] == pytest.approx(
        known["cases"][0]["objective"]["value"], abs=1e-3
    )


def sweep(**changes: Any) -> dict[str, Any]:
    members = [{"component": f"mlp_L1_{n}", "side": "positive"} for n in range(6)]
    return {
        "prompt": PROMPT,
        "members": members,
        "ks": [2, 6],
        "strengths": [0.0, 1.0],
        "n_reply_tokens": 6,
    } | changes


def test_a_sweep_fills_its_grid(monitor: ModelSession, client: TestClient) -> None:
    answer = checked(client.post("/api/monitor/sweep", json=sweep()), schemas.SweepResponse)
    grid = [(cell["k"], cell["strength"]) for cell in answer["cells"]]
    assert grid == [(2, 0.0), (2, 1.0), (6, 0.0), (6, 1.0)]
    for cell in answer["cells"]:
        usable = cell["kl"] <= 0.25 and (cell["repetition"] or 0) <= 0.2
        assert cell["usable"] == usable
    concept = {"members": sweep()["members"][:2], "strength": 1.0}
    seen = client.post(
        "/api/monitor/tokens", json={"prompt": PROMPT, "concepts": [concept]}
    ).json()["tokens"][-1]
    assert answer["token"]["id"] == seen["id"]
    assert answer["cells"][1]["probability"] == pytest.approx(
        float(torch.tensor(seen["logprob"]).exp()), abs=1e-5
    )
    streamed = client.post(
        "/api/monitor/sweep", json=sweep(), headers={"accept": "text/event-stream"}
    )
    names = [name for name, _ in events(streamed.text)]
    assert names == ["baseline", "cell", "cell", "cell", "cell", "done"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ks": [7]}, "ks[0]"),
        ({"position": 0}, "predicted from nothing"),
        ({"concepts": [{"members": [{"component": "mlp_L0_0"}]}]}, "one concept alone"),
        ({"members": [{"component": "mlp_L9_0"}], "ks": [1]}, "members[0]: mlp_L9_0"),
        ({"dataset": "other"}, "dataset"),
        ({"other_texts": [""]}, "other_texts[0]"),
        ({"strengths": []}, "strengths"),
        ({"positions": [3, 14]}, "positions[1]: 14 was given; the conversation has tokens 0-13"),
    ],
)
def test_wrong_sweeps_are_refused_in_words(
    monitor: ModelSession, client: TestClient, changes: dict[str, Any], says: str
) -> None:
    for accept in ("application/json", "text/event-stream"):
        asked = sweep(**changes)
        answer = client.post("/api/monitor/sweep", json=asked, headers={"accept": accept})
        assert answer.status_code == 422, answer.text
        assert says in answer.json()["message"]


def test_without_explanations_or_quantiles_it_says_how_to_make_them(
    bare: ModelSession, client: TestClient
) -> None:
    for url, body in (
        ("clusters", {"prompt": PROMPT}),
        ("steer_preview", {"text": "days"}),
    ):
        answer = client.post(f"/api/monitor/{url}", json=body)
        assert answer.status_code == 422
        assert "tdb explain" in answer.json()["hint"]
    refused = client.post("/api/monitor/sweep", json=sweep())
    assert refused.status_code == 422
    assert "tdb collate" in refused.json()["hint"]
    suppressing = client.post("/api/monitor/sweep", json=sweep(strengths=[0.0]))
    assert suppressing.status_code == 200


def test_a_language_model_names_the_groups_where_there_is_one(
    monitor: ModelSession, client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Music is found incoherent and left out; what has no readable answer keeps its words."""

    def name(body: dict[str, Any]) -> str:
        asked = body["messages"][0]["content"]
        if "days of the week" in asked:
            return "name: calendar\ncoherence: 2"
        return "name: noise\ncoherence: 6" if "instruments" in asked else "I cannot tell."

    monkeypatch.setenv("TDB_CACHE", str(tmp_path))
    monkeypatch.setenv("TDB_LLM_MODEL", "namer")
    body = {"prompt": PROMPT, "leading": 200, "n_controls": 0}
    script = Script(name)
    with endpoint(script) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        answer = checked(client.post("/api/monitor/clusters", json=body), schemas.ClustersResponse)
    found = {cluster["name"]: cluster for cluster in answer["clusters"]}
    assert (found["calendar"]["coherence"], found["calendar"]["named_by"]) == (2, "namer")
    assert not {name for name in found if "instruments" in name or name == "noise"}
    assert any(it["named_by"] == "words" and "years" in it["name"] for it in found.values())
    assert answer["naming_problem"] is None
    assert PROMPT not in str(script.requests)


def test_an_endpoint_that_fails_leaves_the_words(
    monitor: ModelSession, client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TDB_CACHE", str(tmp_path))
    body = {"prompt": PROMPT, "leading": 200, "n_controls": 0}
    with endpoint(Script(lambda _: "", troubles=["401"] * 20)) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        answer = client.post("/api/monitor/clusters", json=body).json()
    assert {cluster["named_by"] for cluster in answer["clusters"]} == {"words"}
    assert "key" in answer["naming_problem"]
