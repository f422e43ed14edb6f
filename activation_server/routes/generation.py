"""Text that the model writes, token by token."""

from typing import Any

from fastapi import APIRouter, Request, Response

from activation_server.routes.access import ERRORS, QUEUED, Session
from activation_server.schemas import (
    CompareRequest,
    CompareResponse,
    GenerateRequest,
    GenerateResponse,
)

router = APIRouter(tags=["monitor"], responses=ERRORS)


# FastAPI types `responses` with Any.
def event_stream(events: str) -> dict[int | str, dict[str, Any]]:
    """A route that answers with JSON, or with these events."""
    schema = {
        "type": "object",
        "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
        "description": f"{events} An `error` event {{error, message, hint}} ends the stream early.",
    }
    return {200: {**QUEUED[200], "content": {"text/event-stream": {"schema": schema}}}}


_TOKENS = event_stream(
    "Events `token` {id, text, position, logprob, rank, top}, one for each new token, then `done`: "
    "the whole answer, with `tokens` left empty."
)
_REPLIES = event_stream(
    "Events `token` {reply: default or steered, and a token's fields}, both replies in turn, then "
    "`done`: the whole answer."
)


@router.post("/generate", response_model=GenerateResponse, responses=_TOKENS)
async def generate(body: GenerateRequest, session: Session, request: Request) -> Response:
    """Continue a text or a chat, edits in force; a stream of tokens unless `stream` is false."""
    return await session.monitor.generate(body, request)


@router.post("/monitor/compare", response_model=CompareResponse, responses=_REPLIES)
async def compare(body: CompareRequest, session: Session, request: Request) -> Response:
    """Write the default and the steered reply, and score each token under both."""
    return await session.monitor.compare(body, request)
