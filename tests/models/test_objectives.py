"""What is explained: its value against Hugging Face, its gradient against autograd on its modules."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.models.forward_pass import Place
from neuron_explainer.models.interventions import Set
from neuron_explainer.models.objectives import (
    NodeObjective,
    Objective,
    ReadOut,
    TokenObjective,
    read_out_values,
)
from neuron_explainer.models.run import Case, Run, run
from neuron_explainer.nodes import Component, Node
from tests.hooked_hf import HookedRun, final_norm_of, head_w_o, hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS = some_tokens(9, 1)
KINDS = ("logit_diff", "logit_minus_mean", "logprob", "prob")
TARGETS, DISTRACTORS = (5, 17), (40, 41, 42)
LAST = TokenObjective("logit_diff", TARGETS, DISTRACTORS)


def read(tiny: TinyModel, objective: Objective) -> ReadOut:
    return one_run(tiny, objective).read_out


def one_run(tiny: TinyModel, objective: Objective) -> Run:
    return run(tiny.ours, [Case(TOKENS, objective)])[0]


def by_hand(kind: str, logits: Tensor) -> Tensor:
    """The objective from the logits after one token, straight from its definition."""
    target = logits[list(TARGETS)]
    match kind:
        case "logit_diff":
            return target.mean() - logits[list(DISTRACTORS)].mean()
        case "logit_minus_mean":
            return target.mean() - logits.mean()
        case "logprob":
            return logits.softmax(-1)[list(TARGETS)].sum().log()
        case _:
            return logits.softmax(-1)[list(TARGETS)].sum()


# Objectives on the next token


def test_a_value_is_arithmetic_on_hugging_face_logits(tiny: TinyModel) -> None:
    logits = tiny.hf_logits(TOKENS)
    asked = [(kind, position) for kind in KINDS for position in (-1, 0, 4)]
    cases = [Case(TOKENS, TokenObjective(kind, TARGETS, DISTRACTORS, at)) for kind, at in asked]
    for (kind, position), mine in zip(asked, run(tiny.ours, cases), strict=True):
        truth = float(by_hand(kind, logits[position]))
        assert mine.read_out.value == pytest.approx(truth, abs=1e-4), f"{kind} at {position}"


def test_without_a_distractor_the_logit_difference_is_the_target_logit(tiny: TinyModel) -> None:
    truth = tiny.hf_logits(TOKENS)[-1, list(TARGETS)].mean()
    read_out = read(tiny, TokenObjective("logit_diff", TARGETS))
    assert read_out.value == pytest.approx(float(truth), abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_autograd_through_hugging_face_s_norm_and_head(
    kind: Any, varied: TinyModel
) -> None:
    """Live through the module itself; with the scale fixed, through the norm written out."""
    norm, head = final_norm_of(varied.hf), varied.hf.get_output_embeddings()
    r = hooked_run(varied.hf, TOKENS).values["resid_final", 0][4].clone().requires_grad_()
    (live,) = torch.autograd.grad(by_hand(kind, head(norm(r))), r)
    centred = r - r.mean() if isinstance(norm, torch.nn.LayerNorm) else r
    scale = centred.square().mean().sqrt().detach()
    normed = centred / scale * norm.weight + getattr(norm, "bias", torch.zeros(()))
    (fixed,) = torch.autograd.grad(by_hand(kind, head(normed)), r)

    read_out = read(varied, TokenObjective(kind, TARGETS, DISTRACTORS, 4))
    assert list(read_out.direction) == list(read_out.live_gradient) == [4]
    assert_close(read_out.live_gradient[4], live, atol=1e-4, rtol=1e-3)
    assert_close(read_out.direction[4], fixed, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("kind", "unit", "adds_up"),
    [
        ("logit_diff", "logits", True),
        ("logit_minus_mean", "logits", True),
        ("logprob", "nats", False),
        ("prob", "probability", False),
    ],
)
def test_an_objective_says_its_unit_and_whether_it_adds_up(
    kind: Any, unit: str, adds_up: bool, tiny_models: TinyModels
) -> None:
    read_out = read(tiny_models("gpt2"), TokenObjective(kind, TARGETS, DISTRACTORS))
    assert (read_out.unit, read_out.adds_up) == (unit, adds_up)
    assert read_out.place == Place(3)
    assert read_out.position == 8


# Objectives on a node


NODE_OBJECTIVES = {
    "neuron": NodeObjective(Node.parse("mlp_L1_7@5")),
    "first neuron": NodeObjective(Node.parse("mlp_L0_0@0")),
    "query": NodeObjective(Node.parse("attn_L2_3@6:4"), "query"),
    "key": NodeObjective(Node.parse("attn_L2_3@6:4"), "key"),
    "both": NodeObjective(Node.parse("attn_L1_1@6:4"), "query_and_key"),
    "query of itself": NodeObjective(Node.parse("attn_L1_1@6:6"), "query"),
    "both of itself": NodeObjective(Node.parse("attn_L1_1@6:6"), "query_and_key"),
    "masked pair": NodeObjective(Node.parse("attn_L1_1@8:0"), "query_and_key"),
    "value": NodeObjective(Node.parse("attn_L1_2@8:6"), "value", LAST),
    "value for a neuron": NodeObjective(
        Node.parse("attn_L0_2@5:3"), "value", NodeObjective(Node.parse("mlp_L1_7@5"))
    ),
    "value for a query": NodeObjective(
        Node.parse("attn_L1_0@6:5"), "value", NodeObjective(Node.parse("attn_L2_3@6:4"), "query")
    ),
    "value for a value": NodeObjective(
        Node.parse("attn_L0_1@6:5"),
        "value",
        NodeObjective(Node.parse("attn_L1_2@8:6"), "value", LAST),
    ),
}


def node_value(tiny: TinyModel, objective: NodeObjective, seen: HookedRun) -> Tensor:
    """The objective from a hooked Hugging Face run. Differentiable in what the run's edits added."""
    component, query = objective.node.component, objective.node.position
    layer, index, key = component.layer, component.index, objective.node.key_position
    if objective.through is None:
        return seen.values["mlp_pre", layer][query, index]
    if objective.through != "value":
        return seen.values["attn_scores", layer][index, query, key]
    downstream = read(tiny, objective.downstream).direction[query]
    write = seen.values["attn_v", layer][index, key] @ head_w_o(tiny.hf, layer, index)
    return seen.values["attn_pattern", layer][index, query, key] * (write @ downstream)


