"""Answers are kept, shared and dropped; the queue is bounded; measurements stream."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.types import Message

from activation_server.app import create_app
from activation_server.schemas import DebugRequest
from activation_server.session import ModelSession, first_question
from activation_server.settings import Settings
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.models.transformer import Transformer
from tests.server.sample import BASE_URL, a_case, debug_body, measure_body

pytestmark = pytest.mark.anyio
STREAM = {"accept": "text/event-stream"}


@pytest.fixture
def settings() -> Settings:
    return Settings(max_queue=2)


class Counted:
    """The session's investigation, counting its tables and able to hold them up."""

    def __init__(self, inner: Investigation) -> None:
        self.inner = inner
        self.n_tables = 0
        self._entered = threading.Event()
        self._opened = threading.Event()
        self._opened.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def debug(self, *args: Any, **kwargs: Any) -> Any:
        self.n_tables += 1
        self._entered.set()
        assert self._opened.wait(timeout=60)
        return self.inner.debug(*args, **kwargs)

    def hold(self) -> None:
        self._opened.clear()

    def release(self) -> None:
        self._opened.set()

    async def entered(self) -> None:
        assert await asyncio.to_thread(self._entered.wait, 60)


@pytest.fixture
def counted(session: ModelSession) -> Iterator[Counted]:
    counted = Counted(session._investigation)
    session._investigation = counted  # type: ignore[assignment]  # stands in for it
    yield counted
    counted.release()


@pytest.fixture
async def client(session: ModelSession, settings: Settings) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=create_app(settings, session))
    async with AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.002)


async def test_the_same_question_is_answered_from_what_is_kept(
    client: AsyncClient, counted: Counted
) -> None:
    first = await client.post("/api/debug", json=debug_body())
    again = await client.post("/api/debug", json=debug_body(mlp_basis="neuron"))
    assert counted.n_tables == 1
    assert first.content == again.content
    await client.post("/api/debug", json=debug_body(top_k=6))
    assert counted.n_tables == 2


async def test_the_same_question_in_flight_is_computed_once(
    client: AsyncClient, counted: Counted
) -> None:
    counted.hold()
    asked = [asyncio.create_task(client.post("/api/debug", json=debug_body())) for _ in range(4)]
    await counted.entered()
    counted.release()
    answers = await asyncio.gather(*asked)
    assert counted.n_tables == 1
    assert len({answer.content for answer in answers}) == 1


async def test_a_full_queue_is_a_503_at_once(client: AsyncClient, counted: Counted) -> None:
    counted.hold()
    asked = [
        asyncio.create_task(client.post("/api/debug", json=debug_body(top_k=k))) for k in (1, 2, 3)
    ]
    await counted.entered()

    async def queued() -> int:
        return int((await client.get("/api/health")).json()["queued"])

    async with asyncio.timeout(60):
        while await queued() < 2:
            await asyncio.sleep(0.002)
    refused = await client.post("/api/debug", json=debug_body(top_k=4))
    assert refused.status_code == 503
    assert refused.json()["error"] == "busy"
    assert refused.json()["hint"]
    counted.release()
    answers = await asyncio.gather(*asked)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert sorted(answer.headers["x-queue-ahead"] for answer in answers) == ["0", "1", "2"]
    assert (await client.post("/api/debug", json=debug_body(top_k=4))).status_code == 200


class Visitor:
    """One raw request, so that the client can go away at any moment."""

    def __init__(self, app: Any, path: str, body: dict[str, Any], **headers: str) -> None:
        self._gone = asyncio.Event()
        self._body: bytes | None = json.dumps(body).encode()
        self.received: list[Message] = []
        names = {"host": "127.0.0.1", "content-type": "application/json"} | headers
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(k.encode(), v.encode()) for k, v in names.items()],
        }
        self.visit = asyncio.create_task(app(scope, self._receive, self._send))

    def leave(self) -> None:
        self._gone.set()

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.received.append(message)


async def test_a_request_whose_client_left_is_dropped(
    session: ModelSession, settings: Settings, counted: Counted
) -> None:
    app = create_app(settings, session)
    counted.hold()
    stays = Visitor(app, "/api/debug", debug_body(top_k=1))
    await counted.entered()
    leaves = Visitor(app, "/api/debug", debug_body(top_k=2))
    await until(lambda: session.health().queued == 1)
    leaves.leave()
    await until(lambda: session.health().queued == 0)
    counted.release()
    await asyncio.gather(stays.visit, leaves.visit)
    assert stays.received[0]["status"] == 200
    assert counted.n_tables == 1


