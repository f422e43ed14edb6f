"""One thread owns the model; requests wait for it in a bounded queue.

Work is an iterator, each step of which computes one piece of an answer. Between two steps the
thread
  1. drops the work if nobody waits for it any more;
  2. lets the requests that wait go first, so that a long measurement does not hold up a table;
  3. otherwise goes on.
Pieces travel to the event loop through a `Ticket`. A full queue refuses at once.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from typing import Generic, TypeVar

from activation_server.errors import QueueFull

Piece = TypeVar("Piece")


class _End:
    """Closes a ticket's pieces; holds the exception that ended the work, if one did."""

    def __init__(self, problem: BaseException | None) -> None:
        self.problem = problem


class Ticket(Generic[Piece]):
    """A place in the queue, and where the pieces arrive. Lives on the event loop."""

    def __init__(self, worker: "Worker", work: Generator[Piece, None, None], ahead: int) -> None:
        self.ahead = ahead
        """Requests that were before this one when it came."""
        self.is_cancelled = False
        self._worker = worker
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[Piece | _End] = asyncio.Queue()

    def cancel(self) -> None:
        """Nobody waits any more: leave the queue, or stop before the next step."""
        self.is_cancelled = True
        self._worker.discard(self)

    async def pieces(self) -> AsyncIterator[Piece]:
        """The pieces as they are computed; raises what the work raised."""
        while True:
            piece = await self._pieces.get()
            if isinstance(piece, _End):
                if piece.problem is not None:
                    raise piece.problem
                return
            yield piece

    def step(self) -> bool:
        """Compute the next piece, on the worker's thread. False when there is nothing left."""
        if self.is_cancelled:
            self._work.close()
            return False
        try:
            self._deliver(next(self._work))
        except StopIteration:
            self._deliver(_End(None))
            return False
        except BaseException as problem:  # noqa: BLE001 - whatever it is, somebody waits to hear of it
            self._deliver(_End(problem))
            return False
        return True

    def _deliver(self, piece: Piece | _End) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: the server is stopping
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)


class Worker:
    """The thread and its queue."""

    def __init__(self, max_queue: int) -> None:
        self.max_queue = max_queue
        self._waiting: deque[Ticket[object]] = deque()
        self._changed = threading.Condition()
        self._is_busy = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def submit(self, work: Generator[Piece, None, None]) -> Ticket[Piece]:
        """Queue work. Raises QueueFull when too many wait already.

        What an idle thread is about to take up does not count: it had no time to wake yet.
        """
        with self._changed:
            n_soon = 0 if self._is_busy else 1
            if len(self._waiting) >= self.max_queue + n_soon:
                raise QueueFull(
                    f"{len(self._waiting)} requests wait for the model already.",
                    "Try again in a moment.",
                )
            ticket = Ticket(self, work, len(self._waiting) + self._is_busy)
            self._waiting.append(ticket)  # type: ignore[arg-type]  # any piece will do here
            self._changed.notify()
        return ticket

    def discard(self, ticket: Ticket[Piece]) -> None:
        """Take a ticket out of the queue; one that is being worked on stops by itself."""
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)  # type: ignore[arg-type]  # as in submit

    def load(self) -> tuple[bool, int]:
        """Whether the model is at work, and how many requests wait."""
        with self._changed:
            return self._is_busy, len(self._waiting)

    def close(self) -> None:
        """Stop after the present step."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        again: Ticket[object] | None = None
        while True:
            with self._changed:
                self._is_busy = False
                if again is not None:
                    self._waiting.append(again)
                self._changed.wait_for(lambda: self._is_closed or bool(self._waiting))
                if self._is_closed:
                    return
                ticket = self._waiting.popleft()
                self._is_busy = True
            again = ticket if ticket.step() else None


def once(compute: Callable[[], Piece]) -> Generator[Piece, None, None]:
    """Work of a single piece."""
    yield compute()