@pytest.mark.parametrize("name", NODE_OBJECTIVES)
def test_a_node_s_value_is_what_hugging_face_computes(name: str, varied: TinyModel) -> None:
    """A neuron's pre-activation, a pair's score, a head's write along a downstream direction."""
    objective = NODE_OBJECTIVES[name]
    truth = node_value(varied, objective, hooked_run(varied.hf, TOKENS))
    assert read(varied, objective).value == pytest.approx(float(truth), abs=1e-4)


def hf_gradient(tiny: TinyModel, objective: NodeObjective) -> Tensor:
    """d value / d (residual stream that the node's layer reads), "seq d_model", norm live.

    A trace through the query alone reads at the query token; through the value, with the pattern held.
    """
    component = objective.node.component
    site = "mlp_reads" if component.kind == "mlp" else "attn_reads"
    delta = torch.zeros(len(TOKENS), tiny.ours.config.d_model, requires_grad=True)
    edits: dict[Any, Any] = {(site, component.layer): lambda x: x + delta}
    if objective.through == "value":
        edits["attn_pattern", component.layer] = lambda pattern: pattern.detach()
    value = node_value(tiny, objective, hooked_run(tiny.hf, TOKENS, edits))
    return torch.autograd.grad(value, delta)[0]


@pytest.mark.parametrize("name", [name for name in NODE_OBJECTIVES if name != "query of itself"])
def test_a_node_s_live_gradient_is_autograd_through_hugging_face(
    name: str, varied: TinyModel
) -> None:
    objective = NODE_OBJECTIVES[name]
    truth = hf_gradient(varied, objective)
    gradient = read(varied, objective).live_gradient
    node = objective.node
    reads = {
        None: {node.position},
        "query": {node.position},
        "key": {node.key_position},
        "value": {node.key_position},
        "query_and_key": {node.position, node.key_position},
    }[objective.through]
    assert set(gradient) == reads
    for position in reads:
        assert_close(gradient[position], truth[position], atol=1e-4, rtol=1e-3)


def test_query_and_key_of_a_token_with_itself_sum(varied: TinyModel) -> None:
    node = Node.parse("attn_L1_1@6:6")
    parts = [read(varied, NodeObjective(node, through)) for through in ("query", "key")]
    both = read(varied, NodeObjective(node, "query_and_key"))
    summed = parts[0].direction[6] + parts[1].direction[6]
    assert_close(both.direction[6], summed, atol=1e-5, rtol=1e-4)


