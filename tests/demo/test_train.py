"""The training script: a step's data follow from its number, and answers always count."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from scripts.demo.mixture import Rows, encode, word_tokens
from scripts.demo.train import (
    Recipe,
    draw_batch,
    learning_rate,
    new_model,
    next_phase,
    parse_shares,
    sines,
)

TOKENIZER = Path(__file__).parents[2] / "datasets" / "demo" / "model" / "tokenizer.json"


@pytest.fixture(scope="module")
def rows() -> Rows:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    return Rows(tokenizer, word_tokens(tokenizer), tokenizer.get_vocab_size() - 1, 4.0)


RECIPE = Recipe(minutes=1.0, seed=1)


def test_a_step_is_decided_by_its_number(rows: Rows):
    one, same, other = (draw_batch(rows, RECIPE, step, 128, 0.3) for step in (7, 7, 8))
    assert torch.equal(one.inputs, same.inputs)
    assert torch.equal(one.chosen, same.chosen)
    assert not torch.equal(one.inputs, other.inputs)


def test_every_answer_counts_and_no_first_copy_does(rows: Rows):
    batch = draw_batch(rows, RECIPE, 3, 128, 0.0)
    assert (batch.weights == 4.0).sum() > 50
    assert batch.targets.shape == batch.weights.shape == (RECIPE.predicted_tokens,)
    repeated = draw_batch(rows, RECIPE, 3, 128, 1.0)
    assert repeated.copied.all()


def test_positions_stay_within_the_context(rows: Rows):
    batch = draw_batch(rows, RECIPE, 5, 128, 0.3)
    assert batch.positions.min() >= 0
    assert batch.positions.max() < RECIPE.context


def test_answers_are_encoded_as_they_are_read(rows: Rows):
    marked = "The Chief Executive Officer (^C^E^O^) met^ Mary. The war lasted from 1732 to 17^45."
    ids, weights = encode(rows.tokenizer, marked, 4.0)
    assert ids == rows.tokenizer.encode(marked.replace("^", "")).ids
    assert weights.count(4.0) == 6


def test_the_learning_rate_warms_up_and_ends_low():
    assert learning_rate(RECIPE, 0, 0.0) < 0.01 * RECIPE.learning_rate
    assert learning_rate(RECIPE, 1000, 0.0) == pytest.approx(RECIPE.learning_rate)
    assert learning_rate(RECIPE, 1000, 1.0) == pytest.approx(0.03 * RECIPE.learning_rate)


def test_a_new_model_depends_on_the_seed_only():
    one, same = (new_model(RECIPE, 100).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], same[name]) for name in one)


def test_neighbouring_positions_are_alike():
    wave = sines(64, 32)
    assert wave.shape == (64, 32)
    assert (wave[10] @ wave[11]) > (wave[10] @ wave[20])


def test_shares_are_changed_by_name():
    assert parse_shares("story=10")["story"] == 10.0
    with pytest.raises(ValueError, match="no such families"):
        parse_shares("stories=10")


def test_copying_comes_after_text_and_lasts_until_it_is_learnt():
    assert next_phase(RECIPE, "text", 1000, 8.0) == "text"
    assert next_phase(RECIPE, "text", 8_000_000, 8.0) == "copying"
    assert next_phase(RECIPE, "copying", 9_000_000, 5.0) == "copying"
    assert next_phase(RECIPE, "copying", 9_000_000, 2.4) == "mixture"
    assert next_phase(RECIPE, "mixture", 9_000_000, 5.0) == "mixture"
