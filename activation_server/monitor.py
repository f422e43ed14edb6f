"""The Monitor page's questions."""

from fastapi import Request, Response
from pydantic import BaseModel

from activation_server.errors import BadRequest


class Monitor:
    """Generation, influence, concepts and steering."""

    async def generate(self, body: BaseModel, request: Request) -> Response:
        raise _not_yet()

    async def compare(self, body: BaseModel, request: Request) -> Response:
        raise _not_yet()

    async def tokens(self, body: BaseModel, request: Request) -> Response:
        raise _not_yet()

    async def influence(self, body: BaseModel, request: Request) -> Response:
        raise _not_yet()

    async def clusters(self, body: BaseModel, request: Request, *, in_events: bool) -> Response:
        raise _not_yet()

    async def steer_preview(self, body: BaseModel, request: Request) -> Response:
        raise _not_yet()

    async def sweep(self, body: BaseModel, request: Request, *, in_events: bool) -> Response:
        raise _not_yet()


def _not_yet() -> BadRequest:
    return BadRequest("This is not answered yet.", "It comes with the next changes.")
