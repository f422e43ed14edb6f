"""Measured effects against Hugging Face runs with the node's write replaced by hand."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from neuron_explainer.attribution import measured
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.measured import ReplaceBy, Target
from neuron_explainer.models.objectives import NodeObjective, Objective, TokenObjective
from neuron_explainer.models.run import Case, run
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node
from tests.hand_edits import HAND_EDITS, mean_over_queries
from tests.hand_values import node_value, token_value
from tests.hooked_hf import Edit, HookedRun, Place, hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER = some_tokens(8, 1), some_tokens(8, 2)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))
PROB = TokenObjective("prob", (5,), position=6)
NODES = (
    "embed@0",
    "embed@5",
    "mlp_L0_3@0",
    "mlp_L1_7@4",
    "mlp_L2_11@7",
    "attn_L0_1@3:2",
    "attn_L0_1@6:6",
    "attn_L1_0@5:3",
    "attn_L2_2@7:5",
    "attn_L2_2@4:2",
    "attn_L1_3@0:0",
)
WHOLE = ("embed", "mlp_L1_7", "mlp_L0_4", "attn_L0_1", "attn_L2_2")


def target_of(name: str) -> Target:
    return Node.parse(name) if "@" in name else Component.parse(name)


def without(target: Target, to: ReplaceBy) -> dict[Place, Edit]:
    """The same replacement by hand."""
    is_node = isinstance(target, Node)
    component = target.component if is_node else target
    at = [target.position] if is_node else slice(None)
    index = component.index

    def edit(value: Tensor) -> Tensor:
        old = value.clone()
        match component.kind:
            case "embed":
                value[at] = old.mean(0) if to == "mean" else 0.0
            case "mlp":
                value[at, index] = old[:, index].mean() if to == "mean" else 0.0
            case _ if is_node:
                mean = mean_over_queries(old[index], old)[target.key_position]
                value[index, at, target.key_position] = mean if to == "mean" else 0.0
            case _:
                value[index] = old[index].mean(0) if to == "mean" else 0.0
        return value

    site = {"embed": "embed", "mlp": "mlp_post_act"}.get(component.kind)
    return {(site or ("attn_pattern" if is_node else "attn_z"), component.layer or 0): edit}


def both(first: Mapping[Place, Edit], then: Mapping[Place, Edit]) -> dict[Place, Edit]:
    """Edits of two kinds, in order where they share a site."""

    def chain(place: Place) -> Edit:
        def edit(value: Tensor) -> Tensor:
            for edits in (first, then):
                value = edits[place](value) if place in edits else value
            return value

        return edit

    return {place: chain(place) for place in {**first, **then}}


def measure(
    model: Transformer, cases: list[Case], names: tuple[str, ...], to: ReplaceBy = "zero"
) -> dict[str, float]:
    targets = [target_of(name) for name in names]
    _, batches = Investigation(model).measure(cases, targets, to=to)
    found = [effect for batch in batches for effect in batch]
    assert [target for target, _ in found] == targets
    return {name: effect for name, (_, effect) in zip(names, found, strict=True)}


def assert_measured(found: Mapping[str, float], truth: Mapping[str, float]) -> None:
    """Within 1e-3, and within a hundredth of the largest, lest all of them be small."""
    worst = max(abs(found[name] - truth[name]) for name in truth)
    largest = max(abs(hand) for hand in truth.values())
    apart = {name: (found[name], truth[name]) for name in truth}
    assert worst < min(1e-3, 0.01 * largest), apart


@pytest.mark.parametrize("to", ["zero", "mean"])
@pytest.mark.parametrize("names", [NODES, WHOLE], ids=["nodes", "components"])
def test_a_measured_effect_is_hugging_face_without_that_write(
    names: tuple[str, ...], to: ReplaceBy, tiny: TinyModel
) -> None:
    found = measure(tiny.ours, [Case(TOKENS, LOGIT_DIFF)], names, to)
    value = token_value(LOGIT_DIFF, tiny.hf_logits(TOKENS)[-1])
    truth = {}
    for name in names:
        seen = hooked_run(tiny.hf, TOKENS, without(target_of(name), to))
        truth[name] = float(value - token_value(LOGIT_DIFF, seen.logits[-1]))
    assert_measured(found, truth)


def test_a_measured_effect_on_a_probability_reads_its_own_token(tiny_models: TinyModels) -> None:
    """Nodes after that token have none."""
    tiny = tiny_models("gpt2")
    names = (*NODES, "mlp_L0_3@7", "embed@7")
    found = measure(tiny.ours, [Case(TOKENS, PROB)], names)
    value = token_value(PROB, tiny.hf_logits(TOKENS)[6])
    for name in names:
        seen = hooked_run(tiny.hf, TOKENS, without(target_of(name), "zero"))
        truth = float(value - token_value(PROB, seen.logits[6]))
        assert found[name] == pytest.approx(truth, abs=1e-4)
    assert found["mlp_L0_3@7"] == pytest.approx(0, abs=1e-7)  # rounding of the larger batch


@pytest.mark.parametrize("name", HAND_EDITS)
def test_edits_stay_in_force_while_nodes_are_measured(name: str, tiny_models: TinyModels) -> None:
    kinds = ("gpt2", "llama-grouped", "mistral", "gpt_neox")
    tiny = tiny_models(kinds[list(HAND_EDITS).index(name) % len(kinds)])
    edit, by_hand = HAND_EDITS[name](1, hooked_run(tiny.hf, OTHER))
    cases = [Case(TOKENS, LOGIT_DIFF, (edit,)), Case(OTHER, LOGIT_DIFF)]
    names = (*NODES, "mlp_L1_5@3", "mlp_L0_4", "attn_L2_2")
    found = measure(tiny.ours, cases, names)

    def value(seen: HookedRun) -> Tensor:
        return token_value(LOGIT_DIFF, seen.logits[-1])

    base = value(hooked_run(tiny.hf, TOKENS, by_hand))
    truth = {}
    for name in names:
        edits = both(by_hand, without(target_of(name), "zero"))
        truth[name] = float(base - value(hooked_run(tiny.hf, TOKENS, edits)))
    assert_measured(found, truth)


def test_pairs_of_a_patched_head_have_no_measured_effect(tiny_models: TinyModels) -> None:
    """Its write comes from the patch: not from the pairs, but still from the head."""
    tiny = tiny_models("llama-grouped")
    edit, by_hand = HAND_EDITS["head patched"](1, hooked_run(tiny.hf, OTHER))
    cases = [Case(TOKENS, LOGIT_DIFF, (edit,)), Case(OTHER, LOGIT_DIFF)]
    found = measure(tiny.ours, cases, ("attn_L1_2@7:3", "attn_L1_2"))
    assert found["attn_L1_2@7:3"] == pytest.approx(0, abs=1e-5)
    gone = both(by_hand, without(Component("attn", 1, 2), "zero"))
    before, after = (
        token_value(LOGIT_DIFF, hooked_run(tiny.hf, TOKENS, edits).logits[-1])
        for edits in (by_hand, gone)
    )
    assert found["attn_L1_2"] == pytest.approx(float(before - after), abs=1e-3)


TRACES: dict[str, tuple[NodeObjective, tuple[str, ...]]] = {
    "neuron": (NodeObjective(Node.parse("mlp_L2_7@6")), NODES),
    "query and key": (NodeObjective(Node.parse("attn_L2_3@6:4"), "query_and_key"), NODES),
    # What is written at the query token alone reaches the score through the query alone.
    "query": (
        NodeObjective(Node.parse("attn_L2_3@6:4"), "query"),
        ("mlp_L0_3@6", "attn_L0_1@6:6", "attn_L1_0@6:3", "embed@6", "mlp_L2_1@6", "embed@7"),
    ),
    "value": (NodeObjective(Node.parse("attn_L2_2@7:5"), "value", LOGIT_DIFF), NODES),
}


@pytest.mark.parametrize("name", TRACES)
def test_a_measured_effect_on_a_traced_node_is_hugging_face_s(name: str, varied: TinyModel) -> None:
    """For a value, the pattern and the downstream direction are those of the plain run."""
    objective, names = TRACES[name]
    found = measure(varied.ours, [Case(TOKENS, objective)], names)
    plain = hooked_run(varied.hf, TOKENS)
    judged: Any = None
    held: dict[Place, Edit] = {}
    if objective.downstream is not None:
        judged = run(varied.ours, [Case(TOKENS, objective.downstream)])[0].read_out.direction
        layer = objective.node.component.layer
        held = {("attn_pattern", layer): lambda _: plain.values["attn_pattern", layer].clone()}

    def value(edits: Mapping[Place, Edit]) -> Tensor:
        return node_value(varied.hf, objective, hooked_run(varied.hf, TOKENS, edits), judged)

    truth = {}
    for node in names:
        replaced = without(target_of(node), "zero")
        is_read_out_layer = next(iter(replaced)) in held
        edits = held if is_read_out_layer else {**held, **replaced}
        truth[node] = float(value({}) - value(edits))
    assert_measured(found, truth)


@pytest.mark.parametrize("max_tokens", [1, 20, 64])
def test_batches_of_any_size_give_the_same_effects_in_the_order_asked(
    max_tokens: int, tiny_models: TinyModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_models("gpt_neox").ours
    names = (*NODES[::-1], *WHOLE)
    wanted = measure(model, [Case(TOKENS, LOGIT_DIFF)], names)
    monkeypatch.setattr(measured, "MAX_ROW_TOKENS", max_tokens)
    assert measure(model, [Case(TOKENS, LOGIT_DIFF)], names) == pytest.approx(wanted, abs=1e-5)


def test_effects_of_a_prompt_of_one_token(tiny_models: TinyModels) -> None:
    tiny = tiny_models("gpt2")
    names = ("embed@0", "attn_L1_0@0:0", "mlp_L2_1@0")
    found = measure(tiny.ours, [Case(TOKENS[:1], LOGIT_DIFF)], names)
    value = token_value(LOGIT_DIFF, tiny.hf_logits(TOKENS[:1])[-1])
    for name in names:
        seen = hooked_run(tiny.hf, TOKENS[:1], without(target_of(name), "zero"))
        truth = float(value - token_value(LOGIT_DIFF, seen.logits[-1]))
        assert found[name] == pytest.approx(truth, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("mlp_L9_1@2", LookupError, "layer 9 is out of range"),
        ("mlp_L0_1@8", ValueError, "mlp_L0_1@8: position 8 is out of range"),
        ("attn_L0_1@9:8", ValueError, "position 9 is out of range"),
        ("bias", ValueError, "measured effects are for heads, neurons, embeddings and latents"),
        ("mlp_ae_L0_1@2", LookupError, "no coder of the mlp stream is in use"),
    ],
)
def test_a_node_that_is_not_there_is_refused_before_anything_runs(
    name: str, error: type[Exception], message: str, tiny_models: TinyModels
) -> None:
    model = tiny_models("gpt2").ours
    with pytest.raises(error, match=message):
        measure(model, [Case(TOKENS, LOGIT_DIFF)], ("mlp_L0_1@2", name))


def test_a_pair_that_looks_ahead_is_refused_however_it_was_made(tiny_models: TinyModels) -> None:
    investigation = Investigation(tiny_models("gpt2").ours)
    ahead = Node(Component("attn", 1, 0), 2, 5)
    for case, targets in (
        (Case(TOKENS, LOGIT_DIFF), [ahead]),
        (Case(TOKENS, NodeObjective(ahead, "query")), [Component("mlp", 0, 1)]),
    ):
        with pytest.raises(ValueError, match="looks ahead: a head at token 2 sees 0-2"):
            _, batches = investigation.measure([case], targets)
            list(batches)


def test_the_last_token_is_also_minus_one(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    last = [Node(Component("mlp", 1, 7), 7), Node(Component("attn", 1, 2), 7, 7)]
    same = [Node(Component("mlp", 1, 7), -1), Node(Component("attn", 1, 2), -1, -1)]
    found = []
    for targets in (last, same):
        _, batches = Investigation(model).measure([Case(TOKENS, LOGIT_DIFF)], targets)
        found.append([effect for batch in batches for _, effect in batch])
    assert found[0] == found[1]
    assert min(map(abs, found[0])) > 0


def test_measuring_leaves_the_run_as_it_was(tiny_models: TinyModels) -> None:
    investigation = Investigation(tiny_models("llama").ours)
    objectives: list[Objective] = [LOGIT_DIFF, PROB]
    before = [investigation.read([Case(TOKENS, o)]).read_out.value for o in objectives]
    for objective in objectives:
        value, batches = investigation.measure([Case(TOKENS, objective)], [Component("mlp", 0, 1)])
        list(batches)
        assert value == before[objectives.index(objective)]
    after = [investigation.read([Case(TOKENS, o)]).read_out.value for o in objectives]
    assert after == before
    assert torch.is_grad_enabled()
