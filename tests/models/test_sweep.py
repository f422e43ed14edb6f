"""The sweep's figures against definitions written out by hand."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from neuron_explainer.models.chat import Text, plain_text
from neuron_explainer.models.interventions import Intervention, intervention_hooks
from neuron_explainer.models.steering import Steer
from neuron_explainer.models.sweep import Cell, Sweep, Watched, repetition
from neuron_explainer.nodes import Component
from tests.tiny_models import TinyModel

MEMBERS = [Component("mlp", layer, index) for layer in (0, 1, 2) for index in (3, 4)]
OTHERS = ("the cat sat", "John gave")


def steering(k: int, strength: float) -> Sequence[Intervention]:
    return [
        Steer(member, strength=strength, extreme=4.0, only_matching_side=False)
        for member in MEMBERS[:k]
    ]


def test_cells_are_as_defined(varied: TinyModel) -> None:
    model = varied.ours
    text = plain_text(model, "When Mary and John went")
    token, position = text.tokens[4], 4
    sweep = Sweep(model, Watched(text, position, token, OTHERS, 6)).begin()
    (cell,) = sweep.cells([3], [0.5], steering)

    def log_probs(tokens: Sequence[int], edits: Sequence[Intervention]) -> torch.Tensor:
        hooks = intervention_hooks(edits, model.config, len(tokens))
        return model(torch.tensor([list(tokens)]), hooks)[0].log_softmax(-1)

    edits = steering(3, 0.5)
    before = text.tokens[:position]
    assert cell.probability == pytest.approx(
        float(log_probs(before, edits)[-1, token].exp()), abs=1e-5
    )
    assert sweep.baseline == pytest.approx(float(log_probs(before, ())[-1, token].exp()), abs=1e-5)
    divergences = []
    for other in OTHERS:
        tokens = plain_text(model, other).tokens
        plain, steered = log_probs(tokens, ()), log_probs(tokens, edits)
        divergences += (plain.exp() * (plain - steered)).sum(-1).tolist()
    assert cell.kl == pytest.approx(sum(divergences) / len(divergences), abs=1e-4)
    assert cell.usable == (cell.kl <= 0.25 and (cell.repetition or 0) <= 0.2)


def test_no_steering_costs_nothing(varied: TinyModel) -> None:
    text = plain_text(varied.ours, "When Mary and John went")
    sweep = Sweep(varied.ours, Watched(text, 4, text.tokens[4], OTHERS, 8)).begin()
    cell = sweep.cell(0, 0.0, ())
    assert cell.kl == pytest.approx(0.0, abs=1e-6)
    assert cell.probability == sweep.baseline
    assert cell.repetition == sweep.baseline_repetition


def test_positions_that_the_rewritten_reply_has_not_are_no_error(varied: TinyModel) -> None:
    text = plain_text(varied.ours, "When Mary and John went to the store, John gave a drink")
    reply = Text(text.tokens, text.owners, text.messages, 4)
    watched = Watched(reply, 12, text.tokens[12], OTHERS, 3)
    here = Steer(MEMBERS[0], (2,), strength=1.0, extreme=4.0, only_matching_side=False)
    beyond = replace(here, positions=(2, 11))
    sweep = Sweep(varied.ours, watched).begin()
    near, far = sweep.cell(1, 1.0, [here]), sweep.cell(1, 1.0, [beyond])
    assert far.repetition == near.repetition
    assert far.probability != near.probability


def test_values_that_overflow_make_a_cell_unusable(varied: TinyModel) -> None:
    text = plain_text(varied.ours, "When Mary and John went")
    sweep = Sweep(varied.ours, Watched(text, 4, text.tokens[4], OTHERS, 2)).begin()
    cell = sweep.cell(6, 1e38, steering(6, 1e38))
    assert not cell.usable
    assert cell.kl is None


def test_the_best_cell_is_usable_and_moves_most(varied: TinyModel) -> None:
    text = plain_text(varied.ours, "When Mary and John went")
    sweep = Sweep(varied.ours, Watched(text, 4, text.tokens[4], OTHERS, 0)).begin()
    at = sweep.baseline
    cells = [
        Cell(1, 0.1, at + 0.1, 0.0, None, True),
        Cell(1, 0.5, at + 0.3, 0.1, None, True),
        Cell(1, 1.0, at + 0.6, 2.0, None, False),
    ]
    assert sweep.best(cells) == 1
    assert sweep.best(cells[2:]) is None


def test_repetition_by_hand() -> None:
    assert repetition([1, 2, 3, 4]) == 0
    assert repetition([1, 2, 3, 1, 2, 3]) == pytest.approx(1 / 4)
    assert repetition([7] * 6) == pytest.approx(3 / 4)
    assert repetition([1, 2]) is None
