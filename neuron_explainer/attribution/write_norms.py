"""Norms of writes that depend on weights alone, worked out once for a model."""

from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.models.bases import CodedSite
from neuron_explainer.models.coded_writes import in_stream
from neuron_explainer.models.transformer import Block, Transformer


class WriteNorms:
    """How large a node's write is at an activation of 1; worked out when first asked for."""

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self._latent: dict[CodedSite, Float[Tensor, " latent"]] = {}
        """|D_j| in the residual stream; NaN where nobody has asked yet."""

    @cached_property
    def neuron(self) -> tuple[Float[Tensor, " d_mlp"], ...]:
        """|W_out[n]|, by layer."""
        return tuple(block.mlp.w_out.float().norm(dim=0) for block in self._blocks())

    @cached_property
    def head_gram(self) -> tuple[Float[Tensor, "head d_head d_head"], ...]:
        """W_O[h] W_O[h]^T, by layer."""
        w_o = (block.attn.head_w_o().float() for block in self._blocks())
        return tuple(w @ w.transpose(1, 2) for w in w_o)

    def _blocks(self) -> list[Block]:
        return [self.model.block(layer) for layer in range(self.model.config.n_layers)]

    def latents(self, coded: CodedSite, which: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Norms of latents' directions; those of all would cost as much as encoding a long prompt."""
        known = self._latent.setdefault(
            coded, torch.full((coded.n_latents,), torch.nan, device=which.device)
        )
        asked = torch.unique(which)
        for new in torch.split(asked[known[asked].isnan()], 4096):
            known[new] = in_stream(self.model, coded, coded.directions(new)).norm(dim=-1)
        return known[which]
