"""Faster float32 matrix products, taken only where they are still float32.

On many x86 CPUs torch's default float32 product runs at half of what the core can do; precision
"medium" lets it choose oneDNN's kernels, which there are as exact and twice as fast. On CPUs with
AMX, "medium" may round to bfloat16 instead. So the choice is tested, not assumed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_WORST_ERROR = 3e-6
"""Largest accepted error of a product, relative to its largest entry; float32 gives about 5e-7,
bfloat16 3e-3."""


def use_fast_float32() -> bool:
    """Switch this process to the fast float32 product if it is exact. Returns whether it is."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(256, 768, generator=generator)
    b = torch.randn(768, 512, generator=generator)
    exact = a.double() @ b.double()
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    error = ((a @ b).double() - exact).abs().max() / exact.abs().max()
    if error < _WORST_ERROR:
        return True
    torch.set_float32_matmul_precision(before)
    return False


@contextmanager
def single_row_products() -> Iterator[None]:
    """Default float32 products meanwhile: for one row of activations they are two to three times
    faster, since oneDNN rearranges the weights anew in each call."""
    before = torch.get_float32_matmul_precision()
    if before == "highest":
        yield
        return
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
