"""Superposition with a known answer: sparse features, more of them than dimensions, and what a coder finds of them.

    x = sum_i f_i v_i        v_i: random unit vectors, n of them in d < n dimensions
                             f_i: 0 but with probability p_i, then uniform in [0.5, 1.5]

The chances p_i fall as a power of i, as those of concepts do in text, to `rarest` of the first. A coder has recovered
feature i if one of its decoder columns has a cosine above 0.9 with v_i (Sharkey et al. 2022, "Taking features out of
superposition"; Elhage et al. 2022, "Toy models of superposition").
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.autoencoders.learner import Learner
from neuron_explainer.autoencoders.recipe import Point, Recipe
from neuron_explainer.autoencoders.sparse_coder import SparseCoder

RECOVERED = 0.9
"""Cosine above which a feature counts as recovered."""


class ToyModel:
    def __init__(
        self, n_features: int, d: int, *, n_active: float, rarest: float = 1.0, seed: int = 0
    ) -> None:
        """Draw the features.

        Args:
            n_active: features active at once, on average.
            rarest: chance of the last feature as a share of the first one's.
        """
        self.generator = torch.Generator().manual_seed(seed)
        rows = torch.randn(n_features, d, generator=self.generator)
        self.features: Float[Tensor, "feature d"] = rows / rows.norm(dim=1, keepdim=True)
        power = math.log(rarest) / math.log(n_features)
        chances = torch.arange(1, n_features + 1) ** power
        self.chances: Float[Tensor, " feature"] = n_active * chances / chances.sum()

    def sample(self, n: int) -> Float[Tensor, "n d"]:
        """New activations, each time."""
        drawn = torch.rand(n, len(self.features), generator=self.generator)
        # Where a uniform number is below p, its share of p is uniform again: one draw decides and sizes.
        return torch.where(drawn < self.chances, 0.5 + drawn / self.chances, 0.0) @ self.features


@dataclass(frozen=True)
class Recovery:
    """What a coder found of the features."""

    mean_max_cosine: float
    """Mean over features of the cosine with the nearest decoder column."""
    share_recovered: float
    """Share of features whose nearest column has a cosine above `RECOVERED`."""


@torch.no_grad()
def recovery(features: Float[Tensor, "feature d"], coder: SparseCoder) -> Recovery:
    """Compare a coder's decoder with the true features."""
    columns = coder.decoder / coder.decoder.norm(dim=0).clamp(min=1e-8)
    nearest = (features @ columns).amax(dim=1)
    return Recovery(float(nearest.mean()), float((nearest > RECOVERED).float().mean()))


def train_on_toy(toy: ToyModel, recipe: Recipe) -> SparseCoder:
    """A coder of the toy model's activations, trained as those of language models are."""
    d = toy.features.shape[1]
    generator = torch.Generator().manual_seed(recipe.seed)
    learner = Learner(Point("resid_post", 0), recipe, d, toy.features.device)
    for step in range(recipe.n_steps):
        batch = toy.sample(recipe.batch_tokens)
        if step == 0:
            learner.start(batch, generator)
        learner.step(batch, step)
        if step + 1 in recipe.resample_steps:
            learner.resample(batch, generator)
    return learner.coder("toy model")
