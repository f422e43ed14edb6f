"""Latents and errors as nodes: their numbers against Hugging Face runs with the coder spliced in by hand."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.attribution.effects import Effects
from neuron_explainer.attribution.ranking import extreme_places
from neuron_explainer.attribution.write_norms import WriteNorms
from neuron_explainer.autoencoders import CoderSet
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.interventions import Ablate, Intervention, Patch, Scale, Set
from neuron_explainer.models.objectives import NodeObjective, Objective, TokenObjective
from neuron_explainer.models.run import Case, ReadOutNorm, run
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node
from tests.attribution.hand_splice import (
    SITES,
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
from tests.hand_values import logits_at_scale, read_out_scale, token_value
from tests.hooked_hf import hooked_run, w_out
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER = some_tokens(8, 1), some_tokens(8, 2)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))
KINDS = ("gpt2", "llama-grouped", "gpt_neox", "gpt_neox-sequential", "llama-biases")
BASES: dict[str, tuple[tuple[Any, str], ...]] = {
    "mlp": (("resid_delta_mlp", "relu"),),
    "mlp activations": (("mlp_post_act", "topk"),),
    "attention": (("resid_delta_attn", "jumprelu"),),
    "both": (("resid_delta_mlp", "layer-normed"), ("resid_delta_attn", "topk")),
    "all": (
        ("mlp_post_act", "layer-normed"),
        ("resid_delta_attn", "scaled"),
        ("resid_mid", "relu"),
    ),
    "stream": (("resid_post", "batchtopk"),),
}
FAMILIES = {"mlp": ("mlp_ae", "mlp_ae_error"), "attn": ("attn_ae", "attn_ae_error")}


def sets_for(model: Transformer, name: str, **how: Any) -> list[CoderSet]:
    return [coders_at(model, site, variant, **how) for site, variant in BASES[name]]


def effects_of(
    model: Transformer,
    sets: Sequence[CoderSet],
    *edits: Intervention,
    objective: Objective = LOGIT_DIFF,
    norm: ReadOutNorm = "fixed",
) -> Effects:
    bases = bases_of(sets)
    cases = [Case(TOKENS, objective, edits, bases), Case(OTHER, LOGIT_DIFF, (), bases)]
    return Effects(run(model, cases, read_out_norm=norm)[0], WriteNorms(model))


def layers_of(effects: Effects, family: str, metric: str) -> tuple[Tensor, ...]:
    return effects.kinds()[family](metric).layers


def total(effects: Effects, family: str, metric: str = "direct_effect") -> float:
    return sum(float(layer.double().sum()) for layer in layers_of(effects, family, metric))


# What they write


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("site", SITES)
def test_activations_writes_and_direct_effects_are_the_coder_s_own_equations(
    site: Any, variant: str, tiny_models: TinyModels
) -> None:
    number = SITES.index(site) + list(VARIANTS).index(variant)
    tiny = tiny_models(KINDS[number % len(KINDS)])
    coders = coders_at(tiny.ours, site, variant)
    effects = effects_of(tiny.ours, [coders])
    seen = hooked_run(tiny.hf, TOKENS)
    stream, direction = coders.stream, effects.run.read_out.direction[7]
    for layer, coder in coders.coders.items():
        x = seen.values[place_of_site(tiny.ours, site, layer)]
        z, unit = coder.encode(x), coder.normalize(x)[2]
        writes = (z * unit)[..., None] * coder.decoder.T
        missed = x - coder.decode(z, x)
        if site == "mlp_post_act":
            writes, missed_write = writes @ w_out(tiny.hf, layer), missed @ w_out(tiny.hf, layer)
        else:
            missed_write = missed
        truths = {
            f"{stream}_ae": (z, writes.norm(dim=-1), writes @ direction),
            f"{stream}_ae_error": (
                missed.norm(dim=-1),
                missed_write.norm(dim=-1),
                missed_write @ direction,
            ),
        }
        for family, (activation, magnitude, direct) in truths.items():
            direct = torch.cat((torch.zeros_like(direct[:7]), direct[7:]))
            names = ("activation", "write_magnitude", "direct_effect")
            for name, truth in zip(names, (activation, magnitude, direct), strict=True):
                found = layers_of(effects, family, name)[layer]
                assert_close(found, truth, atol=3e-4, rtol=1e-3)


# They add up


@pytest.mark.parametrize("name", BASES)
def test_direct_effects_with_errors_and_biases_sum_to_the_objective(
    name: str, varied: TinyModel
) -> None:
    effects = effects_of(varied.ours, sets_for(varied.ours, name))
    truth = float(token_value(LOGIT_DIFF, varied.hf_logits(TOKENS)[-1]))
    check_sums(effects, truth)


@pytest.mark.parametrize("name", ["both", "mlp activations"])
def test_layers_without_a_coder_keep_neurons_and_heads(name: str, varied: TinyModel) -> None:
    effects = effects_of(varied.ours, sets_for(varied.ours, name, layers=(0, 2)))
    check_sums(effects, float(token_value(LOGIT_DIFF, varied.hf_logits(TOKENS)[-1])))
    assert effects.neurons("activation").of_layers == (1,)


def check_sums(effects: Effects, truth: float) -> None:
    by_kind = effects.totals.by_kind
    assert sum(by_kind.values()) == pytest.approx(truth, rel=1e-4, abs=1e-4)
    added = {family: total(effects, family) for family in effects.kinds() if "resid" not in family}
    everything = sum(added.values()) + effects.bias.direct_effect + by_kind["edit"]
    assert everything == pytest.approx(truth, rel=1e-4, abs=2e-4)
    errors = sum(value for family, value in added.items() if family.endswith("error"))
    assert by_kind["error"] == pytest.approx(errors, rel=1e-3, abs=1e-4)
    for kind in ("attn", "mlp"):
        own = sum(added.get(family, 0.0) for family in (kind, f"{kind}_ae"))
        assert by_kind[kind] == pytest.approx(own, rel=1e-3, abs=2e-4)
    sums = effects.totals
    for kind, by_layer in (
        ("mlp", sums.mlp_by_layer),
        ("attn", sums.attn_by_layer),
        ("error", sums.error_by_layer),
    ):
        assert sum(by_layer) == pytest.approx(by_kind[kind], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("edited", ["latent", "error", "upstream", "patched"])
@pytest.mark.parametrize("name", BASES)
def test_with_edits_they_still_sum_to_the_objective(
    edited: str, name: str, tiny_models: TinyModels
) -> None:
    tiny = tiny_models(KINDS[(list(BASES).index(name) + len(edited)) % len(KINDS)])
    sets = sets_for(tiny.ours, name)
    mine = sets[-1]
    index = int(active_latents(effects_of(tiny.ours, [mine]), mine)[1])
    edits: dict[str, tuple[Intervention, ...]] = {
        "latent": (
            Set(latent(mine, 1, index), (7, 3), value=2.0),
            Scale(latent(mine, 1, 4), value=-2.0),
        ),
        "error": (Ablate(error(mine, 1)), Scale(error(mine, 2), value=0.2)),
        "upstream": (Ablate(Component("attn", 0, 1)), Set(Component("mlp", 0, 3), value=2.0)),
        "patched": (Patch(latent(mine, 1, index)), Patch(Component("attn", 1, 2))),
    }
    effects = effects_of(tiny.ours, sets, *edits[edited])
    logits = tiny.ours.unembed(effects.run.batch.final[:1].detach())[0]
    check_sums(effects, float(token_value(LOGIT_DIFF, logits[-1])))
    assert effects.run.read_out.value != pytest.approx(
        effects_of(tiny.ours, sets).run.read_out.value, abs=1e-3
    )


def active_latents(effects: Effects, coders: CoderSet) -> list[Tensor]:
    """By layer, the latent that is on most at the last token."""
    found = layers_of(effects, f"{coders.stream}_ae", "activation")
    return [layer[7].argmax() for layer in found]


def test_the_edited_activation_is_what_a_row_shows(varied: TinyModel) -> None:
    coders = coders_at(varied.ours, "resid_delta_mlp", "topk")
    off = int(layers_of(effects_of(varied.ours, [coders]), "mlp_ae", "activation")[1][2].argmin())
    effects = effects_of(varied.ours, [coders], Set(latent(coders, 1, off), (2,), value=3.25))
    found = layers_of(effects, "mlp_ae", "activation")[1]
    assert float(found[2, off]) == 3.25
    assert float(found[3, off]) != 3.25


# Total effects are derivatives


STEP = 0.02


@pytest.mark.parametrize("variant", ["relu", "layer-normed", "jumprelu"])
@pytest.mark.parametrize("site", SITES)
def test_a_total_effect_is_the_derivative_as_the_latent_is_scaled(
    site: Any, variant: str, tiny_models: TinyModels
) -> None:
    """Central differences of a Hugging Face run with the coder spliced in; the read-out's scale held, and live."""
    number = SITES.index(site) + list(VARIANTS).index(variant)
    tiny = tiny_models(KINDS[number % len(KINDS)])
    coders = coders_at(tiny.ours, site, variant)
    fixed = effects_of(tiny.ours, [coders])
    live = effects_of(tiny.ours, [coders], norm="live")
    scale = read_out_scale(tiny.hf, hooked_run(tiny.hf, TOKENS).values["resid_final", 0][-1])

    def values(family: str, place: tuple[int, ...], factor: float) -> tuple[float, float]:
        layer, token, *index = place
        coder = coders.coders[layer]
        by_hand = (
            splice(coder, with_latent(index[0], lambda z: factor * z, token))
            if index
            else splice(coder, unchanged, at_tokens(lambda e: factor * e, token))
        )
        seen = hooked_run(tiny.hf, TOKENS, {place_of_site(tiny.ours, site, layer): by_hand})
        held = logits_at_scale(tiny.hf, seen.values["resid_final", 0][-1], scale)
        return float(token_value(LOGIT_DIFF, held)), float(token_value(LOGIT_DIFF, seen.logits[-1]))

    for family in (f"{coders.stream}_ae", f"{coders.stream}_ae_error"):
        places = extreme_places(live.kinds()[family]("total_effect"), 2)
        assert len(places) == 4
        for place in places:
            above, below = (values(family, place, 1 + sign * STEP) for sign in (1, -1))
            for effects, up, down in zip((fixed, live), above, below, strict=True):
                found = float(layers_of(effects, family, "total_effect")[place[0]][place[1:]])
                slope = (up - down) / (2 * STEP)
                assert found == pytest.approx(slope, rel=0.01, abs=1e-3), f"{family} {place}"


