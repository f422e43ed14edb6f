"""Hashes that make choices repeatable: which windows are sampled, and which have the same text.

A window is sampled by the hash of (seed, its number in the corpus): the n smallest win. That is a
uniform sample without replacement, the same however the corpus is divided.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

_CHUNK = 1 << 20
_PRIME = -7046029254386353131  # odd and large: 2^64 divided by the golden ratio


def sampled_windows(n_windows: int, n: int, seed: int) -> list[int]:
    """Numbers of up to n windows in the order of their hash; any first few are a sample too."""
    best = np.empty((0, 2), np.uint64)
    for first in range(0, n_windows, _CHUNK):
        numbers = np.arange(first, min(first + _CHUNK, n_windows), dtype=np.uint64)
        both = np.stack((_mixed(numbers, seed), numbers), axis=1)
        best = np.concatenate((best, both))
        best = best[np.lexsort((best[:, 1], best[:, 0]))][:n]
    return [int(number) for number in best[:, 1]]


def prefix_hashes(tokens: Int[Tensor, "window token"]) -> Int[Tensor, "window token"]:
    """A number for each window's text up to each token: equal texts have equal ones, others hardly ever."""
    powers = torch.tensor(_powers(tokens.shape[1]))
    return ((tokens + 1) * powers).cumsum(1)  # modulo 2^64


def text_hashes(
    tokens: Int[Tensor, "window token"], lengths: Int[Tensor, " window"]
) -> Int[Tensor, " window"]:
    """A number for each window's whole text."""
    return prefix_hashes(tokens).gather(1, lengths[:, None] - 1)[:, 0]


def without_repeated(windows: list[int], text_of: Callable[[int], int], n: int) -> list[int]:
    """The first n windows whose texts differ."""
    seen: dict[int, int] = {}
    for window in windows:
        seen.setdefault(text_of(window), window)
        if len(seen) == n:
            break
    return list(seen.values())


def _powers(n: int) -> list[int]:
    powers, power = [], 1
    for _ in range(n):
        power = (power * _PRIME + 2**63) % 2**64 - 2**63
        powers.append(power)
    return powers


def _mixed(numbers: np.ndarray, seed: int) -> np.ndarray:
    """SplitMix64 (Steele et al. 2014), wrapping around."""
    with np.errstate(over="ignore"):
        z = numbers + np.uint64(seed % 2**32) * np.uint64(0xD1342543DE82EF95)
        z = z * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: np.ndarray = z ^ (z >> np.uint64(31))
    return mixed
