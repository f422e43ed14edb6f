"""Every route answers in the shape that openapi.json promises, with the meaning docs/rest.md gives it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from activation_server import openapi, schemas
from tests.server.sample import PROMPT, a_case, debug_body, measure_body

ABLATION = {"kind": "ablate", "component": "attn_L1_0", "positions": None}


def checked(response: Any, shape: type[BaseModel]) -> Any:
    """The answer, held strictly against its schema: no field more, none less."""
    assert response.status_code == 200, response.text
    answer = response.json()
    assert shape.model_validate(answer).model_dump(mode="json") == answer
    return answer


def test_openapi_json_is_up_to_date() -> None:
    assert openapi.PATH.read_text() == openapi.openapi_text(), "run scripts/client"


def test_health(client: TestClient) -> None:
    answer = checked(client.get("/api/health"), schemas.HealthResponse)
    assert answer["status"] == "ok"
    assert answer["queued"] == 0


def test_the_model_describes_itself(client: TestClient) -> None:
    answer = checked(client.get("/api/model"), schemas.ModelResponse)
    assert (answer["n_layers"], answer["n_heads"], answer["d_mlp"]) == (3, 2, 64)
    assert "direct_effect" in answer["glossary"]


def test_tokens_join_to_the_text(client: TestClient) -> None:
    answer = checked(client.post("/api/tokenize", json={"text": PROMPT}), schemas.TokenizeResponse)
    assert "".join(token["text"] for token in answer["tokens"]) == PROMPT
    empty = client.post("/api/tokenize", json={"text": ""})
    assert checked(empty, schemas.TokenizeResponse) == {"tokens": []}


def test_debug_adds_up_and_lists_target_and_distractor(client: TestClient) -> None:
    answer = checked(client.post("/api/debug", json=debug_body()), schemas.DebugResponse)
    (case,) = answer["cases"]
    parts = sum(case["direct_effect_by_kind"].values())
    assert parts == pytest.approx(case["objective"]["value"], rel=1e-4, abs=1e-6)
    assert {token["role"] for token in case["next_tokens"]} == {None, "target", "distractor"}
    assert "".join(token["text"] for token in case["tokens"]) == PROMPT
    assert {row["kind"] for row in answer["nodes"]} >= {"embed", "attn", "mlp"}
    assert len({row["node"] for row in answer["nodes"]}) == len(answer["nodes"])


def test_two_cases_have_two_columns(client: TestClient) -> None:
    body = debug_body(a_case(interventions=[ABLATION]), a_case(prompt=f"So, {PROMPT}"))
    body["top_k"] = 500  # so that rows of the ablated head are there though it writes nothing
    answer = checked(client.post("/api/debug", json=body), schemas.DebugResponse)
    left, right = answer["cases"]
    assert len(right["tokens"]) > len(left["tokens"])
    assert all(len(row["values"]) == len(row["case_nodes"]) == 2 for row in answer["nodes"])
    head = [row for row in answer["nodes"] if row["component"] == "attn_L1_0"]
    assert {row["edited"] for row in head if row["case_nodes"][0]} == {"ablated"}
    assert {row["edited"] for row in head if not row["case_nodes"][0]} <= {None}


@pytest.mark.parametrize("objective", ["logit_diff", "logit_minus_mean", "logprob", "prob"])
@pytest.mark.parametrize("read_out_norm", ["fixed", "live"])
def test_every_objective_is_answered(
    client: TestClient, objective: str, read_out_norm: str
) -> None:
    body = debug_body(a_case(objective=objective, position=3), read_out_norm=read_out_norm)
    answer = checked(client.post("/api/debug", json=body), schemas.DebugResponse)
    assert answer["cases"][0]["objective"]["position"] == 3


@pytest.mark.parametrize(
    "trace",
    [
        {"node": "mlp_L1_3@9"},
        {"node": "attn_L1_0@9:2", "through": "query"},
        {"node": "attn_L1_0@9:2", "through": "key"},
        {"node": "attn_L1_0@9:2", "through": "query_and_key"},
        {"node": "attn_L1_0@9:2", "through": "value", "downstream": {"node": "mlp_L2_3@9"}},
    ],
    ids=lambda trace: f"{trace['node']} {trace.get('through')}",
)
def test_traces_need_no_target(client: TestClient, trace: dict[str, Any]) -> None:
    body = debug_body(a_case(target_tokens=[], distractor_tokens=[], trace=trace))
    checked(client.post("/api/debug", json=body), schemas.DebugResponse)


@pytest.mark.parametrize(
    "edit",
    [
        ABLATION,
        {"kind": "ablate", "component": "mlp_L0_5", "positions": [-1, 0], "value": "mean"},
        {"kind": "ablate", "component": "attn_L1_1", "positions": [9], "key_positions": [0, 2]},
        {"kind": "set", "component": "mlp_L1_5", "value": 3.5},
        {"kind": "scale", "component": "attn_L2_0", "value": -2},
        {"kind": "patch", "component": "attn_L0_1", "from_case": 1},
        {
            "kind": "patch",
            "component": "mlp_L0_1",
            "positions": [1],
            "from_case": 1,
            "from_positions": [2],
        },
    ],
    ids=lambda edit: f"{edit['kind']} {edit['component']}",
)
def test_every_intervention_is_carried_out(client: TestClient, edit: dict[str, Any]) -> None:
    other = a_case(prompt=PROMPT.replace("Mary and John", "John and Mary", 1))
    plain = client.post("/api/debug", json=debug_body(a_case(), other)).json()
    body = debug_body(a_case(interventions=[edit]), other)
    edited = checked(client.post("/api/debug", json=body), schemas.DebugResponse)
    values = [answer["cases"][0]["objective"]["value"] for answer in (plain, edited)]
    assert values[0] != pytest.approx(values[1], abs=1e-9)


def test_measured_effects_come_in_the_order_asked(client: TestClient) -> None:
    nodes = ["mlp_L2_3@9", "attn_L0_1@13:2", "embed@4", "mlp_L1_7", "attn_L1_0"]
    answer = checked(
        client.post("/api/measure", json=measure_body(*nodes)), schemas.MeasureResponse
    )
    assert [effect["node"] for effect in answer["effects"]] == nodes
    table = client.post("/api/debug", json=debug_body()).json()
    assert answer["objective"] == pytest.approx(table["cases"][0]["objective"]["value"], abs=1e-6)


def test_node_tokens(client: TestClient) -> None:
    body = {"case": a_case(), "nodes": ["mlp_L2_3@9", "attn_L0_1@13:2"], "n": 3}
    answer = checked(client.post("/api/node_tokens", json=body), schemas.NodeTokensResponse)
    assert [len(node["promotes"]) for node in answer["nodes"]] == [3, 3]


def test_lens_ends_at_the_objective(client: TestClient) -> None:
    body = {"case": a_case(), "n": 4}
    answer = checked(client.post("/api/lens", json=body), schemas.LensResponse)
    assert [layer["layer"] for layer in answer["layers"]] == [-1, 0, 1, 2]
    table = client.post("/api/debug", json=debug_body()).json()
    last = answer["layers"][-1]["value"]
    assert last == pytest.approx(table["cases"][0]["objective"]["value"], abs=1e-5)


def test_the_lens_of_a_trace_is_in_logits(client: TestClient) -> None:
    trace = {"node": "attn_L1_0@9:2", "through": "query"}
    answer = checked(
        client.post("/api/lens", json={"case": a_case(trace=trace)}), schemas.LensResponse
    )
    likeliest = min(answer["layers"][-1]["tokens"], key=lambda token: token["rank"])
    assert answer["unit"] == "logits"
    assert answer["layers"][-1]["value"] == pytest.approx(likeliest["logit"], abs=1e-5)


def test_component_activations(client: TestClient) -> None:
    body = {"prompts": [PROMPT, "Mary"]}
    neuron = client.post("/api/components/mlp_L1_5/activations", json=body)
    results = checked(neuron, schemas.ActivationsResponse)["results"]
    assert [len(r["activations"]) for r in results] == [len(r["tokens"]) for r in results]
    head = client.post("/api/components/attn_L1_1/activations", json=body)
    pattern = checked(head, schemas.ActivationsResponse)["results"][0]["activations"]
    assert [len(row) for row in pattern] == list(range(1, len(pattern) + 1))
    assert sum(pattern[5]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("component", ["mlp_L1_5", "attn_L1_1"])
def test_component_tokens(client: TestClient, component: str) -> None:
    answer = checked(
        client.get(f"/api/components/{component}/tokens?n=4"), schemas.ComponentTokensResponse
    )
    assert len(answer["promotes"]) == 4
    assert (answer["copying"] is not None) == component.startswith("attn")


def test_self_check(client: TestClient) -> None:
    answer = checked(client.get("/api/self_check"), schemas.SelfCheckResponse)
    assert answer["claims"]
    assert all(claim["passed"] or claim["skipped"] for claim in answer["claims"])