ALL_OBJECTIVES: dict[str, Objective] = dict(NODE_OBJECTIVES)
ALL_OBJECTIVES |= {kind: TokenObjective(kind, TARGETS, DISTRACTORS, 4) for kind in KINDS}


@pytest.mark.parametrize("name", ALL_OBJECTIVES)
def test_fixing_the_scale_removes_the_pull_towards_the_origin(name: str, varied: TinyModel) -> None:
    """With n = (r - mean) / s: dJ/ds = -<r, G> / s and ds/dr = (r - mean) / (s d), whatever J is."""
    mine = one_run(varied, ALL_OBJECTIVES[name])
    out = mine.read_out
    for position, direction in out.direction.items():
        r = mine.batch.resid(out.place)[0, position].detach()
        centred = r - r.mean() if varied.ours.config.norm == "layer" else r
        square = centred.square().mean() + varied.ours.config.norm_eps
        pull = (r @ direction) * centred / (square * len(r))
        assert_close(out.live_gradient[position], direction - pull, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", ALL_OBJECTIVES)
def test_what_adds_up_is_affine_in_the_residual_stream(name: str, varied: TinyModel) -> None:
    mine = one_run(varied, ALL_OBJECTIVES[name])
    out = mine.read_out
    resid = mine.batch.resid(out.place)[0].detach()
    total = sum(float(resid[t] @ g) for t, g in out.direction.items()) + out.constant
    is_curved = name in ("logprob", "prob") or "both" in name or name == "masked pair"
    assert out.adds_up == (not is_curved)
    if out.adds_up:
        assert total == pytest.approx(out.value, rel=1e-4, abs=1e-4)


def test_a_constant_is_the_value_at_a_residual_stream_of_zero(tiny: TinyModel) -> None:
    """Only biases are left then: nothing that depends on the prompt. Scale fixed."""
    objectives = [NODE_OBJECTIVES["neuron"], LAST]
    here = [read(tiny, objective).constant for objective in objectives]
    other = [
        run(tiny.ours, [Case(some_tokens(9, 5), objective)])[0].read_out.constant
        for objective in objectives
    ]
    assert here == pytest.approx(other, abs=1e-4)
    norm = final_norm_of(tiny.hf)
    zero = tiny.hf.get_output_embeddings()(getattr(norm, "bias", torch.zeros_like(norm.weight)))
    assert here[1] == pytest.approx(float(by_hand("logit_diff", zero)), abs=1e-4)


def test_a_place_is_where_the_layer_reads(tiny: TinyModel) -> None:
    is_parallel = tiny.ours.config.parallel_residual
    assert read(tiny, NODE_OBJECTIVES["neuron"]).place == Place(1, is_mid=not is_parallel)
    assert read(tiny, NODE_OBJECTIVES["query"]).place == Place(2)


def test_a_traced_value_has_the_unit_of_what_judges_it(tiny_models: TinyModels) -> None:
    tiny = tiny_models("gpt2")
    units = {name: read(tiny, objective).unit for name, objective in NODE_OBJECTIVES.items()}
    assert units["neuron"] == units["value for a neuron"] == "pre-activation"
    assert units["query"] == units["value for a query"] == "score"
    assert units["value"] == units["value for a value"] == "logits"


def test_a_value_trace_weighs_by_the_pattern_as_edited(tiny_models: TinyModels) -> None:
    tiny = tiny_models("gpt2")
    objective = NODE_OBJECTIVES["value"]
    edit = Set(Component("attn", 1, 2), (8,), (6,), value=2.0)

    def by_hand(pattern: Tensor) -> Tensor:
        pattern[2, 8, 6] = 2.0
        return pattern

    seen = hooked_run(tiny.hf, TOKENS, {("attn_pattern", 1): by_hand})
    judged = run(tiny.ours, [Case(TOKENS, LAST, (edit,))])[0].read_out.direction[8]
    truth = 2.0 * (seen.values["attn_v", 1][2, 6] @ head_w_o(tiny.hf, 1, 2) @ judged)
    mine = run(tiny.ours, [Case(TOKENS, objective, (edit,))])[0].read_out
    assert mine.value == pytest.approx(float(truth), abs=1e-4)


@pytest.mark.parametrize("name", ALL_OBJECTIVES)
def test_values_of_other_residual_streams_are_read_off_in_a_batch(
    name: str, varied: TinyModel
) -> None:
    """Rows move along the direction: with the scale nearly constant, J moves by its gradient."""
    mine = one_run(varied, ALL_OBJECTIVES[name])
    out = mine.read_out
    start = min(out.direction)
    resid = mine.batch.resid(out.place)[0].detach()
    step = torch.zeros_like(resid)
    for position, gradient in out.live_gradient.items():
        step[position] = 1e-2 * F.normalize(gradient, dim=0)
    rows = torch.stack([resid, resid + step, resid - step])[:, start:]
    same, up, down = read_out_values(mine.batch, 0, mine.case.objective, rows, start)
    assert same == pytest.approx(out.value, abs=1e-5)
    slope = sum(float(step[t] @ g) for t, g in out.live_gradient.items())
    assert (up - down) / 2 == pytest.approx(slope, rel=0.02, abs=2e-6)


# What cannot be asked


def test_a_token_objective_needs_a_target() -> None:
    with pytest.raises(ValueError, match="target_tokens is empty"):
        TokenObjective("logit_diff", ())


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (TokenObjective("prob", (300,)), "token id 300 is out of range: 0-299"),
        (TokenObjective("logit_diff", (1,), (-1,)), "token id -1 is out of range"),
        (TokenObjective("prob", (1,), position=9), "position 9 is out of range.*tokens 0-8"),
        (TokenObjective("prob", (1,), position=-2), "position -2 is out of range"),
        (NodeObjective(Node.parse("mlp_L0_1@9")), "position 9 is out of range"),
        (NodeObjective(Node.parse("attn_L0_1@9:2"), "query"), "9 is out of range"),
    ],
)
def test_an_objective_off_the_prompt_or_the_vocabulary_is_refused(
    objective: Objective, message: str, tiny_models: TinyModels
) -> None:
    with pytest.raises(ValueError, match=message):
        read(tiny_models("gpt2"), objective)


