"""Library results as the bytes that go out, in the shapes of `schemas.py`.

Written once, by pydantic's serialiser, from plain data: a table of hundreds of rows takes about a
millisecond. The tests hold the bytes against the schemas; the server does not check them again.
"""

import json
import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from fastapi import Response
from pydantic_core import to_json
from torch import Tensor

from activation_server.errors import BadRequest
from activation_server.schemas import CoderInfo, DatasetInfo, Example, ModelResponse, MonitorExample
from neuron_explainer.attribution.glossary import GLOSSARY
from neuron_explainer.attribution.lens import LensLayer
from neuron_explainer.attribution.self_check import Claim
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Run
from neuron_explainer.models.tokens import token_text
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component


def json_response(content: bytes, ahead: int | None = None) -> Response:
    """Bytes that are JSON already; `ahead` is how many requests were before this one."""
    headers = None if ahead is None else queue_header(ahead)
    return Response(content, media_type="application/json", headers=headers)


def queue_header(ahead: int) -> dict[str, str]:
    return {"x-queue-ahead": str(ahead)}


# Any value that pydantic can serialise.
def to_bytes(answer: object) -> bytes:
    """JSON, refusing numbers that JSON does not have."""
    content = to_json(answer, inf_nan_mode="constants")
    if b"NaN" in content or b"Infinity" in content:  # perhaps only in a token's text
        json.loads(content, parse_constant=_refuse)
    return content


def finite(value: float) -> float:
    """The value itself, refused when it is no number."""
    return value if math.isfinite(value) else _refuse(str(value))


def _refuse(value: str) -> NoReturn:
    raise BadRequest(
        f"The result is not finite ({value}): the interventions made values overflow.",
        "Use smaller values in `set` and `scale`.",
    )


def model_card(
    model: Transformer,
    examples: Sequence[Example],
    monitor_examples: Sequence[MonitorExample] | None,
    datasets: Sequence[DatasetInfo],
    coders: Sequence[CoderInfo],
    data_version: int,
) -> bytes:
    """What `GET /api/model` says."""
    config = model.config
    card = ModelResponse(
        data_version=data_version,
        name=config.name,
        family=config.family,
        n_layers=config.n_layers,
        n_heads=config.n_heads,
        n_kv_heads=config.n_kv_heads,
        d_model=config.d_model,
        d_mlp=config.d_mlp,
        n_vocab=config.n_vocab,
        n_ctx=config.n_ctx,
        n_parameters=model.n_parameters,
        dtype=str(model.dtype).removeprefix("torch."),
        device=str(model.device),
        has_chat_template=bool(getattr(model.tokenizer, "chat_template", None)),
        coders=list(coders),
        datasets=list(datasets),
        examples=list(examples),
        monitor_examples=None if monitor_examples is None else list(monitor_examples),
        glossary=dict(GLOSSARY),
        version=version("transformer-debugger"),
    )
    return to_bytes(card)


def tokens(model: Transformer, ids: Sequence[int]) -> list[dict[str, object]]:
    """Tokens with their text."""
    return [{"id": token, "text": token_text(model, token)} for token in ids]


def measured(pieces: Sequence[float | Sequence[tuple[str, float]]]) -> bytes:
    """The objective and then batches of effects, as one answer."""
    objective, *batches = pieces
    effects = [
        {"node": node, "measured_effect": effect}
        for batch in batches
        if not isinstance(batch, float)
        for node, effect in batch
    ]
    return to_bytes({"objective": objective, "effects": effects})


def lens(run: Run, layers: Sequence[LensLayer]) -> bytes:
    """The logit lens of a run; of a traced node it follows a token's logit, not the node's own unit."""
    out = run.read_out
    unit = out.unit if isinstance(run.case.objective, TokenObjective) else "logits"
    return to_bytes({"position": out.position, "unit": unit, "layers": layers})


def activations(
    model: Transformer,
    component: Component,
    prompts: Sequence[Sequence[int]],
    found: Sequence[Tensor],
) -> bytes:
    """A component's activation at every token of each prompt; a head's by query, then key."""
    results = [
        {"tokens": tokens(model, prompt), "activations": _seen(values.tolist())}
        for prompt, values in zip(prompts, found, strict=True)
    ]
    return to_bytes({"component": str(component), "results": results})


def _seen(rows: list[float] | list[list[float]]) -> list[float] | list[list[float]]:
    """Without the pairs that look ahead: a query sees the keys up to itself."""
    return [row[: query + 1] if isinstance(row, list) else row for query, row in enumerate(rows)]  # type: ignore[return-value]  # all rows are of one type


def self_check(model: Transformer, claims: Sequence[Claim]) -> bytes:
    """The self-check's claims."""
    return to_bytes({"model": model.config.name, "claims": claims})
