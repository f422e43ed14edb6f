"""What the model thinks of given tokens, edits in force or not: probabilities, ranks, alternatives.

Two replies are compared token by token: each token's log-probability under the run that wrote it, and
under the other one, given the same text before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import PLAIN, Bases
from neuron_explainer.models.chat import Text, followed
from neuron_explainer.models.interventions import Intervention
from neuron_explainer.models.sampling import (
    Alternative,
    Continuation,
    Generation,
    SampledToken,
    described,
    likeliest,
)
from neuron_explainer.models.transformer import Transformer


@dataclass(frozen=True)
class TextStatistics:
    """Every token of a text but the first, as the model saw it coming, and what may come next."""

    tokens: tuple[SampledToken | None, ...]
    """None for the first token, which nothing predicts."""
    next: tuple[Alternative, ...]


def text_statistics(
    model: Transformer,
    text: Text,
    n_top: int = 5,
    interventions: Sequence[Intervention] = (),
    bases: Bases = PLAIN,
) -> TextStatistics:
    """Log-probability, rank and alternatives of each token."""
    found: list[SampledToken | None] = [None]
    last = torch.empty(0)
    for logits in _logits(model, text, interventions, bases):
        for row in logits:
            last = row
            position = len(found)
            if position < len(text.tokens):
                found.append(described(model, row, text.tokens[position], position, n_top))
            else:
                found.append(None)
    return TextStatistics(tuple(found[: len(text.tokens)]), likeliest(model, last, n_top))


def text_logprobs(
    model: Transformer,
    text: Text,
    interventions: Sequence[Intervention] = (),
    bases: Bases = PLAIN,
    limit: int | None = None,
) -> Float[Tensor, " seq"]:
    """Log-probability of each token but the first, in nats.

    `limit`: tokens that the text might have had, which edits may name; None: those it has.
    """
    targets = torch.tensor(text.tokens[1:], device=model.device)
    pieces, start = [], 0
    for logits in _logits(model, text, interventions, bases, limit):
        some = targets[start : start + len(logits)]
        start += len(logits)
        chosen = logits[: len(some)].gather(1, some[:, None])[:, 0]
        pieces.append(chosen - logits[: len(some)].logsumexp(-1))
    return torch.cat(pieces)


@dataclass(frozen=True)
class Rescored:
    """Log-probabilities of two replies' tokens, each under the other's run."""

    default_under_steered: tuple[float, ...]
    steered_under_default: tuple[float, ...]


def compared(default: Generation, steered: Generation) -> Rescored:
    """Score each reply under the run that did not write it."""
    return Rescored(_reply_logprobs(default, steered), _reply_logprobs(steered, default))


def _reply_logprobs(written: Generation, under: Generation) -> tuple[float, ...]:
    new = [token.id for token in written.tokens]
    text = followed(written.prompt, new)
    logprobs = text_logprobs(written.model, text, under.interventions, under.bases, under.limit)
    return tuple(logprobs[len(written.prompt.tokens) - 1 :].tolist())


def _logits(
    model: Transformer,
    text: Text,
    interventions: Sequence[Intervention],
    bases: Bases,
    limit: int | None = None,
) -> Iterator[Float[Tensor, "piece vocab"]]:
    n = len(text.tokens) if limit is None else limit
    continuation = Continuation(model, text.n_prompt, n, interventions, bases)
    return continuation.all_logits(text.tokens)
