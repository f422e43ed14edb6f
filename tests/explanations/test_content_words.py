"""What of an explanation the built-in encoder weighs: its subject, not the form it is written in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuron_explainer.explanations.content_words import content
from neuron_explainer.explanations.encoders import word_vectors
from neuron_explainer.explanations.wording import QUOTED, quoted

READ = {
    "fires on ' Tuesday', '\"' and 3 other tokens after ' on'": "Tuesday quotation mark on",
    "fires on ' Paris' and other cities; sometimes on ','": "cities Paris comma",
    "fires on ' don't', ''s' and ''' after '('": "don t s apostrophe left parenthesis",
    "fires 2 tokens after '\u21b5', whatever the token; also on 'ing'": "line break ing",
    "attends to the previous token (19 % of its write); most of all to ' red'": "previous red",
    "the speaker's own words": "speaker s own words",
    "forest fires": "forest fires",
    "the": "the",
    ";": "semicolon",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), READ.items())
def test_what_is_left_of_a_sentence(text: str, expected: str) -> None:
    assert content(text).split() == expected.split()


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    content(text)


@pytest.mark.parametrize("token", ["'", "''", "'s", " don't", ",'", "',", '"', " (", ".'", "s'"])
def test_what_is_quoted_is_found_again(token: str) -> None:
    sentence = f"fires on ' a', {quoted(token)} and 3 other tokens"
    assert QUOTED.findall(sentence) == [" a", token]


def test_quotes_and_forms_make_no_two_explanations_alike() -> None:
    def similarity(one: str, other: str) -> float:
        a, b = word_vectors().encode([one, other])
        return float(a @ b)

    apart = [
        (
            "fires on ' red', ' blue' and 3 other tokens",
            "fires on ' Monday', ' Friday' and 3 other tokens",
        ),
        ("fires on '\"'", "fires on ' Tuesday'"),
        ("fires on ' had', ' was' and 9 other tokens after ' they'", "a fire and its flames"),
    ]
    alike = [
        ("fires on ','", "commas"),
        ("fires on ' red', ' blue' and other colours", "colors"),
        ("fires on ' Tuesday', ' Friday' and other days of the week", "weekdays"),
    ]
    assert all(similarity(*pair) < 0.2 for pair in apart)
    assert all(similarity(*pair) > 0.6 for pair in alike)
