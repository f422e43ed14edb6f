"""From pre-activations to latents: which latents are active, and how much.

    relu       z = max(pre, 0)
    topk       z = max(pre, 0) for the k largest of each token, else 0           Gao et al. 2024, section 2.3
    batchtopk  z = max(pre, 0) for the k n largest of a batch of n tokens; outside training, for those above a
               threshold kept from it                                            Bussmann et al. 2024, section 3
    jumprelu   z = pre where pre > threshold[latent], else 0                     Rajamanoharan et al. 2024b, section 3

A gated encoder (Rajamanoharan et al. 2024a), whose gate and magnitude share their weights up to a factor, is a
`jumprelu` with other numbers; `formats.py` converts it.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

NonlinearityKind = Literal["relu", "topk", "batchtopk", "jumprelu"]


@dataclass(frozen=True)
class Nonlinearity:
    """Which rule makes latents of pre-activations."""

    kind: NonlinearityKind = "relu"
    k: int | None = None
    """Active latents per token; only topk and batchtopk have it."""

    def __post_init__(self) -> None:
        needs_k = self.kind in ("topk", "batchtopk")
        if needs_k != (self.k is not None):
            raise ValueError(f"nonlinearity {self.kind!r} clashes with k={self.k}")
        if self.k is not None and self.k < 1:
            raise ValueError(f"k={self.k}: at least one latent must be active")


def active_latents(
    nonlinearity: Nonlinearity,
    pre: Float[Tensor, "*batch latent"],
    threshold: Float[Tensor, "#latent"] | None = None,
) -> Float[Tensor, "*batch latent"]:
    """Latents from pre-activations; inactive ones are exactly 0.

    Args:
        threshold: jumprelu: one for each latent; batchtopk: a single one, or None to take the k largest on
            average over this batch, as in training.
    """
    match nonlinearity.kind:
        case "relu":
            return pre.relu()
        case "topk":
            return _keep_largest(pre, min(nonlinearity.k or 1, pre.shape[-1]))
        case "batchtopk":
            if threshold is not None:
                return torch.where(pre > threshold, pre.relu(), 0.0)
            flat = pre.flatten(0, -2) if pre.ndim > 1 else pre[None]
            n_kept = min((nonlinearity.k or 1) * flat.shape[0], flat.numel())
            return _keep_largest(flat.flatten(), n_kept).view_as(pre)
        case "jumprelu":
            if threshold is None:
                raise ValueError("jumprelu needs a threshold for each latent")
            return torch.where(pre > threshold, pre.relu(), 0.0)


def _keep_largest(x: Float[Tensor, "*batch n"], k: int) -> Float[Tensor, "*batch n"]:
    values, indices = x.topk(k, dim=-1, sorted=False)
    return torch.zeros_like(x).scatter(-1, indices, values.relu())
