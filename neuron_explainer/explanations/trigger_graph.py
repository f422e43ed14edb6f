"""Trigger graphs: which tokens a component fires on, and after which others, in the manner of Neuron2Graph.

1. the lookup rule of the component (`lookup.py`)
2. what its strong moments need, found by ablation and substitution on the model itself (`ablation.py`)
3. patterns: moments that need tokens at the same distances, and share some of them, become one
4. values: a pattern is worth the mean activation where it matches in the text to learn from (and no stronger one
   does); tokens are worth their mean where none does. A pattern that is no stronger than its tokens anyway is dropped.

Foote, Nanda, Kran, Konstas and Barez 2023, "Neuron to Graph: Interpreting Language Model Neurons at Scale".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.explanations.ablation import Seed
from neuron_explainer.explanations.lookup import (
    FIRING,
    Vocabulary,
    best_threshold,
    lookup_rule,
)
from neuron_explainer.explanations.observations import Observations
from neuron_explainer.explanations.token_rule import Pattern, TokenRule

MIN_MATCHES = 2
MIN_GAIN = 1.2
"""A pattern is worth at least this many times what its tokens are worth without it."""
MAX_PATTERNS = 6
MAX_UNSEEN = 8
"""Tokens that are in the rule only because they worked as substitutes."""


class RuleFitter:
    """Fits rules of many components to the same text."""

    def __init__(self, observed: Observations, n_vocab: int) -> None:
        self.observed = observed
        self.tokens = observed.text
        self.vocabulary = Vocabulary.of(self.tokens)
        self.n_vocab = n_vocab
        self._counts = torch.bincount(self.tokens, minlength=n_vocab)

    def lookup(self, values: Float[Tensor, " token"]) -> TokenRule:
        """The token lookup of one side of a component."""
        known = self.vocabulary
        rule = lookup_rule(known.tokens, known.counts, known.sums(values))
        return self._with_threshold(rule, self._dense(rule)[self.tokens], values)

    def trigger_graph(
        self, values: Float[Tensor, " token"], lookup: TokenRule, seeds: Sequence[Seed]
    ) -> TokenRule:
        """The trigger graph of one side of a component, from its lookup and its seeds."""
        kept, where = self._patterns(values, self._dense(lookup)[self.tokens], seeds)
        rule = self._with_unseen(lookup, seeds)
        if kept:
            at = torch.cat(where)
            known = self.vocabulary
            place = known.place[at]
            sums = known.sums(values).index_add_(0, place, -values[at])
            counts = known.counts - torch.bincount(place, minlength=len(known.tokens))
            rest = self._with_unseen(lookup_rule(known.tokens, counts, sums), seeds)
            rule = TokenRule(rest.values, rest.other, tuple(kept))
        predicted = self._dense(rule)[self.tokens]
        for pattern, at in zip(kept, where, strict=True):
            predicted[at] = pattern.value
        return self._with_threshold(rule, predicted, values)

    def _patterns(
        self,
        values: Float[Tensor, " token"],
        by_lookup: Float[Tensor, " token"],
        seeds: Sequence[Seed],
    ) -> tuple[list[Pattern], list[Int[Tensor, " match"]]]:
        """The patterns that tell more than their tokens do, strongest first, and where each counts."""
        found = [(self._matches(it).nonzero()[:, 0], it) for it in merge_patterns(seeds)]
        ranked = sorted(
            ((at, it) for at, it in found if len(at)), key=lambda it: -float(values[it[0]].mean())
        )
        is_free = torch.ones(len(values), dtype=torch.bool)
        firing = float(FIRING * values.max())
        kept: list[Pattern] = []
        where: list[Int[Tensor, " match"]] = []
        for at, pattern in ranked:
            own = at[is_free[at]]
            if len(own) < MIN_MATCHES or len(kept) == MAX_PATTERNS:
                continue
            value = float(values[own].mean())
            if value < MIN_GAIN * float(by_lookup[own].mean()):
                continue
            share = float((values[own] >= firing).sum() / (values >= firing).sum())
            kept.append(Pattern(pattern.tokens, pattern.context, value, share))
            where.append(own)
            is_free[own] = False
        return kept, where

    def _with_threshold(
        self,
        rule: TokenRule,
        predicted: Float[Tensor, " token"],
        values: Float[Tensor, " token"],
    ) -> TokenRule:
        threshold = best_threshold(predicted, values >= FIRING * values.max(), rule)
        return TokenRule(rule.values, rule.other, rule.patterns, threshold)

    def _with_unseen(self, rule: TokenRule, seeds: Sequence[Seed]) -> TokenRule:
        """Also tokens that the text hardly has: those that worked in place of its strongest."""
        added: dict[int, float] = {}
        for seed in seeds:
            own = rule.values.get(seed.tokens[-1])
            if seed.needs != (0,) or own is None:
                continue
            for token in sorted(seed.fits[0] - rule.values.keys()):
                if len(added) < MAX_UNSEEN and self._counts[token] <= 1:
                    added.setdefault(token, own)
        return TokenRule({**rule.values, **added}, rule.other, rule.patterns)

    def _dense(self, rule: TokenRule) -> Float[Tensor, " vocab"]:
        dense = torch.full((self.n_vocab,), rule.other)
        if rule.values:
            dense[list(rule.values)] = torch.tensor(list(rule.values.values()))
        return dense

    def _matches(self, pattern: Pattern) -> Bool[Tensor, " token"]:
        """Where in the text a pattern holds: as `Pattern.matches`, in all windows at once."""
        tokens, valid = self.observed.tokens, self.observed.valid
        found = valid.clone()
        if pattern.tokens is not None:
            found &= self._in(pattern.tokens)[tokens]
        for distance, allowed in pattern.context:
            fits = self._in(allowed)[tokens]
            found[:, :distance] = False
            found[:, distance:] &= fits[:, :-distance]
        return found[valid]

    def _in(self, tokens: frozenset[int]) -> Bool[Tensor, " vocab"]:
        table = torch.zeros(self.n_vocab, dtype=torch.bool)
        table[list(tokens)] = True
        return table


@dataclass
class _Growing:
    tokens: set[int] | None
    context: dict[int, set[int]]

    def shares(self, other: "_Growing") -> bool:
        """Whether the two ask at the same distances and agree on something at each."""
        if self.context.keys() != other.context.keys():
            return False
        if (self.tokens is None) != (other.tokens is None):
            return False
        alike = self.tokens is None or other.tokens is None or bool(self.tokens & other.tokens)
        return alike and all(self.context[d] & other.context[d] for d in self.context)

    def take(self, other: "_Growing") -> None:
        if self.tokens is not None and other.tokens is not None:
            self.tokens |= other.tokens
        for distance, allowed in other.context.items():
            self.context[distance] |= allowed


def merge_patterns(seeds: Sequence[Seed]) -> list[Pattern]:
    """Patterns of the seeds that need something before the token; alike ones are joined. Values are unset."""
    grown: list[_Growing] = []
    for seed in seeds:
        distances = [distance for distance in seed.needs if distance]
        if not distances:
            continue
        fresh = _Growing(
            set(seed.fits[0]) if 0 in seed.needs else None,
            {distance: set(seed.fits[distance]) for distance in distances},
        )
        for old in [it for it in grown if it.shares(fresh)]:
            fresh.take(old)
            grown.remove(old)
        grown.append(fresh)
    return [
        Pattern(
            None if it.tokens is None else frozenset(it.tokens),
            tuple((d, frozenset(it.context[d])) for d in sorted(it.context)),
            0.0,
        )
        for it in grown
    ]
