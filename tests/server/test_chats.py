"""Many chats at once share the model token by token; one that leaves frees it within a token."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.types import Message

from activation_server.app import create_app
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer.models import sampling
from tests.server.sample import BASE_URL, PROMPT
from tests.server.test_generation import events

pytestmark = pytest.mark.anyio
N_CHATS = 10


@pytest.fixture
async def client(session: ModelSession, settings: Settings) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(create_app(settings, session))
    async with AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The length of the text at every forward of any chat, in the order they ran."""
    seen: list[int] = []
    plain = sampling.Continuation.logits

    def counted(self: Any, tokens: Any) -> Any:
        seen.append(len(tokens))
        return plain(self, tokens)

    monkeypatch.setattr(sampling.Continuation, "logits", counted)
    return seen


def body(number: int, **changes: Any) -> dict[str, Any]:
    asked = {"prompt": PROMPT, "max_new_tokens": 8, "temperature": 1.0, "seed": number}
    return asked | changes


async def test_ten_chats_at_once_all_get_their_own_text(client: AsyncClient) -> None:
    alone = [
        (await client.post("/api/generate", json=body(n, stream=False))).json()["text"]
        for n in range(N_CHATS)
    ]
    asked = (client.post("/api/generate", json=body(n)) for n in range(N_CHATS))
    together = [events(answer.text) for answer in await asyncio.gather(*asked)]
    assert [found[-1][1]["text"] for found in together] == alone
    assert len(set(alone)) > 1
    for found in together:
        assert [name for name, _ in found] == ["token"] * (len(found) - 1) + ["done"]


async def test_chats_take_turns(client: AsyncClient, steps: list[int]) -> None:
    """All prompts are read before any chat is at its last tokens: nobody waits for whole replies."""
    asked = (client.post("/api/generate", json=body(n, max_new_tokens=20)) for n in range(N_CHATS))
    await asyncio.gather(*asked)
    prompt_reads = [at for at, n in enumerate(steps) if n > 1]
    assert len(prompt_reads) == N_CHATS
    assert prompt_reads[-1] < len(steps) / 2


async def test_a_table_is_not_held_up_by_a_long_reply(
    client: AsyncClient, steps: list[int]
) -> None:
    long = asyncio.create_task(client.post("/api/generate", json=body(0, max_new_tokens=45)))
    while len(steps) < 2:
        await asyncio.sleep(0.001)
    answer = await client.post("/api/monitor/influence", json={"prompt": PROMPT})
    assert answer.status_code == 200
    assert len(steps) < 45
    assert (await long).status_code == 200


class Leaver:
    """A client of the bare interface that leaves after a few tokens."""

    def __init__(self, app: Any, after: int) -> None:
        self.app, self.after = app, after
        self.n_tokens = 0
        self._body: bytes | None = json.dumps(body(0, max_new_tokens=45)).encode()
        self._gone = asyncio.Event()

    async def visit(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "path": "/api/generate",
            "raw_path": b"/api/generate",
            "query_string": b"",
            "scheme": "http",
            "headers": [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json")],
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 9),
            "root_path": "",
        }
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._body is not None:
            sent, self._body = self._body, None
            return {"type": "http.request", "body": sent}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if b"event: token" in message.get("body", b""):
            self.n_tokens += 1
            if self.n_tokens == self.after:
                self._gone.set()


async def test_a_client_that_leaves_frees_the_model_within_a_token(
    session: ModelSession, settings: Settings, steps: list[int]
) -> None:
    await Leaver(create_app(settings, session), after=3).visit()
    at_departure = len(steps)
    assert at_departure < 45
    async with asyncio.timeout(60):
        while session.health().busy or session.health().queued:
            await asyncio.sleep(0.01)
    assert len(steps) <= at_departure + 1
