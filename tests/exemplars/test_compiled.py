"""The compiled loops give what the tensor operations give that other devices use, and what `bin_keys` says."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.exemplars.compiled import BLOCK
from neuron_explainer.exemplars.distribution import N_KEYS, SCALE, bin_keys
from neuron_explainer.exemplars.leaders import Best, Leaders
from neuron_explainer.exemplars.observing import Batch, lower_triangle
from neuron_explainer.exemplars.sampling import prefix_hashes
from neuron_explainer.exemplars.tally import Moments, Tally

CPU = torch.device("cpu")
N_COMPONENTS = BLOCK + 19  # a whole block and a part of one


class TallyElsewhere(Tally):
    """As on another device."""

    _observe_compiled = Tally._observe


class LeadersElsewhere(Leaders):
    """As on another device."""

    _enter_compiled = Leaders._enter


def neurons(dtype: torch.dtype) -> Float[Tensor, "window place component"]:
    """Values of many sizes, many of them equal, some zero."""
    generator = torch.Generator().manual_seed(0)
    shape = (13, 9, N_COMPONENTS)
    values = torch.randn(shape, generator=generator) * 10.0 ** torch.randint(
        -7, 4, shape, generator=generator
    )
    coarse = (values * 4).round() / 4
    return coarse.where(torch.rand(shape, generator=generator) < 0.3, values).to(dtype)


def heads() -> Float[Tensor, "window place component"]:
    """Laid out as heads are: all pairs of a head together."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(13, 5, 45, generator=generator).transpose(1, 2)


LENGTHS = torch.tensor([9, 9, 9, 8, 8, 7, 5, 5, 3, 2, 2, 1, 1])
PAIRS = LENGTHS * (LENGTHS + 1) // 2
VALUES = {
    "float32": (neurons(torch.float32), LENGTHS),
    "bfloat16": (neurons(torch.bfloat16), LENGTHS),
    "float16": (neurons(torch.float32).clamp(-6e4, 6e4).half(), LENGTHS),
    "heads": (heads(), PAIRS),
}


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def n_threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", VALUES)
def test_moments_and_counts(name: str, n_threads: int) -> None:
    values, n_text = VALUES[name]
    tallies = [kind(values.shape[2], CPU) for kind in (Tally, TallyElsewhere)]
    found: list[Moments] = [tally.add(values, n_text) for tally in tallies]
    for field in ("lowest", "highest", "at_lowest", "at_highest"):
        one, other = (getattr(moments, field) for moments in found)
        assert one.equal(other), field
    for field in ("sums", "squares"):
        one, other = (getattr(moments, field) for moments in found)
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    assert tallies[0].keys.equal(tallies[1].keys)
    assert tallies[0].keys.sum(1).tolist() == [int(n_text.sum())] * values.shape[2]


