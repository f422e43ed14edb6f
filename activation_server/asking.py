"""One question asked without a server: the command line's way to the same answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pydantic import ValidationError

from activation_server import wire
from activation_server.coders import open_coder_sets
from activation_server.errors import BadRequest, validation_error
from activation_server.questions import NAME_HINT, field, read_bases, read_cases
from activation_server.schemas import DebugRequest
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.table import NodeRow, NodeTable
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node


def edited_question(
    prompt: str,
    targets: Sequence[str],
    distractors: Sequence[str],
    objective: Literal["logit_diff", "logit_minus_mean", "logprob", "prob"],
    position: int,
    ablated: Sequence[str],
    top_k: int,
    bases: Mapping[str, str | None] = MappingProxyType({}),
) -> DebugRequest:
    """A request; with ablations the edited case is on the left and the baseline on the right."""
    case = {
        "prompt": prompt,
        "target_tokens": tuple(targets),
        "distractor_tokens": tuple(distractors),
        "objective": objective,
        "position": position,
    }
    edits = [read_ablation(text) for text in ablated]
    cases = [{**case, "interventions": edits}, case] if edits else [case]
    try:
        return DebugRequest.model_validate({"cases": cases, "top_k": top_k, **bases})
    except ValidationError as problem:
        raise validation_error(problem.errors()) from problem


def read_ablation(text: str) -> dict[str, object]:
    """attn_L9_9, attn_L9_9@13 or attn_L9_9@13:1 as an intervention."""
    name, at, place = text.partition("@")
    with field("--ablate", NAME_HINT):
        Component.parse(name)
    query, colon, key = place.partition(":")
    numbers = [part for part, is_there in ((query, at), (key, colon)) if is_there]
    if not all(part.isascii() and part.isdecimal() for part in numbers):
        raise BadRequest(
            f"{text!r} does not say where.", "Write attn_L9_9, attn_L9_9@13 or attn_L9_9@13:1."
        )
    return {
        "kind": "ablate",
        "component": name,
        "positions": (int(query),) if at else None,
        "key_positions": (int(key),) if colon else None,
    }


@dataclass(frozen=True)
class Asked:
    """A node table, its leading rows, and what measuring those found."""

    table: NodeTable
    leading: tuple[NodeRow, ...]
    measured: Mapping[str, float]


def ask(
    model: Transformer,
    request: DebugRequest,
    coders: Sequence[str] = (),
    *,
    n_leading: int,
    measure: bool,
) -> Asked:
    """Answer a question, and measure the leading nodes of its left case if wanted."""
    investigation = Investigation(model, open_coder_sets(coders, model))
    bases = read_bases(
        investigation, request.mlp_basis, request.attention_basis, request.resid_basis or ""
    )
    names = ["question"] if len(request.cases) == 1 else ["edited", "baseline"]
    cases = read_cases(model, request.cases, names, bases)
    table = investigation.debug(cases, top_k=request.top_k, read_out_norm=request.read_out_norm)
    wire.to_bytes(table)  # refuses what is not finite
    leading = tuple(sorted(table.nodes, key=_size, reverse=True)[:n_leading])
    measured: dict[str, float] = {}
    if measure:
        nodes = [
            Node.parse(row.case_nodes[0])
            for row in leading
            if row.kind != "bias" and row.edited is None and row.case_nodes[0] is not None
        ]
        _, batches = investigation.measure(cases, nodes)
        measured = {str(node): effect for batch in batches for node, effect in batch}
    return Asked(table, leading, measured)


def _size(row: NodeRow) -> float:
    return max(abs(values.total_effect) for values in row.values if values is not None)
