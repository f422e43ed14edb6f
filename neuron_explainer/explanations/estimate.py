"""What explaining with a language model will take, told before it is started.

Sides are counted, all of them. The questions of a few are written as they would be asked, with a sentence of usual
length where the explanation will stand, and counted; the others are taken to be like these on average. Tokens are
characters / `CHARACTERS_PER_TOKEN`, since the endpoint's tokenizer is not known, and each reply is counted as long as
it may be: rather too much is told than too little of the sides that are looked at.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.evidence import Evidence, evidence, worth_explaining
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
from neuron_explainer.nodes import Component, Side

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
    sides = _sides(dataset, components)
    if not sides:
        return Estimate(0, 0, 0)
    sampled = sides[:: -(-len(sides) // N_SAMPLED)]
    sizes = [_side(evidence(dataset.record(it), side), plan) for it, side in sampled]
    return Estimate(
        n_sides=len(sides),
        n_calls=round(len(sides) * statistics.fmean(calls for calls, _ in sizes)),
        n_tokens=round(len(sides) * statistics.fmean(tokens for _, tokens in sizes)),
    )


def _sides(dataset: Dataset, components: Sequence[Component]) -> list[tuple[Component, Side]]:
    """What will be explained, by the extremes in the dataset's tables: reading every record would take a minute."""
    tables = {
        (it.kind, it.layer, it.stream): dataset.quantiles(it.kind, it.layer, it.stream)
        for it in {replace(component, index=0) for component in components}
        if it.layer is not None
    }
    extremes = {key: (it.highest.tolist(), it.lowest.tolist()) for key, it in tables.items()}
    found: list[tuple[Component, Side]] = []
    for component in components:
        assert component.layer is not None and component.index is not None
        highest, lowest = extremes[component.kind, component.layer, component.stream]
        up, down = max(highest[component.index], 0.0), max(-lowest[component.index], 0.0)
        found += [(component, side) for side in worth_explaining(up, down)]
    return found


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
