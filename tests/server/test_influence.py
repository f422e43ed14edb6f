"""/api/monitor/influence: what it answers and what it refuses."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from activation_server import schemas
from tests.server.sample import PROMPT
from tests.server.test_contract import checked

URL = "/api/monitor/influence"


def body(**changes: Any) -> dict[str, Any]:
    return {"prompt": PROMPT, "top_k": 20} | changes


@pytest.mark.parametrize("of", ["logprob", "prob", "logit", "logit_diff"])
def test_every_objective_names_what_is_explained(client: TestClient, of: str) -> None:
    more = {"distractor_token": " John"} if of == "logit_diff" else {}
    answer = checked(
        client.post(URL, json=body(of=of, position=5, **more)), schemas.InfluenceResponse
    )
    objective = answer["objective"]
    assert (objective["of"], objective["position"]) == (of, 5)
    assert objective["token"] == {
        "id": answer["tokens"][5]["id"],
        "text": answer["tokens"][5]["text"],
    }
    assert len(answer["items"]) == 20
    assert all(item["position"] < 5 for item in answer["items"])
    assert all(item["value"] == item["attribution"] for item in answer["items"])
    seen = client.post("/api/monitor/tokens", json={"prompt": PROMPT}).json()["tokens"][5]
    if of == "logprob":
        assert objective["value"] == pytest.approx(seen["logprob"], abs=1e-4)


def test_sums_are_stated(client: TestClient) -> None:
    answer = client.post(URL, json=body(top_k=1000)).json()
    totals = answer["totals"]
    assert totals["all"] == pytest.approx(totals["positive"] + totals["negative"], abs=1e-4)
    assert totals["all"] == pytest.approx(sum(answer["by_token"]), abs=1e-4)
    assert totals["all"] == pytest.approx(sum(answer["by_key_token"]), abs=1e-4)
    assert totals["all"] == pytest.approx(totals["attn"] + totals["mlp"], abs=1e-4)
    listed = sum(item["attribution"] for item in answer["items"])
    assert totals["listed"] == pytest.approx(listed, abs=1e-4)


def test_the_token_to_come_must_be_named(client: TestClient) -> None:
    n = len(client.post("/api/tokenize", json={"text": PROMPT}).json()["tokens"])
    assert client.post(URL, json=body(position=n)).status_code == 422
    named = client.post(URL, json=body(position=n, token=" Mary")).json()
    debug = client.post(
        "/api/debug",
        json={
            "cases": [{"prompt": PROMPT, "target_tokens": [" Mary"], "objective": "logprob"}],
            "read_out_norm": "live",
            "top_k": 1000,
        },
    ).json()
    assert named["objective"]["value"] == pytest.approx(
        debug["cases"][0]["objective"]["value"], abs=1e-5
    )
    rows = {row["node"]: row["values"][0]["total_effect"] for row in debug["nodes"]}
    for item in named["items"]:
        assert item["value"] == pytest.approx(rows[item["node"]], abs=1e-5)


def test_leading_items_are_measured(client: TestClient) -> None:
    answer = client.post(URL, json=body(measure=3)).json()
    measured = [item["measured_effect"] for item in answer["items"]]
    assert None not in measured[:3]
    assert measured[3:] == [None] * 17
    node = answer["items"][0]["node"]
    target = answer["objective"]["token"]["text"]
    n = len(answer["tokens"])
    case = {"prompt": PROMPT, "target_tokens": [target], "objective": "logprob", "position": n - 2}
    same = client.post("/api/measure", json={"case": case, "nodes": [node]}).json()
    assert measured[0] == pytest.approx(same["effects"][0]["measured_effect"], abs=1e-5)


@pytest.mark.parametrize("more", [{}, {"positions": [2, 3, 4]}])
def test_a_component_is_measured_at_all_tokens_it_is_listed_with(
    client: TestClient, more: dict[str, Any]
) -> None:
    """Its effect is what suppressing that side of it at those tokens does to the log-probability."""
    asked = body(per="component", measure=20, **more)
    answer = checked(client.post(URL, json=asked), schemas.InfluenceResponse)
    target = answer["objective"]["position"]
    assert {item["kind"] for item in answer["items"]} == {"attn", "mlp"}
    assert any(item["n_tokens"] > 1 for item in answer["items"])
    for item in answer["items"]:
        concept = {
            "members": [{"component": item["component"], "side": item["side"]}],
            "strength": 0,
            "positions": more.get("positions", list(range(target))),
        }
        steered = client.post(
            "/api/monitor/tokens", json={"prompt": PROMPT, "concepts": [concept]}
        ).json()
        change = answer["objective"]["value"] - steered["tokens"][target]["logprob"]
        assert item["measured_effect"] == pytest.approx(change, abs=1e-4)


def test_components_and_filters(client: TestClient) -> None:
    asked = body(per="component", kinds=["mlp"], layers=[1], side="negative", positions=[2, 3])
    answer = checked(client.post(URL, json=asked), schemas.InfluenceResponse)
    assert answer["items"]
    for item in answer["items"]:
        assert (item["kind"], item["layer"], item["side"]) == ("mlp", 1, "negative")
        assert item["position"] in (2, 3)
        assert item["n_tokens"] in (1, 2)
    assert answer["totals"]["attn"] == answer["totals"]["positive"] == 0


def test_edits_and_a_reply_are_part_of_the_question(client: TestClient) -> None:
    edit = {"kind": "scale", "component": "mlp_L0_3", "value": 9.0, "where": "generated"}
    plain = client.post(URL, json=body(prefix_tokens=[7, 8, 9])).json()
    edited = client.post(URL, json=body(prefix_tokens=[7, 8, 9], interventions=[edit])).json()
    assert edited["objective"]["value"] != plain["objective"]["value"]
    assert [token["role"] for token in plain["tokens"][-3:]] == ["reply"] * 3
    before = client.post(URL, json=body(interventions=[edit])).json()
    assert before["items"] == client.post(URL, json=body()).json()["items"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"position": 0}, "predicted from nothing"),
        ({"position": 99}, "position: 99"),
        ({"of": "logit_diff"}, "distractor_token"),
        ({"distractor_token": " John"}, "distractor_token"),
        ({"of": "logit_diff", "token": " John", "distractor_token": " John"}, "the token itself"),
        ({"token": "two words here"}, "token: "),
        ({"token": 300}, "token id 300"),
        ({"layers": [3]}, "layers 0-2"),
        ({"positions": [14]}, "positions[0]"),
        ({"by": "activation"}, "tdb collate"),
        ({"top_k": 0}, "top_k"),
        ({"kinds": ["embed"]}, "kinds"),
        ({"kinds": []}, "some of attn, mlp and latent"),
        (
            {
                "prefix_tokens": [3],
                "interventions": [{"kind": "ablate", "component": "mlp_L0_1", "value": "mean"}],
            },
            "interventions[0].value",
        ),
        ({"kinds": ["latent"]}, "no coder is in use"),
        ({"by": "activation"}, "no dataset that is loaded holds them"),
    ],
)
def test_wrong_requests_are_refused_in_words(
    client: TestClient, changes: dict[str, Any], says: str
) -> None:
    answer = client.post(URL, json=body(**changes))
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["message"] + answer.json()["hint"]
