"""Turns the cases of a request into the library's, at once and without running the model.

1. prompts        tokens, neither none nor more than the context
2. targets        every target and distractor is exactly one token
3. interventions  the library's edits, of components and at tokens that exist
4. trace          nested node objectives, down to the target

The library says what is wrong; this file says where: cases[1].interventions[0].component.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import assert_never

from activation_server.errors import TOO_LONG_HINT, ApiError, BadRequest, NotFound, TooLong
from activation_server.schemas import (
    AblateSpec,
    CaseSpec,
    InterventionSpec,
    PatchSpec,
    ScaleSpec,
    SetSpec,
    SteerSpec,
    TraceSpec,
)
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.bases import PLAIN, Bases
from neuron_explainer.models.extent import check_position
from neuron_explainer.models.interventions import (
    Ablate,
    Intervention,
    Patch,
    Scale,
    Set,
    check_component,
    intervention_hooks,
)
from neuron_explainer.models.objectives import NodeObjective, Objective, TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.models.steering import Steer
from neuron_explainer.models.tokens import PromptTooLong, encode, encode_one
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node

MAX_TRACE_DEPTH = 8
"""Levels of a value trace's downstream."""

Steering = Callable[[SteerSpec, Component, Bases], Steer]
"""Looks up the quantile that a strength is in units of."""


TARGET_HINT = 'Name exactly one token. Most words begin with their space, as in " Mary".'
NAME_HINT = "GET /api/model says how many layers, heads and neurons there are, and which coders."
BASIS_HINT = "GET /api/model lists the coders that are loaded; `tdb serve --coder` loads more."
POSITION_HINT = "Count tokens from 0; -1 is the last. POST /api/tokenize shows them."
EDIT_HINT = "GET /api/openapi.json describes every kind of intervention."
TRACE_HINT = (
    "Heads are traced through query, key, query_and_key or value; neurons and latents as they are; coders' "
    "errors through value."
)


@contextmanager
def field(name: str, hint: str) -> Iterator[None]:
    """Errors raised inside are about this field of the request."""
    try:
        yield
    except ApiError:
        raise
    except PromptTooLong as problem:
        raise TooLong(str(problem), TOO_LONG_HINT, where=name) from problem
    except (ValueError, LookupError) as problem:
        if isinstance(problem, KeyError | IndexError):
            raise
        raise BadRequest(str(problem.args[0]), hint, where=name) from problem


def read_bases(
    investigation: Investigation,
    mlp: str | None = None,
    attention: str | None = None,
    resid: str | None = None,
) -> Bases:
    """The bases of a request; None takes the first coder set of that stream, if there is any."""
    first = {each.stream: each.name for each in reversed(investigation.coder_sets.values())}
    with field("mlp_basis", BASIS_HINT):
        sets = investigation.coder_sets_of("mlp", first.get("mlp") if mlp is None else mlp)
    with field("attention_basis", BASIS_HINT):
        chosen = first.get("attn") if attention is None else attention
        sets += investigation.coder_sets_of("attn", chosen)
    with field("resid_basis", BASIS_HINT):
        sets += investigation.coder_sets_of("resid", first.get("resid") if resid is None else resid)
    return bases_of(sets)


def read_cases(
    model: Transformer,
    specs: Sequence[CaseSpec],
    fields: Sequence[str],
    bases: Bases = PLAIN,
    steering: Steering | None = None,
) -> list[Case]:
    """The cases of one request; `fields` are their names in it, for messages."""
    prompts = [
        read_prompt(model, spec.prompt, f"{name}.prompt")
        for spec, name in zip(specs, fields, strict=True)
    ]
    return [
        _read_case(model, spec, index, prompts, name, bases, steering)
        for index, (spec, name) in enumerate(zip(specs, fields, strict=True))
    ]