async def test_an_answer_is_dropped_only_when_all_who_asked_have_left(
    session: ModelSession, settings: Settings, counted: Counted
) -> None:
    app = create_app(settings, session)
    counted.hold()
    Visitor(app, "/api/debug", debug_body(top_k=1))
    await counted.entered()
    two = [Visitor(app, "/api/debug", debug_body(top_k=2)) for _ in range(2)]
    await until(lambda: session.health().queued == 1)
    two[0].leave()
    await two[0].visit
    assert session.health().queued == 1
    counted.release()
    await two[1].visit
    assert two[1].received[0]["status"] == 200


async def test_a_measurement_streams_its_effects_in_order(client: AsyncClient) -> None:
    nodes = ["mlp_L2_3@9", "attn_L0_1@13:2", "mlp_L1_7"]
    streamed = await client.post("/api/measure", json=measure_body(*nodes), headers=STREAM)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    events = read_events(streamed.text)
    assert [name for name, _ in events] == ["objective", "effect", "effect", "effect", "done"]
    plain = (await client.post("/api/measure", json=measure_body(*nodes))).json()
    assert events[0][1]["objective"] == plain["objective"]
    assert [data for name, data in events if name == "effect"] == plain["effects"]
    again = await client.post("/api/measure", json=measure_body(*nodes), headers=STREAM)
    assert read_events(again.text) == events


async def test_what_is_wrong_before_a_stream_begins_is_a_plain_error(client: AsyncClient) -> None:
    body = measure_body("mlp_L9_3@9")
    response = await client.post("/api/measure", json=body, headers=STREAM)
    assert response.status_code == 422
    assert "nodes[0]" in response.json()["message"]


async def test_what_goes_wrong_in_a_stream_ends_it_with_an_error_event(
    client: AsyncClient, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_: object, **__: object) -> Any:
        return 1.0, iter([[("mlp_L2_3@9", 0.5)], [("mlp_L2_4@9", float("nan"))]])

    monkeypatch.setattr(counted.inner, "measure", measure)
    body = measure_body("mlp_L2_3@9", "mlp_L2_4@9")
    response = await client.post("/api/measure", json=body, headers=STREAM)
    events = read_events(response.text)
    assert [name for name, _ in events] == ["objective", "effect", "error"]
    assert set(events[-1][1]) == {"error", "message", "hint"}


async def test_a_stream_stops_when_its_client_leaves(
    session: ModelSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_batches = 0

    def batches() -> Iterator[list[tuple[str, float]]]:
        nonlocal n_batches
        while True:
            n_batches += 1
            yield [("mlp_L2_3@9", 0.5)]

    monkeypatch.setattr(session._investigation, "measure", lambda *_, **__: (1.0, batches()))
    app = create_app(settings, session)
    visitor = Visitor(app, "/api/measure", measure_body("mlp_L2_3@9"), **STREAM)
    await until(lambda: len(visitor.received) > 3)
    visitor.leave()
    await asyncio.wait_for(visitor.visit, timeout=60)
    await until(lambda: session.health().busy is False)
    stopped_at = n_batches
    await asyncio.sleep(0.02)
    assert n_batches == stopped_at


async def test_the_first_example_is_answered_before_anybody_asks(
    model: Transformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = ModelSession(model, Settings())
    counted = Counted(session._investigation)
    session._investigation = counted  # type: ignore[assignment]  # stands in for it
    await session.warm_up()
    asked = DebugRequest.model_validate({"cases": [a_case()]})
    assert first_question(session._examples[0]) == asked
    transport = ASGITransport(app=create_app(Settings(), session))
    async with AsyncClient(transport=transport, base_url=BASE_URL) as client:
        assert (await client.post("/api/debug", json={"cases": [a_case()]})).status_code == 200
    assert counted.n_tables == 1
    session.close()


def read_events(text: str) -> list[tuple[str, Any]]:
    """(event, data) of each event of a stream."""
    events = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            events.append((fields["event"], json.loads(fields["data"])))
    return events
