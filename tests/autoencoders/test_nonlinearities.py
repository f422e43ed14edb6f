"""Which latents are active, against cases worked by hand."""

import pytest
import torch

from neuron_explainer.autoencoders.nonlinearities import Nonlinearity, active_latents

PRE = torch.tensor([[3.0, -1.0, 2.0, 0.5], [-2.0, 1.0, 0.2, 4.0]])


def test_relu_keeps_what_is_positive() -> None:
    expected = torch.tensor([[3.0, 0.0, 2.0, 0.5], [0.0, 1.0, 0.2, 4.0]])
    assert torch.equal(active_latents(Nonlinearity("relu"), PRE), expected)


def test_topk_keeps_the_k_largest_of_each_token() -> None:
    expected = torch.tensor([[3.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 4.0]])
    assert torch.equal(active_latents(Nonlinearity("topk", 2), PRE), expected)


def test_topk_never_activates_a_negative_pre_activation() -> None:
    z = active_latents(Nonlinearity("topk", 3), torch.tensor([[-1.0, 2.0, -3.0]]))
    assert torch.equal(z, torch.tensor([[0.0, 2.0, 0.0]]))


def test_batchtopk_spends_its_k_over_the_whole_batch() -> None:
    z = active_latents(Nonlinearity("batchtopk", 2), PRE)
    assert torch.equal(z, torch.tensor([[3.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 4.0]]))
    uneven = active_latents(Nonlinearity("batchtopk", 1), torch.tensor([[3.0, 2.0], [1.0, 0.5]]))
    assert torch.equal(uneven, torch.tensor([[3.0, 2.0], [0.0, 0.0]]))


def test_batchtopk_with_a_threshold_treats_each_token_alone() -> None:
    z = active_latents(Nonlinearity("batchtopk", 1), PRE, torch.tensor([1.5]))
    assert torch.equal(z, torch.tensor([[3.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 4.0]]))


def test_jumprelu_passes_values_above_each_latents_threshold_unchanged() -> None:
    z = active_latents(Nonlinearity("jumprelu"), PRE, torch.tensor([2.5, 2.0, 2.0, 0.4]))
    assert torch.equal(z, torch.tensor([[3.0, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 4.0]]))


@pytest.mark.parametrize(("kind", "k"), [("relu", 3), ("topk", None), ("topk", 0)])
def test_a_rule_and_a_k_that_clash_are_refused(kind: str, k: int | None) -> None:
    with pytest.raises(ValueError, match="k="):
        Nonlinearity(kind, k)  # type: ignore[arg-type]
