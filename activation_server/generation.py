"""Writes text: one reply, or the default and the steered one side by side."""

import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from activation_server import wire
from activation_server.conversations import ReadConversation, read_conversation
from activation_server.errors import BadRequest
from activation_server.extremes import Extremes
from activation_server.questions import field
from activation_server.schemas import CompareRequest, GenerateRequest
from activation_server.streaming import Event
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.chat import Text
from neuron_explainer.models.comparison import compared
from neuron_explainer.models.sampling import Generation, SampledToken, Sampling
from neuron_explainer.models.tokens import token_text
from neuron_explainer.models.transformer import Transformer

SAMPLING_HINT = "GET /api/openapi.json describes every field."


@dataclass(frozen=True)
class Reply:
    """What a generate request asks for, read and checked."""

    conversation: ReadConversation
    sampling: Sampling
    bases: Bases


def read_reply(
    model: Transformer, body: GenerateRequest, extremes: Extremes, bases: Bases
) -> Reply:
    """Read a request. Raises what it has wrong, before anything runs."""
    read = read_conversation(model, body, extremes, bases, body.max_new_tokens)
    if body.messages is not None and body.messages[-1].role == "assistant":
        raise BadRequest(
            "The last message is the assistant's, so there is nothing to answer.",
            "End with a user's message; go on with a reply by its ids in `prefix_tokens`.",
            where="messages",
        )
    with field("", SAMPLING_HINT):
        sampling = Sampling(
            body.max_new_tokens,
            body.temperature,
            body.top_p,
            body.top_k,
            body.seed,
            body.stop,
            body.n_top,
        )
    return Reply(read, sampling, bases)


def generate_events(model: Transformer, reply: Reply) -> Generator[Event, None, None]:
    """A `token` event for each new token, then `done`."""
    start = time.perf_counter()
    written = _begun(model, reply)
    first = 0.0
    for token in written:
        first = first or time.perf_counter() - start
        yield "token", asdict(token)
    timing = {"first_token": 1000 * first, "total": 1000 * (time.perf_counter() - start)}
    yield "done", {**_closing(model, written), "tokens": [], "timing_ms": timing}


def whole_reply(events: list[Event]) -> bytes:
    """The same as one answer."""
    *tokens, (_, closing) = events
    return wire.to_bytes({**closing, "tokens": [token for _, token in tokens]})


def compare_events(model: Transformer, reply: Reply) -> Generator[Event, None, None]:
    """Both replies as they are written, then `done` with each token's log-probability under both."""
    start = time.perf_counter()
    default = Generation(model, reply.conversation.text, reply.sampling)
    steered = _begun(model, reply)
    for name, written in (("default", default), ("steered", steered)):
        for token in written:
            yield "token", {"reply": name, **asdict(token)}
    rescored = compared(default, steered)
    replies = {
        name: {
            "text": written.text,
            "finish": written.finish,
            "tokens": [
                {**asdict(token), "other_logprob": other}
                for token, other in zip(written.tokens, others, strict=True)
            ],
        }
        for name, written, others in (
            ("default", default, rescored.default_under_steered),
            ("steered", steered, rescored.steered_under_default),
        )
    }
    yield (
        "done",
        {
            **replies,
            "prompt_tokens": conversation_tokens(model, reply.conversation.text),
            "first_difference": _first_difference(default.tokens, steered.tokens),
            "timing_ms": {"total": 1000 * (time.perf_counter() - start)},
        },
    )


def whole_comparison(events: list[Event]) -> bytes:
    """The closing event as one answer."""
    return wire.to_bytes(events[-1][1])


def has_edits(body: CompareRequest) -> bool:
    """Whether anything would differ between the two replies."""
    return bool(body.interventions) or any(concept.enabled for concept in body.concepts)


def conversation_tokens(model: Transformer, text: Text) -> list[dict[str, Any]]:
    """Every token, and whose it is."""
    return [
        {"id": token, "text": token_text(model, token), "role": owner, "message": message}
        for token, owner, message in zip(text.tokens, text.owners, text.messages, strict=True)
    ]


def statistics_of(token: SampledToken | None) -> dict[str, Any]:
    """What a token's `TokenStatistics` adds; nothing predicts the first."""
    if token is None:
        return {"logprob": None, "rank": None, "top": []}
    top = [asdict(alternative) for alternative in token.top]
    return {"logprob": token.logprob, "rank": token.rank, "top": top}


def _begun(model: Transformer, reply: Reply) -> Generation:
    conversation = reply.conversation
    return Generation(
        model, conversation.text, reply.sampling, conversation.interventions, reply.bases
    )


def _closing(model: Transformer, written: Generation) -> dict[str, Any]:
    return {
        "text": written.text,
        "finish": written.finish,
        "stop": written.stop,
        "prompt_tokens": conversation_tokens(model, written.prompt),
    }


def _first_difference(left: list[SampledToken], right: list[SampledToken]) -> int | None:
    pairs: Iterator[tuple[SampledToken, SampledToken]] = zip(left, right, strict=False)
    different = (i for i, (a, b) in enumerate(pairs) if a.id != b.id)
    shorter = min(len(left), len(right))
    return next(different, None if len(left) == len(right) else shorter)
