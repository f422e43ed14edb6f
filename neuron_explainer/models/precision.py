"""Faster float32 matrix products, taken only where they are faster and still float32.

On many x86 CPUs (AMD's, above all) torch's default float32 product runs at half of what the core can do; precision
"medium" lets it choose oneDNN's kernels, which there are as exact and twice as fast. On CPUs with AMX, "medium" may
round to bfloat16 instead; on other Intel CPUs it is exact, but no faster. So the choice is tested, not assumed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor

_WORST_ERROR = 3e-6
"""Largest accepted error of a product, relative to its largest entry; float32 gives about 5e-7,
bfloat16 3e-3."""
_GAIN = 1.25
"""How much faster it has to be: far from both 1 and 2, so that a busy machine chooses as an idle one does, and a run
that goes on after a kill computes as before."""
_REPEATS = 5

FEW_ROWS = 64
"""SmolLM2 forward and backward over 53 tokens, on two cores, took 1.6 times as long with the fast products."""


def use_fast_float32() -> bool:
    """Switch this process to the other float32 product if it is exact and faster. Returns whether it is."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(256, 768, generator=generator)
    b = torch.randn(768, 512, generator=generator)
    exact = a.double() @ b.double()
    before = torch.get_float32_matmul_precision()
    default = _seconds(a, b)
    torch.set_float32_matmul_precision("medium")
    error = ((a @ b).double() - exact).abs().max() / exact.abs().max()
    if error < _WORST_ERROR and default > _GAIN * _seconds(a, b):
        return True
    torch.set_float32_matmul_precision(before)
    return False


def _seconds(a: Float[Tensor, "n k"], b: Float[Tensor, "k m"]) -> float:
    """Processor time of this thread for a product: the least of several."""
    found = []
    for _ in range(_REPEATS):
        start = time.thread_time()
        torch.mm(a, b)
        found.append(time.thread_time() - start)
    return min(found)


@contextmanager
def products_for(n_rows: int) -> Iterator[None]:
    """Default float32 products meanwhile where activations have few rows: oneDNN rearranges the weights anew
    in each call, which costs more than it gains."""
    before = torch.get_float32_matmul_precision()
    if before == "highest" or n_rows > FEW_ROWS:
        yield
        return
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
