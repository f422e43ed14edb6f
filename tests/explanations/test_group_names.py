"""Names of planted groups, by words and by a language model."""

import pytest

from neuron_explainer.explanations.group_names import (
    Name,
    Phrases,
    distinct,
    name_from_reply,
    named_by_words,
    naming_prompt,
    phrases,
    quoted_tokens,
)
from tests.explanations.planted import DAYS, EVERYTHING


def test_the_same_texts_always_get_the_same_name() -> None:
    names = {named_by_words(order, Phrases(EVERYTHING)).name for order in (DAYS, DAYS[::-1])}
    assert len(names) == 1
    assert named_by_words(DAYS, Phrases(EVERYTHING)).named_by == "words"


def test_phrases_stay_within_punctuation_and_end_in_strong_words() -> None:
    found = {
        " ".join(phrase) for phrase in phrases("fires on ' Mary', names of people. The end; more")
    }
    assert found == {"names", "names of people", "people", "end"}


def test_what_everyone_says_tells_nothing() -> None:
    store = Phrases(["alpha beta", "alpha gamma", "alpha delta"])
    assert store.rarity(("alpha",)) == 0
    assert store.telling(["alpha beta"])[0] == ("alpha beta", 1.0)
    assert named_by_words(["on the"], store).name == "unnamed"


def test_tokens_are_quoted_and_no_part_of_a_phrase() -> None:
    said = "fires on ' went', ''' and ' to'; also on ' not'"
    assert quoted_tokens(said) == [" went", "'", " to"]
    texts = [f"fires on {tokens}" for tokens in ("' qx', ' zv' and 4 other tokens", "' zv', ' qx'")]
    assert named_by_words(texts, Phrases([*texts, *EVERYTHING])).name == "' qx', ' zv'"


def test_a_class_that_most_tokens_share_is_the_name() -> None:
    pairs = [("went", "came"), ("took", "went"), ("gave", "made"), ("said", "went")]
    texts = [f"fires on ' {first}', ' {second}' and 9 other tokens" for first, second in pairs]
    name = named_by_words(texts, Phrases([*texts, *EVERYTHING]))
    assert name.name == "verbs in the past tense"
    assert name.words[0] == "' went'"


def test_pieces_of_words_are_called_so() -> None:
    texts = ["fires on 'urs', 'ost'", "fires on 'ctor', 'urs'", "fires on 'essor' and ' the'"]
    assert named_by_words(texts, Phrases([*texts, *EVERYTHING])).name == "pieces of words"


def test_a_group_with_nothing_in_common_is_called_mixed() -> None:
    lone = ["kettle", "seven", "although", "Anna", "green", "ran", "is", "because", "door"]
    texts = [f"fires on ' {word}'" for word in lone]
    assert named_by_words(texts, Phrases([*texts, *EVERYTHING])).name.startswith("mixed: ")


def test_no_two_groups_have_one_name() -> None:
    same = [Name("colours", words, "words") for words in (("' red'",), ("' blue'",), (), ())]
    names = [name.name for name in distinct(same)]
    assert names == ["colours", "colours: ' blue'", "colours (2)", "colours (3)"]


def test_a_language_model_names_and_judges() -> None:
    plain = named_by_words(DAYS, Phrases(EVERYTHING))
    found = name_from_reply("Name: weekdays\nCoherence: 1 (one topic)", plain, "some-model")
    assert (found.name, found.coherence, found.named_by) == ("weekdays", 1, "some-model")
    assert all(text in naming_prompt(DAYS) for text in DAYS)


@pytest.mark.parametrize(
    "answer", ["", "weekdays", "name: weekdays", "name: \ncoherence: 2", "name: a\ncoherence: 9"]
)
def test_an_answer_that_cannot_be_read_leaves_the_words(answer: str) -> None:
    plain = named_by_words(DAYS, Phrases(EVERYTHING))
    assert name_from_reply(answer, plain, "some-model") == plain
