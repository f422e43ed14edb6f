"""The bundled model, as anybody loads it: small, quick to load, and able to do what its card says.

A sample of the full evaluation, `python -m scripts.demo.evaluate datasets/demo/model`, against the
figures of the card: below them by no more than the noise of a sample of this size.
"""

import json
from pathlib import Path

import pytest
import torch

from scripts.demo import probes
from scripts.demo.evaluate import (
    BEHAVIOURS,
    Asker,
    Behaviour,
    greater_than,
    induction,
    unseen_frames,
)
from scripts.demo.heads import ablations, copying_scores
from scripts.demo.words import names, words

DEMO = Path(__file__).parents[2] / "datasets" / "demo"
N_PROMPTS = 40


@pytest.fixture(scope="module")
def asker() -> Asker:
    return Asker(DEMO / "model")


def test_the_model_is_under_ten_megabytes():
    size = sum(file.stat().st_size for file in (DEMO / "model").iterdir())
    assert size < 10e6


def test_it_is_a_gpt2_of_six_layers_in_half_precision(asker: Asker):
    config = asker.model.config
    assert (config.model_type, config.n_layer, config.n_embd // config.n_head) == ("gpt2", 6, 32)
    assert json.loads((DEMO / "model" / "config.json").read_text())["dtype"] == "float16"
    assert config.vocab_size == len(asker.tokenizer)


def test_names_are_one_token_with_and_without_a_space(asker: Asker):
    for name in names():
        assert len(asker.tokenizer.encode(name)) == len(asker.tokenizer.encode(f" {name}")) == 1


def test_gifts_and_places_are_one_token(asker: Asker):
    for word in words("gifts", "places", "colors", "animals"):
        assert len(asker.tokenizer.encode(f" {word}")) == 1


@pytest.mark.parametrize(
    "text", ["When Mary and John went to the store,", "naïve 日本 — 🙂\n\ttab", "(CEO) 1732", ""]
)
def test_the_tokenizer_gives_back_any_text(asker: Asker, text: str):
    assert asker.tokenizer.decode(asker.tokenizer.encode(text)) == text


def test_a_year_is_two_tokens(asker: Asker):
    pieces = asker.tokenizer.convert_ids_to_tokens(asker.tokenizer.encode(" 1732"))
    assert pieces == ["\u012017", "32"]


@pytest.fixture(scope="module")
def card() -> dict[str, float]:
    """The accuracies that were measured, by behaviour."""
    scores = json.loads((DEMO / "evaluation.json").read_text())
    return {score["name"]: score["accuracy"] for score in scores}


def least(measured: float, n: int) -> float:
    """Three standard errors below the card, which is read as 0.99 where it says more."""
    expected = min(measured, 0.99)
    return expected - 3 * (expected * (1 - expected) / n) ** 0.5


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda b: b.name)
def test_it_does_what_the_card_says(asker: Asker, card: dict[str, float], behaviour: Behaviour):
    asked = probes.probes(behaviour.make, N_PROMPTS, seed=7)
    score = asker.score(behaviour.name, asked, behaviour.measure, behaviour.goal)
    assert score.accuracy >= least(card[behaviour.name], N_PROMPTS)
    if behaviour.goal is not None:
        assert card[behaviour.name] >= behaviour.goal


def test_it_answers_frames_that_it_never_saw_in_both_orders(asker: Asker):
    abba, baba, *by_frame = unseen_frames(asker, n=5, seed=7)
    assert abba.accuracy > 0.95
    assert baba.accuracy > 0.95
    assert min(frame.accuracy for frame in by_frame) >= 0.6
    assert min(abba.logit_diff or 0, baba.logit_diff or 0) > 4


@pytest.mark.parametrize("period", [25, 50])
def test_it_copies_random_tokens(asker: Asker, period: int):
    assert induction(asker, period, n=8, seed=7).accuracy > 0.98


def test_it_reads_the_start_year(asker: Asker):
    above_base, gap, *by_start = greater_than(asker, n=60, seed=7)
    assert above_base.accuracy > 0.8
    assert gap.accuracy > 0.8
    assert all(score.accuracy > 0.8 for score in by_start if score.n)


@torch.no_grad()
def test_two_layers_of_heads_do_the_copying():
    asker = Asker(DEMO / "model", attention="eager")
    previous, prefix, _ = copying_scores(asker)
    assert previous.max() > 0.7
    assert prefix.max() > 0.85
    layers = [table.flatten().argmax().item() // prefix.shape[1] for table in (previous, prefix)]
    assert layers[0] < layers[1]
    by_what = {
        label.partition(" (")[0].partition(" head L")[0]: figure
        for label, figure in ablations(asker, previous, prefix).items()
    }
    assert by_what["copying, nothing ablated"] > 0.98
    assert by_what["copying, without induction heads"] < 0.05
    assert by_what["copying, without as many other heads"] > 0.95


def test_every_example_favours_its_target(asker: Asker):
    examples = json.loads((DEMO / "examples.json").read_text())
    assert examples[0]["prompt"] == "When Mary and John went to the store, John gave a drink to"
    asked = [probes.Probe(e["prompt"], e["target"], e["distractor"]) for e in examples]
    for example, probe in zip(examples, asked, strict=True):
        for word in (probe.target, probe.distractor):
            assert len(asker.tokenizer.encode(word)) == 1, example["name"]
        score = asker.score(example["name"], [probe], "pair", None)
        assert score.logit_diff is not None
        assert score.logit_diff > 0, example["name"]
