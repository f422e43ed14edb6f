"""Scores a sentence somebody wrote: by its words alone, by the served model, or by an endpoint.

Called on the model's own thread, so the served model may be used.
"""

import asyncio
from dataclasses import replace
from typing import Literal

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
from neuron_explainer.explanations.replies import UnusableReply
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.explanations.score import simulation_scores
from neuron_explainer.models.model_folder import cache_dir
from neuron_explainer.models.transformer import Transformer

SimulatedBy = Literal["literal", "local", "endpoint"]
PATIENCE_SECONDS = 30.0
"""Somebody waits for the answer."""


def score_own(
    said: Explanation, record: ComponentRecord, simulator: SimulatedBy, model: Transformer
) -> Explained:
    """The scores of a sentence on a component's held-out excerpts."""
    if simulator == "literal":
        return _literally(said, record)
    known = evidence(record, said.side)
    provider = (
        LocalProvider(model)
        if simulator == "local"
        else OpenAIProvider(Endpoint.from_environment())
    )
    plan = Plan(simulator="all_at_once" if simulator == "local" else "json")

    async def run() -> Explained:
        cache = ReplyCache(cache_dir() / "replies.sqlite")
        careful = Careful(provider, cache, manners=Manners(patience=PATIENCE_SECONDS))
        try:
            return await score_explanation(careful, said, known, plan)
        finally:
            await careful.close()
            cache.close()

    return asyncio.run(run())


def _literally(said: Explanation, record: ComponentRecord) -> Explained:
    known = evidence(record, said.side)
    if said.component.kind == "attn":
        reason = "what a head attends to needs a language model to be judged by a sentence"
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
