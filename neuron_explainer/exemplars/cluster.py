"""Collation on a Ray cluster: actors that each hold the model, run shards, and hand in their state.

1. Shards go to the actor with the least to do, at most two to each.
2. When a checkpoint is due, every actor hands in what it knows, and begins anew; the parts are merged.
3. What an actor has not handed in is remembered by its shards. If it dies, another is started and
   runs these again: nothing is lost or counted twice. One that dies time and again, because it cannot
   load the model or because of what it is given, ends the work with its reason.

States merge in any grouping, bit for bit, so the result is that of a single process with as many
threads as an actor has. Every machine must find the model under the same name or path.
"""

import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from neuron_explainer.exemplars.layout import Recipe
from neuron_explainer.exemplars.shards import Shard
from neuron_explainer.exemplars.state import State

IN_FLIGHT = 2
"""Shards that an actor has at once: one it runs, one that waits."""


MAX_DEATHS = 5
"""Of one actor and its successors between two hand-ins; a machine that is lost costs one or two."""


class ClusterUnavailable(LookupError):
    """There is no Ray, or no cluster at the address."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Equipment:
    """What an actor needs to do its work."""

    model: str
    """A name or path that every machine knows."""
    recipe: Recipe
    dtype: torch.dtype = torch.float32
    device: str = "cpu"
    threads: int = 1
    float32_precision: str = "highest"
    """As `torch.get_float32_matmul_precision` says of the process whose result is to be equalled."""
    coders: tuple[str, ...] = ()
    """As `load_coder_set` takes them."""


class ShardRunner:
    """What an actor is: a model, and what it found since it last handed in its state."""

    def __init__(self, equipment: Equipment) -> None:
        from neuron_explainer.autoencoders.coder_set import load_coder_set
        from neuron_explainer.exemplars.observing import Observer
        from neuron_explainer.models.weights import load_model

        torch.set_num_threads(equipment.threads)
        torch.set_float32_matmul_precision(equipment.float32_precision)
        device = torch.device(equipment.device)
        model = load_model(equipment.model, device=device, dtype=equipment.dtype)
        coder_sets = [load_coder_set(spec, model.config) for spec in equipment.coders]
        self._recipe = equipment.recipe
        self._observer = Observer(model, coder_sets)
        self._state = self._empty()

    def run(self, shard: Shard) -> int:
        """Run a shard; gives its tokens."""
        for batch in shard.batches(self._observer.model.device):
            self._observer.run(batch, self._state.receive)
        return shard.n_tokens

    def hand_in(self) -> dict[str, Any]:
        """What was found since the last time, as arrays."""
        found = {name: value.cpu().numpy() for name, value in self._state.tensors().items()}
        self._state = self._empty()
        return found

    def process_id(self) -> int:
        return os.getpid()

    def _empty(self) -> State:
        return State.empty(self._observer.groups, self._recipe, self._observer.model.device)


@dataclass
class _Member:
    """One actor, and the shards it has not handed in."""

    actor: Any  # Ray's handles have no static type
    owed: list[Shard] = field(default_factory=list)
    running: list[Any] = field(default_factory=list)
    deaths: int = 0
    """Of its actors since the last hand-in."""


class RayPool:
    """A `Pool` on a Ray cluster. Close it when done."""

    def __init__(
        self, equipment: Equipment, *, address: str = "auto", n_workers: int | None = None
    ) -> None:
        """Connect and start the actors.

        Args:
            address: of the cluster; auto is the one this machine belongs to, else a new one on it;
                local is always a new one.
            n_workers: actors; by default as many as the cluster's processors allow.

        Raises ClusterUnavailable.
        """
        self._ray = connected(address)
        errors = self._ray.exceptions
        # What a machine had found is lost with it, even if the worker had said it was done.
        self._lost = (errors.RayActorError, errors.ObjectLostError)
        self._equipment = equipment
        free = self._ray.cluster_resources()
        needed = "GPU" if equipment.device.startswith("cuda") else "CPU"
        per_worker = 1 if needed == "GPU" else equipment.threads
        n = n_workers or max(1, int(free.get(needed, 1)) // per_worker)
        self._members = [_Member(self._start()) for _ in range(n)]
        self._merged = State({})
        self.n_tokens = 0

    def begin(self, state: State) -> None:
        self._merged = state

    def submit(self, shard: Shard) -> None:
        while all(len(member.running) >= IN_FLIGHT for member in self._members):
            self._await_one()
        member = min(self._members, key=lambda one: len(one.running))
        self._give(member, shard)

    def state(self) -> State:
        """Everything handed in and merged; waits for all that runs."""
        for member in self._members:
            while member.owed:
                self._hand_in(member)
        return self._merged

    def process_ids(self) -> list[int]:
        """Of the actors: for those who watch over them."""
        return [int(self._ray.get(member.actor.process_id.remote())) for member in self._members]

    def close(self) -> None:
        """End the actors, and the cluster if it was started here."""
        for member in self._members:
            self._ray.kill(member.actor)
        self._ray.shutdown()

    def _start(self) -> Any:
        is_cuda = self._equipment.device.startswith("cuda")
        remote = self._ray.remote(ShardRunner).options(
            num_cpus=self._equipment.threads, num_gpus=1 if is_cuda else 0
        )
        return remote.remote(self._equipment)

    def _give(self, member: _Member, shard: Shard) -> None:
        member.owed.append(shard)
        member.running.append(member.actor.run.remote(shard))

    def _await_one(self) -> None:
        """Wait for one shard anywhere; an actor that died is replaced."""
        running = [ref for member in self._members for ref in member.running]
        (ready,), _ = self._ray.wait(running, num_returns=1)
        member = next(one for one in self._members if ready in one.running)
        self._finish(member, ready)

    def _finish(self, member: _Member, ref: Any) -> None:
        try:
            self.n_tokens += int(self._ray.get(ref))
            member.running.remove(ref)
        except self._lost as problem:
            self._replace(member, problem)

    def _hand_in(self, member: _Member) -> None:
        """Take an actor's state once all its shards are run; if it dies meanwhile, they are run again."""
        while member.running:
            self._finish(member, member.running[0])
        try:
            arrays: Mapping[str, Any] = self._ray.get(member.actor.hand_in.remote())
        except self._lost as problem:
            self._replace(member, problem)
            return
        device = next(iter(self._merged.groups.values())).tally.keys.device
        tensors = {name: torch.tensor(array) for name, array in arrays.items()}
        self._merged.merge(State.of_tensors(tensors, device))
        member.owed.clear()
        member.deaths = 0

    def _replace(self, member: _Member, problem: Exception) -> None:
        """Start another actor and have it run what this one owed. Raises ClusterUnavailable when it keeps dying."""
        member.deaths += 1
        if member.deaths > MAX_DEATHS:
            reason = (str(problem).strip() or type(problem).__name__).splitlines()[-1].strip()
            raise ClusterUnavailable(
                f"A worker died {member.deaths} times and never handed in what it found: {reason}",
                "Every machine must find the model and the coders under the same names or paths, and have the "
                "memory for them. The same command goes on from the last step.",
            ) from problem
        # One that only cannot be reached would keep the processor that its successor waits for.
        self._ray.kill(member.actor)
        owed = list(member.owed)
        done = len(owed) - len(member.running)
        self.n_tokens -= sum(shard.n_tokens for shard in owed[:done])
        member.actor, member.owed, member.running = self._start(), [], []
        for shard in owed:
            self._give(member, shard)


