"""The batches of a training run: rows of text from as many processes as there are cores, and rows of repeated tokens.

Chunk `i` of the text is drawn from the seed (seed, i), whoever draws it, and chunks are read in order; a
step's repeated tokens are drawn from (seed, step). So a run's data follow from its seed.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from random import Random

import numpy as np
import numpy.typing as npt

from scripts.demo.mixture import Rows

ROWS_IN_CHUNK = 256
CHUNKS_AHEAD = 3
"""How many chunks each process may be ahead of the training."""

Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""Token ids and weights, both `[row position]`."""

TEXT, ANSWER, COPY = range(3)
"""The kinds of token whose losses are told apart."""


@dataclass(frozen=True)
class Batch:
    """One step's rows, `[row position]`, and the places in them that count, flat."""

    inputs: npt.NDArray[np.int64]
    chosen: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.int64]


def text_chunk(rows: Rows, seed: int, number: int, length: int) -> Block:
    r = Random(f"{seed}/{number}")
    ids, weights = zip(*(rows.text(r, length) for _ in range(ROWS_IN_CHUNK)), strict=True)
    return np.array(ids, dtype=np.int64), np.array(weights, dtype=np.float32)


_worker_rows: list[Rows] = []


def _start_worker(rows: Rows) -> None:
    _worker_rows[:] = [rows]


def _work(seed: int, number: int, length: int) -> Block:
    return text_chunk(_worker_rows[0], seed, number, length)


@contextmanager
def text_chunks(
    rows: Rows, seed: int, length: int, n_workers: int, first: int = 0
) -> Iterator[Iterator[Block]]:
    """The chunks from number `first` on, without end; drawn here, or ahead by other processes."""
    if not n_workers:
        yield (text_chunk(rows, seed, number, length) for number in count(first))
        return
    # Forked, and before a GPU is touched: a worker needs the word lists and the tokenizer only.
    with ProcessPoolExecutor(n_workers, get_context("fork"), _start_worker, (rows,)) as pool:
        ahead: deque[Future[Block]] = deque(
            pool.submit(_work, seed, first + i, length) for i in range(n_workers * CHUNKS_AHEAD)
        )

        def chunks() -> Iterator[Block]:
            for number in count(first + len(ahead)):
                block = ahead.popleft().result()
                ahead.append(pool.submit(_work, seed, number, length))
                yield block

        try:
            yield chunks()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class Batches:
    """Draws one batch after another: some rows of the text, some of repeated tokens."""

    def __init__(
        self,
        chunks: Iterator[Block],
        rows: Rows,
        seed: int,
        n_rows: int,
        length: int,
        n_predicted: int,
    ):
        self.chunks, self.rows, self.seed = chunks, rows, seed
        self.n_rows, self.length, self.n_predicted = n_rows, length, n_predicted
        self.waiting: Block = (
            np.empty((0, length + 1), np.int64),
            np.empty((0, length + 1), np.float32),
        )
        self.n_text_rows = 0
        """Rows of text that were used up: what a restart goes on from."""

    def _text(self, n: int) -> Block:
        while len(self.waiting[0]) < n:
            block = next(self.chunks)
            self.waiting = tuple(map(np.concatenate, zip(self.waiting, block, strict=True)))  # type: ignore[assignment]
        taken = self.waiting[0][:n], self.waiting[1][:n]
        self.waiting = self.waiting[0][n:], self.waiting[1][n:]
        self.n_text_rows += n
        return taken

    def draw(self, step: int, repeats: float, alike: bool) -> Batch:
        """The batch of a step; `repeats` is the share of repeated rows, `alike` counts answers once."""
        n_repeated = round(repeats * self.n_rows)
        ids, weights = self._text(self.n_rows - n_repeated)
        if n_repeated:
            r = Random(f"repeats/{self.seed}/{step}")
            again = zip(
                *(self.rows.repeated(r, self.length) for _ in range(n_repeated)), strict=True
            )
            ids, weights = (
                np.concatenate([one, np.array(other, dtype=one.dtype)])
                for one, other in zip((ids, weights), again, strict=True)
            )
        return self._choose(step, ids, weights[:, 1:].reshape(-1), n_repeated, alike)

    def _choose(
        self, step: int, ids: npt.NDArray[np.int64], weights: npt.NDArray[np.float32],
        n_repeated: int, alike: bool,
    ) -> Batch:  # fmt: skip
        """Choose the places that count: answers, then others at random, last what cannot be known."""
        kinds = np.where(weights > 1, ANSWER, TEXT)
        kinds[len(kinds) - n_repeated * self.length :] = COPY
        order = np.random.default_rng((self.seed, step)).random(len(weights), dtype=np.float32)
        order += (weights > 1).astype(np.float32) - 2 * (weights == 0)
        chosen = np.sort(np.argpartition(-order, self.n_predicted - 1)[: self.n_predicted])
        return Batch(
            inputs=ids[:, :-1],
            chosen=chosen,
            targets=ids[:, 1:].reshape(-1)[chosen],
            weights=weights[chosen].clip(max=1.0) if alike else weights[chosen],
            kinds=kinds[chosen],
        )
