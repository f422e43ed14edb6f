"""Scores a sentence somebody wrote: by its words alone, by the served model, or by an endpoint.

Only the second needs the model's own thread. An endpoint is waited for beside it, so that one that hangs delays
nobody else.
"""

import asyncio
from dataclasses import replace

from neuron_explainer.exemplars.records import ComponentRecord
from neuron_explainer.explanations.careful import Careful, Manners
from neuron_explainer.explanations.evidence import evidence
from neuron_explainer.explanations.explain import Explained, Plan, score_explanation
from neuron_explainer.explanations.explanation import (
    PREFERRED_SCORE,
    Explanation,
    Score,
    SimulatedExcerpt,
)
from neuron_explainer.explanations.literal import simulate_literally
from neuron_explainer.explanations.local_provider import LocalProvider
from neuron_explainer.explanations.openai_provider import Endpoint, OpenAIProvider
from neuron_explainer.explanations.providers import Provider
from neuron_explainer.explanations.replies import UnusableReply
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.explanations.score import simulation_scores
from neuron_explainer.models.model_folder import cache_dir
from neuron_explainer.models.transformer import Transformer

PATIENCE_SECONDS = 30.0
"""Somebody waits for the answer."""


def score_by_model(said: Explanation, record: ComponentRecord, model: Transformer) -> Explained:
    """What the served model predicts from the sentence; call on its own thread."""
    return asyncio.run(_score(LocalProvider(model), said, record, Plan(simulator="all_at_once")))


async def score_by_endpoint(said: Explanation, record: ComponentRecord) -> Explained:
    """What the endpoint of the environment predicts from it. Raises KeyMissing."""
    return await _score(OpenAIProvider(Endpoint.from_environment()), said, record, Plan())


async def _score(
    provider: Provider, said: Explanation, record: ComponentRecord, plan: Plan
) -> Explained:
    cache = ReplyCache(cache_dir() / "replies.sqlite")
    careful = Careful(provider, cache, manners=Manners(patience=PATIENCE_SECONDS))
    try:
        return await score_explanation(careful, said, evidence(record, said.side), plan)
    finally:
        await careful.close()
        cache.close()


def score_literally(said: Explanation, record: ComponentRecord) -> Explained:
    """What the sentence says when it is taken at its word."""
    known = evidence(record, said.side)
    if said.component.kind == "attn":
        reason = (
            "a sentence about a head cannot be taken at its word: have a language model read it"
        )
        measures = {PREFERRED_SCORE: Score(None, reason=reason)}
        return Explained(replace(said, measures=measures), (), (reason,))
    try:
        excerpts = [
            SimulatedExcerpt(
                it.tokens, it.values.tolist(), simulate_literally(said.text, it.tokens), it.sample
            )
            for it in known.held_out
        ]
    except UnusableReply as problem:
        measures = {PREFERRED_SCORE: Score(None, reason=str(problem))}
        return Explained(replace(said, measures=measures), (), (str(problem),))
    measures, calibrated = simulation_scores(excerpts)
    return Explained(replace(said, measures=measures), calibrated)
