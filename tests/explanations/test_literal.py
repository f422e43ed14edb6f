"""Sentences taken at their word, by hand."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuron_explainer.explanations.literal import simulate_literally
from neuron_explainer.explanations.replies import UnusableReply

TEXT = [
    " She",
    " don't",
    " swim",
    " on",
    " Tuesday",
    " or",
    " a",
    " red",
    " Friday",
    "'s",
    " '",
    "\n",
    " 1992",
]

BY_HAND = {
    "fires on ' Tuesday'": [" Tuesday"],
    "days of the week": [" Tuesday", " Friday"],
    "days of the week after ' on'": [" Tuesday"],
    "fires on ' Tuesday', ' Friday' and other days of the week, mostly after ' red'": [" Friday"],
    "fires after ' on'": [" Tuesday", " or", " a"],
    "fires after ' on', whatever the token": [" Tuesday", " or", " a"],
    "fires 2 tokens after ' on', ' red' and 3 other tokens, whatever the token": [" or", "'s"],
    "fires on ' a' and ' or' after ' Tuesday' and 2 tokens after ' on'": [" or"],
    "fires on ' a' after ' Tuesday' and 2 tokens after ' or'": [],
    "fires on ' swim'; sometimes on ' red' after ' a'; also 1 token after ' Friday'": [" swim", " red", "'s"],
    "fires on ' don't'": [" don't"],
    "fires on 'don't'": [" don't"],
    "the word don't": [" don't"],
    "the word don\u2019t": [" don't"],
    "fires on ''s' and ' don't'": [" don't", "'s"],
    "fires on ' '' and 'x'": [" '"],
    "fires after ' don't', whatever the token": [" swim", " on", " Tuesday"],
    'fires on " red"': [" red"],
    "the speaker's ' red'": [" red"],
    "years; '\u21b5'": ["\n", " 1992"],
    "fires on ';' and ' red'": [" red"],
    "' after' or ' red'": [" red"],
}  # fmt: skip


@pytest.mark.parametrize(("sentence", "fires"), BY_HAND.items())
def test_a_sentence_fires_where_it_says(sentence: str, fires: list[str]) -> None:
    values = simulate_literally(sentence, TEXT)
    assert [token for token, value in zip(TEXT, values, strict=True) if value] == fires
    assert set(values) <= {0.0, 1.0}


@pytest.mark.parametrize("sentence", ["", "fires on", "after", "it fires sometimes; mostly", "on"])
def test_a_sentence_that_names_nothing_cannot_be_used(sentence: str) -> None:
    with pytest.raises(UnusableReply, match="names no token"):
        simulate_literally(sentence, TEXT)


@given(st.text(max_size=300), st.lists(st.text(max_size=5), max_size=10))
def test_any_sentence_is_read_or_refused(sentence: str, tokens: list[str]) -> None:
    with contextlib.suppress(UnusableReply):
        assert len(simulate_literally(sentence, tokens)) == len(tokens)
