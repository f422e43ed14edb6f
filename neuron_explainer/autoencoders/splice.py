"""A coder at its site, as runs, edits and traces see it (`models/bases.py`), and the bases made of coder sets.

Splicing a coder in makes the site's value decode(z') + (x - decode(z)) = x + u sum_j (z'_j - z_j) D_j, z' being the
edited latents. Unedited, that is x itself, so an unedited splice puts nothing into the forward: the logits and
gradients are the bare model's, bit for bit. Latents are then read off the recorded x, and what J does as latent j is
scaled is z_j u <D_j, dJ/dx>. The factor u and offset c of a layer-normed coder are those of the unedited x.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from neuron_explainer.autoencoders.nonlinearities import Nonlinearity, active_latents
from neuron_explainer.autoencoders.sparse_coder import SparseCoder
from neuron_explainer.models.bases import Active, Hold, live
from neuron_explainer.nodes import Stream

ACTIVE_SHARE = 1 / 50
"""Share of its latents that a coder without a fixed number is reckoned to have active."""


class SplicedCoder:
    """One coder where it belongs: a `CodedSite`."""

    def __init__(self, name: str, stream: Stream, coder: SparseCoder) -> None:
        self.name = name
        self.stream = stream
        self.coder = coder
        self.site = coder.config.site
        self.layer = coder.config.layer
        self.width = coder.config.d_in
        self.n_latents = coder.config.n_latents
        self.n_active = coder.config.k or math.ceil(ACTIVE_SHARE * self.n_latents)
        _lay_out(coder)

    @torch.no_grad()
    def active(self, x: Float[Tensor, "token d"]) -> Active:
        return self.coder.encode_active(x)

    def latents(
        self, x: Float[Tensor, "*batch d"], which: Int[Tensor, " n"]
    ) -> Float[Tensor, "*batch n"]:
        coder = self.coder
        x = x.to(coder.w_enc.dtype)
        pre = F.linear(self._read(x, live), coder.w_enc[which], coder.b_enc[which])
        if coder.config.nonlinearity == "topk":  # which are on depends on all of them
            return torch.where(self._among_largest(x, which), pre.relu(), 0.0)
        threshold: Tensor | None = coder.threshold
        if threshold is not None and threshold.numel() > 1:
            threshold = threshold[which]
        return active_latents(
            Nonlinearity(coder.config.nonlinearity, coder.config.k), pre, threshold
        )

    def reconstruction(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        x = x.to(self.coder.w_enc.dtype)
        found: Tensor = self.coder(x)
        return found

    def directions(self, which: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
        return self.coder.decoder.T[which]

    def encoder_row(self, latent: int) -> Float[Tensor, " d"]:
        return self.coder.w_enc[latent]

    def sums(self, active: Active, n_tokens: int) -> Float[Tensor, "token d"]:
        first = torch.searchsorted(active.token, torch.arange(n_tokens, device=active.token.device))
        return F.embedding_bag(
            active.latent,
            self.coder.decoder.T,
            first,
            mode="sum",
            per_sample_weights=active.value,
        )

    def unit(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch 1"]:
        return self.coder.normalize(x.to(self.coder.w_enc.dtype))[2]

    def offset(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        _, mean, unit = self.coder.normalize(x.to(self.coder.w_enc.dtype))
        return unit * self.coder.b_dec + mean

    def pre_activation(
        self, x: Float[Tensor, "*batch d"], latent: int, hold: Hold
    ) -> Float[Tensor, "*batch"]:
        read = self._read(x.to(self.coder.w_enc.dtype), hold)
        return read @ self.coder.w_enc[latent] + self.coder.b_enc[latent]

    def _read(self, x: Float[Tensor, "*batch d"], hold: Hold) -> Float[Tensor, "*batch d"]:
        """What the encoder's rows are multiplied with."""
        read = self.coder.normalize(x, hold)[0]
        return read - self.coder.b_dec if self.coder.config.subtract_b_dec else read

    @torch.no_grad()
    def _among_largest(
        self, x: Float[Tensor, "*batch d"], which: Int[Tensor, " n"]
    ) -> Bool[Tensor, "*batch n"]:
        """Which latents are among the k largest of each token; few tokens are held dense at once."""
        tokens = x.flatten(0, -2) if x.ndim > 1 else x[None]
        parts = [self._kept(part, which) for part in torch.split(tokens, 64)]
        return torch.cat(parts).view(*x.shape[:-1], len(which))

    def _kept(self, x: Tensor, which: Tensor) -> Tensor:
        pre = self.coder.pre_activation(x)
        kept = torch.zeros_like(pre, dtype=torch.bool)
        k = min(self.coder.config.k or 1, pre.shape[-1])
        return kept.scatter_(1, pre.topk(k, dim=-1, sorted=False).indices, True)[:, which]


def _lay_out(coder: SparseCoder) -> None:
    """Store the decoder so that each latent's direction lies in one piece: few are looked up at a time."""
    if coder.w_dec is not None and not coder.w_dec.T.is_contiguous():
        by_latent = coder.w_dec.detach().T.contiguous()
        coder.w_dec = nn.Parameter(by_latent.T, requires_grad=coder.w_dec.requires_grad)
