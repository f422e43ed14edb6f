"""The queue: bounded, fair between pieces, and forgetful of those who left."""

import asyncio
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from activation_server.errors import QueueFull
from activation_server.worker import Ticket, Worker, once

pytestmark = pytest.mark.anyio


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(max_queue=2)
    yield worker
    worker.close()


class Gate:
    """Work that holds the worker until it is opened."""

    def __init__(self) -> None:
        self._entered = threading.Event()
        self._opened = threading.Event()

    def __call__(self) -> str:
        self._entered.set()
        assert self._opened.wait(timeout=60)
        return "through"

    async def entered(self) -> None:
        assert await asyncio.to_thread(self._entered.wait, 60)

    def open(self) -> None:
        self._opened.set()


async def collect(ticket: Ticket[Any]) -> list[Any]:
    return [piece async for piece in ticket.pieces()]


async def test_work_runs_and_its_errors_reach_who_asked(worker: Worker) -> None:
    def fail() -> str:
        raise ValueError("no")

    assert await collect(worker.submit(once(lambda: 3))) == [3]
    with pytest.raises(ValueError, match="no"):
        await collect(worker.submit(once(fail)))
    assert await collect(worker.submit(once(lambda: 4))) == [4]


async def test_a_full_queue_refuses_at_once_and_recovers(worker: Worker) -> None:
    gate = Gate()
    running = worker.submit(once(gate))
    await gate.entered()
    waiting = [worker.submit(once(lambda: 1)) for _ in range(2)]
    assert [ticket.ahead for ticket in (running, *waiting)] == [0, 1, 2]
    assert worker.load() == (True, 2)
    with pytest.raises(QueueFull) as refused:
        worker.submit(once(lambda: 1))
    assert refused.value.hint
    gate.open()
    assert [await collect(ticket) for ticket in waiting] == [[1], [1]]
    assert await collect(worker.submit(once(lambda: 2))) == [2]


async def test_what_an_idle_worker_takes_next_does_not_fill_the_queue(worker: Worker) -> None:
    with worker._changed:  # its thread cannot wake before all have come
        tickets = [worker.submit(once(lambda: 1)) for _ in range(3)]
        with pytest.raises(QueueFull):
            worker.submit(once(lambda: 1))
    assert [ticket.ahead for ticket in tickets] == [0, 1, 2]
    assert [await collect(ticket) for ticket in tickets] == [[1]] * 3


async def test_cancelled_work_never_runs(worker: Worker) -> None:
    gate, ran = Gate(), threading.Event()
    worker.submit(once(gate))
    await gate.entered()
    left = worker.submit(once(ran.set))
    left.cancel()
    assert worker.load() == (True, 0)
    gate.open()
    assert await collect(worker.submit(once(lambda: 1))) == [1]
    assert not ran.is_set()


async def test_long_work_lets_others_go_first_between_pieces(worker: Worker) -> None:
    order: list[str] = []
    gate = Gate()

    def pieces() -> Generator[str, None, None]:
        yield gate()
        for name in "bc":
            order.append(name)
            yield name

    long = worker.submit(pieces())
    await gate.entered()
    short = worker.submit(once(lambda: order.append("short")))
    gate.open()
    assert await collect(long) == ["through", "b", "c"]
    await collect(short)
    assert order == ["short", "b", "c"]


async def test_cancelled_long_work_stops_between_pieces(worker: Worker) -> None:
    n_steps = 0

    def endless() -> Generator[int, None, None]:
        nonlocal n_steps
        while True:
            n_steps += 1
            yield n_steps

    ticket = worker.submit(endless())
    assert await anext(ticket.pieces()) == 1
    ticket.cancel()
    await collect(worker.submit(once(lambda: None)))
    stopped_at = n_steps
    await asyncio.sleep(0.02)
    assert n_steps == stopped_at
