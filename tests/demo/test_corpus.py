"""The generator: the same text for the same seed, and nothing that the evaluation asks for."""

from itertools import islice
from random import Random

import pytest

from scripts.demo import frames, indirect_objects, mixture, stories
from scripts.demo.words import (
    ANSWER,
    all_words,
    cast,
    held_out,
    names,
    new_names,
    pair_held_out,
    plain,
    words,
)


def sample(n: int, seed: int = 5) -> list[str]:
    return list(islice(mixture.documents(seed), n))


def test_the_same_seed_gives_the_same_documents():
    assert sample(50) == sample(50)
    assert sample(50) != sample(50, seed=6)


def test_there_are_at_least_two_thousand_words():
    assert len(all_words()) >= 2000


@pytest.mark.parametrize("family", mixture.FAMILIES)
def test_every_family_writes_full_sentences_without_open_slots(family: str):
    r = Random(3)
    for _ in range(200):
        text = mixture.FAMILIES[family](r)
        assert "{" not in text or family == "brackets"
        assert "  " not in text.replace("    ", "").replace("  #", " #")
        assert plain(text)[0] == plain(text)[0].upper() or family in {
            "copied_list", "key_values", "docstring", "assignments", "successor", "brackets",
        }  # fmt: skip


def test_held_out_pairs_never_meet():
    assert pair_held_out("Mary", "John")
    r = Random(0)
    for _ in range(300):
        a, b, c = cast(r, 3)
        assert not (pair_held_out(a, b) or pair_held_out(a, c) or pair_held_out(b, c))


def test_about_one_pair_in_eight_is_held_out():
    everyone = names("giver")
    pairs = [(a, b) for a in everyone for b in everyone if a < b]
    share = sum(pair_held_out(*pair) for pair in pairs) / len(pairs)
    assert 0.11 < share < 0.14


def test_new_names_never_give():
    r = Random(1)
    text = " ".join(indirect_objects.indirect_object(r) for _ in range(500))
    said = set(text.replace(",", " ").replace(".", " ").replace(ANSWER, " ").split())
    assert not said & set(new_names())


def test_unseen_frames_are_not_in_the_corpus():
    tells = ("lot of fun", "long argument", "Friends ", "that {A} and {B} went to", "Afterwards",
             "were hungry at", "are neighbors.", "Long ago", "After a long day", "waved when", "Nobody but",
             "shares a house", "Neither", "all afternoon", "get home early")  # fmt: skip
    text = "\n".join(plain(document) for document in sample(3000))
    assert len(frames.UNSEEN) == 16
    for tell in tells:
        assert "{" in tell or tell not in text, tell


def test_both_orders_are_equally_common():
    r = Random(2)
    first_gives = 0
    for _ in range(400):
        pair = cast(r, 2)
        text = indirect_objects.scene(r, pair[0], pair[1], pair[0], pair[1], "past")
        assert text.split(ANSWER)[1].startswith(f" {pair[1]}")
    for _ in range(400):
        text = plain(indirect_objects.two_people(r))
        order = [w for w in text.replace(",", " ").replace(".", " ").split() if w in names()]
        first_gives += len(order) > 2 and order[0] == order[2]
    assert 100 < first_gives < 300


def test_a_story_keeps_its_people():
    r = Random(4)
    for _ in range(50):
        text = stories.story(r)
        assert len(text) > 100


def test_what_is_held_out_does_not_depend_on_a_seed():
    nouns = words("gifts")
    assert [held_out("agreement", nouns[0], noun) for noun in nouns[:20]] == [
        held_out("agreement", nouns[0], noun) for noun in nouns[:20]
    ]
