"""A rule that says, from tokens alone, how strongly a component fires: what an LLM-free explanation means exactly.

    value(t) = value of the first pattern that matches at t, else values[token t], else other

A pattern asks for the token itself to be in a set (or for nothing) and for tokens before it, at given distances, to
be in sets: a path of the trigger graph of Foote et al. 2023, "Neuron to Graph". A token lookup is a rule without
patterns. Rules simulate activations, so they are scored exactly as the sentences of a language model are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

STEPS = 200
"""Of a rule's largest value, to which the others are rounded."""


@dataclass(frozen=True)
class Pattern:
    """A token and what must come before it."""

    tokens: frozenset[int] | None
    """The token itself; None: any."""
    context: tuple[tuple[int, frozenset[int]], ...]
    """(distance back, tokens that fit there), nearest first; distance 1 is the token before."""
    value: float
    share: float = 0.0
    """Of all the tokens at which the component fires, the share at which this pattern holds."""

    def matches(self, token_ids: Int[np.ndarray, " token"]) -> Bool[np.ndarray, " token"]:
        """Where in a text the pattern holds."""
        found = np.ones(len(token_ids), dtype=bool)
        if self.tokens is not None:
            found &= np.isin(token_ids, list(self.tokens))
        for distance, allowed in self.context:
            fits = np.isin(token_ids, list(allowed))
            found[:distance] = False
            found[distance:] &= fits[: max(0, len(fits) - distance)]
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "tokens": None if self.tokens is None else sorted(self.tokens),
            "context": [[distance, sorted(allowed)] for distance, allowed in self.context],
            "value": _short(self.value),
            "share": _short(self.share),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Pattern":
        return Pattern(
            None if data["tokens"] is None else frozenset(data["tokens"]),
            tuple((distance, frozenset(allowed)) for distance, allowed in data["context"]),
            data["value"],
            data["share"],
        )


@dataclass(frozen=True)
class TokenRule:
    """How strongly a component fires, from tokens alone."""

    values: Mapping[int, float]
    """For the tokens it fires on."""
    other: float
    """For all others."""
    patterns: tuple[Pattern, ...] = ()
    """The first that matches counts."""
    threshold: float = 0.0
    """From this predicted value on, the rule says that the component fires."""

    def simulate(self, token_ids: Sequence[int]) -> Float[np.ndarray, " token"]:
        """The predicted value at each token."""
        ids = np.asarray(token_ids, dtype=np.int64)
        values = np.array([self.values.get(token, self.other) for token in token_ids])
        is_free = np.ones(len(ids), dtype=bool)
        for pattern in self.patterns:
            found = pattern.matches(ids) & is_free
            values[found] = pattern.value
            is_free &= ~found
        return values

    def to_json(self) -> dict[str, Any]:
        """Short, since it is kept for every component: tokens ascending, each as its distance from the one before;
        values in `STEPS` of the largest."""
        tokens = sorted(self.values)
        largest = max(self.values.values(), default=0.0)
        step = _short(largest / STEPS) if largest > 0 else 1.0
        return {
            "tokens": [after - before for before, after in pairwise([0, *tokens])],
            "values": [round(self.values[token] / step) for token in tokens],
            "step": step,
            "other": _short(self.other),
            "patterns": [pattern.to_json() for pattern in self.patterns],
            "threshold": _short(self.threshold),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "TokenRule":
        tokens = accumulate(data["tokens"])
        values = [data["step"] * value for value in data["values"]]
        # The tokens it fires on most come first, as in the rule that was kept.
        ranked = sorted(zip(tokens, values, strict=True), key=lambda it: -it[1])
        return TokenRule(
            dict(ranked),
            data["other"],
            tuple(Pattern.from_json(it) for it in data["patterns"]),
            data["threshold"],
        )

    def as_kept(self) -> "TokenRule":
        """The rule as it is read again, rounded: what is scored is what is kept."""
        return TokenRule.from_json(self.to_json())


def _short(value: float) -> float:
    return float(f"{value:.3g}")
