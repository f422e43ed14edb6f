"""The tie rule of leading excerpts, against sorting everything; and that parts merge in any way."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuron_explainer.exemplars.leaders import Best, Leaders
from neuron_explainer.exemplars.observing import Batch
from neuron_explainer.exemplars.sampling import prefix_hashes

K, N_TOKENS = 3, 2
Windows = list[tuple[int, int, int, int]]

# Few values and few tokens, so that there are many ties and many repeated texts.
windows = st.lists(st.tuples(*[st.integers(-2, 3)] * 2, *[st.integers(0, 1)] * 2), max_size=20)


def leaders_of(some: Windows, first: int, sign: int) -> Leaders:
    leaders = Leaders(1, K, N_TOKENS, "float16", torch.device("cpu"))
    add(leaders, some, first, sign)
    return leaders


def add(leaders: Leaders, some: Windows, first: int, sign: int) -> None:
    if not some:
        return
    values = torch.tensor([[[float(w[0])], [float(w[1])]] for w in some])
    tokens = torch.tensor([w[2:] for w in some])
    numbers = torch.arange(first, first + len(some))
    batch = Batch(tokens, torch.full((len(some),), 2), numbers, prefix_hashes(tokens))
    value, place = (sign * values).max(1)
    leaders.add(Best(value, place.int()), values, batch.lengths, batch)


def expected(some: Windows, sign: int) -> list[tuple[float, int, int]]:
    """Value, window, peak of the first K in the documented order."""
    entries = []
    for number, (a, b, *tokens) in enumerate(some):
        peak = 0 if sign * a >= sign * b else 1
        entries.append((-max(sign * a, sign * b), number, peak, tuple(tokens[: peak + 1])))
    found, texts = [], set()
    for value, number, peak, text in sorted(entries):
        if -value > 0 and text not in texts:
            texts.add(text)
            found.append((-value, number, peak))
    return found[:K]


def contents(leaders: Leaders) -> list[tuple[float, int, int]]:
    leaders.tidy()
    columns = (leaders.value[0], leaders.window[0], leaders.peak[0])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [row for row in rows if row[1] >= 0]


@given(windows, st.sampled_from([1, -1]))
@settings(max_examples=60)
def test_the_order_is_the_documented_one(some: Windows, sign: int) -> None:
    leaders = leaders_of(some, 0, sign)
    assert contents(leaders) == expected(some, sign)
    codes = leaders.activations[0] * leaders.scale[0, :, None]
    for place, (_, number, _) in enumerate(contents(leaders)):
        assert codes[place].tolist() == pytest.approx(some[number][:2], abs=2e-3)


@given(windows, st.lists(st.integers(0, 20), max_size=3), st.permutations(range(4)))
@settings(max_examples=60)
def test_parts_merge_in_any_order(some: Windows, cuts: list[int], order: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(some)) for cut in cuts), len(some)]
    parts = [leaders_of(some[a:b], a, 1) for a, b in pairwise(edges)]
    merged = Leaders(1, K, N_TOKENS, "float16", torch.device("cpu"))
    for number in order:
        if number < len(parts):
            merged.merge(parts[number])
    assert contents(merged) == expected(some, 1)


@given(windows, st.lists(st.integers(0, 20), max_size=3))
@settings(max_examples=40)
def test_batches_may_come_in_any_order(some: Windows, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(some)) for cut in cuts), len(some)]
    leaders = Leaders(1, K, N_TOKENS, "float16", torch.device("cpu"))
    for a, b in reversed(list(pairwise(edges))):
        add(leaders, some[a:b], a, 1)
    assert contents(leaders) == expected(some, 1)
