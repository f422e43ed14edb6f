"""Workers that die, on a stand-in for Ray that runs actors in this process and kills them on demand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from neuron_explainer.exemplars import cluster
from neuron_explainer.exemplars.cluster import (
    MAX_DEATHS,
    ClusterUnavailable,
    Equipment,
    RayPool,
    ShardRunner,
)
from neuron_explainer.exemplars.layout import Group, Recipe
from neuron_explainer.exemplars.shards import Shard
from neuron_explainer.exemplars.state import State

LOST = "the machine went down before what it found had arrived"
UNREACHABLE = "the network is down"
"""Ray raises the same of a worker that lives on and keeps its processor."""


class ActorError(Exception):
    """What Ray raises for a worker that died."""


class LostError(Exception):
    """What Ray raises where the worker had done its work, and its answer is gone."""


@dataclass(eq=False)
class Ref:
    """What a call gives at once; it is made when it is asked for."""

    work: Callable[[Any], Any]
    given: Shard | None


@dataclass
class FakeActor:
    """Counts the tokens it was given, until it dies."""

    dies_at: Callable[[Shard | None], str | None]
    """Why it dies of a shard, or when it hands in (None); None where it does not."""
    n_tokens: int = 0
    is_killed: bool = False

    @property
    def run(self) -> Any:
        return SimpleNamespace(remote=lambda shard: Ref(self._run, shard))

    @property
    def hand_in(self) -> Any:
        return SimpleNamespace(remote=lambda: Ref(self._hand_in, None))

    def _run(self, shard: Shard) -> int:
        self._live(shard)
        self.n_tokens += shard.n_tokens
        return shard.n_tokens

    def _hand_in(self, _: None) -> dict[str, Any]:
        self._live(None)
        found, self.n_tokens = {"n": torch.tensor([self.n_tokens]).numpy()}, 0
        return found

    def _live(self, shard: Shard | None) -> None:
        why = "it was killed" if self.is_killed else self.dies_at(shard)
        if why is not None:
            if why == LOST:
                self.n_tokens = 0  # handed in, to nobody
                raise LostError(why)
            self.is_killed = self.is_killed or why != UNREACHABLE
            raise ActorError(f"The actor died.\nTraceback\n{why}")


@dataclass
class FakeRay:
    """As much of Ray as a pool uses."""

    dies_at: Callable[[Shard | None], str | None]
    actors: list[FakeActor] = field(default_factory=list)
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(RayActorError=ActorError, ObjectLostError=LostError)
    )

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2}

    def remote(self, kind: type[ShardRunner]) -> Any:
        assert kind is ShardRunner

        def start(_: Equipment) -> FakeActor:
            alive = [actor for actor in self.actors if not actor.is_killed]
            assert len(alive) < 2, "there are two processors, and both are taken"
            self.actors.append(FakeActor(self.dies_at))
            return self.actors[-1]

        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=start))

    def wait(self, running: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return running[:num_returns], running[num_returns:]

    def get(self, ref: Ref) -> Any:
        return ref.work(ref.given)

    def kill(self, actor: FakeActor) -> None:
        actor.is_killed = True

    def shutdown(self) -> None:
        pass


@dataclass
class Sum:
    """Stands for a state: a sum."""

    total: int = 0

    def merge(self, other: "Sum") -> None:
        self.total += other.total


@pytest.fixture
def pool_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[RayPool, FakeRay]]:
    def of_tensors(tensors: dict[str, torch.Tensor], _: torch.device) -> Sum:
        return Sum(int(tensors["n"]))

    def pool(dies_at: Callable[[Shard | None], str | None]) -> tuple[RayPool, FakeRay]:
        ray = FakeRay(dies_at)
        monkeypatch.setattr(cluster, "connected", lambda _: ray)
        monkeypatch.setattr(State, "of_tensors", of_tensors)
        made = RayPool(Equipment("tiny", Recipe()), n_workers=2)
        state = State.empty([Group("mlp", 0, 1)], Recipe(), torch.device("cpu"))
        summed = Sum()
        monkeypatch.setattr(State, "merge", lambda _, other: summed.merge(other))
        made.begin(state)
        made.total = lambda: summed.total  # type: ignore[attr-defined]  # what was handed in
        return made, ray

    return pool


def shard(index: int) -> Shard:
    tokens = torch.ones(1, 10 + index, dtype=torch.long)
    return Shard(index, index, tokens, torch.tensor([10 + index]), ("text",))


EVERY = sum(10 + index for index in range(8))


@pytest.mark.parametrize("at", [0, 3, 7, None])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("why", ["the machine was lost", LOST, UNREACHABLE])
def test_what_a_dead_worker_owed_is_counted_once(
    pool_of: Any, at: int | None, times: int, why: str
) -> None:
    left = [times]

    def dies_at(given: Shard | None) -> str | None:
        if left[0] == 0 or (None if given is None else given.index) != at:
            return None
        left[0] -= 1
        return why

    pool, ray = pool_of(dies_at)
    for index in range(8):
        pool.submit(shard(index))
    pool.state()
    assert (pool.total(), pool.n_tokens) == (EVERY, EVERY)
    assert len(ray.actors) == 2 + times
    pool.state()
    assert pool.total() == EVERY


@pytest.mark.parametrize("cause", ["of its start", "of one shard", "handing in"])
def test_a_worker_that_keeps_dying_ends_the_work_with_its_reason(pool_of: Any, cause: str) -> None:
    def dies_at(given: Shard | None) -> str | None:
        is_it = {
            "of its start": True,
            "of one shard": given is not None and given.index == 5,
            "handing in": given is None,
        }
        return "LookupError: There is no model 'tiny'." if is_it[cause] else None

    pool, ray = pool_of(dies_at)
    with pytest.raises(ClusterUnavailable, match="There is no model 'tiny'") as problem:
        for index in range(8):
            pool.submit(shard(index))
        pool.state()
    assert "same names or paths" in problem.value.hint
    assert len(ray.actors) <= 2 + 2 * MAX_DEATHS
