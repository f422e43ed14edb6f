"""Simulators: predict a component's response to every token of an excerpt from a sentence alone.

    json             one reply with all numbers; any endpoint
    all_at_once      one text with every response unknown; the response is the expected value over 0-10 of what the
                     model holds likely there (Bills et al. 2023); needs the log-probabilities of a prompt
    token_by_token   one call for each token: the expected value over 0-10 of the next token; needs log-probabilities

    E[a] = sum over a in 0..10 of a p(a) / sum of p(a)

Many tokenizers cut numbers into digits: what begins "10" then looks like a 1. Unless the endpoint shows that its model
writes 10 as one token, the last two ask for 0-9 instead, examples included, and the result is 10/9 E[a].

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
_PROBE = f"' x'\t{LEVELS}\n"
"""A line as the prompts have it, to see how its number is cut."""


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
                top = await largest_number(provider)
                each = [
                    _one(provider, explanation, tokens[: n + 1], top) for n in range(len(tokens))
                ]
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
    top = await largest_number(provider)
    prompt = all_at_once_prompt(explanation, tokens, top)
    found, _ = await provider.prompt_tokens(prompt, NUMBERS[: top + 1])
    slots = unknown_slots(found, len(tokens))
    return [expected_value(found[slot].top, top) for slot in slots]


async def largest_number(provider: Provider) -> int:
    """10 where the model is seen to write it as one token, else 9."""
    if not provider.has_prompt_logprobs:
        return LEVELS - 1
    found, _ = await provider.prompt_tokens(_PROBE, ())
    is_one = any(token.text.strip() == str(LEVELS) for token in found)
    return LEVELS if is_one else LEVELS - 1


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


async def _one(provider: Provider, explanation: str, tokens: Sequence[str], top: int) -> float:
    message = Message("user", one_token_prompt(explanation, tokens, top))
    reply = await provider.complete(Question((message,), max_tokens=1, n_logprobs=15))
    if not reply.logprobs:
        raise UnusableReply("the endpoint does not tell log-probabilities")
    return expected_value(reply.logprobs[0], top)


def expected_value(likely: Mapping[str, float], top: int = LEVELS) -> float:
    """The mean of 0 to `top` weighted by their probabilities, as 0-10; other tokens are left out.

    Raises UnusableReply if none of the numbers was held likely.
    """
    weight = dict.fromkeys(range(top + 1), 0.0)
    for text, logprob in likely.items():
        number = text.strip()
        if number in NUMBERS[: top + 1]:
            weight[int(number)] = max(weight[int(number)], math.exp(logprob))
    total = sum(weight.values())
    if total <= 0:
        raise UnusableReply(f"no number from 0 to {top} was among the likely tokens")
    return LEVELS / top * sum(number * share for number, share in weight.items()) / total
