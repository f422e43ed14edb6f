"""A latent's pre-activation as a function of the residual stream: what tracing a latent explains.

    site                  what the coder reads, x[t]                   read from             linear
    resid_*               the stream itself                            the site              yes
    resid_delta_attn      sum of A[t, k] v(Norm r[k]) W_O, + b_O       r[k], k <= t          yes: A is held fixed
    mlp_post_act          MLP's activations of Norm r[t]               r[t]                  no
    resid_delta_mlp       the same, times W_out, + b_out               r[t]                  no

J = encoder row . x + bias, after the coder's own input norm. For the direction every scale is held fixed: the model's
norm and the coder's. Where J is not linear even so, direct effects are its derivative and need not add up to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import CodedSite, Hold
from neuron_explainer.models.forward_pass import Pass, Place
from neuron_explainer.models.transformer import Norm, Transformer


@dataclass(frozen=True)
class Score:
    """A node objective as a function of the residual stream at the tokens it reads."""

    reads: tuple[int, ...]
    position: int
    """Token at which the node is."""
    of: Callable[[Sequence[Tensor], Hold], Tensor]
    """J, "*batch", from the residual stream at each of `reads`, "*batch d_model"; norms' scales go through Hold."""
    unit: str
    adds_up: bool = True
    """Whether J is affine once scales are held fixed."""


def normed(norm: Norm, r: Float[Tensor, "*batch d_model"], hold: Hold) -> Tensor:
    """The norm of r, its scale held as asked."""
    return norm.apply(r, hold(norm.scale(r)))


def place_read(model: Transformer, coded: CodedSite) -> Place:
    """The residual stream that a coded site is a function of."""
    layer = coded.layer
    match coded.site:
        case "resid_post":
            return Place(layer + 1)
        case "resid_mid":
            return Place(layer, is_mid=True)
        case "resid_pre" | "resid_delta_attn":
            return Place(layer)
        case _:
            return Place(layer, is_mid=not model.config.parallel_residual)


def latent_score(batch: Pass, row: int, coded: CodedSite, latent: int, position: int) -> Score:
    """The latent's pre-activation at a token."""
    block = batch.model.block(coded.layer)

    def pre_activation(x: Tensor, hold: Hold) -> Tensor:
        return coded.pre_activation(x, latent, hold).float()

    def of_stream(r: Sequence[Tensor], hold: Hold) -> Tensor:
        return pre_activation(r[0], hold)

    def of_mlp(r: Sequence[Tensor], hold: Hold) -> Tensor:
        a = block.mlp.post_act(normed(block.norm_mlp, r[0], hold))
        if coded.site == "resid_delta_mlp":
            a = F.linear(a, block.mlp.w_out, block.mlp.b_out)
        return pre_activation(a, hold)

    match coded.site:
        case "resid_delta_attn":
            return _of_attention(batch, row, coded, pre_activation, position)
        case "mlp_post_act" | "resid_delta_mlp":
            return Score((position,), position, of_mlp, "pre-activation", adds_up=False)
        case _:
            return Score((position,), position, of_stream, "pre-activation")


def _of_attention(
    batch: Pass,
    row: int,
    coded: CodedSite,
    pre_activation: Callable[[Tensor, Hold], Tensor],
    position: int,
) -> Score:
    block = batch.model.block(coded.layer)
    attn = block.attn
    pattern = batch.value("attn_pattern", coded.layer).detach()[row, :, position, : position + 1]
    reads = tuple(pattern.any(dim=0).nonzero().squeeze(1).tolist()) or (position,)
    weights = pattern[:, list(reads)]
    d_v = slice(attn.sizes[0] + attn.sizes[1], None)
    w_v, b_v = attn.w_qkv[d_v], None if attn.b_qkv is None else attn.b_qkv[d_v]

    def of(r: Sequence[Tensor], hold: Hold) -> Tensor:
        v = F.linear(normed(block.norm_attn, torch.stack(list(r)), hold), w_v, b_v)
        v = torch.unflatten(v, -1, (attn.n_kv_heads, attn.d_head))
        v = v.repeat_interleave(attn.n_heads // attn.n_kv_heads, dim=-2)
        z = torch.einsum("hk,k...hd->...hd", weights.to(v.dtype), v)
        return pre_activation(F.linear(z.flatten(-2), attn.w_o, attn.b_o), hold)

    return Score(reads, position, of, "pre-activation")
