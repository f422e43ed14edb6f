"""A latent's pre-activation, and what a coder's error writes, as functions of the residual stream: tracing them.

    site                  what the coder reads, x[t]                   read from             linear
    resid_*               the stream itself                            the site              yes
    resid_delta_attn      sum of A[t, k] v(Norm r[k]) W_O, + b_O       r[k], k <= t          yes: A is held fixed
    mlp_post_act          MLP's activations of Norm r[t]               r[t]                  no
    resid_delta_mlp       the same, times W_out, + b_out               r[t]                  no

    latent    J = encoder row . x + bias, after the coder's own input norm
    error     J = <x - decode(encode(x)), G>           G: the direction of something downstream, as the site sees it

For the direction every scale is held fixed: the model's norm and, for a latent, the coder's. Where J is not linear even
so, as an error never is, direct effects are its derivative and need not add up to it.
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


@dataclass(frozen=True)
class _SiteValue:
    """A site's value at a token as a function of the residual stream at the tokens it reads."""

    reads: tuple[int, ...]
    of: Callable[[Sequence[Tensor], Hold], Tensor]
    """x, "*batch d", from the residual stream at each of `reads`."""
    is_linear: bool


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
    site = _site_value(batch, row, coded, position)

    def pre_activation(r: Sequence[Tensor], hold: Hold) -> Tensor:
        return coded.pre_activation(site.of(r, hold), latent, hold).float()

    return Score(site.reads, position, pre_activation, "pre-activation", site.is_linear)


def error_score(
    batch: Pass,
    row: int,
    coded: CodedSite,
    position: int,
    along: Float[Tensor, " d"],
    unit: str,
) -> Score:
    """What the coder's error at a token comes to along a direction at the site."""
    site = _site_value(batch, row, coded, position)

    def missed(r: Sequence[Tensor], hold: Hold) -> Tensor:
        x = site.of(r, hold)
        return ((x - coded.reconstruction(x)).float() @ along.float()).float()

    return Score(site.reads, position, missed, unit, adds_up=False)


def _site_value(batch: Pass, row: int, coded: CodedSite, position: int) -> _SiteValue:
    block = batch.model.block(coded.layer)

    def of_stream(r: Sequence[Tensor], _: Hold) -> Tensor:
        return r[0]

    def of_mlp(r: Sequence[Tensor], hold: Hold) -> Tensor:
        a = block.mlp.post_act(normed(block.norm_mlp, r[0], hold))
        if coded.site == "resid_delta_mlp":
            a = F.linear(a, block.mlp.w_out, block.mlp.b_out)
        return a

    match coded.site:
        case "resid_delta_attn":
            return _of_attention(batch, row, coded, position)
        case "mlp_post_act" | "resid_delta_mlp":
            return _SiteValue((position,), of_mlp, is_linear=False)
        case _:
            return _SiteValue((position,), of_stream, is_linear=True)


def _of_attention(batch: Pass, row: int, coded: CodedSite, position: int) -> _SiteValue:
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
        return F.linear(z.flatten(-2), attn.w_o, attn.b_o)

    return _SiteValue(reads, of, is_linear=True)
