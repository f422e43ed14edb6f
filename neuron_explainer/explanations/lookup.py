"""Token lookup: a component fires on these tokens, wherever they stand. The rival that others must beat.

    value[token] = mean of one side's activations at that token, over the text to learn from
    kept         = the tokens that set themselves off most, by n (value - mean over all)^2, of those above the mean

The baseline of Bills et al. 2023, "Language models can explain neurons in language models", kept short enough to be
read and stored. Means are shrunk by one token at the overall mean, so that a token seen once is not believed.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.explanations.token_rule import TokenRule

N_KEPT = 64
ENOUGH = 0.98
"""Tokens are kept until they make up this share of what all of them tell."""
FIRING = 0.5
"""A component fires where it reaches this share of its largest value (Foote et al. 2023, section 3)."""


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a text, and where each of them stands."""

    tokens: Int[Tensor, " kind"]
    """Those that occur, ascending."""
    place: Int[Tensor, " token"]
    """Of each token of the text, its row above."""
    counts: Float[Tensor, " kind"]

    @staticmethod
    def of(tokens: Int[Tensor, " token"]) -> "Vocabulary":
        """The vocabulary of a text."""
        kinds, place = torch.unique(tokens, return_inverse=True)
        return Vocabulary(kinds, place, torch.bincount(place).float())

    def sums(self, values: Float[Tensor, " token"]) -> Float[Tensor, " kind"]:
        """The values at each token, added up."""
        return torch.zeros(len(self.tokens)).index_add_(0, self.place, values)


def lookup_rule(
    tokens: Int[Tensor, " kind"],
    counts: Float[Tensor, " kind"],
    sums: Float[Tensor, " kind"],
    n: int = N_KEPT,
) -> TokenRule:
    """The rule of one side of a component, from how often each token occurs and its values added up.

    The threshold is still to be set.
    """
    overall = sums.sum() / counts.sum().clamp(min=1)
    value = (sums + overall) / (counts + 1)
    gain = (counts * (value - overall).clamp(min=0) ** 2).topk(min(n, len(counts)))
    share = gain.values.cumsum(0) / gain.values.sum().clamp(min=1e-30)
    n_kept = min(int((share < ENOUGH).sum()) + 1, int((gain.values > 0).sum()))
    rows = gain.indices[:n_kept]
    rows = rows[value[rows].argsort(descending=True)]
    left = torch.ones(len(counts), dtype=torch.bool)
    left[rows] = False
    other = sums[left].sum() / counts[left].sum().clamp(min=1)
    values = zip(tokens[rows].tolist(), value[rows].tolist(), strict=True)
    return TokenRule(dict(values), float(other))


def best_threshold(
    predicted: Float[Tensor, " token"], fires: Bool[Tensor, " token"], rule: TokenRule
) -> float:
    """The value from which on saying "it fires" has the best F1: half way between two that the rule predicts, so that
    rounding them moves none across; above what it predicts of the tokens that it does not name."""
    known = {*rule.values.values(), rule.other, *(pattern.value for pattern in rule.patterns)}
    levels = torch.tensor(sorted(known))
    place = torch.bucketize(predicted, levels)
    said = torch.bincount(place, minlength=len(levels)).flip(0).cumsum(0).flip(0).float()
    right = torch.bincount(place[fires], minlength=len(levels)).flip(0).cumsum(0).flip(0).float()
    f1 = 2 * right / (said + fires.sum())
    is_named = levels > rule.other
    best = int(torch.where(is_named, f1, -1.0).argmax()) if is_named.any() else int(f1.argmax())
    return float(levels[best - 1 : best + 1].mean()) if best else 0.0
