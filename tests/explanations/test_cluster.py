"""Groups and names of planted explanations."""

import pytest
import torch

from neuron_explainer.explanations.cluster import (
    Phrases,
    grouped,
    named_by_model,
    named_by_words,
    naming_prompt,
    phrases,
)
from neuron_explainer.explanations.encoders import WordVectors

DAYS = [
    "fires on ' Monday', ' Tuesday' and other days of the week",
    "fires on days of the week such as ' Friday'",
    "fires after days of the week",
    "fires on ' Sunday' and other days of the week, after ' on'",
]
COLOURS = [
    "fires on ' red', ' blue' and other colours",
    "fires on colours after ' the'",
    "fires on ' green' and other colours, after ' a'",
]
MUSIC = [
    "fires on musical instruments such as ' violin'",
    "fires on ' drum', ' piano' and other musical instruments",
    "fires on musical instruments after ' the'",
]
LONE = ["fires on the closing bracket of a list", "fires on ' yesterday'"]
EVERYTHING = [*DAYS, *COLOURS, *MUSIC, *LONE]


def planted() -> torch.Tensor:
    """Three directions with noise, of 5, 4 and 2 texts, shuffled; one text means nothing."""
    generator = torch.Generator().manual_seed(0)
    topic = torch.tensor([0, 1, 0, 2, 1, 0, 1, 0, 2, 1, 0])
    vectors = torch.eye(16)[topic] + 0.1 * torch.randn(11, 16, generator=generator)
    return torch.cat((vectors, torch.zeros(1, 16)))


def test_planted_groups_come_out() -> None:
    groups = grouped(planted())
    assert [sorted(group.members) for group in groups] == [[0, 2, 5, 7, 10], [1, 4, 6, 9]]
    pairs = grouped(planted(), min_members=2)
    assert sorted(pairs[2].members) == [3, 8]
    for group in groups:
        assert list(group.similarities) == sorted(group.similarities, reverse=True)
        assert all(0.8 < similarity <= 1 for similarity in group.similarities)


def test_the_cut_decides_how_alike_members_are() -> None:
    assert grouped(planted(), cut=1e-6) == []
    assert len(grouped(planted(), cut=1.9)[0].members) == 11
    assert grouped(torch.zeros(5, 4)) == []
    assert grouped(torch.ones(2, 4)) == []
    assert [group.members for group in grouped(torch.ones(1, 4), min_members=1)] == [(0,)]


def test_average_linkage_by_hand() -> None:
    """Two close vectors, and one whose mean distance to both is 0.5: the cut at that lets it in."""
    angles = torch.tensor([0.0, 0.0, torch.pi / 3])
    vectors = torch.stack((angles.cos(), angles.sin()), 1)
    assert len(grouped(vectors, cut=0.49)) == 0
    assert len(grouped(vectors, cut=0.51)[0].members) == 3


def test_real_sentences_are_grouped_by_meaning_and_named() -> None:
    store = Phrases(EVERYTHING)
    groups = grouped(WordVectors().encode([store.essence(text) for text in EVERYTHING]))
    found = {tuple(sorted(group.members)) for group in groups}
    assert found == {(0, 1, 2, 3, 11), (4, 5, 6), (7, 8, 9)}  # yesterday is a day
    assert named_by_words(DAYS, store).name.startswith("days of the week")
    assert named_by_words(COLOURS, store).words[0] == "colours"
    assert named_by_words(MUSIC, store).words[0] == "musical instruments"


def test_what_most_explanations_say_does_not_group_them() -> None:
    """Without that, one template would make all of them one group."""
    assert len(grouped(WordVectors().encode(EVERYTHING))[0].members) == len(EVERYTHING)
    store = Phrases(EVERYTHING)
    assert store.essence("fires on ' red', ' blue' and other colours") == "red blue colours"
    assert store.essence("fires on the") == ""


def test_the_same_texts_always_get_the_same_name() -> None:
    names = {named_by_words(order, Phrases(EVERYTHING)).name for order in (DAYS, DAYS[::-1])}
    assert len(names) == 1
    assert named_by_words(DAYS, Phrases(EVERYTHING)).named_by == "words"


def test_phrases_stay_within_punctuation_and_end_in_strong_words() -> None:
    found = {" ".join(phrase) for phrase in phrases("fires on ' Mary', names of people; the end")}
    assert found == {"mary", "names", "names of people", "people", "end"}


def test_what_everyone_says_tells_nothing() -> None:
    store = Phrases(["alpha beta", "alpha gamma", "alpha delta"])
    assert store.rarity(("alpha",)) == 0
    assert store.telling(["alpha beta"])[0] == "alpha beta"
    assert named_by_words(["on the"], store).name == "unnamed"


def test_a_language_model_names_and_judges() -> None:
    store = Phrases(EVERYTHING)
    asked = []

    def complete(prompt: str) -> str:
        asked.append(prompt)
        return "Name: weekdays\nCoherence: 1 (one topic)"

    found = named_by_model(DAYS, store, complete, "some-model")
    assert (found.name, found.coherence, found.named_by) == ("weekdays", 1, "some-model")
    assert asked == [naming_prompt(DAYS)]
    assert all(text in asked[0] for text in DAYS)


@pytest.mark.parametrize(
    "answer", ["", "weekdays", "name: weekdays", "name: \ncoherence: 2", "name: a\ncoherence: 9"]
)
def test_an_answer_that_cannot_be_read_leaves_the_words(answer: str) -> None:
    store = Phrases(EVERYTHING)
    found = named_by_model(DAYS, store, lambda _: answer, "some-model")
    assert found == named_by_words(DAYS, store)
