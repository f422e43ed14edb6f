"""Coders in the forward pass: nothing unless edited, and then exactly what was asked for."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.forward_pass import Pass
from neuron_explainer.models.interventions import (
    Ablate,
    Intervention,
    Patch,
    Scale,
    Set,
    intervention_hooks,
)
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case, edited_pass, run
from neuron_explainer.nodes import Component
from tests.attribution.hand_splice import (
    SITES,
    Change,
    at_tokens,
    coders_at,
    error,
    latent,
    place_of_site,
    splice,
    unchanged,
    with_latent,
)
from tests.autoencoders.random_coders import VARIANTS
from tests.hooked_hf import hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER = some_tokens(8, 1), some_tokens(8, 2)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))
COMBINATIONS = [(site, variant) for site in SITES for variant in ("relu", "layer-normed")]
COMBINATIONS += [("resid_delta_mlp", variant) for variant in VARIANTS]
KINDS = ("gpt2", "llama-grouped", "gpt_neox", "gpt_neox-sequential")


@pytest.mark.parametrize(("site", "variant"), COMBINATIONS)
def test_splices_that_change_nothing_are_the_bare_model_bit_for_bit(
    site: Any, variant: str, varied: TinyModel
) -> None:
    coders = coders_at(varied.ours, site, variant)
    kept: tuple[Intervention, ...] = tuple(
        Scale(component, value=1.0)
        for layer in range(3)
        for component in (latent(coders, layer, 3), latent(coders, layer, 4), error(coders, layer))
    )
    plain = Case(TOKENS, LOGIT_DIFF)
    bare, spliced, scaled = run(
        varied.ours,
        [
            plain,
            replace(plain, bases=bases_of([coders])),
            Case(TOKENS, LOGIT_DIFF, kept, bases_of([coders])),
        ],
    )
    for other in (spliced, scaled):
        assert other.read_out.value == bare.read_out.value
        assert torch.equal(other.batch.final[other.row], bare.batch.final[bare.row])
    assert torch.equal(spliced.embed_grad, bare.embed_grad)
    for layer in range(3):
        for where in ("mlp_post_act", "resid_delta_attn", "attn_pattern"):
            assert torch.equal(spliced.grad(where, layer), bare.grad(where, layer))
    # What a scale of 1 adds to the graph sums to zero but for rounding.
    assert_close(scaled.embed_grad, bare.embed_grad, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("site", "variant"), COMBINATIONS)
def test_an_edit_moves_the_site_by_exactly_the_decoder_column(
    site: Any, variant: str, varied: TinyModel
) -> None:
    model, coders = varied.ours, coders_at(varied.ours, site, variant)
    coder, index = coders.coders[1], 5
    bases = bases_of([coders])
    base = run(model, [Case(TOKENS, LOGIT_DIFF, bases=bases)])[0]
    x = base.value(site, 1)
    z = coder.encode(x)
    edits = (Set(latent(coders, 1, index), (2, 6), value=1.75),)
    moved = run(model, [Case(TOKENS, LOGIT_DIFF, edits, bases)])[0].value(site, 1) - x
    unit = coder.normalize(x)[2]
    for token in range(8):
        if token in (2, 6):
            column = unit[token] * (1.75 - z[token, index]) * coder.decoder[:, index]
            assert_close(moved[token], column, atol=2e-6, rtol=1e-5)
            assert moved[token].abs().max() > 0.01
        else:
            assert moved[token].abs().max() == 0


INDEX, ERROR = 0, None
EDITS: dict[str, tuple[Any, int | None, Any]] = {
    "ablated": (lambda c: Ablate(c), INDEX, lambda z, _: 0 * z),
    "ablated at tokens": (lambda c: Ablate(c, (3, 6)), INDEX, lambda z, _: 0 * z),
    "at its mean": (lambda c: Ablate(c, value="mean"), INDEX, lambda z, _: z.mean(0).expand_as(z)),
    "at a given mean": (lambda c: Ablate(c, value=(0.4,)), INDEX, lambda z, _: 0 * z + 0.4),
    "set": (lambda c: Set(c, (3, 6), value=2.5), INDEX, lambda z, _: 0 * z + 2.5),
    "scaled": (lambda c: Scale(c, value=-1.5), INDEX, lambda z, _: -1.5 * z),
    "patched": (lambda c: Patch(c), INDEX, lambda _, theirs: theirs),
    "error ablated": (lambda c: Ablate(c), ERROR, lambda e, _: 0 * e),
    "error at its mean": (
        lambda c: Ablate(c, (3, 6), value="mean"),
        ERROR,
        lambda e, _: e.mean(0).expand_as(e),
    ),
    "error scaled": (lambda c: Scale(c, (3, 6), value=0.3), ERROR, lambda e, _: 0.3 * e),
    "error patched": (lambda c: Patch(c), ERROR, lambda _, theirs: theirs),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("site", SITES)
def test_an_edit_of_a_latent_is_a_hugging_face_run_with_the_coder_spliced_in(
    site: Any, name: str, tiny_models: TinyModels
) -> None:
    number = SITES.index(site) + list(EDITS).index(name)
    tiny = tiny_models(KINDS[number % len(KINDS)])
    variant = list(VARIANTS)[number % len(VARIANTS)]
    model, coders = tiny.ours, coders_at(tiny.ours, site, variant)
    make, index, new = EDITS[name]
    coder, place = coders.coders[1], place_of_site(model, site, 1)
    if index is not None:  # one that is on at the edited tokens
        index = int(coder.encode(hooked_run(tiny.hf, TOKENS).values[place])[[3, 6]].sum(0).argmax())
    edit = make(error(coders, 1) if index is None else latent(coders, 1, index))
    theirs = hooked_run(tiny.hf, OTHER).values[place]
    z = coder.encode(theirs)
    other = theirs - coder.decode(z, theirs) if index is None else z[:, index]
    at: Any = slice(None) if edit.positions is None else list(edit.positions)

    def change(value: Tensor) -> Tensor:
        return new(value, other)

    latents: Change = unchanged if index is None else with_latent(index, change, at)
    by_hand = splice(coder, latents, unchanged if index is not None else at_tokens(change, at))
    truth = hooked_run(tiny.hf, TOKENS, {place: by_hand}).logits
    bases = bases_of([coders])
    cases = [Case(TOKENS, LOGIT_DIFF, (edit,), bases), Case(OTHER, LOGIT_DIFF, bases=bases)]
    mine = run(model, cases)[0]
    logits = model.unembed(mine.batch.final[:1].detach())[0]
    assert_close(logits, truth, atol=2e-4, rtol=1e-4)
    assert (truth - tiny.hf_logits(TOKENS)).abs().max() > 1e-3


def test_edits_of_one_coder_act_on_latents_that_were_encoded_once(varied: TinyModel) -> None:
    """In the order given, and after the edits of neurons at the same site, wherever those are listed."""
    model, coders = varied.ours, coders_at(varied.ours, "mlp_post_act")
    coder = coders.coders[1]
    a, b = latent(coders, 1, 2), latent(coders, 1, 9)
    edits = (
        Scale(a, value=3.0),
        Set(a, (4,), value=2.0),
        Scale(b, (4, 5), value=-1.0),
        Set(Component("mlp", 1, 7), value=0.9),
        Scale(a, (4,), value=0.5),
        Scale(error(coders, 1), value=1.5),
    )

    def change(z: Tensor) -> Tensor:
        z[:, 2] *= 3
        z[4, 2] = 1.0
        z[[4, 5], 9] *= -1
        return z

    def by_hand(x: Tensor) -> Tensor:
        x[:, 7] = 0.9
        return splice(coder, change, lambda e: 1.5 * e)(x)

    truth = hooked_run(varied.hf, TOKENS, {("mlp_post_act", 1): by_hand}).logits
    mine = run(model, [Case(TOKENS, LOGIT_DIFF, edits, bases_of([coders]))])[0]
    assert_close(model.unembed(mine.batch.final.detach())[0], truth, atol=2e-4, rtol=1e-4)


def test_an_edit_reuses_the_base_below_its_layer(varied: TinyModel) -> None:
    model, coders = varied.ours, coders_at(varied.ours, "resid_pre", "topk")
    case = Case(TOKENS, LOGIT_DIFF, (Ablate(latent(coders, 2, 4)),), bases_of([coders]))
    base = Pass(model, [TOKENS], intervention_hooks((), model.config, 8))
    reused = edited_pass(model, case, base, None)
    assert reused.base is base
    whole = run(model, [case])[0]
    assert_close(reused.final, whole.batch.final, atol=1e-6, rtol=1e-5)


def test_padded_rows_are_edited_alone(varied: TinyModel) -> None:
    model, coders = varied.ours, coders_at(varied.ours, "resid_delta_mlp")
    bases = bases_of([coders])
    edit = (Ablate(latent(coders, 0, 3), value="mean"), Ablate(error(coders, 0)))
    cases = [Case(TOKENS[:5], LOGIT_DIFF, edit, bases), Case(OTHER, LOGIT_DIFF, (), bases)]
    together = run(model, cases)
    for mine, case in zip(together, cases, strict=True):
        alone = run(model, [case])[0]
        assert mine.read_out.value == pytest.approx(alone.read_out.value, abs=1e-4)


@pytest.mark.parametrize(
    ("edit", "problem", "message"),
    [
        (
            Ablate(Component("latent", 0, 999, "mlp")),
            LookupError,
            "latent 999 is out of range: .* latents 0-95",
        ),
        (
            Ablate(Component("latent", 7, 1, "mlp")),
            LookupError,
            "has no coder for layer 7; it has layers 0, 1, 2",
        ),
        (
            Ablate(Component("latent", 0, 1, "attn")),
            LookupError,
            "no coder of the attn stream is in use",
        ),
        (Set(Component("error", 0, stream="mlp")), ValueError, "is a vector and cannot be set"),
        (
            Ablate(Component("latent", 0, 1, "mlp"), key_positions=(1,)),
            ValueError,
            "only heads have key_positions",
        ),
        (
            Ablate(Component("latent", 0, 1, "mlp"), value=(0.1, 0.2)),
            ValueError,
            "has 2 numbers, but .* 1",
        ),
        (
            Ablate(Component("error", 0, stream="mlp"), value=(0.1,)),
            ValueError,
            "has 1 numbers, but .* 32",
        ),
        (Ablate(Component("latent", 0, 1, "mlp"), (8,)), ValueError, "position 8 is out of range"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(
    edit: Intervention, problem: type[Exception], message: str, tiny_models: TinyModels
) -> None:
    model = tiny_models("gpt2").ours
    bases = bases_of([coders_at(model, "resid_delta_mlp")])
    with pytest.raises(problem, match=message):
        intervention_hooks([edit], model.config, 8, bases=bases)


def test_two_coder_sets_of_one_stream_are_refused(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    sets = [coders_at(model, site) for site in ("resid_delta_mlp", "mlp_post_act")]
    with pytest.raises(
        ValueError, match=r"at-resid_delta_mlp .* and at-mlp_post_act .* both describe the mlp"
    ):
        bases_of(sets)
