"""Answers that arrive as server-sent events while they are computed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

from fastapi import Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from activation_server.errors import as_api_error, error_body
from activation_server.waiting import unless_gone
from activation_server.wire import queue_header
from activation_server.worker import Ticket, Worker

Event = tuple[str, dict[str, Any]]
"""Name and data; data is anything that JSON holds."""


async def stream(
    worker: Worker, read: Callable[[], Generator[Event, None, None]], request: Request
) -> Response:
    """Read a request beside the worker, then send what the worker computes, event by event.

    What goes wrong before the first event is a plain error. A client that leaves frees the worker
    before its next step.
    """
    ticket = worker.submit(await asyncio.to_thread(read))
    pieces = ticket.pieces()
    try:
        first = await unless_gone(request, anext(pieces))
    except BaseException:
        ticket.cancel()
        raise
    return EventSourceResponse(_events(ticket, first, pieces), headers=queue_header(ticket.ahead))


async def _events(
    ticket: Ticket[Event], first: Event, rest: AsyncIterator[Event]
) -> AsyncIterator[ServerSentEvent]:
    try:
        yield event(*first)
        async for name, data in rest:
            yield event(name, data)
    except Exception as problem:  # the answer has begun, so its status can no longer say it
        yield event("error", error_body(as_api_error(problem)))
    finally:
        ticket.cancel()


def event(name: str, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, allow_nan=False), event=name)
