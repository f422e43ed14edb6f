"""Steered activations against the rule written out by hand, and what must not change."""

from collections.abc import Sequence
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.models.hooks import Hooks, Recorder
from neuron_explainer.models.interventions import Intervention, Set, intervention_hooks
from neuron_explainer.models.steering import Steer, SteerMethod
from neuron_explainer.nodes import Component, Side, side_of
from tests.tiny_models import TinyModel, some_tokens

TOKENS = some_tokens(9)


def activations(tiny: TinyModel, edits: list[Intervention], layer: int = 1) -> Tensor:
    recorder = Recorder(["mlp_post_act"])
    hooks = intervention_hooks(edits, tiny.ours.config, len(TOKENS)) + recorder.hooks()
    tiny.ours(torch.tensor([TOKENS]), hooks)
    return recorder.values["mlp_post_act"][layer][0]


def neuron(index: int, layer: int = 1) -> Component:
    return Component("mlp", layer, index)


def a_two_sided_neuron(plain: Tensor) -> int:
    """One that is positive at some tokens and negative at others."""
    both = (plain > 0.01).any(0) & (plain < -0.01).any(0)
    return int(both.nonzero()[0])


def one_by_one(edits: Sequence[Intervention], value: Tensor, layer: int) -> Tensor:
    """The rule, one number at a time; sides are those before the steering in between other edits."""
    value, before = value.clone(), value.clone()
    for edit in edits:
        if edit.component.layer != layer:
            continue
        index = edit.component.index
        if isinstance(edit, Set):
            value[:, :, index] = before[:, :, index] = edit.value
            continue
        assert isinstance(edit, Steer)
        sign = 1 if edit.side == "positive" else -1
        for token in edit.positions or range(value.shape[1]):
            if edit.only_matching_side and sign * float(before[0, token, index]) < 0:
                continue
            old, target = float(value[0, token, index]), edit.strength * edit.extreme
            moved = {"set": target, "add": old + target, "scale": edit.strength * old}
            value[0, token, index] = moved[edit.method]
    return value


@pytest.mark.parametrize("side", ["positive", "negative"])
@pytest.mark.parametrize("method", ["set", "add", "scale"])
def test_only_the_matching_side_acts(varied: TinyModel, side: str, method: str) -> None:
    plain = activations(varied, [])
    index = a_two_sided_neuron(plain)
    extreme = 2.0 if side == "positive" else -2.0
    edit = Steer(neuron(index), strength=0.75, method=method, side=side, extreme=extreme)
    found = activations(varied, [edit])[:, index]
    for old, new in zip(plain[:, index].tolist(), found.tolist(), strict=True):
        moved = {"set": 0.75 * extreme, "add": old + 0.75 * extreme, "scale": 0.75 * old}[method]
        assert new == pytest.approx(moved if side_of(old) == side else old, abs=1e-6)


def test_both_sides_act_when_asked(varied: TinyModel) -> None:
    edit = Steer(neuron(3), strength=0.5, extreme=3.0, only_matching_side=False)
    assert_close(activations(varied, [edit])[:, 3], torch.full((len(TOKENS),), 1.5))


def test_strength_zero_leaves_nothing_of_that_side(varied: TinyModel) -> None:
    edits = [Steer(neuron(index), side="negative") for index in range(10)]
    plain, found = activations(varied, []), activations(varied, edits)
    assert_close(found[:, :10], plain[:, :10].clamp(min=0))
    assert_close(found[:, 10:], plain[:, 10:])


def test_a_strength_that_equals_the_current_value_changes_nothing(varied: TinyModel) -> None:
    plain = varied.ours(torch.tensor([TOKENS]))
    values = activations(varied, [])
    edits = [
        Steer(
            neuron(index),
            (position,),
            strength=0.25,
            side=side_of(value),
            extreme=4 * value,
        )
        for position, row in enumerate(values.tolist())
        for index, value in enumerate(row[:6])
    ]
    steered = varied.ours(
        torch.tensor([TOKENS]), intervention_hooks(edits, varied.ours.config, len(TOKENS))
    )
    assert_close(steered, plain, atol=1e-5, rtol=0)


