"""/api/generate and /api/monitor/compare: what they answer, what they refuse, who waits for whom."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from activation_server import schemas
from activation_server.session import ModelSession
from neuron_explainer.models.chat import end_tokens
from neuron_explainer.models.transformer import Transformer
from tests.server.sample import PROMPT
from tests.server.test_contract import checked

LOUD = {"kind": "set", "component": "mlp_L1_3", "value": 40.0}


def body(**changes: Any) -> dict[str, Any]:
    return {"prompt": PROMPT, "max_new_tokens": 6, "stream": False} | changes


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a stream, by name and data."""
    found = []
    for block in text.replace("\r\n", "\n").strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_a_reply_in_one_answer(client: TestClient) -> None:
    answer = checked(client.post("/api/generate", json=body()), schemas.GenerateResponse)
    assert answer["finish"] == "length"
    assert len(answer["tokens"]) == 6
    assert "".join(token["text"] for token in answer["prompt_tokens"]) == PROMPT
    assert {token["role"] for token in answer["prompt_tokens"]} == {"prompt"}
    assert all(len(token["top"]) == 5 for token in answer["tokens"])
    assert all(token["rank"] == 0 for token in answer["tokens"])  # greedy


def test_a_stream_says_the_same_token_by_token(client: TestClient) -> None:
    whole = client.post("/api/generate", json=body(temperature=0.9, seed=7)).json()
    streamed = client.post("/api/generate", json=body(temperature=0.9, seed=7, stream=True))
    assert streamed.headers["content-type"].startswith("text/event-stream")
    *tokens, (name, closing) = events(streamed.text)
    assert {name for name, _ in tokens} == {"token"}
    assert [data for _, data in tokens] == whole["tokens"]
    assert name == "done"
    assert closing["text"] == whole["text"]
    assert schemas.GenerateResponse.model_validate(closing).tokens == []


def test_equal_seeds_give_equal_text(client: TestClient, session: ModelSession) -> None:
    def text(seed: int, top_k: int) -> str:
        asked = body(temperature=2.0, seed=seed, top_k=top_k, max_new_tokens=12)
        return str(client.post("/api/generate", json=asked).json()["text"])

    # Another request that leaves every token in: computed anew, not taken from what is kept.
    assert text(5, 299) == text(5, 300) != text(6, 300)


def test_edits_act_while_generating(client: TestClient) -> None:
    plain = client.post("/api/generate", json=body()).json()
    texts = set()
    for where in ("prompt", "generated", "everything"):
        edit = LOUD | {"where": where}
        answer = client.post("/api/generate", json=body(interventions=[edit])).json()
        first, last = answer["tokens"][0], answer["tokens"][-1]
        same_first = first["logprob"] == pytest.approx(plain["tokens"][0]["logprob"], abs=1e-6)
        assert same_first == (where == "generated")
        assert last["logprob"] != pytest.approx(plain["tokens"][-1]["logprob"], abs=1e-6)
        texts.add(last["logprob"])
    assert len(texts) == 3


def test_a_branch_goes_on_from_the_other_token(client: TestClient) -> None:
    whole = client.post("/api/generate", json=body()).json()
    kept, other = whole["tokens"][:2], whole["tokens"][2]["top"][1]
    prefix = [token["id"] for token in kept] + [other["id"]]
    branch = client.post("/api/generate", json=body(prefix_tokens=prefix)).json()
    assert branch["prompt_tokens"][-1]["text"] == other["text"]
    assert [token["role"] for token in branch["prompt_tokens"][-3:]] == ["reply"] * 3
    same = client.post("/api/generate", json=body(prefix_tokens=prefix[:2], max_new_tokens=4))
    assert [t["id"] for t in same.json()["tokens"]] == [t["id"] for t in whole["tokens"][2:]]


def test_concepts_suppress_without_a_dataset_and_strengthen_only_with_one(
    client: TestClient,
) -> None:
    members = [{"component": f"mlp_L1_{n}", "side": "positive"} for n in range(30)]
    plain = client.post("/api/generate", json=body()).json()["tokens"][0]["logprob"]

    def first_logprob(**concept: Any) -> float:
        asked = body(concepts=[{"members": members, **concept}])
        return float(client.post("/api/generate", json=asked).json()["tokens"][0]["logprob"])

    assert first_logprob(strength=0) != pytest.approx(plain, abs=1e-6)
    assert first_logprob(strength=1, method="scale") == pytest.approx(plain, abs=1e-6)
    assert first_logprob(strength=0, enabled=False) == pytest.approx(plain, abs=1e-6)
    refused = client.post(
        "/api/generate", json=body(concepts=[{"members": members, "strength": 0.5}])
    )
    assert refused.status_code == 422
    assert "tdb collate" in refused.json()["hint"]


def test_two_replies_side_by_side(client: TestClient) -> None:
    asked = body(interventions=[LOUD])
    answer = checked(client.post("/api/monitor/compare", json=asked), schemas.CompareResponse)
    default, steered = answer["default"], answer["steered"]
    alone = client.post("/api/generate", json=body()).json()
    assert default["text"] == alone["text"]
    for reply in (default, steered):
        assert len(reply["tokens"]) == 6
    at = answer["first_difference"]
    ids = [[token["id"] for token in reply["tokens"]] for reply in (default, steered)]
    assert at is None or (ids[0][:at] == ids[1][:at] and ids[0][at] != ids[1][at])
    streamed = client.post("/api/monitor/compare", json=asked | {"stream": True})
    *tokens, (name, closing) = events(streamed.text)
    assert name == "done"
    assert closing["steered"] == steered
    assert [data["id"] for _, data in tokens if data["reply"] == "steered"] == ids[1]


