"""Each loss on numbers worked out by hand, and gradients against finite differences."""

import pytest
import torch

from neuron_explainer.autoencoders.losses import (
    auxiliary_loss,
    jumprelu,
    l0_penalty,
    l1_penalty,
    reconstruction_loss,
    without_parallel,
)


def test_reconstruction_loss_is_the_squared_distance_over_width() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    recon = torch.tensor([[1.0, 0.0], [0.0, 4.0]])
    # (0 + 4) / 2 and (9 + 0) / 2, mean 3.25
    assert reconstruction_loss(x, recon).item() == pytest.approx(3.25)


def test_l1_is_the_sum_of_latents_over_width() -> None:
    z = torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 4.0]])
    # sums 3 and 4, mean 3.5, over 2
    assert l1_penalty(z, d=2).item() == pytest.approx(1.75)


def test_l0_counts_what_is_above_its_threshold() -> None:
    pre = torch.tensor([[0.5, 0.1], [2.0, 0.9]])
    threshold = torch.tensor([0.4, 1.0])
    # 1 and 1 active, over 4
    assert l0_penalty(pre, threshold, bandwidth=0.1, d=4).item() == pytest.approx(0.25)


def test_the_gradient_of_l0_is_that_of_the_smooth_step() -> None:
    pre = torch.tensor([[0.42], [0.9], [0.37]])
    threshold = torch.tensor([0.4], requires_grad=True)
    loss = l0_penalty(pre, threshold, bandwidth=0.1, d=1)
    (grad,) = torch.autograd.grad(loss, threshold)
    # two of three tokens lie within 0.05 of the threshold: -(1 + 1) / 0.1 / 3
    assert grad.item() == pytest.approx(-2 / 0.1 / 3)


def test_jumprelu_and_its_gradients() -> None:
    pre = torch.tensor([[0.42, 0.39, 0.8, -1.0]], requires_grad=True)
    threshold = torch.tensor([0.4, 0.4, 0.4, 0.4], requires_grad=True)
    z = jumprelu(pre, threshold, bandwidth=0.1)
    assert torch.equal(z, torch.tensor([[0.42, 0.0, 0.8, 0.0]]))
    by_pre, by_threshold = torch.autograd.grad(z.sum(), (pre, threshold))
    assert torch.equal(by_pre, torch.tensor([[1.0, 0.0, 1.0, 0.0]]))
    # -threshold / bandwidth = -4 where the pre-activation is within 0.05
    assert torch.allclose(by_threshold, torch.tensor([-4.0, -4.0, 0.0, 0.0]))


def test_auxiliary_loss_is_what_dead_latents_leave_unexplained() -> None:
    x = torch.tensor([[1.0, 0.0]])
    missed = torch.tensor([[0.0, 2.0]])
    w_enc = torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    w_dec = torch.tensor([[1.0, 0.0], [0.0, 0.5]])
    # the larger latent, 3, decodes to (0, 1.5): |(0, 0.5)|^2 / 4 is left
    loss = auxiliary_loss(x, missed, w_enc, torch.zeros(2), w_dec, k=1)
    assert loss.item() == pytest.approx(0.25 / 4)


def test_a_gradient_loses_its_part_along_the_row() -> None:
    rows = torch.tensor([[0.6, 0.8]])
    grad = torch.tensor([[1.0, 2.0]])
    # <grad, row> = 2.2
    left = without_parallel(grad, rows)
    assert torch.allclose(left, torch.tensor([[1.0 - 1.32, 2.0 - 1.76]]))
    assert (left * rows).sum().item() == pytest.approx(0.0, abs=1e-6)
