"""Names of concepts from a language model, where an endpoint is configured; asked beside the model's thread.

An endpoint counts as configured when the environment names one: OPENAI_BASE_URL or OPENAI_API_KEY (and
TDB_LLM_MODEL for the model). It is sent explanations, never the conversation. Replies are kept, so that the same
concepts get the same names; what cannot be named so keeps its name by words.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from neuron_explainer.explanations.careful import BudgetSpent, Careful, Manners
from neuron_explainer.explanations.group_names import (
    Name,
    Phrases,
    distinct,
    name_from_reply,
    named_by_words,
    naming_prompt,
)
from neuron_explainer.explanations.openai_provider import Endpoint, OpenAIProvider
from neuron_explainer.explanations.providers import ProviderError, Question
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.models.chat import Message
from neuron_explainer.models.model_folder import cache_dir

PATIENCE_SECONDS = 20.0
"""Somebody waits for the names."""


@dataclass(frozen=True)
class Naming:
    """Names, and what went wrong if some are by words only."""

    names: list[Name]
    problem: str | None = None


def configured() -> Callable[[], Careful] | None:
    """What opens the endpoint of the environment; None where there is none."""
    if not (os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY")):
        return None
    return _open


def _open() -> Careful:
    endpoint = Endpoint.from_environment(timeout_seconds=PATIENCE_SECONDS)
    cache = ReplyCache(cache_dir() / "replies.sqlite")
    return Careful(OpenAIProvider(endpoint), cache, manners=Manners(8, patience=PATIENCE_SECONDS))


class Namer:
    """Asks for the names of some groups at once, in a thread of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="naming")

    def close(self) -> None:
        """Ask nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def begin(
        self, groups: Sequence[Sequence[str]], store: Phrases, open_model: Callable[[], Careful]
    ) -> Future[Naming]:
        """Names for groups of explanations, on their way."""
        return self._thread.submit(lambda: asyncio.run(_name_all(groups, store, open_model)))


async def _name_all(
    groups: Sequence[Sequence[str]], store: Phrases, open_model: Callable[[], Careful]
) -> Naming:
    careful = open_model()
    model = careful.name.split("|")[-1]
    problems: list[str] = []

    async def one(texts: Sequence[str]) -> Name:
        plain = named_by_words(texts, store)
        try:
            reply = await careful.complete(Question((Message("user", naming_prompt(texts)),), 60))
        except (ProviderError, BudgetSpent) as problem:
            problems.append(str(problem))
            return plain
        return name_from_reply(reply.text, plain, model)

    try:
        names = await asyncio.gather(*(one(texts) for texts in groups))
    finally:
        await careful.close()
        careful.cache.close()
    return Naming(distinct(names), problems[0] if problems else None)
