"""Activations, writes, direct and total effects against Hugging Face runs, edited by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.attribution.effects import Effects, WriteNorms
from neuron_explainer.models.interventions import Ablate, Intervention, Patch, edits_z
from neuron_explainer.models.objectives import (
    NodeObjective,
    Objective,
    TokenObjective,
    read_out_values,
)
from neuron_explainer.models.run import Case, ReadOutNorm, run
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node
from tests.hand_edits import HAND_EDITS
from tests.hand_values import (
    layers_of,
    logits_at_scale,
    node_value,
    node_writes,
    read_out_scale,
    token_value,
)
from tests.hooked_hf import Edit, Place, hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER = some_tokens(8, 1), some_tokens(8, 2)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40, 41, 42))
MINUS_MEAN = TokenObjective("logit_minus_mean", (5,), position=6)
LOGPROB = TokenObjective("logprob", (5, 9))
NEURON = NodeObjective(Node.parse("mlp_L2_7@5"))
QUERY = NodeObjective(Node.parse("attn_L2_3@6:4"), "query")
KEY = NodeObjective(Node.parse("attn_L2_3@6:4"), "key")
VALUE = NodeObjective(Node.parse("attn_L2_2@7:5"), "value", LOGIT_DIFF)
DEEP = NodeObjective(Node.parse("attn_L1_0@6:5"), "value", QUERY)
TRACES = {"neuron": NEURON, "query": QUERY, "key": KEY, "value": VALUE, "deep": DEEP}
KINDS = ("embed", "attn", "mlp")


def effects_of(
    model: Transformer, objective: Objective, *edits: Intervention, norm: ReadOutNorm = "fixed"
) -> Effects:
    cases = [Case(TOKENS, objective, edits), Case(OTHER, LOGIT_DIFF)]
    return Effects(run(model, cases, read_out_norm=norm)[0], WriteNorms(model))


def metric(effects: Effects, kind: str, name: str) -> tuple[Tensor, ...]:
    return effects.kinds()[kind](name).layers


def node_sum(effects: Effects, kind: str) -> float:
    return sum(float(layer.double().sum()) for layer in metric(effects, kind, "direct_effect"))


# What a node writes


@pytest.mark.parametrize("kind", KINDS)
def test_activations_and_writes_are_hugging_face_s(kind: str, tiny: TinyModel) -> None:
    effects = effects_of(tiny.ours, LOGIT_DIFF)
    seen = hooked_run(tiny.hf, TOKENS)
    for layer in layers_of(kind, tiny.ours):
        activation, writes = node_writes(tiny.hf, seen, kind, layer)
        assert_close(metric(effects, kind, "activation")[layer], activation, atol=1e-4, rtol=0)
        found = metric(effects, kind, "write_magnitude")[layer]
        assert_close(found, writes.norm(dim=-1), atol=1e-3, rtol=1e-3)
        direct = metric(effects, kind, "direct_effect")[layer]
        along = (writes @ effects.run.read_out.direction[7]).clone()
        if kind == "attn":
            along[:, :7] = 0.0
        else:
            along[:7] = 0.0
        assert_close(direct, along, atol=1e-4, rtol=1e-3)


# Direct effects add up


@pytest.mark.parametrize("objective", [LOGIT_DIFF, MINUS_MEAN], ids=["diff", "minus mean"])
def test_direct_effects_of_all_nodes_sum_to_the_objective(
    objective: TokenObjective, tiny: TinyModel
) -> None:
    effects = effects_of(tiny.ours, objective)
    bias = effects.bias
    truth = float(token_value(objective, tiny.hf_logits(TOKENS)[objective.position]))
    by_node = {kind: node_sum(effects, kind) for kind in KINDS}
    assert sum(by_node.values()) + bias.direct_effect == pytest.approx(truth, rel=1e-4, abs=1e-4)
    summed = effects.totals
    assert sum(summed.by_kind.values()) == pytest.approx(truth, rel=1e-4, abs=1e-4)
    for kind in KINDS:
        assert summed.by_kind[kind] == pytest.approx(by_node[kind], rel=1e-3, abs=1e-4), kind
    for kind, by_layer in (("attn", summed.attn_by_layer), ("mlp", summed.mlp_by_layer)):
        for found, layer in zip(by_layer, metric(effects, kind, "direct_effect"), strict=True):
            assert found == pytest.approx(float(layer.sum()), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", TRACES)
def test_direct_effects_on_a_traced_node_sum_to_its_value(name: str, varied: TinyModel) -> None:
    """Only what is strictly upstream of it counts, and its own bias is among the biases."""
    objective = TRACES[name]
    effects = effects_of(varied.ours, objective)
    judged = None
    if objective.downstream is not None:
        judged = effects_of(varied.ours, objective.downstream).run.read_out.direction
    truth = float(node_value(varied.hf, objective, hooked_run(varied.hf, TOKENS), judged))
    bias = effects.bias
    found = sum(node_sum(effects, kind) for kind in KINDS) + bias.direct_effect
    assert found == pytest.approx(truth, rel=1e-4, abs=1e-4)
    by_kind = effects.totals.by_kind
    assert sum(by_kind.values()) == pytest.approx(truth, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", HAND_EDITS)
def test_with_edits_the_totals_by_kind_still_sum_to_the_objective(
    name: str, tiny_models: TinyModels
) -> None:
    kinds = ("gpt2", "llama-grouped", "mistral", "gpt_neox")
    model = tiny_models(kinds[list(HAND_EDITS).index(name) % len(kinds)])
    edit, by_hand = HAND_EDITS[name](1, hooked_run(model.hf, OTHER))
    effects = effects_of(model.ours, LOGIT_DIFF, edit)
    truth = float(token_value(LOGIT_DIFF, hooked_run(model.hf, TOKENS, by_hand).logits[-1]))
    by_kind = effects.totals.by_kind
    assert sum(by_kind.values()) == pytest.approx(truth, rel=1e-4, abs=1e-4)
    for kind in KINDS:
        assert by_kind[kind] == pytest.approx(node_sum(effects, kind), rel=1e-3, abs=1e-4), kind
    assert sum(effects.totals.attn_by_layer) == pytest.approx(by_kind["attn"], abs=1e-5)
    replaces_what_is_read = edits_z(edit) and edit.positions is None
    assert (by_kind["edit"] != 0) == replaces_what_is_read


def test_pairs_whose_head_was_patched_or_set_to_its_mean_write_nothing(varied: TinyModel) -> None:
    """Its write no longer comes from the pairs: it stays in the totals, not in the rows."""
    head = Component("attn", 2, 2)
    for edit in (Patch(head, (7, 6)), Ablate(head, (7, 6), value="mean")):
        effects = effects_of(varied.ours, LOGIT_DIFF, edit)
        for name in ("direct_effect", "write_magnitude", "total_effect"):
            found = metric(effects, "attn", name)[2]
            assert found[2, 6:].abs().max() == 0
            assert found[2, :6].abs().max() > 0 or name != "write_magnitude"
            assert found[1, 6:].abs().max() > 0


@pytest.mark.parametrize("name", ["neuron", "query"])
def test_nodes_that_are_not_upstream_of_the_read_out_have_no_effect(
    name: str, tiny: TinyModel
) -> None:
    """Neither those above it nor those at later tokens."""
    effects = effects_of(tiny.ours, TRACES[name])
    position = TRACES[name].node.position
    sees_attn = name == "neuron" and not tiny.ours.config.parallel_residual
    for which in ("direct_effect", "total_effect"):
        neurons, heads = metric(effects, "mlp", which), metric(effects, "attn", which)
        assert neurons[2].abs().max() == 0
        assert (heads[2].abs().max() > 0) == sees_attn
        assert neurons[1].abs().max() > 0
        assert neurons[1][position + 1 :].abs().max() == 0
        assert heads[1][:, position + 1 :].abs().max() == 0


# Total effects are derivatives


STEP = 0.02
"""Relative step of the central differences: curvature of its square, float32 noise of its inverse."""


def node_edit(kind: str, place: tuple[int, ...], factor: float) -> dict[Place, Edit]:
    """Scale one node by hand; `place` is its layer, then its indices."""
    site = {"embed": "embed", "attn": "attn_pattern", "mlp": "mlp_post_act"}[kind]

    def scale(value: Tensor) -> Tensor:
        value[place[1:]] *= factor
        return value

    return {(site, place[0]): scale}


def sampled_places(layers: tuple[Tensor, ...], n: int) -> list[tuple[int, ...]]:
    """The places with the largest effects, and as many others with any effect."""
    stacked = torch.stack(layers)
    largest = stacked.abs().flatten().topk(n).indices
    some = stacked.flatten().nonzero().flatten()
    generator = torch.Generator().manual_seed(0)
    drawn = some[torch.randperm(len(some), generator=generator)[:n]]
    flat = [*largest.tolist(), *drawn.tolist()]
    return [tuple(torch.unravel_index(torch.tensor(i), stacked.shape)) for i in flat]


def as_ints(place: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in place)


def test_a_total_effect_is_the_derivative_as_the_write_is_scaled(tiny: TinyModel) -> None:
    assert_derivatives(LOGIT_DIFF, tiny)


def test_a_total_effect_on_a_probability_is_a_derivative_too(varied: TinyModel) -> None:
    assert_derivatives(LOGPROB, varied)


def assert_derivatives(objective: TokenObjective, tiny: TinyModel) -> None:
    """Central differences of a Hugging Face run; with the read-out's scale held, and live."""
    fixed = effects_of(tiny.ours, objective)
    live = effects_of(tiny.ours, objective, norm="live")
    scale = read_out_scale(tiny.hf, hooked_run(tiny.hf, TOKENS).values["resid_final", 0][-1])

    def values(kind: str, place: tuple[int, ...], factor: float) -> tuple[float, float]:
        seen = hooked_run(tiny.hf, TOKENS, node_edit(kind, place, factor))
        held = logits_at_scale(tiny.hf, seen.values["resid_final", 0][-1], scale)
        return float(token_value(objective, held)), float(token_value(objective, seen.logits[-1]))

    for kind in KINDS:
        for place in map(as_ints, sampled_places(metric(live, kind, "total_effect"), 3)):
            above, below = values(kind, place, 1 + STEP), values(kind, place, 1 - STEP)
            for effects, up, down in zip((fixed, live), above, below, strict=True):
                found = float(metric(effects, kind, "total_effect")[place[0]][place[1:]])
                # 5e-4: float32 noise of J, 1e-5, over twice the step.
                slope = (up - down) / (2 * STEP)
                assert found == pytest.approx(slope, rel=0.01, abs=5e-4), f"{kind} {place}"