def read_prompt(model: Transformer, text: str, where: str) -> tuple[int, ...]:
    """The prompt's tokens. Raises when there are none or more than the model can read."""
    with field(where, "Give at least one token of text."):
        return encode(model, text)


def _read_case(
    model: Transformer,
    spec: CaseSpec,
    index: int,
    prompts: Sequence[tuple[int, ...]],
    name: str,
    bases: Bases,
    steering: Steering | None,
) -> Case:
    n_tokens = len(prompts[index])
    objective: Objective | None = None
    if spec.target_tokens:
        objective = _token_objective(model, spec, n_tokens, name)
    elif spec.trace is None or spec.distractor_tokens:
        raise BadRequest(
            "There is no target token.",
            'Name the token to explain, as in [" Mary"]. It may be left out only with a trace.',
            where=f"{name}.target_tokens",
        )
    if spec.trace is not None:
        objective = _node_objective(model, spec.trace, objective, n_tokens, f"{name}.trace", bases)
    assert objective is not None
    edits = tuple(
        _read_edit(model, edit, index, prompts, f"{name}.interventions[{number}]", bases, steering)
        for number, edit in enumerate(spec.interventions)
    )
    return Case(prompts[index], objective, edits, bases)


def _token_objective(model: Transformer, spec: CaseSpec, n_tokens: int, name: str) -> Objective:
    target = _single_tokens(model, spec.target_tokens, f"{name}.target_tokens")
    distractor = _single_tokens(model, spec.distractor_tokens, f"{name}.distractor_tokens")
    for number, token in enumerate(distractor):
        if token in target:
            raise BadRequest(
                f"{spec.distractor_tokens[number]!r} is a target token as well.",
                "Make it one or the other.",
                where=f"{name}.distractor_tokens[{number}]",
            )
    with field(f"{name}.position", POSITION_HINT):
        position = check_position(spec.position, n_tokens, "position")
    return TokenObjective(
        kind=spec.objective, target=target, distractor=distractor, position=position
    )


def _single_tokens(model: Transformer, texts: Sequence[str], where: str) -> tuple[int, ...]:
    tokens = []
    for number, text in enumerate(texts):
        with field(f"{where}[{number}]", TARGET_HINT):
            tokens.append(encode_one(model, text))
    return tuple(tokens)


# --- names --------------------------------------------------------------------------------------


def read_component_of_path(model: Transformer, name: str, bases: Bases = PLAIN) -> Component:
    """A component named in a URL, where one that does not exist is Not Found."""
    try:
        component = Component.parse(name)
        check_component(component, model.config, bases)
    except (ValueError, LookupError) as problem:
        raise NotFound(str(problem.args[0]), "Names are as in attn_L0_0, mlp_L0_117.") from problem
    return component


def read_node(model: Transformer, name: str, n_tokens: int, bases: Bases = PLAIN) -> Node:
    """A node of this model, at tokens that the prompt has."""
    node = Node.parse(name)
    check_component(node.component, model.config, bases)
    if node.position is not None:
        check_position(node.position, n_tokens, f"{name}: position")
    return node


def read_measured(
    model: Transformer, name: str, n_tokens: int, bases: Bases = PLAIN
) -> Node | Component:
    """`mlp_L3_117@5` is a node; `mlp_L3_117` is the component at every token."""
    if name == "bias":
        raise ValueError("bias is no single write, so it cannot be measured.")
    if "@" in name:
        return read_node(model, name, n_tokens, bases)
    component = Component.parse(name)
    check_component(component, model.config, bases)
    return component


def read_attention_latent(model: Transformer, name: str, n_tokens: int, bases: Bases) -> Node:
    """A latent of attention at a token that the prompt has."""
    node = read_node(model, name, n_tokens, bases)
    if (node.component.kind, node.component.stream) != ("latent", "attn"):
        raise ValueError(f"{name} is no latent of attention, as in attn_ae_L3_8@5.")
    return node


