"""Groups of planted explanations."""

import pytest
import torch

from neuron_explainer.explanations.cluster import grouped
from neuron_explainer.explanations.encoders import WordVectors
from neuron_explainer.explanations.group_names import Phrases, named_by_words
from tests.explanations.planted import COLOURS, DAYS, EVERYTHING, MUSIC


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


def test_tightness_is_the_mean_cosine_of_two_members() -> None:
    vectors = planted()
    for group in grouped(vectors, cut=0.9, min_members=2):
        unit = torch.nn.functional.normalize(vectors[list(group.members)].double())
        pairs = torch.combinations(torch.arange(len(unit)))
        by_hand = (unit[pairs[:, 0]] * unit[pairs[:, 1]]).sum(1).mean()
        assert group.tightness == pytest.approx(float(by_hand))
        assert not group.is_loose
    everything = grouped(vectors, cut=1.9)[0]
    assert everything.is_loose
    assert grouped(torch.ones(1, 4), min_members=1)[0].tightness == 1


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
    assert named_by_words(COLOURS, store).name == "colours"
    assert named_by_words(MUSIC, store).name == "musical instruments"


def test_what_most_explanations_say_does_not_group_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that, and with an encoder that weighs all words, one template would make all of them one group."""
    monkeypatch.setattr("neuron_explainer.explanations.encoders.content", str)
    assert len(grouped(WordVectors().encode(EVERYTHING))[0].members) == len(EVERYTHING)
    store = Phrases(EVERYTHING)
    assert store.essence("fires on ' red', ' blue' and other colours") == "red blue colours"
    assert store.essence("fires on the") == ""