@pytest.mark.parametrize("name", TRACES)
def test_a_total_effect_on_a_traced_node_is_a_derivative_too(name: str, varied: TinyModel) -> None:
    """What the trace holds fixed (the other side, the pattern, the direction) is the plain run's."""
    objective = TRACES[name]
    effects = effects_of(varied.ours, objective, norm="live")
    mine = effects.run

    def value(kind: str, place: tuple[int, ...], factor: float) -> float:
        seen = hooked_run(varied.hf, TOKENS, node_edit(kind, place, factor))
        reads = "mlp_reads" if objective.through is None else "attn_reads"
        resid = seen.values[reads, objective.node.component.layer]
        return read_out_values(mine.batch, 0, objective, resid[None], 0)[0]

    for kind in KINDS:
        for place in map(as_ints, sampled_places(metric(effects, kind, "total_effect"), 2)):
            slope = (value(kind, place, 1 + STEP) - value(kind, place, 1 - STEP)) / (2 * STEP)
            found = float(metric(effects, kind, "total_effect")[place[0]][place[1:]])
            assert found == pytest.approx(slope, rel=0.01, abs=5e-4), f"{kind} {place}"


@pytest.mark.parametrize("norm", ["fixed", "live"])
def test_the_biases_total_effect_is_the_derivative_as_they_are_scaled(
    norm: ReadOutNorm, tiny: TinyModel
) -> None:
    """All output biases at once, those of the attention and of the MLPs."""
    effects = effects_of(tiny.ours, LOGIT_DIFF, norm=norm)
    bias = effects.bias
    outs = [
        parameter
        for name, parameter in tiny.hf.named_parameters()
        if name.endswith("bias")
        and any(
            f".{out}." in name
            for out in ("c_proj", "dense", "dense_4h_to_h", "o_proj", "down_proj")
        )
    ]
    scale = read_out_scale(tiny.hf, hooked_run(tiny.hf, TOKENS).values["resid_final", 0][-1])

    plain = [parameter.clone() for parameter in outs]

    def value(factor: float) -> float:
        for parameter in outs:
            parameter.mul_(factor)
        seen = hooked_run(tiny.hf, TOKENS)
        for parameter, before in zip(outs, plain, strict=True):
            parameter.copy_(before)  # bit for bit: other tests use this model
        held = logits_at_scale(tiny.hf, seen.values["resid_final", 0][-1], scale)
        return float(token_value(LOGIT_DIFF, held if norm == "fixed" else seen.logits[-1]))

    written = sum((parameter for parameter in outs), torch.zeros(32))
    assert bias.write_magnitude == pytest.approx(float(written.norm()), rel=1e-4)
    slope = (value(1 + STEP) - value(1 - STEP)) / (2 * STEP)
    assert bias.total_effect == pytest.approx(slope, rel=0.01, abs=5e-4)
    assert (bias.write_magnitude > 0) == bool(outs) == (tiny.kind not in PLAIN)


PLAIN = ("llama", "llama-grouped", "qwen2", "mistral")
"""Kinds without output biases."""


# Maps


def test_maps_sum_total_effects_over_nodes(varied: TinyModel) -> None:
    effects = effects_of(varied.ours, LOGIT_DIFF)
    field = effects.map
    heads = torch.stack(metric(effects, "attn", "total_effect"))
    neurons = torch.stack(metric(effects, "mlp", "total_effect"))
    assert_close(field.attn_from, heads.sum((1, 3)), atol=1e-5, rtol=1e-4)
    assert_close(field.attn_to, heads.sum((1, 2)), atol=1e-5, rtol=1e-4)
    assert_close(field.mlp, neurons.sum(2), atol=1e-5, rtol=1e-4)
    assert_close(field.embed, metric(effects, "embed", "total_effect")[0], atol=0, rtol=0)
    assert field.attn_from.shape == field.mlp.shape == (3, 8)
