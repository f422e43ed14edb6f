"""Which latents are active, when that is a fixed number: the k largest of each token, or of a batch.

    per token   active = { (t, j) : pre[t, j] among the k largest of token t, and > 0 }
    of a batch  active = { (t, j) : pre[t, j] among the K largest of all, and > 0 }

On a CPU, torch.topk takes longer than the encoder's matrix product. Here a lower bound of the k-th largest comes
first, from a part of the numbers; the few that pass it are then compared exactly:

    per token   the k-th largest of the maxima of disjoint groups of latents: at least k numbers reach it
    of a batch  a quantile of a sample, lowered until at least K numbers reach it

Numbers that tie with the k-th largest are all kept.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

_SAMPLED = 97
"""One number in this many is sampled for a batch's bound; a prime, so as to fall on all latents alike."""


@dataclass(frozen=True)
class Selection:
    """Active latents of a batch of tokens, sorted by token."""

    token: Int[Tensor, " active"]
    latent: Int[Tensor, " active"]
    n_tokens: int
    n_latents: int

    @cached_property
    def token_starts(self) -> Int[Tensor, " token"]:
        """Where each token's active latents begin."""
        return _starts(self.token, self.n_tokens)

    @cached_property
    def by_latent(self) -> Int[Tensor, " active"]:
        """The order that sorts by latent."""
        # Short integers are sorted by counting, four times as fast.
        small = torch.int16 if self.n_latents < 2**15 else torch.int32
        return self.latent.to(small).sort(stable=True).indices

    @cached_property
    def latent_starts(self) -> Int[Tensor, " latent"]:
        """Where each latent's tokens begin, in the order `by_latent`."""
        return _starts(self.latent, self.n_latents)

    def values(self, dense: Float[Tensor, "token latent"]) -> Float[Tensor, " active"]:
        return dense.flatten()[self.token * self.n_latents + self.latent]


def _starts(index: Int[Tensor, " active"], n: int) -> Int[Tensor, " n"]:
    counts = torch.bincount(index, minlength=n)
    return counts.cumsum(0) - counts


def largest_per_token(pre: Float[Tensor, "token latent"], k: int) -> Selection:
    """The k largest positive numbers of each row."""
    n_tokens, n_latents = pre.shape
    k = min(k, n_latents)
    if pre.device.type != "cpu":
        kth = pre.topk(k, dim=1, sorted=False).values.amin(dim=1, keepdim=True)
        return _selected((pre >= kth) & (pre > 0))
    width = max(1, n_latents // (3 * k))
    n_groups = n_latents // width
    # token (group_member group) -> token group: neighbouring latents fall in different groups.
    maxima = pre[:, : width * n_groups].reshape(n_tokens, width, n_groups).amax(dim=1).numpy()
    bound = np.partition(maxima, n_groups - k, axis=1)[:, n_groups - k]
    numbers = pre.numpy()
    flat = np.flatnonzero(numbers >= np.maximum(bound, 0.0)[:, None])
    row, found = flat // n_latents, numbers.reshape(-1)[flat]
    keep = (found >= _kth_largest(row, found, n_tokens, k)[row]) & (found > 0)
    return _from_flat(flat[keep], n_tokens, n_latents)


def _kth_largest(
    row: Int[np.ndarray, " n"], found: Float[np.ndarray, " n"], n_rows: int, k: int
) -> Float[np.ndarray, " row"]:
    """The k-th largest of each row's numbers, which come sorted by row; -inf where there are fewer."""
    starts = np.searchsorted(row, np.arange(n_rows + 1))
    most = max(k, int((starts[1:] - starts[:-1]).max(initial=0)))
    padded = np.full((n_rows, most), -np.inf, found.dtype)
    padded[row, np.arange(len(row)) - starts[row]] = found
    return np.partition(padded, most - k, axis=1)[:, most - k]


def largest_of_batch(pre: Float[Tensor, "token latent"], n_kept: int) -> Selection:
    """The `n_kept` largest positive numbers of a batch."""
    n_kept = min(n_kept, pre.numel())
    if pre.device.type != "cpu":
        return _selected((pre >= pre.flatten().topk(n_kept).values[-1]) & (pre > 0))
    numbers = pre.numpy().reshape(-1)
    sample = np.sort(numbers[::_SAMPLED])
    share = n_kept / len(numbers)
    flat = np.empty(0, np.int64)
    while len(flat) < n_kept:
        share *= 1.25
        bound = sample[int((1 - share) * len(sample))] if share < 1 else -np.inf
        flat = np.flatnonzero(numbers >= bound)
    found = numbers[flat]
    kth = np.partition(found, len(found) - n_kept)[len(found) - n_kept]
    return _from_flat(flat[(found >= kth) & (found > 0)], *pre.shape)


def _from_flat(flat: Int[np.ndarray, " active"], n_tokens: int, n_latents: int) -> Selection:
    index = torch.from_numpy(flat)
    token = index // n_latents
    return Selection(token, index - token * n_latents, n_tokens, n_latents)


def _selected(mask: Tensor) -> Selection:
    token, latent = mask.nonzero(as_tuple=True)
    return Selection(token, latent, *mask.shape)
