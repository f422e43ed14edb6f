"""What training minimises: pure functions of a batch.

With activations x scaled to a mean squared distance d from their mean, reconstruction r, latents z:

    reconstruction   mean_t |x_t - r_t|^2 / d                         1 for the mean as reconstruction
    L1               l1 / d  mean_t sum_j z_tj                        decoder columns have unit norm
    L0               l0 / d  mean_t sum_j H(pre_tj - theta_j)         Rajamanoharan et al. 2024b, equation 9
    auxiliary        |e - e'|^2 / |e|^2, e = x - r                    Gao et al. 2024, section 2.4

where e' decodes the k_aux largest of the dead latents only. The step H and jumprelu have no useful gradient by theta;
theirs is that of a smooth step of width epsilon, through a rectangular kernel K (equations 11 and 12):

    d/dtheta H(pre - theta) = -1/epsilon K((pre - theta)/epsilon)
    d/dtheta jumprelu       = -theta/epsilon K((pre - theta)/epsilon)
"""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def reconstruction_loss(
    x: Float[Tensor, "token d"], recon: Float[Tensor, "token d"]
) -> Float[Tensor, ""]:
    return (x - recon).square().mean()


def l1_penalty(z: Float[Tensor, "token latent"], d: int) -> Float[Tensor, ""]:
    return z.sum(dim=1).mean() / d


def l0_penalty(
    pre: Float[Tensor, "token latent"],
    threshold: Float[Tensor, " latent"],
    bandwidth: float,
    d: int,
) -> Float[Tensor, ""]:
    active: Tensor = _Step.apply(pre, threshold, bandwidth)  # type: ignore[no-untyped-call]
    return active.sum(dim=1).mean() / d


def jumprelu(
    pre: Float[Tensor, "token latent"], threshold: Float[Tensor, " latent"], bandwidth: float
) -> Float[Tensor, "token latent"]:
    """pre where it is above the threshold, else 0, differentiable by both."""
    z: Tensor = _JumpReLU.apply(pre, threshold, bandwidth)  # type: ignore[no-untyped-call]
    return z


def auxiliary_loss(
    x: Float[Tensor, "token d"],
    missed: Float[Tensor, "token d"],
    w_enc: Float[Tensor, "dead d"],
    b_enc: Float[Tensor, " dead"],
    w_dec: Float[Tensor, "dead d"],
    k: int,
) -> Float[Tensor, ""]:
    """The share of what the live latents missed that the dead ones, given here, do not explain either.

    Args:
        x: the encoder's input, offset subtracted; not differentiated.
        missed: e; not differentiated.
    """
    pre = torch.addmm(b_enc, x.detach(), w_enc.T)
    values, index = pre.topk(min(k, pre.shape[1]), dim=1, sorted=False)
    z = torch.zeros_like(pre).scatter(1, index, values.relu())
    missed = missed.detach()
    return (missed - z @ w_dec).square().sum() / missed.square().sum().clamp(min=1e-12)


def without_parallel(
    grad: Float[Tensor, "latent d"], rows: Float[Tensor, "latent d"]
) -> Float[Tensor, "latent d"]:
    """A gradient without its part along unit rows, which would only change their norm (Bricken et al. 2023)."""
    return grad - (grad * rows).sum(dim=1, keepdim=True) * rows


def _near(pre: Tensor, threshold: Tensor, bandwidth: float) -> Bool[Tensor, "token latent"]:
    """The rectangular kernel: where the pre-activation is within half a bandwidth of the threshold."""
    return (pre - threshold).abs() < bandwidth / 2


# autograd.Function hands its context over untyped.
class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(pre, threshold)
        ctx.bandwidth = bandwidth
        return (pre > threshold).to(pre.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, None]:
        pre, threshold = ctx.saved_tensors
        near = _near(pre, threshold, ctx.bandwidth)
        return None, -(grad * near).sum(dim=0) / ctx.bandwidth, None


class _JumpReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(pre, threshold)
        ctx.bandwidth = bandwidth
        return torch.where(pre > threshold, pre.relu(), 0.0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        pre, threshold = ctx.saved_tensors
        near = _near(pre, threshold, ctx.bandwidth)
        by_threshold = -(grad * near).sum(dim=0) * threshold / ctx.bandwidth
        return grad * ((pre > threshold) & (pre > 0)), by_threshold, None
