"""Clients that wait for an answer: several for the same one, and some that go away meanwhile."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request

from activation_server.errors import ApiError
from activation_server.worker import Ticket

Result = TypeVar("Result")
Piece = TypeVar("Piece")


class ClientGone(ApiError):
    """The client closed the connection; nobody reads this."""

    status = 499
    error = "client_gone"


class SharedAnswer:
    """An answer being computed for all who asked for it; dropped when the last has gone."""

    def __init__(self, ticket: Ticket[Piece], finish: Callable[[list[Piece]], bytes]) -> None:
        self.ahead = ticket.ahead
        self._n_waiting = 0
        self._answer = asyncio.create_task(_collect(ticket, finish))

    async def wait(self, request: Request | None) -> bytes:
        """The answer. Raises what the work raised, or ClientGone."""
        self._n_waiting += 1
        try:
            return await unless_gone(request, asyncio.shield(self._answer))
        finally:
            self._n_waiting -= 1
            if not self._n_waiting and not self._answer.done():
                self._answer.cancel()

    @property
    def is_open(self) -> bool:
        """Whether another client may still join."""
        return not self._answer.done() and not self._answer.cancelling()


async def _collect(ticket: Ticket[Piece], finish: Callable[[list[Piece]], bytes]) -> bytes:
    try:
        return finish([piece async for piece in ticket.pieces()])
    finally:
        ticket.cancel()


async def unless_gone(request: Request | None, waiting: Awaitable[Result]) -> Result:
    """Wait for a result, but give up when the client disconnects, if there is one."""
    if request is None:
        return await waiting
    result = asyncio.ensure_future(waiting)
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({result, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not result.done():
            raise ClientGone("The client closed the connection.")
        return result.result()
    finally:
        gone.cancel()
        if not result.done():
            result.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await result


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
