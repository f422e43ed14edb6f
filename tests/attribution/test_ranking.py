"""Extremes of a metric against sorting all of it."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuron_explainer.attribution.metric import Metric
from neuron_explainer.attribution.ranking import Place, extreme_places

SHAPES = {"token": (7,), "token neuron": (4, 5), "head query key": (3, 4, 4)}


def by_sorting(metric: Metric, k: int) -> list[Place]:
    """Largest first, then smallest first; ties by place; never a zero."""
    entries = [
        (float(layer[place]), (index, *place))
        for index, layer in enumerate(metric.layers)
        for place in itertools.product(*map(range, layer.shape))
    ]
    up = sorted((e for e in entries if e[0] > 0), key=lambda e: (-e[0], e[1]))[:k]
    down = sorted((e for e in entries if e[0] < 0), key=lambda e: (e[0], e[1]))[:k]
    return [place for _, place in (*up, *(down if metric.is_signed else ()))]


def random_metric(
    shape: tuple[int, ...], seed: int, *, is_signed: bool, positions: tuple[int, ...] | None
) -> Metric:
    """Few distinct numbers, hence many ties and zeros."""
    generator = torch.Generator().manual_seed(seed)
    low = -2 if is_signed else 0

    def draw(*size: int) -> torch.Tensor:
        return torch.randint(low, 3, size, generator=generator).float()

    n_layers = 1 if len(shape) == 1 else 3
    values = tuple(draw(*shape) for _ in range(n_layers))
    factor_shape = list(shape)
    if positions is not None:
        factor_shape[max(len(shape) - 2, 0)] = len(positions)
    return Metric(values, tuple(draw(*factor_shape) for _ in values), is_signed, positions)


@settings(max_examples=60)
@given(
    axes=st.sampled_from(list(SHAPES)),
    seed=st.integers(0, 10_000),
    k=st.integers(1, 60),
    is_signed=st.booleans(),
    positions=st.sampled_from([None, (0,), (3,), (1, 3)]),
)
def test_extremes_are_those_of_sorting_everything(
    axes: str, seed: int, k: int, is_signed: bool, positions: tuple[int, ...] | None
) -> None:
    if axes == "token":
        positions = None
    metric = random_metric(SHAPES[axes], seed, is_signed=is_signed, positions=positions)
    assert extreme_places(metric, k) == by_sorting(metric, k)


def test_a_metric_that_is_zero_everywhere_ranks_nothing() -> None:
    zeros = Metric((torch.zeros(4, 5),) * 2, (None, None), is_signed=True)
    assert extreme_places(zeros, 10) == []


@pytest.mark.parametrize("positions", [None, (0, 2)])
@pytest.mark.parametrize("axes", ["token neuron", "head query key"])
def test_numbers_at_places_are_those_of_the_whole(
    axes: str, positions: tuple[int, ...] | None
) -> None:
    shape = SHAPES[axes]
    metric = random_metric(shape, 1, is_signed=True, positions=positions)
    index = torch.tensor(list(itertools.product(*map(range, shape)))).T
    for layer, dense in enumerate(metric.layers):
        assert torch.equal(metric.at(layer, index), dense.flatten())
        if positions is not None:
            elsewhere = [p for p in range(4) if p not in positions]
            assert dense.index_select(metric.token_axis, torch.tensor(elsewhere)).abs().max() == 0
