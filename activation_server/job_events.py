"""A job's events as they come, from any place in its log on: what GET /api/jobs/{id}/events streams.

Each event carries the place after it in the log as its id, so that a client which lost the
connection goes on with `Last-Event-ID`. The log is a file, so the jobs of another server on this
machine are followed alike.
"""

import asyncio
import json
from collections.abc import AsyncIterator

from sse_starlette import ServerSentEvent

from activation_server.errors import NotFound
from activation_server.job_store import ACTIVE, JobStore

POLL_SECONDS = 0.2


async def follow(store: JobStore, name: str, place: int) -> AsyncIterator[ServerSentEvent]:
    """Events from `place` on; after the last one, `end` with the state the job ended in."""
    state: str
    try:
        while True:
            # Looked at first: a final state means that the log is complete.
            state = store.state(name).state
            for place, event in store.events(name, place):  # noqa: B020 - goes on from there
                yield ServerSentEvent(json.dumps(event), event=event.get("event"), id=str(place))
            if state not in ACTIVE:
                break
            await asyncio.sleep(POLL_SECONDS)
    except NotFound:  # deleted meanwhile
        state = "deleted"
    yield ServerSentEvent(json.dumps({"state": state}), event="end")
