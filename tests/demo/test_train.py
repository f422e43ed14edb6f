"""The training script: a run's data follow from its seed, answers always count, and the network is GPT-2's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from scripts.demo.batches import COPY, Batches, text_chunk, text_chunks
from scripts.demo.mixture import Rows, documents, plain
from scripts.demo.network import hidden, new_model, sines
from scripts.demo.steps import Averages, Stepper
from scripts.demo.train import Recipe, learning_rate, next_phase, parse_shares

TOKENIZER = Path(__file__).parents[2] / "datasets" / "demo" / "model" / "tokenizer.json"
LENGTH, N_ROWS, N_PREDICTED = 64, 8, 192
RECIPE = Recipe(minutes=1.0)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return Rows(Tokenizer.from_file(str(TOKENIZER)), answer_weight=4.0)


def batches(rows: Rows, seed: int = 1) -> Batches:
    chunks = iter([text_chunk(rows, seed, number, LENGTH) for number in range(1)])
    return Batches(chunks, rows, seed, N_ROWS, LENGTH, N_PREDICTED)


def test_a_chunk_of_text_follows_from_its_seed_and_number(rows: Rows):
    one, same, other = (text_chunk(rows, 3, number, LENGTH)[0] for number in (7, 7, 8))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_other_processes_draw_the_same_chunks_in_the_same_order(rows: Rows):
    with text_chunks(rows, 3, LENGTH, 2, first=5) as chunks:
        ahead = [next(chunks)[0] for _ in range(3)]
    for number, ids in zip((5, 6, 7), ahead, strict=True):
        assert np.array_equal(ids, text_chunk(rows, 3, number, LENGTH)[0])


def test_a_batch_follows_from_its_seed_and_step(rows: Rows):
    one, same = (batches(rows).draw(4, 0.25, alike=False) for _ in range(2))
    other = batches(rows).draw(5, 0.25, alike=False)
    assert all(
        np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(same).values(), strict=True)
    )
    assert not np.array_equal(one.chosen, other.chosen)


def test_answers_count_first_and_what_cannot_be_known_does_not(rows: Rows):
    batch = batches(rows).draw(0, 0.0, alike=False)
    assert batch.targets.shape == batch.weights.shape == (N_PREDICTED,)
    n_answers = (text_chunk(rows, 1, 0, LENGTH)[1][:N_ROWS, 1:] == 4.0).sum()
    assert (batch.weights == 4.0).sum() == n_answers > 10
    assert (batch.weights > 0).all()
    assert (batches(rows).draw(0, 0.0, alike=True).weights == 1.0).all()


def test_repeated_rows_come_last_and_are_told_apart(rows: Rows):
    batch = batches(rows).draw(0, 0.25, alike=False)
    assert ((batch.chosen >= 6 * LENGTH) == (batch.kinds == COPY)).all()


def test_targets_are_the_next_tokens(rows: Rows):
    batch = batches(rows).draw(0, 0.0, alike=False)
    flat = batch.inputs.reshape(-1)
    within = batch.chosen % LENGTH < LENGTH - 1
    assert np.array_equal(batch.targets[within], flat[batch.chosen[within] + 1])


def test_words_are_looked_up_as_the_tokenizer_reads_them(rows: Rows):
    for marked, _ in zip(documents(9), range(200), strict=False):
        expected = rows.encoder.tokenizer.encode(plain(marked)).ids
        assert rows.encoder.ids(plain(marked)) == expected
        assert rows.encoder.marked(marked, 4.0)[0] == expected


def test_each_answer_is_marked_once(rows: Rows):
    marked = "The Chief Executive Officer (^C^E^O^) met^ Mary. The war lasted from 1732 to 17^45."
    assert rows.encoder.marked(marked, 4.0)[1].count(4.0) == 6


def test_the_network_is_gpt2s():
    model = new_model(seed=1, n_tokens=50, d_model=32, n_layer=2, d_head=8, context=16).eval()
    tokens = torch.randint(0, 50, (3, 11), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            hidden(model, tokens), model.transformer(tokens).last_hidden_state
        )


def test_steps_lower_the_loss_and_the_losses_are_told_apart(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    model = new_model(1, rows.end_of_text + 1, d_model=16, n_layer=1, d_head=8, context=LENGTH)
    stepper = Stepper(model, learning_rate=1e-2, weight_decay=0.0)
    batch = batches(rows).draw(0, 0.25, alike=False)
    losses = []
    for _ in range(12):
        stepper.step(batch, 1e-2)
        losses.append(stepper.read_losses())
    assert losses[0].keys() == {"text", "answers", "copies"}
    assert all(losses[-1][kind] < losses[0][kind] for kind in ("text", "answers"))
    assert stepper.read_losses() == {}


def test_averages_follow_the_losses():
    averages = Averages()
    for loss in (4.0, 2.0):
        averages.update({"text": loss})
    assert averages.means == {"text": 3.0}


def test_the_learning_rate_warms_up_and_ends_low():
    assert learning_rate(RECIPE, 0, 0.0) < 0.01 * RECIPE.learning_rate
    assert learning_rate(RECIPE, 1000, 0.0) == pytest.approx(RECIPE.learning_rate)
    assert learning_rate(RECIPE, 1000, 1.0) == pytest.approx(
        RECIPE.final_rate * RECIPE.learning_rate
    )


def test_a_new_model_depends_on_the_seed_only():
    one, same = (new_model(1, 100, 32, 1, 8, 16).state_dict() for _ in range(2))
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
    assert next_phase(RECIPE, "text", RECIPE.text_steps, 8.0) == "copying"
    assert next_phase(RECIPE, "copying", 9000, 5.0) == "copying"
    assert next_phase(RECIPE, "copying", 9000, 2.4) == "mixture"
    assert next_phase(RECIPE, "mixture", 9000, 5.0) == "mixture"