def connected(address: str) -> Any:
    """Ray, connected to a cluster; for other work than collation too. Raises ClusterUnavailable."""
    # Ray warns that it will one day leave CUDA_VISIBLE_DEVICES alone; that is what we want.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as problem:
        raise ClusterUnavailable(
            "Ray is not installed.",
            "Install it with `pip install 'transformer-debugger[cluster]'`.",
        ) from problem
    if address == "auto":
        with contextlib.suppress(ConnectionError):
            ray.init(address="auto", log_to_driver=False, configure_logging=False)
            return ray
    if address in ("auto", "local"):
        try:
            ray.init(
                address="local",
                runtime_env=_environment(),
                include_dashboard=False,
                log_to_driver=False,
                configure_logging=False,
            )
        except Exception as problem:  # a plain Exception is what Ray raises when it does not start
            ray.shutdown()
            raise ClusterUnavailable(
                f"Ray could not be started on this machine: {problem}.",
                "Try again when it has less to do, or leave --ray out.",
            ) from problem
        return ray
    try:
        _check_answers(address)  # where nobody answers, Ray ends the process
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError) as problem:
        raise ClusterUnavailable(
            f"There is no Ray cluster at {address}: {problem}.",
            "Start one with `ray start --head`, or use --ray auto for this machine alone.",
        ) from problem
    return ray


def _check_answers(address: str) -> None:
    """Raise ConnectionError where nobody listens at host:port."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError("an address is HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as problem:
        raise ConnectionError(str(problem)) from problem


def _environment() -> dict[str, Any]:
    """Of a local cluster's processes: the code that runs here."""
    root = str(Path(__file__).resolve().parents[2])
    return {"env_vars": {"PYTHONPATH": os.pathsep.join((root, os.environ.get("PYTHONPATH", "")))}}


def specs_of(coders: Sequence[str]) -> tuple[str, ...]:
    """Coder specs with their paths made absolute, for actors that run elsewhere."""
    found = []
    for spec in coders:
        name, is_named, where = spec.partition("=")
        path = Path(where if is_named else name)
        whole = str(path.resolve()) if path.exists() else str(path)
        found.append(f"{name}={whole}" if is_named else whole)
    return tuple(found)
