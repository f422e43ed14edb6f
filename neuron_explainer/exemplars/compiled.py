"""Loops over every value that collation sees, compiled for the CPU by numba.

Tensor operations read all values from memory anew for each of a dozen steps; here each value is read
once, in blocks of components whose counters fit the cache.

    observe    moments, peaks and counts of each window and component; on other devices `tally.py`
    enter      the windows that enter each component's leaders; on other devices `leaders.py`

Both give what the tensor code gives, but for the last bits of sums. The first call compiles, which takes
seconds; numba keeps the result on disk, beside this file or in the user's cache, and compiles anew when this
file changes (not when the constants it imports do). Components are divided among as many threads as torch has.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, no_type_check

import numba
import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import float32, float64, int32
from torch import Tensor

from neuron_explainer.exemplars.distribution import N_KEYS, SCALE, SHIFT

BLOCK = 128
"""Components that are looked at together: their counters take 266 kB."""
PLACES = 64
"""Places of a window that are loaded together, so that waits for memory overlap, and summed in float32: a head
has hundreds of thousands of token pairs in a long window, over which such a sum would drift."""
_STRIDE = N_KEYS + 8
"""Counters from one component to the next: a power of two would put all of them into a few lines of the cache."""

# A float32 has 23 bits of mantissa and adds 127 to its exponent, a half has 10 and adds 15.
_DROPPED = 23 - 10 + SHIFT
_REBASED = (127 - 15 - int(np.log2(SCALE))) << (10 - SHIFT)
_HALF_ULP = 1 << (23 - 10 - 1)
_FIRST_NORMAL = 1 << (10 - SHIFT)
_INFINITE = 0x7C00 >> SHIFT
_INFINITY = 0x7F800000
"""Of a float32. The largest bits of what is no number would overflow when they are rounded."""
_SUBNORMALS = SCALE * 2.0**24
"""The smallest half is 2^-24."""


# What numba makes of a function has no static type.
def _compiled(loop: Any, **options: Any) -> Any:
    """`loop`, to be compiled when it is first called."""
    try:
        return numba.njit(cache=True, **options)(loop)
    except RuntimeError:  # no folder can be written to keep it in: each process compiles for itself
        return numba.njit(**options)(loop)


def in_threads(run: Callable[[int, int], None], n: int) -> None:
    """Call `run(first, last)` for parts of n components or entries, at the same time."""
    n_threads = min(torch.get_num_threads(), -(-n // BLOCK))
    if n_threads <= 1:
        run(0, n)
        return
    edges = [n * i // n_threads for i in range(n_threads + 1)]
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(run, edges[:-1], edges[1:]))


def float_bits(values: Tensor) -> tuple[np.ndarray, int]:
    """The values' bits without a copy where they are wide enough, and by how much to shift them left to
    get those of a float32."""
    if values.dtype == torch.bfloat16:
        return values.view(torch.int16).numpy(), 16
    return values.float().view(torch.int32).numpy(), 0


def fetched(
    values: Float[Tensor, "window place component"],
    n_text: Int[Tensor, " window"],
    window: Int[Tensor, " entry"],
    component: Int[Tensor, " entry"],
) -> Float[Tensor, "entry place"]:
    """What components did on windows, 0 beyond their text. `window` ascends, so that memory is read in its order."""
    bits, shift = float_bits(values)
    own = torch.zeros(len(window), values.shape[1])
    given = (bits, shift, *(each.numpy() for each in (n_text, window, component)))
    out = own.view(torch.int32).numpy()
    in_threads(lambda first, last: fetch(*given, first, last, out), len(window))
    return own


@partial(_compiled, nogil=True, error_model="numpy")
@no_type_check
def observe(
    bits, shift, n_text, first, last, lowest, highest, sums, squares, at_lowest, at_highest, counts
):
    """Look at the components from `first` up to `last`.

    One nest of loops: with the innermost in functions of their own, heads take twice as long.

    Args:
        bits: "window place component", as `float_bits` gives them.
        n_text: how many places of each window are text, " window".
        lowest ... at_highest: to be filled, "window component".
        counts: to be added to, "component key".
    """
    tile_bits = np.zeros((PLACES, BLOCK), int32)
    tile = tile_bits.view(float32)
    low, high = np.empty(BLOCK, float32), np.empty(BLOCK, float32)
    total, square = np.empty(BLOCK, float32), np.empty(BLOCK, float32)
    totals, all_squares = np.empty(BLOCK, float64), np.empty(BLOCK, float64)
    at_low, at_high = np.empty(BLOCK, int32), np.empty(BLOCK, int32)
    key = np.empty(BLOCK, int32)
    counters = np.empty(BLOCK * _STRIDE, int32)
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        stop = start + size
        counters[:] = 0
        for window in range(bits.shape[0]):
            low[:], high[:], totals[:], all_squares[:] = np.inf, -np.inf, 0, 0
            at_low[:], at_high[:] = 0, 0
            for begin in range(0, n_text[window], PLACES):
                n = min(PLACES, n_text[window] - begin)
                _load(bits[window], shift, begin, start, stop, tile_bits[:n])
                total[:], square[:] = 0, 0
                for place in range(n):
                    at = int32(begin + place)
                    own_bits, own = tile_bits[place], tile[place]
                    for c in range(size):
                        x = own[c]
                        total[c] += x
                        square[c] += x * x
                        is_lower, is_higher = x < low[c], x > high[c]
                        low[c] = x if is_lower else low[c]
                        at_low[c] = at if is_lower else at_low[c]
                        high[c] = x if is_higher else high[c]
                        at_high[c] = at if is_higher else at_high[c]
                    for c in range(size):
                        key[c] = int32(int32(c * _STRIDE) + _bin_key(own_bits[c], own[c]))
                    for c in range(size):
                        counters[key[c]] += 1
                totals += total
                all_squares += square
            lowest[window, start:stop], highest[window, start:stop] = low[:size], high[:size]
            sums[window, start:stop], squares[window, start:stop] = (
                totals[:size],
                all_squares[:size],
            )
            at_lowest[window, start:stop] = at_low[:size]
            at_highest[window, start:stop] = at_high[:size]
        for c in range(size):
            for k in range(N_KEYS):
                counts[start + c, k] += counters[c * _STRIDE + k]


@_compiled
@no_type_check
def _load(bits, shift, begin, start, stop, tile):
    """Copy some places of the components from `start` up to `stop`, as the bits of float32."""
    for place in range(len(tile)):
        given, own = bits[begin + place, start:stop], tile[place]
        for c in range(len(given)):
            own[c] = int32(int32(given[c]) << int32(shift))


@partial(_compiled, error_model="numpy")
@no_type_check
def _bin_key(bits, value):
    """`distribution.bin_keys` of one value, counted from 0.

    Rounding to half goes to the nearest; the half below a bin's edge is odd, so that a value midway
    between it and the edge goes up.
    """
    magnitude = int32(bits & int32(0x7FFFFFFF))
    # What is no number would lie beyond the counters; `Tally.add` refuses it by its sums.
    magnitude = magnitude if magnitude < int32(_INFINITY) else int32(_INFINITY)
    normal = int32(int32(int32(magnitude + int32(_HALF_ULP)) >> int32(_DROPPED)) - int32(_REBASED))
    normal = normal if normal < int32(_INFINITE) else int32(_INFINITE)
    steps = int32(abs(value) * float32(_SUBNORMALS) + float32(0.5))
    small = int32(steps >> int32(SHIFT))
    key = normal if normal >= int32(_FIRST_NORMAL) else small
    return int32(key + (int32(0) if bits < 0 else int32(N_KEYS // 2)))


@partial(_compiled, nogil=True)
@no_type_check
def enter(
    best, peak, number, prefix, token_of, first, last, value, window, text, place, slot, source
):
    """Let the windows of a batch compete for the places of the components from `first` up to `last`.

    Args:
        best: the largest value of each window, "window component", and `peak`: where it is.
        number: the windows' numbers in the corpus, " window".
        prefix: a hash of each window's text up to each token, "window token".
        token_of: the token at which each place writes, " place".
        value ... slot: the leaders, "component k", in their order; changed.
        source: the batch's window that each leader is of, "component k"; -1 if it was there before.
    """
    for c in range(first, last):
        for w in range(best.shape[0]):
            x = best[w, c]
            if not x > 0 or x < value[c, -1]:
                continue
            own_text = prefix[w, token_of[peak[w, c]]]
            at = _rank(x, number[w], own_text, value[c], window[c], text[c])
            if at < 0:
                continue
            end = _end(at, own_text, text[c])
            _put(slot[c], at, end, slot[c, end])
            _put(value[c], at, end, x)
            _put(window[c], at, end, number[w])
            _put(text[c], at, end, own_text)
            _put(place[c], at, end, peak[w, c])
            _put(source[c], at, end, w)


@_compiled
@no_type_check
def _rank(own_value, own_window, own_text, value, window, text):
    """The place that an excerpt takes among one component's leaders; -1 if none: too small, or its text is
    there already with a larger value."""
    for at in range(len(value)):
        if own_value > value[at] or (own_value == value[at] and own_window < window[at]):
            return at
        if own_text == text[at]:
            return -1
    return -1


@_compiled
@no_type_check
def _end(at, own_text, text):
    """The leader that makes room for one that goes to `at`: that of the same text, else the last."""
    for i in range(at, len(text) - 1):
        if text[i] == own_text:
            return i
    return len(text) - 1


@_compiled
@no_type_check
def _put(row, at, end, new):
    """Put something at `at`; what is there moves on, and what is at `end` goes."""
    for i in range(end, at, -1):
        row[i] = row[i - 1]
    row[at] = new


@partial(_compiled, nogil=True)
@no_type_check
def fetch(bits, shift, n_text, window, component, first, last, own):
    """What components did on windows, for the entries from `first` up to `last`.

    Args:
        bits, shift, n_text: as in `observe`.
        window, component: of each entry, " entry"; ascending, so that memory is read in its order.
        own: to be filled over what is text, "entry place", as the bits of float32.
    """
    while first < last:
        w = window[first]
        end = first
        while end < last and window[end] == w:
            end += 1
        for place in range(n_text[w]):
            row = bits[w, place]
            for entry in range(first, end):
                own[entry, place] = int32(int32(row[component[entry]]) << int32(shift))
        first = end
