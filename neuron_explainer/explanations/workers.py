"""Many local models as one provider: actors on a Ray cluster, each of which holds the model and answers in turn.

1. A call goes to an actor that is free; with none it waits.
2. An actor that died is started again, and its call is `Overloaded`: `careful.py` tries it once more, so it is neither
   lost nor charged twice.

Equal questions have equal answers whoever is asked, and the name is that of a `LocalProvider`: what one process was
told before, a cluster does not ask again. Every machine must find the model under the same name or path.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from neuron_explainer.exemplars.cluster import connected
from neuron_explainer.explanations.local_provider import LocalProvider
from neuron_explainer.explanations.providers import (
    Overloaded,
    PromptToken,
    ProviderError,
    Question,
    Reply,
    Usage,
)
from neuron_explainer.models.weights import load_model


@dataclass(frozen=True)
class WorkerModel:
    """What each actor loads."""

    model: str
    """A name or path that every machine knows."""
    name: str
    """As its configuration has it."""
    dtype: torch.dtype = torch.float32
    device: str = "cpu"
    threads: int = 1
    float32_precision: str = "highest"
    """As `torch.get_float32_matmul_precision` says of the process whose replies are to be equalled."""


class ModelWorker:
    """What an actor is: a model that answers."""

    def __init__(self, equipment: WorkerModel) -> None:
        torch.set_num_threads(equipment.threads)
        torch.set_float32_matmul_precision(equipment.float32_precision)
        device = torch.device(equipment.device)
        self._local = LocalProvider(
            load_model(equipment.model, device=device, dtype=equipment.dtype)
        )

    def complete(self, question: Question) -> Reply:
        """Write a reply."""
        return asyncio.run(self._local.complete(question))

    def prompt_tokens(
        self, prompt: str, candidates: Sequence[str]
    ) -> tuple[list[PromptToken], Usage]:
        """The prompt's tokens, and what was expected at each."""
        return asyncio.run(self._local.prompt_tokens(prompt, candidates))

    def process_id(self) -> int:
        return os.getpid()


class RayProvider:
    """Asks whichever actor is free. Close it when done."""

    has_prompt_logprobs = True

    def __init__(
        self, equipment: WorkerModel, *, address: str = "auto", n_workers: int | None = None
    ) -> None:
        """Connect and start the actors: by default as many as the cluster's processors allow.

        Raises ClusterUnavailable.
        """
        self._ray = connected(address)
        self._equipment = equipment
        self.name = f"local|{equipment.name}"
        found = self._ray.cluster_resources()
        is_cuda = equipment.device.startswith("cuda")
        free = (
            int(found.get("GPU", 1)) if is_cuda else int(found.get("CPU", 1)) // equipment.threads
        )
        self.workers = [self._start() for _ in range(n_workers or max(1, free))]
        self._idle: asyncio.Queue[int] | None = None  # made where the loop runs

    async def complete(self, question: Question) -> Reply:
        """Write a reply."""
        reply: Reply = await self._ask("complete", question)
        return reply

    async def prompt_tokens(
        self, prompt: str, candidates: Sequence[str]
    ) -> tuple[list[PromptToken], Usage]:
        """The prompt's tokens, and what was expected at each."""
        found: tuple[list[PromptToken], Usage] = await self._ask(
            "prompt_tokens", prompt, candidates
        )
        return found

    def process_ids(self) -> list[int]:
        """Of the actors: for those who watch over them."""
        return [int(self._ray.get(worker.process_id.remote())) for worker in self.workers]

    async def close(self) -> None:
        """End the actors, and the cluster if it was started here."""
        for worker in self.workers:
            self._ray.kill(worker)
        self._ray.shutdown()

    # An actor's method is known by its name only.
    async def _ask(self, method: str, *arguments: Any) -> Any:
        if self._idle is None:
            self._idle = asyncio.Queue()
            for number in range(len(self.workers)):
                self._idle.put_nowait(number)
        number = await self._idle.get()
        try:
            return await getattr(self.workers[number], method).remote(*arguments)
        except self._ray.exceptions.RayActorError as problem:
            self.workers[number] = self._start()
            raise Overloaded("a worker died and was started again", 0.0) from problem
        except self._ray.exceptions.RayTaskError as problem:
            if isinstance(problem.cause, ProviderError):
                raise ProviderError(str(problem.cause)) from problem
            raise
        finally:
            self._idle.put_nowait(number)

    # Ray's handles have no static type.
    def _start(self) -> Any:
        equipment = self._equipment
        remote = self._ray.remote(ModelWorker).options(
            num_cpus=equipment.threads, num_gpus=1 if equipment.device.startswith("cuda") else 0
        )
        return remote.remote(equipment)
