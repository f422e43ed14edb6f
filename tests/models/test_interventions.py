"""Edits against Hugging Face runs edited by hand, and what is said about edits that cannot be."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.models.interventions import (
    Ablate,
    Intervention,
    Patch,
    Scale,
    Set,
    check_component,
    first_edited_layer,
)
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case, run
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.hand_edits import HAND_EDITS
from tests.hooked_hf import hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER, SHORT = some_tokens(9, 1), some_tokens(9, 2), some_tokens(6, 3)
OBJECTIVE = TokenObjective("logit_diff", (1,), (2,))


def edited_logits(
    model: Transformer,
    *edits: Intervention,
    other: tuple[int, ...] | None = None,
) -> Tensor:
    """Logits of the prompt with these edits, beside the other prompt if there is one."""
    cases = [Case(TOKENS, OBJECTIVE, edits)]
    if other is not None:
        cases.append(Case(other, OBJECTIVE))
    left = run(model, cases)[0]
    return model.unembed(left.batch.final)[0, : len(TOKENS)].detach()


@pytest.mark.parametrize("name", HAND_EDITS)
def test_an_edit_is_what_hooks_on_hugging_face_do(name: str, varied: TinyModel) -> None:
    edit, by_hand = HAND_EDITS[name](1, hooked_run(varied.hf, OTHER))
    truth = hooked_run(varied.hf, TOKENS, by_hand).logits
    assert (truth - varied.hf_logits(TOKENS)).abs().max() > 1e-3, "the edit must matter"
    assert_close(edited_logits(varied.ours, edit, other=OTHER), truth, atol=1e-4, rtol=0)


def test_edits_compose_in_the_order_given(tiny_models: TinyModels) -> None:
    tiny = tiny_models("llama-grouped")
    neuron = Component("mlp", 0, 7)
    edits = (
        Set(neuron, (2,), value=1.0),
        Scale(neuron, value=3.0),
        Ablate(Component("attn", 1, 0)),
        Scale(Component("attn", 2, 3), (5,), value=2.0),
    )

    def to_neurons(value: Tensor) -> Tensor:
        value[2, 7] = 1.0
        value[:, 7] *= 3.0
        return value

    def to_layer_1(value: Tensor) -> Tensor:
        value[0] = 0.0
        return value

    def to_layer_2(value: Tensor) -> Tensor:
        value[3, 5] *= 2.0
        return value

    by_hand = {
        ("mlp_post_act", 0): to_neurons,
        ("attn_pattern", 1): to_layer_1,
        ("attn_pattern", 2): to_layer_2,
    }
    truth = hooked_run(tiny.hf, TOKENS, by_hand).logits
    assert_close(edited_logits(tiny.ours, *edits), truth, atol=1e-4, rtol=0)
    swapped = edited_logits(tiny.ours, edits[1], edits[0], *edits[2:])
    assert (swapped - truth).abs().max() > 1e-3


@pytest.mark.parametrize("site", ["mlp_post_act", "attn_z", "embed"])
def test_a_patch_between_prompts_of_unequal_length_goes_token_by_token(
    site: str, varied: TinyModel
) -> None:
    component = {
        "mlp_post_act": Component("mlp", 1, 4),
        "attn_z": Component("attn", 1, 1),
        "embed": Component("embed"),
    }[site]
    edit = Patch(component, positions=(8, 2), from_positions=(5, -1))
    layer = component.layer or 0
    theirs = hooked_run(varied.hf, SHORT).values[site, layer]

    def by_hand(value: Tensor) -> Tensor:
        for to, origin in ((8, 5), (2, 5)):
            if site == "embed":
                value[to] = theirs[origin]
            elif site == "attn_z":
                value[1, to] = theirs[1, origin]
            else:
                value[to, 4] = theirs[origin, 4]
        return value

    truth = hooked_run(varied.hf, TOKENS, {(site, layer): by_hand}).logits
    assert_close(edited_logits(varied.ours, edit, other=SHORT), truth, atol=1e-4, rtol=0)


def test_patches_see_the_other_case_with_its_own_edits_but_without_its_patches(
    tiny_models: TinyModels,
) -> None:
    """So that two cases may patch from each other."""
    tiny = tiny_models("gpt2")
    early, late = Component("mlp", 0, 3), Component("mlp", 2, 4)
    left = Case(TOKENS, OBJECTIVE, (Patch(late, from_case=1),))
    right = Case(OTHER, OBJECTIVE, (Set(early, value=5.0), Patch(late, from_case=0)))

    def set_early(value: Tensor) -> Tensor:
        value[:, 3] = 5.0
        return value

    sources = (
        hooked_run(tiny.hf, OTHER, {("mlp_post_act", 0): set_early}).values["mlp_post_act", 2],
        hooked_run(tiny.hf, TOKENS).values["mlp_post_act", 2],
    )
    for row, (mine, source) in enumerate(zip(run(tiny.ours, [left, right]), sources, strict=True)):
        assert_close(
            mine.value("mlp_post_act", 2)[:, 4], source[:, 4], atol=1e-4, rtol=0, msg=f"case {row}"
        )


@pytest.mark.parametrize(
    "component", [Component("mlp", 1, 4), Component("attn", 1, 1), Component("embed")]
)
def test_scaling_by_one_is_the_identity(component: Component, varied: TinyModel) -> None:
    plain = edited_logits(varied.ours)
    assert_close(edited_logits(varied.ours, Scale(component, value=1.0)), plain, atol=0, rtol=0)


def test_patching_from_the_same_prompt_is_the_identity(varied: TinyModel) -> None:
    edits = [
        Patch(Component("mlp", 1, 4)),
        Patch(Component("attn", 1, 1)),
        Patch(Component("embed")),
    ]
    plain = edited_logits(varied.ours)
    # A batch of two multiplies in another order than a batch of one.
    assert_close(edited_logits(varied.ours, *edits, other=TOKENS), plain, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("component", "site"),
    [
        (Component("mlp", 1, 4), "mlp_post_act"),
        (Component("attn", 1, 1), "attn_z"),
        (Component("embed"), "embed"),
    ],
)
def test_a_mean_over_a_dataset_replaces_the_activation(
    component: Component, site: str, tiny_models: TinyModels
) -> None:
    tiny = tiny_models("llama-grouped")
    size = {"mlp_post_act": 1, "attn_z": 12, "embed": 32}[site]
    mean = tuple(torch.linspace(-1, 1, size).tolist())

    def by_hand(value: Tensor) -> Tensor:
        if site == "embed":
            value[3] = torch.tensor(mean)
        elif site == "attn_z":
            value[1, 3] = torch.tensor(mean)
        else:
            value[3, 4] = mean[0]
        return value

    truth = hooked_run(tiny.hf, TOKENS, {(site, component.layer or 0): by_hand}).logits
    edit = Ablate(component, (3,), value=mean)
    assert_close(edited_logits(tiny.ours, edit), truth, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("edits", "first"),
    [
        ((), None),
        ((Ablate(Component("attn", 2, 0)), Scale(Component("mlp", 1, 0))), 1),
        ((Ablate(Component("attn", 2, 0)), Scale(Component("embed"))), -1),
    ],
)
def test_the_first_edited_layer_is_the_lowest(
    edits: tuple[Intervention, ...], first: int | None
) -> None:
    assert first_edited_layer(edits) == first


# What cannot be edited


BAD_EDITS: list[tuple[Any, str]] = [
    (Ablate(Component("bias")), "bias cannot be edited"),
    (Set(Component("embed")), "embed is a vector and cannot be set to a number"),
    (Ablate(Component("mlp", 0, 1), key_positions=(1,)), "mlp_L0_1: only heads have key_positions"),
    (Ablate(Component("mlp", 0, 1), (9,)), "mlp_L0_1: position 9 is out of range.* tokens 0-8"),
    (Ablate(Component("mlp", 0, 1), (-2,)), "position -2 is out of range"),
    (
        Ablate(Component("attn", 0, 1), key_positions=(20,)),
        "attn_L0_1: key position 20 is out of range",
    ),
    (
        Ablate(Component("attn", 0, 1), (2, 3), key_positions=(4, 5)),
        "attn_L0_1: no pair is left to edit",
    ),
    (Ablate(Component("mlp", 0, 1), value=(1.0, 2.0)), "mean has 2 numbers, but .* has 1"),
    (Ablate(Component("attn", 0, 1), value=(1.0,)), "mean has 1 numbers, but .* has 8"),
    (Ablate(Component("mlp", 0, 1), ()), "mlp_L0_1: positions is empty"),
    (Scale(Component("attn", 0, 1), key_positions=()), "attn_L0_1: key_positions is empty"),
    (
        Ablate(Component("attn", 0, 1), key_positions=(1,), value=(0.0,) * 8),
        "a given mean is of the head's whole write; leave out key_positions",
    ),
    (Patch(Component("mlp", 0, 1)), "takes its value from case 1, and there is no such case"),
]


@pytest.mark.parametrize(("edit", "message"), BAD_EDITS)
def test_an_edit_that_cannot_be_says_why(
    edit: Intervention, message: str, tiny_models: TinyModels
) -> None:
    with pytest.raises(ValueError, match=message):
        edited_logits(tiny_models("gpt2").ours, edit)


@pytest.mark.parametrize(
    "later",
    [Scale(Component("attn", 1, 2), value=0.5), Ablate(Component("attn", 1, 2), (8,), (3,))],
)
def test_attention_cannot_be_edited_after_what_it_wrote_was_replaced(
    later: Intervention, tiny_models: TinyModels
) -> None:
    """It would change nothing, whatever the order suggests."""
    model, mean = tiny_models("gpt2").ours, Ablate(Component("attn", 1, 2), value="mean")
    with pytest.raises(ValueError, match="attn_L1_2: a patch or mean has already replaced"):
        edited_logits(model, mean, later)
    edited_logits(model, later, mean)
    elsewhere = Ablate(Component("attn", 1, 2), (7,), value="mean")
    at_another = Scale(Component("attn", 1, 2), (8,), value=0.5)
    moved = edited_logits(model, elsewhere, at_another) - edited_logits(model, elsewhere)
    assert moved[8].abs().max() > 1e-3


BAD_PATCHES: list[tuple[Any, str]] = [
    (Patch(Component("mlp", 0, 1)), "prompts have 9 and 6 tokens, so say which token goes where"),
    (Patch(Component("attn", 0, 1)), "prompts have 9 and 6 tokens"),
    (Patch(Component("mlp", 0, 1), (3,)), "prompts have 9 and 6 tokens"),
    (
        Patch(Component("mlp", 0, 1), (1,), from_positions=(7,)),
        "from_position 7 is out of range.* tokens 0-5",
    ),
    (
        Patch(Component("mlp", 0, 1), (1, 2), from_positions=(3,)),
        "2 positions but 1 from_positions",
    ),
    (
        Patch(Component("attn", 0, 1), (3,), (2,), from_positions=(3,)),
        r"only between prompts of equal length \(here 9 and 6 tokens\)",
    ),
    (Patch(Component("mlp", 0, 1), from_case=0), "cannot take its value from case 0.*is 1"),
]


@pytest.mark.parametrize(("edit", "message"), BAD_PATCHES)
def test_a_patch_that_cannot_be_says_why(
    edit: Intervention, message: str, tiny_models: TinyModels
) -> None:
    with pytest.raises(ValueError, match=message):
        edited_logits(tiny_models("gpt2").ours, edit, other=SHORT)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (Component("attn", 3, 0), "attn_L3_0: layer 3 is out of range: .* has layers 0-2"),
        (Component("attn", 0, 4), "attn_L0_4: head 4 is out of range: .* has heads 0-3"),
        (Component("mlp", 0, 128), "neuron 128 is out of range: .* has neurons 0-127"),
        (Component("latent", 0, 1, "mlp"), "mlp_ae_L0_1: no coder of the mlp stream is in use"),
        (
            Component("error", 0, stream="mlp"),
            "mlp_ae_error_L0: no coder of the mlp stream is in use",
        ),
    ],
)
def test_a_component_the_model_lacks_is_refused_with_the_range(
    component: Component, message: str, tiny_models: TinyModels
) -> None:
    model = tiny_models("gpt2").ours
    with pytest.raises(LookupError, match=message):
        check_component(component, model.config)
    with pytest.raises(LookupError, match=message):
        edited_logits(model, Ablate(component))
