"""A corpus as shards: runs of windows that are worked on, checkpointed and handed out as one.

A shard's windows are run in batches of similar length, longest first, so that little is padded. What
a shard gives depends on nothing but its own windows: not on who runs it, nor on what ran before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from jaxtyping import Int
from torch import Tensor

from neuron_explainer.exemplars.observing import Batch
from neuron_explainer.exemplars.sampling import prefix_hashes
from neuron_explainer.models.windows import TokenWindow

BATCH_WINDOWS = 64


@dataclass(frozen=True)
class Shard:
    """Consecutive windows of a corpus."""

    index: int
    first_window: int
    tokens: Int[Tensor, "window token"]
    lengths: Int[Tensor, " window"]
    sources: tuple[str, ...]

    @property
    def n_tokens(self) -> int:
        return int(self.lengths.sum())

    def batches(self, device: torch.device) -> Iterator[Batch]:
        """Its windows, longest first, in batches."""
        prefixes = prefix_hashes(self.tokens)
        order = self.lengths.argsort(descending=True, stable=True)
        for rows in torch.split(order, BATCH_WINDOWS):
            lengths = self.lengths[rows]
            yield Batch(
                tokens=self.tokens[rows, : int(lengths[0])].to(device),
                lengths=lengths.to(device),
                windows=(self.first_window + rows).to(device),
                prefixes=prefixes[rows, : int(lengths[0])].to(device),
            )


def shards_of(
    windows: Iterable[TokenWindow],
    size: int,
    *,
    skip_windows: int = 0,
    max_tokens: int | None = None,
) -> Iterator[Shard]:
    """Cut a stream of windows into shards.

    Args:
        size: windows in a shard.
        skip_windows: windows at the start that were done before; a whole number of shards.
        max_tokens: end after the first shard that reaches so many tokens, skipped ones included.
    """
    stream = iter(windows)
    n_tokens, first = 0, 0
    while some := list(islice(stream, size)):
        if max_tokens is not None and n_tokens >= max_tokens:
            return
        lengths = torch.tensor([window.n_valid for window in some])
        n_tokens += int(lengths.sum())
        if first >= skip_windows:
            yield Shard(
                index=first // size,
                first_window=first,
                tokens=torch.stack([window.tokens for window in some]),
                lengths=lengths,
                sources=tuple(window.source for window in some),
            )
        first += len(some)