def test_comparing_nothing_is_refused(client: TestClient) -> None:
    assert client.post("/api/monitor/compare", json=body()).status_code == 422


def test_every_token_has_its_statistics(client: TestClient) -> None:
    asked = {"prompt": PROMPT, "n_top": 3, "prefix_tokens": [5, 6]}
    answer = checked(client.post("/api/monitor/tokens", json=asked), schemas.MonitorTokensResponse)
    first, *rest = answer["tokens"]
    assert (first["logprob"], first["rank"], first["top"]) == (None, None, [])
    assert all(token["logprob"] <= 0 and len(token["top"]) == 3 for token in rest)
    assert [token["role"] for token in answer["tokens"][-3:]] == ["prompt", "reply", "reply"]
    assert len(answer["next"]) == 3


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"prompt": None}, 422, "either `prompt` or `messages`"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, 422, "either"),
        ({"prompt": ""}, 422, "prompt"),
        ({"prompt": "Mary " * 20_000}, 413, "sees at most 64"),
        ({"prompt": "a" * 200_001}, 413, "200,000"),
        ({"temperature": -0.1}, 422, "temperature"),
        ({"top_p": 0}, 422, "top_p"),
        ({"top_k": 0}, 422, "top_k"),
        ({"max_new_tokens": 0}, 422, "max_new_tokens"),
        ({"max_new_tokens": 100_000}, 422, "max_new_tokens"),
        ({"stop": [""]}, 422, "stop string is empty"),
        ({"prefix_tokens": [300]}, 422, "prefix_tokens: token id 300"),
        ({"prefix_tokens": [1] * 60}, 413, "at most 64"),
        ({"interventions": [LOUD | {"positions": [40]}]}, 422, "position 40 is out of range"),
        ({"interventions": [LOUD | {"positions": [1], "where": "prompt"}]}, 422, "where"),
        (
            {"interventions": [{"kind": "patch", "component": "attn_L0_0", "from_case": 1}]},
            422,
            "interventions[0].kind",
        ),
        (
            {"concepts": [{"members": [{"component": "mlp_L9_0"}]}]},
            422,
            "concepts[0].members[0]: mlp_L9_0",
        ),
        ({"concepts": [{"members": []}]}, 422, "concepts[0].members"),
        (
            {"interventions": [LOUD | {"value": 1e30}, LOUD | {"kind": "scale", "value": 1e30}]},
            422,
            "overflow",
        ),
        ({"dataset": "none", "concepts": [{"members": [{"component": "mlp_L0_0"}], "strength": 1}]}, 422, "dataset"),
        ({"what": 1}, 422, "what"),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused_in_words(
    client: TestClient, changes: dict[str, Any], status: int, says: str
) -> None:
    for stream in (False, True):
        answer = client.post("/api/generate", json=body(**changes, stream=stream))
        assert answer.status_code == status, answer.text
        assert says in answer.json()["message"] + answer.json()["hint"]


def test_messages_need_a_chat_template(client: TestClient) -> None:
    asked = body(prompt=None, messages=[{"role": "user", "content": "Hi"}])
    answer = client.post("/api/generate", json=asked)
    assert answer.status_code == 422
    assert "no chat template" in answer.json()["message"]
    assert "prompt" in answer.json()["hint"]


def test_control_characters_and_markup_are_only_text(client: TestClient) -> None:
    text = "a\x00\x07\x1b[31m\u202e<script>alert(1)</script>"
    answer = client.post("/api/generate", json=body(prompt=text, max_new_tokens=2))
    assert answer.status_code == 200
    shown = answer.json()["prompt_tokens"]
    assert "<script>" in "".join(token["text"] for token in shown)
    lone = b'{"prompt": "\\ud83d", "stream": false}'
    refused = client.post(
        "/api/generate", content=lone, headers={"content-type": "application/json"}
    )
    assert refused.status_code == 422


def test_token_ids_survive_from_request_to_request(client: TestClient, model: Transformer) -> None:
    """What the tokens route shows of a finished reply is what generating said of it."""
    reply = client.post("/api/generate", json=body()).json()
    ids = [token["id"] for token in reply["tokens"]]
    seen = client.post("/api/monitor/tokens", json={"prompt": PROMPT, "prefix_tokens": ids}).json()
    for there, here in zip(seen["tokens"][-6:], reply["tokens"], strict=True):
        assert there["id"] == here["id"]
        assert there["logprob"] == pytest.approx(here["logprob"], abs=1e-4)


def test_a_reply_is_text_though_its_tokens_are_parts_of_characters(
    client: TestClient, model: Transformer
) -> None:
    """What a chat goes on with: whole characters, and no end token."""
    said = " caf\u00e9 \U0001f600"
    ids = model.tokenizer.encode(said, add_special_tokens=False)
    asked = {"prompt": PROMPT, "prefix_tokens": [*ids, *end_tokens(model)]}
    answer = client.post("/api/monitor/tokens", json=asked).json()
    reply = [token["text"] for token in answer["tokens"] if token["role"] == "reply"]
    assert "\ufffd" in "".join(reply)
    assert answer["reply"] == said
