"""What an attention head looks at, as a mixture of a few patterns that can be read off the tokens alone.

    previous:d   from each token to the one d before it            (d = 0: to itself)
    first        to the first token of the text
    duplicate    to earlier copies of the same token
    induction    to what followed earlier copies of the same token (Olsson et al. 2022, "In-context Learning and
                 Induction Heads")
    keys         to certain tokens, wherever they stand            (the lookup; alone it is the baseline)

    value(q, k) = sum over patterns of weight * holds(q, k), and for `keys` the mean at the key's token

Values are write magnitudes |A v W_O|. Weights are fitted by non-negative least squares, and a pattern stays only if it
holds at least `MIN_MASS` of all the head's write. Pairs look back only: k <= q.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
from jaxtyping import Bool, Float, Int

from neuron_explainer.explanations.wording import TokenText, joined, listed

MIN_MASS = 0.08
MIN_LIFT = 2.0
"""A pattern's mean value is at least this many times that of all pairs."""
N_KEYS = 32
MIN_KEY_COUNT = 3
DISTANCES = range(5)

Pairs = Float[np.ndarray, "_ _"]
Ids = Int[np.ndarray, "_"]
"""Tokens of one text; texts differ in length."""


def _at_distance(ids: Int[np.ndarray, " token"], distance: int) -> Bool[np.ndarray, "query key"]:
    return np.eye(len(ids), k=-distance, dtype=bool)


def _first(ids: Int[np.ndarray, " token"]) -> Bool[np.ndarray, "query key"]:
    found = np.zeros((len(ids), len(ids)), dtype=bool)
    found[:, 0] = True
    return found


def _duplicate(ids: Int[np.ndarray, " token"]) -> Bool[np.ndarray, "query key"]:
    return np.tril(ids[:, None] == ids[None, :], k=-1)


def _induction(ids: Int[np.ndarray, " token"]) -> Bool[np.ndarray, "query key"]:
    found = np.zeros((len(ids), len(ids)), dtype=bool)
    found[:, 1:] = _duplicate(ids)[:, :-1]
    return found


PATTERNS: Mapping[str, Callable[[Int[np.ndarray, " token"]], Bool[np.ndarray, "query key"]]] = {
    **{f"previous:{d}": lambda ids, d=d: _at_distance(ids, d) for d in DISTANCES},  # type: ignore[misc]  # d binds the loop's
    "first": _first,
    "duplicate": _duplicate,
    "induction": _induction,
}

_WORDS = {
    "previous:0": "to the token itself",
    "previous:1": "to the previous token",
    "first": "to the first token of the text",
    "duplicate": "to earlier copies of the same token",
    "induction": "to what followed earlier copies of the same token (induction)",
}