@pytest.mark.parametrize("kind", [Tally, TallyElsewhere])
def test_sums_do_not_drift_over_the_pairs_of_a_long_window(kind: type[Tally]) -> None:
    generator = torch.Generator().manual_seed(2)
    values = torch.rand(2, 256 * 257 // 2, 4, generator=generator)
    tally = kind(4, CPU)
    tally.add(values, torch.full((2,), values.shape[1]))
    found, exact = tally.statistics(), values.double().flatten(0, 1)
    torch.testing.assert_close(found["mean"], exact.mean(0), rtol=1e-6, atol=0)
    torch.testing.assert_close(found["std"], exact.std(0, correction=0), rtol=1e-6, atol=0)


@pytest.mark.parametrize("kind", [Tally, TallyElsewhere])
def test_values_that_are_all_equal_do_not_vary(kind: type[Tally]) -> None:
    values = torch.tensor([0.1, -0.17, 1 / 3, 0.0])
    tally = kind(4, CPU)
    for n in (1, 64, 13):
        tally.add(values.expand(2, n, 4), torch.full((2,), n))
    found = tally.statistics()
    assert found["mean"].equal(values.double())
    assert found["std"].tolist() == [0.0] * 4


def test_the_bin_of_every_value_near_an_edge() -> None:
    """All halves, what lies midway between them, and the float32 on either side of each."""
    halves = torch.arange(0, 0x7C00, dtype=torch.int16).view(torch.float16).double()
    midway = (halves[1:] + halves[:-1]) / 2
    points = (torch.cat((halves, midway, torch.tensor([65520.0, 7e4, 1e15]))) / SCALE).float()
    nearby = [np.nextafter(points.numpy(), np.float32(to)) for to in (-np.inf, np.inf)]
    values = torch.cat((points, *map(torch.from_numpy, nearby)))
    values = torch.cat((values, -values))
    tally = Tally(len(values), CPU)
    # One value for each component: the key that is counted is its own.
    tally.add(values[None, None], torch.ones(1, dtype=torch.int64))
    assert (tally.keys.argmax(1) - N_KEYS // 2).equal(bin_keys(values).long())
    assert tally.keys.sum(1).eq(1).all()


@pytest.mark.parametrize("bits", [0x7F800000, 0x7FC00000, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_what_is_no_number_is_refused_whatever_its_bits(bits: int) -> None:
    values = torch.zeros(2, 3, 4)
    values.view(torch.int32)[1, 2, 3] = bits - (bits >> 31 << 32)
    tally = Tally(4, CPU)
    with pytest.raises(ValueError, match="component 3 has a value that is not finite"):
        tally.add(values, torch.full((2,), 3))
    # Each was counted once, in a counter of its own component.
    assert tally.keys.sum(1).tolist() == [6, 6, 6, 6]


def batch_of(n_windows: int, first: int, lengths: Int[Tensor, " window"]) -> Batch:
    """Few different tokens: texts are often the same up to their peaks."""
    generator = torch.Generator().manual_seed(first)
    tokens = torch.randint(2, (n_windows, 9), generator=generator)
    return Batch(tokens, lengths, torch.arange(first, first + n_windows), prefix_hashes(tokens))


@pytest.mark.parametrize("k", [1, 4, 20])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", VALUES)
def test_leaders(name: str, sign: int, k: int, n_threads: int) -> None:
    values, n_text = VALUES[name]
    pair = [kind(values.shape[2], k, 50, "float16", CPU) for kind in (Leaders, LeadersElsewhere)]
    for number in range(5):
        own = values.roll(17 * number, 2) * (-1) ** number
        batch = batch_of(len(values), 100 * (5 - number), LENGTHS)
        best = Tally(values.shape[2], CPU).add(own, n_text).best(sign)
        for leaders in pair:
            leaders.add(best, own, n_text, batch)
    one, other = (leaders.tensors() for leaders in pair)
    assert [field for field in one if not one[field].equal(other[field])] == []
    assert one["value"].isfinite().any()


def test_leaders_hold_the_activations_of_their_own_window() -> None:
    values, n_text = VALUES["heads"]
    leaders = Leaders(values.shape[2], 4, 50, "float16", CPU)
    batch = batch_of(len(values), 0, LENGTHS)
    best: Best = Tally(values.shape[2], CPU).add(values, n_text).best(1)
    leaders.add(best, values, n_text, batch)
    leaders.tidy()
    query = lower_triangle(9, CPU)[0]
    for component, place in np.ndindex(*leaders.value.shape):
        window = int(leaders.window[component, place])
        n = int(n_text[window])
        decoded = leaders.activations[component, place] * leaders.scale[component, place]
        expected = values[window, :n, component]
        torch.testing.assert_close(decoded[:n].float(), expected, rtol=1e-3, atol=1e-4)
        assert not decoded[n:].any()
        peak = int(expected.argmax())
        assert int(leaders.peak[component, place]) == peak
        assert int(leaders.text[component, place]) == int(batch.prefixes[window, query[peak]])


def test_where_nothing_can_be_kept_each_process_compiles_for_itself(
    root: Path, tmp_path: Path
) -> None:
    own = tmp_path / "neuron_explainer"
    shutil.copytree(
        root / "neuron_explainer", own, ignore=shutil.ignore_patterns("__pycache__", "*.nbc")
    )
    (own / "exemplars" / "__pycache__").touch()  # no folder can be made of it, nor of this home
    env = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    env |= {"HOME": os.devnull, "XDG_CACHE_HOME": os.devnull, "PYTHONPATH": str(tmp_path)}
    code = (
        "import torch; from neuron_explainer.exemplars import compiled; print(compiled.__file__);"
        "ones, at = torch.ones(1, 2, 3), torch.zeros(1, dtype=torch.int64);"
        "print(compiled.fetched(ones, at + 2, at, at).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(own / "exemplars" / "compiled.py"), "[[1.0, 1.0]]"]