@pytest.mark.parametrize("strengthened_first", [False, True])
def test_sides_are_those_before_any_steering(varied: TinyModel, strengthened_first: bool) -> None:
    """What one edit drives to zero is not on the other side for the next."""
    plain = activations(varied, [])
    index = a_two_sided_neuron(plain)
    edits: list[Intervention] = [
        Steer(neuron(index)),
        Steer(neuron(index), strength=1.0, side="negative", extreme=-3.0),
    ]
    found = activations(varied, edits[::-1] if strengthened_first else edits)[:, index]
    assert_close(found, torch.where(plain[:, index] > 0, 0.0, -3.0))


def test_neurons_steered_together_are_those_steered_one_by_one(varied: TinyModel) -> None:
    """Together they share a hook; here each value goes through the rule by hand, edit by edit."""
    generator = torch.Generator().manual_seed(0)
    n_layers, config = varied.ours.config.n_layers, varied.ours.config
    edits: list[Intervention] = []
    for number in range(40):
        layer, index = (int(torch.randint(n, (), generator=generator)) for n in (n_layers, 8))
        side = "positive" if number % 3 else "negative"
        extreme = 1.0 + number / 10 if side == "positive" else -1.0
        method = ("set", "add", "scale")[number % 3]
        at = None if number % 2 else (1, 4)
        edits.append(
            Steer(neuron(index, layer), at, None, 0.1 * number, method, side, extreme, number < 20)
        )
    edits.insert(20, Set(neuron(2), value=1.5))
    tokens = torch.tensor([TOKENS])
    together = varied.ours(tokens, intervention_hooks(edits, config, len(TOKENS)))
    row = varied.ours(tokens, intervention_hooks(edits, config, len(TOKENS), row=0))
    by_hand = varied.ours(tokens, Hooks([("mlp_post_act", partial(one_by_one, edits))]))
    assert_close(together, by_hand, atol=1e-5, rtol=0)
    assert_close(row, by_hand, atol=1e-5, rtol=0)
    assert (together - varied.ours(tokens)).abs().max() > 0.1


def test_an_activation_of_zero_may_be_driven_to_either_side(varied: TinyModel) -> None:
    off = Set(neuron(5), value=0.0)
    for side, extreme in (("positive", 2.0), ("negative", -2.0)):
        edit = Steer(neuron(5), strength=1.0, side=side, extreme=extreme)
        assert_close(activations(varied, [off, edit])[:, 5], torch.full((len(TOKENS),), extreme))


@pytest.mark.parametrize(
    ("method", "side", "factor"),
    [("set", "positive", 2.0), ("add", "positive", 3.0), ("set", "negative", 1.0)],
)
def test_a_heads_weights_are_multiplied_since_it_has_no_value_to_set(
    varied: TinyModel, method: SteerMethod, side: Side, factor: float
) -> None:
    """Whatever the extreme quantile, which of a head is one of write magnitudes."""
    extreme = 22.0 if side == "positive" else -22.0
    edit = Steer(Component("attn", 1, 2), strength=2.0, method=method, side=side, extreme=extreme)
    recorder = Recorder(["attn_pattern"])
    hooks = intervention_hooks([edit], varied.ours.config, 9)
    varied.ours(torch.tensor([TOKENS]), hooks + recorder.hooks())
    assert_close(recorder.values["attn_pattern"][1][0, 2].sum(-1), torch.full((9,), factor))


def test_heads_are_scaled(varied: TinyModel) -> None:
    head, config = Component("attn", 1, 2), varied.ours.config
    recorder = Recorder(["attn_pattern"])
    edit = Steer(head, strength=3.0, method="scale")
    varied.ours(torch.tensor([TOKENS]), intervention_hooks([edit], config, 9) + recorder.hooks())
    assert_close(recorder.values["attn_pattern"][1][0, 2].sum(-1), torch.full((9,), 3.0))


def test_a_quantile_of_the_wrong_sign_is_refused() -> None:
    with pytest.raises(ValueError, match="sign is wrong"):
        Steer(neuron(0), strength=1.0, side="negative", extreme=2.0)


def test_where_and_positions_together_are_refused(varied: TinyModel) -> None:
    edit = Set(neuron(0), (1,), value=1.0, where="prompt")
    with pytest.raises(ValueError, match="leave one of them out"):
        intervention_hooks([edit], varied.ours.config, 4)


def test_the_embedding_cannot_be_steered(varied: TinyModel) -> None:
    with pytest.raises(ValueError, match="embed is a vector"):
        intervention_hooks([Steer(Component("embed"))], varied.ours.config, 4)
