"""An attention latent shared out over token pairs: which tokens, through which heads, raise it.

What the coder reads at token t is x = sum over heads h and keys k of A[h, t, k] v[h, k] W_O[h], plus the output bias.
Its pre-activation is affine in x once the scale of the coder's own input norm is held, so with r_j the encoder row as
it meets x (centred and scaled where the coder does that)

    pair(h, k) = A[h, t, k] <v[h, k] W_O[h], r_j>
    rest       = <b_O, r_j> + the coder's biases + what edits put in the place of a head's pairs

sum to the pre-activation, whatever the nonlinearity then makes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import CodedSite
from neuron_explainer.models.extent import check_position
from neuron_explainer.models.interventions import check_component, replaced_heads
from neuron_explainer.models.run import Run
from neuron_explainer.nodes import Component, Node


@dataclass(frozen=True)
class PairShare:
    """One pair's share of the pre-activation."""

    node: str
    head: int
    key_position: int
    value: float


@dataclass(frozen=True)
class LatentPairs:
    node: str
    activation: float
    pre_activation: float
    rest: float
    pairs: Sequence[PairShare]
    """The largest, either way."""
    by_key: Sequence[float]
    """Summed over heads, by token looked at, up to the latent's own."""
    by_head: Sequence[float]
    """Summed over keys."""


@torch.no_grad()
def latent_pairs(run: Run, node: Node, n: int) -> LatentPairs:
    """Share an attention latent's pre-activation out over token pairs; the n largest are listed.

    Raises LookupError or ValueError for a node that is no latent of attention, or that the run does not have.
    """
    component = node.component
    if component.kind != "latent" or component.stream != "attn":
        raise ValueError(f"{node}: only a latent of attention is shared out over pairs of tokens.")
    check_component(component, run.model.config, run.case.bases)
    token = check_position(node.position or 0, len(run.tokens), f"{node}: position")
    coded, latent = run.case.bases.at(component), component.index or 0
    reading = run.reading(coded)
    x = reading.entered[token]
    pre, row = _read(coded, latent, x)
    shares = _shares(run, coded, row, token)
    order = shares.flatten().abs().sort(descending=True, stable=True).indices[:n].tolist()
    places = [divmod(i, shares.shape[1]) for i in order]
    return LatentPairs(
        node=str(node),
        activation=float(reading.latent(latent)[token]),
        pre_activation=pre,
        rest=pre - float(row @ x) + _beside_pairs(run, coded.layer, row, token),
        pairs=[
            PairShare(
                str(Node(Component("attn", coded.layer, head), token, key)),
                head,
                key,
                float(shares[head, key]),
            )
            for head, key in places
            if shares[head, key] != 0
        ],
        by_key=shares.sum(0).tolist(),
        by_head=shares.sum(1).tolist(),
    )


def _shares(
    run: Run, coded: CodedSite, row: Float[Tensor, " d_model"], token: int
) -> Float[Tensor, "head key"]:
    config, attn = run.model.config, run.model.block(coded.layer).attn
    pattern = run.value("attn_pattern", coded.layer)[:, token, : token + 1].float().clone()
    pattern[_replaced(run, coded.layer, token)] = 0.0
    v = run.value("attn_v", coded.layer)[:, : token + 1].float()
    v = v.repeat_interleave(config.n_heads // config.n_kv_heads, dim=0)
    pulled = attn.head_w_o().float() @ row
    return pattern * torch.einsum("hkd,hd->hk", v, pulled)


def _beside_pairs(run: Run, layer: int, row: Float[Tensor, " d_model"], token: int) -> float:
    """Along r_j: the output bias, and mixed values that edits put in the place of pairs."""
    attn = run.model.block(layer).attn
    bias = 0.0 if attn.b_o is None else float(attn.b_o.float() @ row)
    z, w_o = run.value("attn_z", layer).float(), attn.head_w_o().float()
    heads = _replaced(run, layer, token)
    return bias + sum(float(z[head, token] @ w_o[head] @ row) for head in heads)


def _replaced(run: Run, layer: int, token: int) -> list[int]:
    """Heads whose mixed values at a token come from an edit."""
    replaced = replaced_heads(run.case.interventions, layer, len(run.tokens))
    return [head for head, tokens in replaced.items() if token in tokens]


def _read(
    coded: CodedSite, latent: int, x: Float[Tensor, " d"]
) -> tuple[float, Float[Tensor, " d"]]:
    """The pre-activation, and its derivative in x with the scale of the coder's input norm held."""
    with torch.enable_grad():
        leaf = x.clone().requires_grad_()
        pre = coded.pre_activation(leaf, latent, torch.Tensor.detach)
        (row,) = torch.autograd.grad(pre, leaf)
    return float(pre.detach()), row
