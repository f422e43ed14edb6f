"""Heads whose behaviour is known are told by their patterns."""

import numpy as np
import pytest

from neuron_explainer.explanations.head_rule import (
    PATTERNS,
    HeadRule,
    describe_head,
    fit_head,
)

RNG = np.random.default_rng(0)


def texts(count: int = 40) -> list[tuple[int, ...]]:
    return [tuple(RNG.integers(0, 12, 24).tolist()) for _ in range(count)]


def words(token: int) -> str:
    return f" w{token}"


def test_patterns_hold_where_their_names_say() -> None:
    text = np.array([4, 5, 4, 5, 6])
    holds = {
        name: {(int(q), int(k)) for q, k in np.argwhere(it(text))} for name, it in PATTERNS.items()
    }
    assert holds["previous:1"] == {(1, 0), (2, 1), (3, 2), (4, 3)}
    assert holds["previous:0"] == {(i, i) for i in range(5)}
    assert holds["first"] >= {(i, 0) for i in range(5)}
    assert holds["duplicate"] == {(2, 0), (3, 1)}
    assert holds["induction"] == {(2, 1), (3, 2)}


@pytest.mark.parametrize("name", ["previous:1", "induction", "duplicate", "first"])
def test_a_head_that_follows_one_pattern_is_described_by_it(name: str) -> None:
    windows = texts()
    values = [
        np.tril(PATTERNS[name](np.asarray(it)) * 2.0 + 0.02 * RNG.random((24, 24)))
        for it in windows
    ]
    rule = fit_head(windows, values)
    assert next(iter(rule.weights)) == name
    assert rule.weights[name] == pytest.approx(2.0, abs=0.05)
    assert rule.mass[name] > 0.8
    text = np.asarray(windows[0])
    simulated = rule.simulate(windows[0])
    assert np.corrcoef(simulated[np.tril_indices(24)], values[0][np.tril_indices(24)])[0, 1] > 0.98
    said = describe_head(rule, words)
    expected = {
        "previous:1": "to the previous token",
        "induction": "(induction)",
        "duplicate": "copies of the same token",
        "first": "the first token",
    }
    assert expected[name] in said
    assert HeadRule.from_json(rule.to_json()).weights.keys() == rule.weights.keys()
    assert len(text) == 24


def test_a_heads_patterns_and_tokens_make_one_sentence() -> None:
    mass = {"previous:1": 0.33, "previous:2": 0.18, "previous:0": 0.15, "first": 0.1}
    keys = {1: 4.0, 2: 3.0, 3: 2.0, 4: 1.7, 5: 0.1}
    assert describe_head(HeadRule(dict.fromkeys(mass, 1.0), mass, keys, 0.0), words) == (
        "attends to the previous token (33 % of its write), to the token 2 back (18 % of its write) and "
        "to the token itself (15 % of its write); most of all to ' w1', ' w2', ' w3' and 1 other token"
    )
    assert describe_head(HeadRule({}, {}, {1: 4.0, 2: 3.0}, 0.0), words) == (
        "attends to ' w1' and ' w2'"
    )
    assert describe_head(HeadRule({}, {}, {}, 0.0), words) == "attends to nothing in particular"


def test_a_head_that_looks_at_one_token_is_described_by_it() -> None:
    windows = texts()
    values = [np.tril(np.tile(np.asarray(it) == 7, (24, 1)) * 3.0) for it in windows]
    rule = fit_head(windows, values, keys_only=True)
    assert next(iter(rule.keys)) == 7
    assert not rule.weights
    assert describe_head(rule, words) == "attends to ' w7'"
    simulated = rule.simulate(windows[0])[np.tril_indices(24)]
    assert np.corrcoef(simulated, values[0][np.tril_indices(24)])[0, 1] > 0.99