def test_under_edits_total_effects_are_derivatives_of_the_edited_run(varied: TinyModel) -> None:
    """Those of latents below the edit, whose effect goes through it, and those that are edited."""
    coders = coders_at(varied.ours, "resid_delta_mlp", "layer-normed")
    sets = [coders]
    index = int(active_latents(effects_of(varied.ours, sets), coders)[1])
    edits = (Scale(latent(coders, 1, index), value=-2.0), Scale(error(coders, 1), value=0.5))
    effects = effects_of(varied.ours, sets, *edits, norm="live")

    def at_layer_1(extra: float) -> Any:
        def change(z: Tensor) -> Tensor:
            z[:, index] *= -2
            z[7, index] *= extra
            return z

        return splice(coders.coders[1], change, lambda e: 0.5 * e)

    def value(place: tuple[int, ...], factor: float) -> float:
        layer, token, latent_index = place
        by_hand = {("resid_delta_mlp", 1): at_layer_1(factor if layer == 1 else 1.0)}
        if layer != 1:
            change = with_latent(latent_index, lambda z: factor * z, token)
            by_hand["resid_delta_mlp", layer] = splice(coders.coders[layer], change)
        return float(token_value(LOGIT_DIFF, hooked_run(varied.hf, TOKENS, by_hand).logits[-1]))

    totals = layers_of(effects, "mlp_ae", "total_effect")
    places = [
        place
        for place in extreme_places(effects.kinds()["mlp_ae"]("total_effect"), 12)
        if place[0] == 0
    ]
    assert places
    checked = 0
    for place in [*places[:6], (1, 7, index)]:
        at = value(place, 1.0)
        up, down = ((value(place, 1 + by) - at) / by for by in (STEP, -STEP))
        if up != pytest.approx(down, rel=0.2, abs=1e-2):
            continue  # another latent enters or leaves the edited coder's active ones here: a jump
        found = float(totals[place[0]][place[1:]])
        assert found == pytest.approx((up + down) / 2, rel=0.02, abs=1e-3), place
        checked += 1
    assert checked >= 3


