"""What is wrong is said with the right status, in one shape, and the server goes on."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from activation_server.app import create_app
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer.models.transformer import Transformer
from tests.server.sample import BASE_URL, PROMPT, a_case, debug_body, measure_body

DEBUG, MEASURE = "/api/debug", "/api/measure"


def edit(kind: str, component: str = "attn_L1_0", **rest: Any) -> dict[str, Any]:
    return a_case(interventions=[{"kind": kind, "component": component, **rest}])


def trace(node: str, **rest: Any) -> dict[str, Any]:
    return a_case(trace={"node": node, **rest})


WRONG: dict[str, tuple[str, dict[str, Any], int, str]] = {
    # prompts
    "empty prompt": (DEBUG, debug_body(a_case(prompt="")), 422, "cases[0].prompt"),
    "past the context": (DEBUG, debug_body(a_case(prompt=" a" * 99)), 413, "at most 64"),
    "no prompt": (DEBUG, debug_body({"target_tokens": [" Mary"]}), 422, "cases[0].prompt"),
    "prompt is a number": (DEBUG, debug_body(a_case(prompt=3)), 422, "cases[0].prompt: 3"),
    "200 kB of text": (DEBUG, debug_body(a_case(prompt="a" * 200_001)), 413, "200,000"),
    "lone surrogate": (DEBUG, debug_body(a_case(prompt="\ud800")), 422, "cases[0].prompt"),
    # targets
    "no target": (DEBUG, debug_body(a_case(target_tokens=[])), 422, "target_tokens"),
    "empty target": (DEBUG, debug_body(a_case(target_tokens=[""])), 422, "target_tokens[0]"),
    "several tokens": (
        DEBUG,
        debug_body(a_case(target_tokens=[" Mary", "Mary went"])),
        422,
        "cases[0].target_tokens[1]",
    ),
    "target is distractor": (
        DEBUG,
        debug_body(a_case(distractor_tokens=[" Mary"])),
        422,
        "distractor_tokens[0]",
    ),
    "unknown objective": (DEBUG, debug_body(a_case(objective="joy")), 422, "'joy'"),
    "position past the end": (DEBUG, debug_body(a_case(position=63)), 422, "cases[0].position"),
    "position before -1": (DEBUG, debug_body(a_case(position=-2)), 422, "cases[0].position"),
    # request
    "no case": (DEBUG, {"cases": []}, 422, "cases"),
    "three cases": (DEBUG, debug_body(*[a_case()] * 3), 422, "cases"),
    "second case is wrong": (DEBUG, debug_body(a_case(), a_case(prompt="")), 422, "cases[1]"),
    "unknown field": (DEBUG, debug_body(colour="red"), 422, "colour"),
    "top_k of 0": (DEBUG, debug_body(top_k=0), 422, "top_k: 0"),
    "top_k of 1001": (DEBUG, debug_body(top_k=1001), 422, "1000"),
    "top_k is true": (DEBUG, debug_body(top_k=True), 422, "top_k"),
    "no such basis": (DEBUG, debug_body(mlp_basis="sae"), 422, "mlp_basis"),
    "no such attention basis": (DEBUG, debug_body(attention_basis="sae"), 422, "attention_basis"),
    # interventions
    "unknown kind": (DEBUG, debug_body(edit("remove")), 422, "cases[0].interventions[0]"),
    "no such layer": (DEBUG, debug_body(edit("ablate", "attn_L3_0")), 422, "layers 0-2"),
    "no such head": (DEBUG, debug_body(edit("ablate", "attn_L2_2")), 422, "heads 0-1"),
    "no such neuron": (DEBUG, debug_body(edit("ablate", "mlp_L2_64")), 422, "neurons 0-63"),
    "no component": (DEBUG, debug_body(edit("ablate", "attn")), 422, "interventions[0].component"),
    "no coder": (DEBUG, debug_body(edit("ablate", "mlp_ae_L1_3")), 422, "coder"),
    "edited position": (DEBUG, debug_body(edit("ablate", positions=[63])), 422, "position 63"),
    "no positions": (DEBUG, debug_body(edit("ablate", positions=[])), 422, "positions"),
    "keys of a neuron": (
        DEBUG,
        debug_body(edit("ablate", "mlp_L1_1", key_positions=[0])),
        422,
        "key_positions",
    ),
    "keys ahead": (
        DEBUG,
        debug_body(edit("ablate", positions=[1], key_positions=[5])),
        422,
        "interventions[0]",
    ),
    "bias edited": (DEBUG, debug_body(edit("ablate", "bias")), 422, "bias"),
    "too large a value": (DEBUG, debug_body(edit("set", value=1e39)), 422, "value: 1e+39"),
    "values overflow": (
        DEBUG,
        debug_body(a_case(interventions=edit("scale", value=1e30)["interventions"] * 2)),
        422,
        "not finite",
    ),
    "patch of one case": (DEBUG, debug_body(edit("patch", from_case=1)), 422, "two cases"),
    "patch of itself": (
        DEBUG,
        debug_body(edit("patch", from_case=0), a_case()),
        422,
        "from_case to 1",
    ),
    "patch of unequal length": (
        DEBUG,
        debug_body(edit("patch", from_case=1), a_case(prompt="So")),
        422,
        "from_positions",
    ),
    "steering": (
        DEBUG,
        debug_body(edit("steer", component="mlp_L1_0", strength=1)),
        422,
        "quantile",
    ),
    "65 interventions": (
        DEBUG,
        debug_body(a_case(interventions=edit("ablate")["interventions"] * 65)),
        422,
        "64",
    ),
    # traces
    "trace of a pair ahead": (DEBUG, debug_body(trace("attn_L1_0@1:5")), 422, "looks ahead"),
    "trace of no input": (DEBUG, debug_body(trace("attn_L1_0@5:1")), 422, "query, key"),
    "trace of a neuron's key": (
        DEBUG,
        debug_body(trace("mlp_L1_0@5", through="key")),
        422,
        "cases[0].trace",
    ),
    "trace of the embedding": (DEBUG, debug_body(trace("embed@5")), 422, "cases[0].trace"),
    "trace past the prompt": (DEBUG, debug_body(trace("mlp_L1_0@63")), 422, "trace.node"),
    "value of nothing": (
        DEBUG,
        debug_body(
            a_case(
                target_tokens=[],
                distractor_tokens=[],
                trace={"node": "attn_L1_0@5:1", "through": "value"},
            )
        ),
        422,
        "downstream",
    ),
    "downstream lies upstream": (
        DEBUG,
        debug_body(
            trace("attn_L2_0@5:1", through="value", downstream={"node": "mlp_L0_3@5"}),
        ),
        422,
        "downstream",
    ),
    # the other calls
    "measured node ahead": (MEASURE, measure_body("attn_L1_0@1:5"), 422, "nodes[0]"),
    "second measured node": (MEASURE, measure_body("embed@1", "mlp_L9_1@1"), 422, "nodes[1]"),
    "measured nothing": (MEASURE, measure_body(), 422, "nodes"),
    "measured to what": (MEASURE, measure_body("embed@1", to="one"), 422, "to:"),
    "other case": (
        MEASURE,
        measure_body("embed@1", other_case=a_case(prompt="")),
        422,
        "other_case.prompt",
    ),
    "tokens of a component": (
        "/api/node_tokens",
        {"case": a_case(), "nodes": ["mlp_L1_1"]},
        422,
        "nodes[0]",
    ),
    "lens of 0": ("/api/lens", {"case": a_case(), "n": 0}, 422, "n: 0"),
    "no such component": (
        "/api/components/mlp_L40_1/activations",
        {"prompts": [PROMPT]},
        404,
        "layers 0-2",
    ),
    "empty activations prompt": (
        "/api/components/mlp_L0_1/activations",
        {"prompts": [PROMPT, ""]},
        422,
        "prompts[1]",
    ),
    "unknown route": ("/api/nothing", {}, 404, "/api/nothing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named(client: TestClient, name: str) -> None:
    path, body, status, said = WRONG[name]

    content = json.dumps(body)
    response = client.post(path, content=content, headers={"content-type": "application/json"})
    check_shape(response, status)
    answer = response.json()
    assert said in f"{answer['message']} {answer['hint']}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "body"),
        (b"{", "not JSON"),
        (b"[1]", "body"),
        (b"null", "body"),
        (b'"text"', "body"),
        (b"\xff\xfe", "JSON"),
        (b'{"cases": NaN}', "cases"),
        (b"[" * 100_000, "JSON"),
        (b"1" * 5000, "JSON"),
    ],
)
def test_what_is_no_request_is_refused(client: TestClient, content: bytes, said: str) -> None:
    response = client.post(DEBUG, content=content, headers={"content-type": "application/json"})
    check_shape(response, 422)
    assert said in response.text


def test_a_nan_is_refused(client: TestClient) -> None:
    body = (
        b'{"cases": [{"prompt": "a", "target_tokens": [" Mary"], "interventions": [{"kind": "set",'
    )
    body += b'"component": "mlp_L0_0", "value": NaN}]}]}'
    response = client.post(DEBUG, content=body, headers={"content-type": "application/json"})
    check_shape(response, 422)
    assert "interventions[0].value: nan" in response.json()["message"]


def test_ten_megabytes_are_refused_unread(client: TestClient) -> None:
    check_shape(client.post(DEBUG, json=debug_body(a_case(prompt="a" * 10_000_000))), 413)

    def in_pieces() -> Any:
        yield from (b"a" * 1_000_000 for _ in range(10))

    headers = {"content-type": "application/json"}
    check_shape(client.post(DEBUG, content=in_pieces(), headers=headers), 413)


def test_a_form_is_refused(client: TestClient) -> None:
    response = client.post(DEBUG, content="{}", headers={"content-type": "text/plain"})
    check_shape(response, 422)
    assert "application/json" in response.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/debug", 405),
        ("DELETE", "/api/model", 405),
        ("POST", "/api/debug/", 404),
        ("GET", "/api", 404),
        ("GET", "/api/components/attn/tokens", 404),
        ("GET", "/api/components/bias/tokens", 404),
        ("GET", "/api/components/mlp_L0_0/tokens?n=x", 422),
        ("GET", "/api/components/mlp_L0_0/tokens?n=1000", 422),
    ],
)
def test_routes_that_are_not_there(client: TestClient, method: str, path: str, status: int) -> None:
    check_shape(client.request(method, path), status)


def test_a_bug_and_a_lack_of_memory_have_the_shape_too(
    client: TestClient, session: ModelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = iter([RuntimeError("bug"), MemoryError(), KeyError("bug")])

    def fail(*_: object, **__: object) -> None:
        raise next(problems)

    monkeypatch.setattr(session._investigation, "debug", fail)
    for status in (500, 503, 500):
        check_shape(client.post(DEBUG, json=debug_body()), status)
    monkeypatch.undo()
    assert client.post(DEBUG, json=debug_body()).status_code == 200


def check_shape(response: Any, status: int) -> None:
    """The error has its status and its three fields, all said."""
    assert response.status_code == status, response.text
    answer = response.json()
    assert set(answer) == {"error", "message", "hint"}
    assert answer["error"] and answer["message"] and answer["hint"]


def test_a_prompt_that_memory_cannot_hold_is_too_long(model: Transformer) -> None:
    settings = Settings(max_question_bytes=100_000)
    with TestClient(
        create_app(settings, ModelSession(model, settings)), base_url=BASE_URL
    ) as small:
        response = small.post(DEBUG, json=debug_body())
        check_shape(response, 413)
        assert "--memory" in response.json()["hint"]
