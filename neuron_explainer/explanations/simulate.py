"""Simulators: predict a component's response to every token of an excerpt from a sentence alone.

    json             one reply with all numbers; any endpoint
    all_at_once      one text with every response unknown; the response is the expected value over 0-10 of what the
                     model holds likely there (Bills et al. 2023); needs the log-probabilities of a prompt
    token_by_token   one call for each token: the expected value over 0-10 of the next token; needs log-probabilities

    E[a] = sum over a in 0..10 of a p(a) / sum of p(a)

A reply that cannot be used raises SimulationFailed with the reason; it is never counted as zeros.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Literal

from neuron_explainer.explanations.prompts import (
    LEVELS,
    UNKNOWN,
    all_at_once_prompt,
    one_token_prompt,
    simulate_messages,
)
from neuron_explainer.explanations.providers import PromptToken, Provider, ProviderError, Question
from neuron_explainer.explanations.replies import UnusableReply, numbers_from
from neuron_explainer.models.chat import Message

SimulatorKind = Literal["json", "all_at_once", "token_by_token"]
NUMBERS = tuple(str(level) for level in range(LEVELS + 1))


class SimulationFailed(Exception):
    """A simulation could not be had; the text says why."""


async def simulate(
    provider: Provider, kind: SimulatorKind, explanation: str, tokens: Sequence[str]
) -> list[float]:
    """The predicted response to each token, 0 to 10. Raises SimulationFailed."""
    try:
        match kind:
            case "json":
                return await _json(provider, explanation, tokens)
            case "all_at_once":
                return await _all_at_once(provider, explanation, tokens)
            case "token_by_token":
                each = [_one(provider, explanation, tokens[: n + 1]) for n in range(len(tokens))]
                return list(await asyncio.gather(*each))
    except (UnusableReply, ProviderError) as problem:
        raise SimulationFailed(str(problem)) from problem


async def _json(provider: Provider, explanation: str, tokens: Sequence[str]) -> list[float]:
    question = Question(
        simulate_messages(explanation, tokens), max_tokens=64 + 6 * len(tokens), wants_json=True
    )
    return numbers_from((await provider.complete(question)).text, "activations", len(tokens))


async def _all_at_once(provider: Provider, explanation: str, tokens: Sequence[str]) -> list[float]:
    if not provider.has_prompt_logprobs:
        raise ProviderError(
            f"{provider.name} does not tell the log-probabilities of a prompt: use the json simulator"
        )
    prompt = all_at_once_prompt(explanation, tokens)
    found, _ = await provider.prompt_tokens(prompt, NUMBERS)
    slots = unknown_slots(found, len(tokens))
    return [expected_value(found[slot].top) for slot in slots]


def unknown_slots(tokens: Sequence[PromptToken], count: int) -> list[int]:
    """Where in a tokenised prompt each unknown response begins.

    A slot is the token that starts the word, with or without the tab before it.
    """
    text = "".join(token.text for token in tokens)
    wanted, at = [], 0
    for _ in range(text.count(f"\t{UNKNOWN}")):
        at = text.index(f"\t{UNKNOWN}", at) + 1
        wanted.append(at)
    starts: dict[int, int] = {}
    place = 0
    for number, token in enumerate(tokens):
        starts[place] = number
        place += len(token.text)
    found = [starts.get(at, starts.get(at - 1)) for at in wanted[-count:]]
    if len(found) != count or any(slot is None for slot in found):
        raise UnusableReply("the tokens of the prompt do not show where the responses stand")
    return [slot for slot in found if slot is not None]


async def _one(provider: Provider, explanation: str, tokens: Sequence[str]) -> float:
    message = Message("user", one_token_prompt(explanation, tokens))
    reply = await provider.complete(Question((message,), max_tokens=1, n_logprobs=15))
    if not reply.logprobs:
        raise UnusableReply("the endpoint does not tell log-probabilities")
    return expected_value(reply.logprobs[0])


def expected_value(top: Mapping[str, float]) -> float:
    """The mean of 0-10 weighted by their probabilities; other tokens are left out.

    Raises UnusableReply if none of the numbers was held likely.
    """
    weight = dict.fromkeys(range(LEVELS + 1), 0.0)
    for text, logprob in top.items():
        number = text.strip()
        if number in NUMBERS:
            weight[int(number)] = max(weight[int(number)], math.exp(logprob))
    total = sum(weight.values())
    if total <= 0:
        raise UnusableReply("no number from 0 to 10 was among the likely tokens")
    return sum(number * share for number, share in weight.items()) / total
