"""The selected latents are those that a plain sort selects."""

import pytest
import torch
from torch import Tensor

from neuron_explainer.autoencoders.selection import (
    Selection,
    largest_of_batch,
    largest_per_token,
)

SHAPES = [(7, 5), (64, 300), (33, 1024), (16, 4096)]


def numbers(shape: tuple[int, int], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def as_mask(selected: Selection) -> Tensor:
    mask = torch.zeros(selected.n_tokens, selected.n_latents, dtype=torch.bool)
    mask[selected.token, selected.latent] = True
    assert int(mask.sum()) == len(selected.token), "a pair was selected twice"
    return mask


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("k", [1, 3, 32, 1000])
def test_the_largest_of_each_token_are_those_of_topk(shape: tuple[int, int], k: int) -> None:
    pre = numbers(shape)
    index = pre.topk(min(k, shape[1]), dim=1).indices
    expected = torch.zeros_like(pre, dtype=torch.bool).scatter(1, index, True) & (pre > 0)
    assert torch.equal(as_mask(largest_per_token(pre, k)), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("k", [1, 3, 32, 1000])
def test_the_largest_of_a_batch_are_those_of_one_sort(shape: tuple[int, int], k: int) -> None:
    pre = numbers(shape)
    n_kept = min(k * shape[0], pre.numel())
    expected = (pre >= pre.flatten().sort(descending=True).values[n_kept - 1]) & (pre > 0)
    assert torch.equal(as_mask(largest_of_batch(pre, n_kept)), expected)


def test_numbers_that_are_not_positive_are_never_selected() -> None:
    pre = -numbers((8, 50)).abs()
    assert len(largest_per_token(pre, 4).token) == 0
    assert len(largest_of_batch(pre, 32).token) == 0


def test_numbers_that_tie_are_all_selected() -> None:
    assert len(largest_per_token(torch.ones(2, 12), 3).token) == 24


def test_a_selection_is_sorted_by_token_and_can_be_sorted_by_latent() -> None:
    selected = largest_per_token(numbers((20, 90)), 7)
    assert torch.equal(selected.token, selected.token.sort().values)
    by_latent = selected.latent[selected.by_latent]
    assert torch.equal(by_latent, selected.latent.sort().values)
    for latent in range(90):
        first = int(selected.latent_starts[latent])
        n_tokens = int((selected.latent == latent).sum())
        assert (by_latent[first : first + n_tokens] == latent).all()
    assert torch.equal(
        selected.values(numbers((20, 90))), numbers((20, 90))[selected.token, selected.latent]
    )