def batches_of(
    nodes: Sequence[Node | Component], n_tokens: int
) -> Iterator[list[Node | Component]]:
    """The nodes of a measurement in batches: a small one, so that the first effects come soon.

    A node's cost is the tokens that change: those from its own to the end of the prompt.
    """
    batch: list[Node | Component] = []
    cost, limit = 0, 64
    for node in nodes:
        position = node.position if isinstance(node, Node) else None
        cost += n_tokens - (position or 0)
        batch.append(node)
        if cost >= limit:
            yield batch
            batch, cost, limit = [], 0, min(2 * limit, 512)
    if batch:
        yield batch


# --- interventions ------------------------------------------------------------------------------


def _read_edit(
    model: Transformer,
    spec: InterventionSpec,
    case_index: int,
    prompts: Sequence[tuple[int, ...]],
    where: str,
    bases: Bases,
    steering: Steering | None,
) -> Intervention:
    with field(f"{where}.component", NAME_HINT):
        component = Component.parse(spec.component)
        check_component(component, model.config, bases)
    with field(where, EDIT_HINT):
        if not isinstance(spec, SteerSpec):
            edit = edit_of(spec, component)
        elif steering is None:
            raise BadRequest(
                "Steering goes by the quantiles of a dataset, and none is loaded.",
                "Use `set` or `scale`, which need none.",
            )
        else:
            edit = steering(spec, component, bases)
        if isinstance(edit, Patch):
            _check_patch(edit, case_index, len(prompts))
        # Building the hooks checks the rest of the edit; they are not kept.
        intervention_hooks([edit], model.config, len(prompts[case_index]), bases=bases)
    return edit


def edit_of(
    spec: AblateSpec | SetSpec | ScaleSpec | PatchSpec, component: Component
) -> Intervention:
    """A plain edit as the library has it."""
    at, keys, where = spec.positions, spec.key_positions, spec.where or "everything"
    match spec:
        case AblateSpec():
            return Ablate(component, at, keys, value=spec.value, where=where)
        case SetSpec():
            return Set(component, at, keys, value=spec.value, where=where)
        case ScaleSpec():
            return Scale(component, at, keys, value=spec.value, where=where)
        case PatchSpec():
            theirs, other = spec.from_positions, spec.from_case
            return Patch(component, at, keys, from_case=other, from_positions=theirs, where=where)
        case _:
            assert_never(spec)


def _check_patch(edit: Patch, case_index: int, n_cases: int) -> None:
    if edit.from_case >= n_cases:
        raise ValueError(
            f"A patch takes its value from case {edit.from_case}, which was not given: "
            "give two cases."
        )
    if edit.from_case == case_index:
        raise ValueError(
            f"A patch takes its value from the other case, and this is case {case_index} itself: "
            f"set from_case to {1 - case_index}."
        )


# --- tracing ------------------------------------------------------------------------------------


def _node_objective(
    model: Transformer,
    spec: TraceSpec,
    objective: Objective | None,
    n_tokens: int,
    where: str,
    bases: Bases,
    depth: int = 1,
) -> NodeObjective:
    if depth > MAX_TRACE_DEPTH:
        raise BadRequest(
            f"The trace is more than {MAX_TRACE_DEPTH} levels deep.", TRACE_HINT, where=where
        )
    with field(f"{where}.node", NAME_HINT):
        node = read_node(model, spec.node, n_tokens, bases)
    downstream: Objective | None = None
    if spec.downstream is not None:
        if spec.through != "value":
            raise BadRequest(
                "Only a trace through the value is judged by something downstream.",
                "Leave `downstream` out.",
                where=f"{where}.downstream",
            )
        inner = f"{where}.downstream"
        downstream = _node_objective(
            model, spec.downstream, objective, n_tokens, inner, bases, depth + 1
        )
    elif spec.through == "value":
        downstream = objective
    with field(where, TRACE_HINT):
        return NodeObjective(node=node, through=spec.through, downstream=downstream)