# Maps and sums


def test_maps_hold_what_describes_each_layer(varied: TinyModel) -> None:
    sets = sets_for(varied.ours, "both", layers=(0, 2))
    effects = effects_of(varied.ours, sets)
    for kind, found in (("mlp", effects.map.mlp), ("attn", effects.map.attn_from)):
        latents, errors = (layers_of(effects, name, "total_effect") for name in FAMILIES[kind])
        for i, layer in enumerate((0, 2)):
            assert_close(found[layer], latents[i].sum(1) + errors[i], atol=1e-5, rtol=1e-4)
    plain = effects_of(varied.ours, [])
    assert_close(effects.map.attn_to, plain.map.attn_to, atol=1e-6, rtol=1e-5)
    assert_close(effects.map.mlp[1], plain.map.mlp[1], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", ["both", "all"])
def test_sparse_numbers_are_ranked_and_found_like_dense_ones(name: str, varied: TinyModel) -> None:
    effects = effects_of(varied.ours, sets_for(varied.ours, name))
    for family in (family for family in effects.kinds() if family.endswith("_ae")):
        for metric in ("activation", "direct_effect", "total_effect"):
            numbers = effects.kinds()[family](metric)
            dense = torch.stack(numbers.layers)
            order = dense.flatten().sort(descending=True, stable=True).indices[:7]
            wanted = [tuple(int(i) for i in torch.unravel_index(i, dense.shape)) for i in order]
            wanted = [place for place in wanted if dense[place] > 0]
            assert extreme_places(numbers, 7)[: len(wanted)] == wanted
            index = torch.tensor([[0, 7, 3], [1, 5, 9]])
            for at, layer in enumerate(numbers.of_layers):
                assert torch.equal(numbers.at(layer, index), dense[at][tuple(index)])


def test_nodes_above_a_traced_one_have_no_effect(varied: TinyModel) -> None:
    objective = NodeObjective(Node.parse("mlp_L1_7@5"))
    effects = effects_of(varied.ours, sets_for(varied.ours, "both"), objective=objective)
    for family in ("mlp_ae", "mlp_ae_error", "attn_ae"):
        for metric in ("direct_effect", "total_effect"):
            layers = layers_of(effects, family, metric)
            assert layers[2].abs().max() == 0
            assert layers[0].abs().max() > 0
            assert layers[0][6:].abs().max() == 0
    check_sums(effects, effects.run.read_out.value)
