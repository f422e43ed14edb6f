"""From a coded site to the residual stream and back.

A vector at `mlp_post_act` is written through W_out; at every other site it is added to the stream as it is.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import CodedSite
from neuron_explainer.models.forward_pass import Place
from neuron_explainer.models.transformer import Transformer


def in_stream(
    model: Transformer, coded: CodedSite, vectors: Float[Tensor, "*batch d"]
) -> Float[Tensor, "*batch d_model"]:
    """What vectors at the site are in the residual stream."""
    if coded.site != "mlp_post_act":
        return vectors
    return F.linear(vectors, model.block(coded.layer).mlp.w_out.float())


def at_site(
    model: Transformer, coded: CodedSite, directions: Float[Tensor, "*batch d_model"]
) -> Float[Tensor, "*batch d"]:
    """The directions at the site along which a vector moves these directions of the stream."""
    if coded.site != "mlp_post_act":
        return directions
    return directions @ model.block(coded.layer).mlp.w_out.float()


def lands(coded: CodedSite) -> Place:
    """The first point of the residual stream that holds what is written at the site."""
    match coded.site:
        case "resid_pre":
            return Place(coded.layer)
        case "resid_delta_attn" | "resid_mid":
            return Place(coded.layer, is_mid=True)
        case _:
            return Place(coded.layer + 1)
