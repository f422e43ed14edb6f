"""A provider with manners: asks nothing twice, not too much at once, waits when told to, and stops at a budget.

    cached?            the kept reply, at no cost
    asked just now?    the same reply, when it comes
    budget used up?    BudgetSpent, which stops the job
    then               at most `concurrency` calls at a time, each tried again with growing waits

Waits double from `first_wait` to `longest_wait` seconds, with jitter, and are longer if the endpoint says so; a call is
given up `patience` seconds after its first try. Where an endpoint does not tell what a call took, its tokens are
counted by its length, rather too many than too few: else a budget would never stop.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from neuron_explainer.explanations.providers import (
    Overloaded,
    PromptToken,
    Provider,
    ProviderError,
    Question,
    Reply,
    Usage,
)
from neuron_explainer.explanations.reply_cache import ReplyCache, content_hash

Answer = TypeVar("Answer")
CHARACTERS_PER_TOKEN = 3
"""English has about four; lists of tokens and numbers fewer."""


class BudgetSpent(Exception):
    """The budget is used up: the job stops, and can go on with a larger one."""


@dataclass
class Budget:
    """What may be spent, and what has been. Cached replies cost nothing."""

    max_tokens: int | None = None
    max_cost: float | None = None
    """In the currency of the prices."""
    prompt_price: float = 0.0
    """Of a million tokens."""
    completion_price: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    cached: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost(self) -> float:
        spent = self.prompt_tokens * self.prompt_price
        return (spent + self.completion_tokens * self.completion_price) / 1e6

    def check(self) -> None:
        """Raise BudgetSpent once a limit is reached."""
        if self.max_tokens is not None and self.tokens >= self.max_tokens:
            raise BudgetSpent(
                f"The budget of {self.max_tokens:,} tokens is used up ({self.tokens:,})."
            )
        if self.max_cost is not None and self.cost >= self.max_cost:
            raise BudgetSpent(f"The budget of {self.max_cost:g} is used up ({self.cost:.4f}).")

    def charge(self, usage: Usage) -> None:
        """Count a call."""
        self.calls += 1
        self.prompt_tokens += usage.prompt
        self.completion_tokens += usage.completion


@dataclass(frozen=True)
class Manners:
    """How many at a time, and how patient."""

    concurrency: int = 4
    first_wait: float = 1.0
    longest_wait: float = 20.0
    patience: float = 180.0
    """Seconds after which a call is given up."""


class Careful:
    """A provider around another one."""

    def __init__(
        self,
        provider: Provider,
        cache: ReplyCache,
        budget: Budget | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.provider, self.cache = provider, cache
        self.budget = budget or Budget()
        self.manners = manners or Manners()
        self.name = provider.name
        self.has_prompt_logprobs = provider.has_prompt_logprobs
        self._slots = asyncio.Semaphore(self.manners.concurrency)
        self._asked: dict[str, asyncio.Future[Reply]] = {}

    async def complete(self, question: Question) -> Reply:
        """Answer, from the cache if it can be."""
        kept = self.cache.get(self.name, question)
        if kept is not None:
            self.budget.cached += 1
            return kept
        key = content_hash(self.name, question.to_json())
        if key in self._asked:
            return await asyncio.shield(self._asked[key])
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked[key] = future
        try:
            reply = await self._insist(lambda: self.provider.complete(question))
            self.cache.put(self.name, question, reply)
            asked = sum(len(message.content) for message in question.messages)
            self.budget.charge(told_or_estimated(reply.usage, asked, len(reply.text)))
            future.set_result(reply)
            return reply
        except BaseException as problem:
            future.set_exception(problem)
            future.exception()  # somebody waits for it, or nobody does: both are fine
            raise
        finally:
            del self._asked[key]

    async def prompt_tokens(
        self, prompt: str, candidates: Sequence[str]
    ) -> tuple[list[PromptToken], Usage]:
        """What was expected at each token of a prompt, from the cache if it can be."""
        kept = self.cache.get_prompt(self.name, prompt)
        if kept is not None:
            self.budget.cached += 1
            return kept, Usage()
        tokens, usage = await self._insist(lambda: self.provider.prompt_tokens(prompt, candidates))
        self.cache.put_prompt(self.name, prompt, tokens, usage)
        self.budget.charge(told_or_estimated(usage, len(prompt), 0))
        return tokens, usage

    async def close(self) -> None:
        """Let go of connections; the cache stays open."""
        await self.provider.close()

    async def _insist(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        async with self._slots:
            wait, spent = self.manners.first_wait, 0.0
            while True:
                self.budget.check()
                started = asyncio.get_running_loop().time()
                try:
                    return await call()
                except Overloaded as problem:
                    spent += asyncio.get_running_loop().time() - started
                    pause = min(wait, self.manners.longest_wait) * random.uniform(0.8, 1.2)
                    if problem.wait_seconds is not None:
                        pause = max(pause, problem.wait_seconds)
                    if spent + pause > self.manners.patience:
                        raise ProviderError(
                            f"given up after {spent:.0f} s of tries: {problem}"
                        ) from problem
                    await asyncio.sleep(pause)
                    spent += pause
                    wait *= 2


def told_or_estimated(usage: Usage, asked: int, answered: int) -> Usage:
    """What a call took, of so many characters; where the endpoint does not say, by their number."""
    return Usage(
        usage.prompt or -(-asked // CHARACTERS_PER_TOKEN),
        usage.completion or -(-answered // CHARACTERS_PER_TOKEN),
    )
