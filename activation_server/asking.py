"""One question asked without a server: the command line's way to the same answer."""

from collections.abc import Sequence
from typing import Literal

from pydantic import ValidationError

from activation_server import wire
from activation_server.errors import BadRequest, validation_error
from activation_server.questions import NAME_HINT, field, read_cases
from activation_server.schemas import DebugRequest
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component


def edited_question(
    prompt: str,
    targets: Sequence[str],
    distractors: Sequence[str],
    objective: Literal["logit_diff", "logit_minus_mean", "logprob", "prob"],
    position: int,
    ablated: Sequence[str],
    top_k: int,
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
        return DebugRequest.model_validate({"cases": cases, "top_k": top_k})
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


def ask(model: Transformer, request: DebugRequest) -> str:
    """The answer of POST /api/debug, as JSON."""
    names = ["question"] if len(request.cases) == 1 else ["edited", "baseline"]
    cases = read_cases(model, request.cases, names)
    table = Investigation(model).debug(
        cases, top_k=request.top_k, read_out_norm=request.read_out_norm
    )
    return wire.to_bytes(table).decode()