@pytest.mark.parametrize("name", ["mlp_L3_1@2", "mlp_L0_128@2"])
def test_a_traced_component_must_exist(name: str, tiny_models: TinyModels) -> None:
    with pytest.raises(LookupError, match="out of range"):
        read(tiny_models("gpt2"), NodeObjective(Node.parse(name)))


@pytest.mark.parametrize(
    ("node", "through", "downstream", "message"),
    [
        ("embed@3", None, None, "only heads, neurons, latents and coders' errors can be traced"),
        ("bias", None, None, "only heads, neurons, latents and coders' errors can be traced"),
        ("attn_L1_1@3:2", None, None, "through must be query, key, query_and_key or value"),
        ("mlp_L1_1@3", "query", None, "through must be null, not 'query'"),
        ("attn_L1_1@3:2", "value", None, "needs a downstream objective"),
        ("attn_L1_1@3:2", "query", LAST, "only that, needs a downstream objective"),
        ("mlp_L1_1@3", None, LAST, "only that, needs a downstream objective"),
    ],
)
def test_a_trace_that_makes_no_sense_says_why(
    node: str, through: Any, downstream: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        NodeObjective(Node.parse(node), through, downstream)


@pytest.mark.parametrize(
    ("head", "downstream"),
    [
        ("attn_L1_0@8:3", NodeObjective(Node.parse("mlp_L0_1@8"))),  # an earlier layer
        ("attn_L1_0@8:3", NodeObjective(Node.parse("attn_L1_1@8:2"), "query")),  # the same layer
        ("attn_L1_0@7:3", LAST),  # J looks at token 8 only
        ("attn_L1_0@6:3", NodeObjective(Node.parse("attn_L2_1@6:2"), "key")),  # looks at token 2
    ],
)
def test_what_judges_a_value_must_read_the_head_s_write(
    head: str, downstream: Objective, varied: TinyModel
) -> None:
    with pytest.raises(ValueError, match="does not read what it writes"):
        read(varied, NodeObjective(Node.parse(head), "value", downstream))


def test_a_neuron_of_the_same_layer_judges_a_head_unless_they_run_in_parallel(
    tiny: TinyModel,
) -> None:
    neuron = NodeObjective(Node.parse("mlp_L1_7@5"))
    objective = NodeObjective(Node.parse("attn_L1_0@5:3"), "value", neuron)
    if tiny.ours.config.parallel_residual:
        with pytest.raises(ValueError, match="does not read what it writes"):
            read(tiny, objective)
    else:
        truth = node_value(tiny, objective, hooked_run(tiny.hf, TOKENS))
        assert read(tiny, objective).value == pytest.approx(float(truth), abs=1e-4)