@dataclass(frozen=True)
class HeadRule:
    """How strongly a head writes from each token to each, from the tokens alone."""

    weights: Mapping[str, float]
    """Of each pattern."""
    mass: Mapping[str, float]
    """The share of the head's write that lies where each pattern holds (they overlap)."""
    keys: Mapping[int, float]
    """What each of these key tokens adds."""
    other: float

    def simulate(self, token_ids: Sequence[int]) -> Pairs:
        """The predicted value of each pair; 0 above the diagonal."""
        ids = np.asarray(token_ids, dtype=np.int64)
        by_key = np.array([self.keys.get(token, 0.0) for token in token_ids])
        value = np.full((len(ids), len(ids)), self.other) + by_key[None, :]
        for name, weight in self.weights.items():
            value = value + weight * PATTERNS[name](ids)
        return np.asarray(np.tril(value))

    def to_json(self) -> dict[str, Any]:
        def short(values: Mapping[Any, float]) -> list[list[Any]]:
            return [[key, float(f"{value:.3g}")] for key, value in values.items()]

        return {
            "weights": short(self.weights),
            "mass": short(self.mass),
            "keys": short(self.keys),
            "other": float(f"{self.other:.3g}"),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "HeadRule":
        return HeadRule(
            dict(data["weights"]), dict(data["mass"]), dict(data["keys"]), data["other"]
        )


def fit_head(
    windows: Sequence[tuple[int, ...]], values: Sequence[Pairs], *, keys_only: bool = False
) -> HeadRule:
    """The rule that fits a head's write magnitudes on some text best.

    Args:
        keys_only: the baseline, which knows only which token is looked at.
    """
    texts = [np.asarray(window, dtype=np.int64) for window in windows]
    names = [] if keys_only else _telling(texts, values)
    keys = _key_means(texts, values)
    columns = [_flat([PATTERNS[name](ids) for ids in texts]) for name in names]
    key_of = [np.array([keys.get(int(token), 0.0) for token in ids]) for ids in texts]
    columns.append(_flat([np.broadcast_to(it[None, :], (len(it), len(it))) for it in key_of]))
    columns.append(np.ones_like(columns[-1]))
    target = _flat(values)
    weights, _ = scipy.optimize.nnls(np.stack(columns, axis=1), target)
    total = target.sum()
    kept = {name: float(weight) for name, weight in zip(names, weights, strict=False) if weight > 0}
    masses = {
        name: float(target[columns[names.index(name)] > 0].sum() / total) if total else 0.0
        for name in kept
    }
    strong = sorted(keys.items(), key=lambda it: -it[1])[:N_KEYS]
    scale = float(weights[-2])
    return HeadRule(
        dict(sorted(kept.items(), key=lambda it: -masses[it[0]])),
        dict(sorted(masses.items(), key=lambda it: -it[1])),
        {token: scale * value for token, value in strong if scale * value > 0},
        float(weights[-1]),
    )


def describe_head(rule: HeadRule, text_of: TokenText) -> str:
    """The rule as a sentence without its subject."""
    parts = [
        f"{_words(name)} ({round(100 * mass)} % of its write)"
        for name, mass in rule.mass.items()
        if mass >= MIN_MASS
    ][:3]
    most = max(rule.keys.values(), default=0.0)
    strong = [text_of(token) for token, value in rule.keys.items() if value >= 0.4 * most]
    named = listed(strong) if strong else ""
    if not parts:
        return f"attends to {named}" if named else "attends to nothing in particular"
    sentence = f"attends {joined(parts)}"
    return f"{sentence}; most of all to {named}" if named else sentence


def _words(name: str) -> str:
    return _WORDS.get(name) or f"to the token {name.partition(':')[2]} back"


def _telling(texts: Sequence[Ids], values: Sequence[Pairs]) -> list[str]:
    """Patterns at which the head writes a fair share of all it writes, and more than elsewhere."""
    target = _flat(values)
    found = []
    for name, pattern in PATTERNS.items():
        holds = _flat([pattern(ids) for ids in texts]) > 0
        if not holds.any() or target.sum() <= 0:
            continue
        mass = target[holds].sum() / target.sum()
        if mass >= MIN_MASS and target[holds].mean() >= MIN_LIFT * target.mean():
            found.append(name)
    return found


def _key_means(texts: Sequence[Ids], values: Sequence[Pairs]) -> dict[int, float]:
    """Mean value of the pairs whose key is each token, less the mean over all; only what is above."""
    sums: dict[int, float] = {}
    counts: dict[int, int] = {}
    seen: dict[int, int] = {}
    for ids, value in zip(texts, values, strict=True):
        per_key = value.sum(0)
        for key, token in enumerate(ids.tolist()):
            sums[token] = sums.get(token, 0.0) + float(per_key[key])
            counts[token] = counts.get(token, 0) + len(ids) - key
            seen[token] = seen.get(token, 0) + 1
    overall = sum(sums.values()) / max(1, sum(counts.values()))
    return {
        token: sums[token] / counts[token] - overall
        for token in sums
        if seen[token] >= MIN_KEY_COUNT and sums[token] / counts[token] > overall
    }


def _flat(values: Sequence[np.ndarray]) -> Float[np.ndarray, " pair"]:
    """The pairs that look back, of all texts one after another."""
    return np.concatenate([it[np.tril_indices(len(it))].astype(np.float64) for it in values])
