"""What explaining with a language model will take, told before it is started.

The questions of a few sides are written as they would be asked, with a sentence of usual length where the explanation
will stand, and counted; the others are taken to be like them. Tokens are characters / `CHARACTERS_PER_TOKEN`, since
the endpoint's tokenizer is not known, and each reply is counted as long as it may be: what is told is rather too much.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.evidence import Evidence, evidence, sides_of
from neuron_explainer.explanations.explain import (
    MAX_PHRASE_TOKENS,
    N_COUNTER_EXAMPLES,
    N_SHOWN,
    Plan,
)
from neuron_explainer.explanations.judge import detection_trials, fuzzing_trials, pair_trials
from neuron_explainer.explanations.prompts import (
    all_at_once_prompt,
    counter_example_messages,
    explain_head_messages,
    explain_messages,
    head_pair_messages,
    one_token_prompt,
    rate_messages,
    simulate_messages,
)
from neuron_explainer.models.chat import Message
from neuron_explainer.nodes import Component

CHARACTERS_PER_TOKEN = 3
"""English has about four; lists of tokens and numbers fewer."""
N_SAMPLED = 12
PLACEHOLDER = (
    "fires on names of people and places, mostly after a preposition such as ' to' or ' in'"
)


@dataclass(frozen=True)
class Estimate:
    """How much will be asked, if nothing of it is known already."""

    n_sides: int
    n_calls: int
    n_tokens: int
    """Of prompts and replies together."""


def estimate(dataset: Dataset, components: Sequence[Component], plan: Plan) -> Estimate:
    """Calls and tokens that explaining the components takes."""
    if not components:
        return Estimate(0, 0, 0)
    step = -(-len(components) // N_SAMPLED)
    sampled = components[::step]
    sides = [
        [_side(evidence(record, side), plan) for side in sides_of(record)]
        for record in map(dataset.record, sampled)
    ]
    if not any(sides):
        return Estimate(0, 0, 0)
    share = len(components) / len(sampled)
    every = [side for of in sides for side in of]
    return Estimate(
        n_sides=round(share * len(every)),
        n_calls=round(share * sum(calls for calls, _ in every)),
        n_tokens=round(share * len(every) * statistics.fmean(tokens for _, tokens in every)),
    )


def _side(known: Evidence, plan: Plan) -> tuple[int, int]:
    """Calls and tokens of one side."""
    sizes = list(_head(known, plan) if _is_head(known) else _unit(known, plan))
    return len(sizes), sum(sizes)


def _is_head(known: Evidence) -> bool:
    return Component.parse(known.component).kind == "attn"


def _unit(known: Evidence, plan: Plan) -> Iterator[int]:
    """Tokens of each call about a neuron or latent."""
    shown = (known.of("top") or known.train)[:N_SHOWN]
    asked = _tokens(explain_messages(shown, plan.style)) + MAX_PHRASE_TOKENS
    simulated = [size for it in known.held_out for size in _simulation(it.tokens, plan)]
    for _ in range(plan.candidates):
        yield asked
        yield from simulated
    if plan.revise:
        yield _tokens(counter_example_messages(PLACEHOLDER, N_COUNTER_EXAMPLES)) + 300
        yield 2 * asked
        yield from simulated
    if plan.judge:
        for trials, marked in ((detection_trials(known), False), (fuzzing_trials(known), True)):
            if trials:
                texts = [trial.text for trial in trials]
                yield _tokens(rate_messages(PLACEHOLDER, texts, marked=marked)) + 6 * len(texts)


def _head(known: Evidence, plan: Plan) -> Iterator[int]:
    """Tokens of each call about a head."""
    shown = (known.of("top") or known.train)[:N_SHOWN]
    texts = [trial.text for trial in pair_trials(known)]
    for _ in range(plan.candidates):
        yield _tokens(explain_head_messages(shown)) + MAX_PHRASE_TOKENS
        if texts:
            yield _tokens(head_pair_messages(PLACEHOLDER, texts)) + 6 * len(texts)


def _simulation(tokens: Sequence[str], plan: Plan) -> Iterator[int]:
    """Tokens of the calls that simulate one excerpt."""
    match plan.simulator:
        case "json":
            yield _tokens(simulate_messages(PLACEHOLDER, tokens)) + 6 * len(tokens)
        case "all_at_once":
            yield _size(all_at_once_prompt(PLACEHOLDER, tokens))
        case "token_by_token":
            for n in range(len(tokens)):
                yield _size(one_token_prompt(PLACEHOLDER, tokens[: n + 1])) + 1


def _tokens(messages: Sequence[Message]) -> int:
    return sum(_size(message.content) for message in messages)


def _size(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)
