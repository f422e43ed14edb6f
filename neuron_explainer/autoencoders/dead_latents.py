"""Latents that have stopped being active, and how they are given a new start.

A latent is dead once it was inactive for `dead_after` tokens. Resampling (Bricken et al. 2023, appendix "Neuron
resampling"), for each dead latent:

    1. draw an input x with probability proportional to the square of its reconstruction loss
    2. decoder row = (x - b) / |x - b|
    3. encoder row = the same direction, 0.2 times as long as live encoder rows are on average; encoder bias 0.
       Where latents compete to be among the k largest, 1 times: a faint one would never win
    4. Adam's moments of these rows and this bias = 0
"""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Silence:
    """For how many tokens each latent has been inactive."""

    def __init__(self, n_latents: int, dead_after: int, device: torch.device) -> None:
        self.tokens = torch.zeros(n_latents, dtype=torch.int64, device=device)
        self.dead_after = dead_after

    def add(self, n_tokens: int, active: Bool[Tensor, " latent"]) -> None:
        """Count a batch, in which some latents were active."""
        self.tokens += n_tokens
        self.tokens[active] = 0

    @property
    def dead(self) -> Int[Tensor, " dead"]:
        """Indices of the dead latents."""
        return (self.tokens >= self.dead_after).nonzero().flatten()

    @property
    def dead_fraction(self) -> float:
        return float((self.tokens >= self.dead_after).float().mean())


def resample(
    dead: Int[Tensor, " dead"],
    inputs: Float[Tensor, "token d"],
    losses: Float[Tensor, " token"],
    weights: Mapping[str, Float[Tensor, "..."]],
    moments: Mapping[str, tuple[Tensor, Tensor]],
    generator: torch.Generator,
    encoder_share: float,
) -> None:
    """Re-initialise dead latents, in place.

    Args:
        inputs: what the encoder reads, offset subtracted.
        losses: squared error of each input's reconstruction.
        weights: `w_enc`, `b_enc`, `w_dec`; rows are latents.
        moments: Adam's, of each weight.
        encoder_share: length of their encoder rows, as a share of the live ones' mean.
    """
    chance = losses.double().square().cpu()
    if dead.numel() == 0 or not chance.sum() > 0:
        return
    drawn = torch.multinomial(chance, dead.numel(), replacement=True, generator=generator)
    rows = inputs[drawn.to(inputs.device)]
    directions = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-8)
    is_live = torch.ones(weights["w_enc"].shape[0], dtype=torch.bool, device=dead.device)
    is_live[dead] = False
    norms = weights["w_enc"][is_live].norm(dim=1)
    length = float(norms.mean()) if norms.numel() else 1.0
    with torch.no_grad():
        weights["w_dec"][dead] = directions
        weights["w_enc"][dead] = directions * length * encoder_share
        weights["b_enc"][dead] = 0.0
        for name in ("w_enc", "b_enc", "w_dec"):
            for moment in moments[name]:
                moment[dead] = 0.0
