"""Rules in plain words."""

import pytest

from neuron_explainer.explanations.token_rule import Pattern, TokenRule
from neuron_explainer.explanations.word_classes import classes_of, common_class
from neuron_explainer.explanations.wording import describe, quoted

WORDS = [
    " Tuesday",
    " Friday",
    " Monday",
    " Sunday",
    " on",
    " box",
    "\n",
    " red",
    " blue",
    " green",
]


def text(token: int) -> str:
    return WORDS[token]


def test_days_are_called_days() -> None:
    rule = TokenRule({0: 3.0, 1: 2.5, 2: 2.0, 3: 2.0, 5: 0.1}, 0.0)
    assert describe(rule, text) == "fires on ' Tuesday', ' Friday' and other days of the week"


def test_what_must_come_before_is_said() -> None:
    days = frozenset({0, 1, 2, 3})
    pattern = Pattern(days, ((1, frozenset({4})),), 5.0, 0.9)
    rule = TokenRule({0: 3.0, 1: 2.5, 2: 2.0, 3: 2.0}, 0.0, (pattern,))
    assert describe(rule, text) == (
        "fires on ' Tuesday', ' Friday' and other days of the week after ' on'"
    )
    rare = TokenRule(rule.values, 0.0, (Pattern(days, pattern.context, 5.0, 0.1),))
    assert describe(rare, text) == (
        "fires on ' Tuesday', ' Friday' and other days of the week; "
        "sometimes on ' Tuesday', ' Friday' and other days of the week after ' on'"
    )


def test_a_pattern_without_a_token_of_its_own_says_so() -> None:
    rule = TokenRule({5: 1.0}, 0.0, (Pattern(None, ((2, frozenset({7, 8, 9})),), 2.0, 0.6),))
    assert describe(rule, text) == (
        "fires 2 tokens after ' red', ' blue' and other colours, whatever the token; also on ' box'"
    )


def test_tokens_that_share_nothing_are_counted() -> None:
    rule = TokenRule({0: 3.0, 5: 2.9, 6: 2.8, 4: 2.7}, 0.0)
    assert describe(rule, text) == "fires on ' Tuesday', ' box', '\u21b5' and 1 other token"
    assert describe(TokenRule({}, 0.0), text) == "fires on no token in particular"


@pytest.mark.parametrize(
    ("tokens", "name"),
    [
        ([" 1992", " 2001", " 1875"], "years"),
        ([" (", "[", " {"], "opening brackets"),
        ([" dogs", " cat", " lions", " xyz"], "animals"),
        ([" Mary", " Anna", " Sally"], "names of women"),
    ],
)
def test_classes_by_list_and_by_form(tokens: list[str], name: str) -> None:
    shared = common_class(tokens)
    assert shared is not None
    assert shared.name == name


def test_too_few_or_too_different_tokens_have_no_class() -> None:
    assert common_class([" Mary", " Anna"]) is None
    assert common_class([" Mary", " on", " box", " 1992"]) is None
    assert "days of the week" in classes_of(" friday")
    assert quoted(" a\n") == "' a\u21b5'"
