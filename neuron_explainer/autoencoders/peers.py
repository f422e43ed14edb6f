"""The processes that train together, each on its share of every batch (data parallel).

Started by `torchrun`, which tells each process its rank; without it a process is alone. After each step's backward
the gradients are averaged and the active latents joined, so all processes hold the same weights: those that one
process would reach with the whole batch.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from jaxtyping import Bool
from torch import Tensor


@dataclass(frozen=True)
class Peers:
    """This process among those that train together."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """The first process writes files and reports."""
        return self.rank == 0

    def combine(self, grads: list[Tensor], active: Bool[Tensor, " latent"]) -> Tensor:
        """Average gradients over the processes, in place, and join their active latents: in one exchange."""
        if self.size == 1:
            return active
        flat = torch.cat([*(grad.flatten() for grad in grads), active.to(grads[0].dtype)])
        dist.all_reduce(flat)
        parts = torch.split(flat, [*(grad.numel() for grad in grads), active.numel()])
        for grad, part in zip(grads, parts, strict=False):
            grad.copy_(part.view_as(grad) / self.size)
        return parts[len(grads)] > 0

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Give every process the first one's tensors, in place."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor.detach(), src=0)

    def least(self, number: int) -> int:
        """The smallest of the processes' numbers."""
        if self.size == 1:
            return number
        held = torch.tensor(number, device="cuda" if dist.get_backend() == "nccl" else "cpu")
        dist.all_reduce(held, dist.ReduceOp.MIN)
        return int(held)

    def wait(self) -> None:
        if self.size > 1:
            dist.barrier()


ALONE = Peers()


@contextmanager
def joined_peers(device: torch.device) -> Iterator[Peers]:
    """The processes that `torchrun` started, connected for as long as this lasts; or this one, alone."""
    if "WORLD_SIZE" not in os.environ or dist.is_initialized():
        yield ALONE
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Peers(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
