"""Encoder and decoder restricted to active latents, with gradients that touch nothing else.

For active pairs (t, j) with pre-activation a and value z:

    encode   a_tj = <W_j, x_t> + b_j          dW_j = sum_t da_tj x_t      db_j = sum_t da_tj
    decode   y_t  = sum_j z_tj D_j            dD_j = sum_t z_tj dy_t      dz_tj = <D_j, dy_t>

Each sum runs over active pairs only: k of n latents, some 2%. The dense product that found the pairs is done
already, so encoding costs nothing forward. All four are weighted sums of rows (embedding bags), which read each row
where it lies instead of copying a row for each pair.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from neuron_explainer.autoencoders.selection import Selection


def encode_selected(
    x: Float[Tensor, "token d_in"],
    w_enc: Float[Tensor, "latent d_in"],
    b_enc: Float[Tensor, " latent"],
    pre: Float[Tensor, " active"],
    selected: Selection,
) -> Float[Tensor, " active"]:
    """Pre-activations of active latents, whose numbers `pre` are known: adds the way back to W, b and x."""
    values: Tensor = _Encode.apply(x, w_enc, b_enc, pre, selected)  # type: ignore[no-untyped-call]
    return values


def decode_selected(
    z: Float[Tensor, " active"], w_dec: Float[Tensor, "latent d_out"], selected: Selection
) -> Float[Tensor, "token d_out"]:
    """The reconstruction, without bias, from active latents; the decoder's rows are latents."""
    recon: Tensor = _Decode.apply(z, w_dec, selected)  # type: ignore[no-untyped-call]
    return recon


def _by_token(
    weight: Float[Tensor, " active"], rows: Float[Tensor, "latent d"], selected: Selection
) -> Float[Tensor, "token d"]:
    """For each token, the sum of its latents' rows."""
    return F.embedding_bag(
        selected.latent, rows, selected.token_starts, mode="sum", per_sample_weights=weight
    )


def _by_latent(
    weight: Float[Tensor, " active"], rows: Float[Tensor, "token d"], selected: Selection
) -> Float[Tensor, "latent d"]:
    """For each latent, the sum of its tokens' rows."""
    order = selected.by_latent
    return F.embedding_bag(
        selected.token[order],
        rows,
        selected.latent_starts,
        mode="sum",
        per_sample_weights=weight[order],
    )


def _pair_products(
    at_token: Float[Tensor, "token d"], at_latent: Float[Tensor, "latent d"], selected: Selection
) -> Float[Tensor, " active"]:
    """<at_latent[j], at_token[t]> of each active pair."""
    # What torch itself calls to differentiate an embedding bag by its weights.
    kernel = torch.ops.aten._embedding_bag_per_sample_weights_backward
    found: Tensor = kernel(
        at_token, at_latent, selected.latent, selected.token_starts, selected.token, 0, -1
    )
    return found


# autograd.Function hands its context and gradients over untyped.
class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w_enc: Tensor, _b_enc: Tensor, pre: Tensor, selected: Selection
    ) -> Tensor:
        ctx.save_for_backward(x, w_enc)
        ctx.selected = selected
        return pre.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, w_enc = ctx.saved_tensors
        selected: Selection = ctx.selected
        dx = _by_token(grad, w_enc, selected) if ctx.needs_input_grad[0] else None
        db = torch.zeros(selected.n_latents, device=grad.device, dtype=grad.dtype)
        db.index_add_(0, selected.latent, grad)
        return dx, _by_latent(grad, x, selected), db, None, None


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, w_dec: Tensor, selected: Selection) -> Tensor:
        ctx.save_for_backward(z, w_dec)
        ctx.selected = selected
        return _by_token(z, w_dec, selected)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        z, w_dec = ctx.saved_tensors
        grad = grad.contiguous()
        dz = _pair_products(grad, w_dec, ctx.selected)
        return dz, _by_latent(z, grad, ctx.selected), None


def count_by_latent(selected: Selection) -> Int[Tensor, " latent"]:
    """At how many tokens each latent is active."""
    return torch.bincount(selected.latent, minlength=selected.n_latents)
