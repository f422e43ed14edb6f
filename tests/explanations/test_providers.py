"""Endpoints that work, and endpoints that do not: what is waited for, what is told, what is never asked twice."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import torch

from neuron_explainer.explanations.careful import Budget, BudgetSpent, Careful, Manners
from neuron_explainer.explanations.local_provider import LocalProvider
from neuron_explainer.explanations.openai_provider import (
    Endpoint,
    KeyMissing,
    OpenAIProvider,
    _retry_after,
)
from neuron_explainer.explanations.providers import (
    Fake,
    Overloaded,
    PromptToken,
    ProviderError,
    Question,
    Reply,
)
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.models.chat import Message
from tests.explanations.endpoint import Script, endpoint
from tests.tiny_models import TinyModels

Result = TypeVar("Result")
QUICK = Manners(concurrency=2, first_wait=0.05, longest_wait=0.2, patience=20.0)


def question(text: str = "hello", **more: Any) -> Question:
    return Question((Message("user", text),), **more)


def echo(body: dict[str, Any]) -> str:
    return f"you said {body['messages'][-1]['content']}"


def echo_nothing(_: Question) -> str:
    return ""


def ask(
    url: str,
    work: Callable[[Careful], Awaitable[Result]],
    *,
    manners: Manners = QUICK,
    cache: ReplyCache | None = None,
    budget: Budget | None = None,
    timeout: float = 20.0,
) -> Result:
    async def run() -> Result:
        provider = OpenAIProvider(Endpoint("m", url, None, timeout))
        kept = ReplyCache(None) if cache is None else cache
        careful = Careful(provider, kept, budget, manners)
        try:
            return await work(careful)
        finally:
            await careful.close()

    return asyncio.run(run())


def test_an_endpoint_without_a_key_answers() -> None:
    script = Script(echo)
    with endpoint(script) as url:
        reply = ask(url, lambda it: it.complete(question("hi", max_tokens=7, wants_json=True)))
    assert reply.text == "you said hi"
    assert reply.usage.completion == len(reply.text) // 4
    (body,) = script.requests
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 7, 0.0)
    assert body["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("trouble", ["429", "500", "503", "cut", "hang"])
def test_what_may_pass_is_tried_again_until_it_does(trouble: str) -> None:
    script = Script(echo, [trouble] * 3)
    with endpoint(script) as url:
        reply = ask(url, lambda it: it.complete(question()), timeout=1.0)
    assert reply.text == "you said hello"
    assert script.troubles == []


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("garbage", "cannot be read|no message"),
        ("no_choices", "no message"),
        ("huge", "larger than 10 MB"),
        ("401", "OPENAI_API_KEY"),
        ("400", "400"),
    ],
)
def test_what_will_not_pass_fails_at_once_with_its_reason(trouble: str, reason: str) -> None:
    script = Script(echo, [trouble])
    with endpoint(script) as url, pytest.raises(ProviderError, match=reason):
        ask(url, lambda it: it.complete(question()), timeout=60.0)
    assert script.requests == []


def test_options_that_a_server_does_not_know_are_left_out_and_asked_for_once() -> None:
    script = Script(echo, refuses=("max_tokens", "response_format", "temperature"))
    with endpoint(script) as url:

        async def both(careful: Careful) -> list[Reply]:
            return [await careful.complete(question(it, wants_json=True)) for it in ("a", "b")]

        replies = ask(url, both)
    assert [reply.text for reply in replies] == ["you said a", "you said b"]
    for body in script.requests:
        assert body.keys() == {"model", "messages", "max_completion_tokens"}
        assert body["max_completion_tokens"] == 200


def test_an_option_that_is_needed_is_an_error_where_it_is_refused() -> None:
    script = Script(echo, refuses=("logprobs",))
    with endpoint(script) as url, pytest.raises(ProviderError, match=r"400.*logprobs"):
        ask(url, lambda it: it.complete(question(n_logprobs=3)))


def test_patience_ends() -> None:
    script = Script(echo, ["429"] * 1000)
    manners = Manners(first_wait=0.05, longest_wait=0.1, patience=0.5)
    with endpoint(script) as url, pytest.raises(ProviderError, match=r"given up.*429"):
        ask(url, lambda it: it.complete(question()), manners=manners)


def test_a_server_that_comes_back_is_found_again() -> None:
    script = Script(echo)
    with endpoint(script) as url:
        port = int(url.rsplit(":")[-1].partition("/")[0])

    async def work(careful: Careful) -> Reply:
        waiting = asyncio.create_task(careful.complete(question()))
        await asyncio.sleep(0.4)
        assert not waiting.done()
        with endpoint(script, port):
            return await waiting

    assert ask(url, work).text == "you said hello"


def test_no_more_calls_at_a_time_than_allowed() -> None:
    script = Script(echo, delay=0.05)
    with endpoint(script) as url:
        ask(
            url,
            lambda it: asyncio.gather(*(it.complete(question(str(n))) for n in range(8))),
        )
    assert script.most_at_once == 2
    assert len(script.requests) == 8


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    script = Script(echo)
    path = tmp_path / "replies.sqlite"
    with endpoint(script) as url:

        async def both(careful: Careful) -> list[Reply]:
            same = await asyncio.gather(careful.complete(question()), careful.complete(question()))
            return [*same, await careful.complete(question())]

        replies = ask(url, both, cache=ReplyCache(path))
        again = ask(url, lambda it: it.complete(question()), cache=ReplyCache(path))
        other = ask(url, lambda it: it.complete(question(sample=1)), cache=ReplyCache(path))
    assert len(script.requests) == 2
    assert [reply.text for reply in [*replies, again, other]] == ["you said hello"] * 5
    assert (again.cached, other.cached) == (True, False)


def test_an_endpoint_that_tells_no_usage_is_counted_by_length() -> None:
    class Silent(Fake):
        async def complete(self, question: Question) -> Reply:
            return Reply((await super().complete(question)).text)

    async def run() -> None:
        careful = Careful(Silent(lambda _: "x" * 90), ReplyCache(None), Budget(max_tokens=100))
        for number in range(2):
            await careful.complete(question("a" * 60, sample=number))
        assert (careful.budget.prompt_tokens, careful.budget.completion_tokens) == (40, 60)
        with pytest.raises(BudgetSpent):
            await careful.complete(question("b"))

    asyncio.run(run())


@pytest.mark.parametrize("header", ["0", "-5", "nan", "soon", None])
def test_an_endpoint_that_asks_for_no_wait_is_not_asked_at_once(header: str | None) -> None:
    headers = {} if header is None else {"retry-after": header}
    told = _retry_after(SimpleNamespace(response=SimpleNamespace(headers=headers)))
    assert told is None
    calls: list[int] = []

    class Full(Fake):
        async def complete(self, question: Question) -> Reply:
            calls.append(question.sample)
            raise Overloaded("429", 0.0)

    manners = Manners(first_wait=0.05, longest_wait=0.05, patience=0.3)
    with pytest.raises(ProviderError, match="given up"):
        asyncio.run(
            Careful(Full(echo_nothing), ReplyCache(None), None, manners).complete(question())
        )
    assert 3 <= len(calls) <= 9


def test_a_spent_budget_stops_before_the_next_call() -> None:
    budget = Budget(max_cost=0.001, prompt_price=100.0, completion_price=100.0)
    fake = Fake(lambda _: "x" * 40)

    async def run() -> None:
        careful = Careful(fake, ReplyCache(None), budget)
        await careful.complete(question("a" * 40))
        assert budget.cost == pytest.approx(20 * 100 / 1e6)
        with pytest.raises(BudgetSpent, match=r"0\.001"):
            await careful.complete(question("b"))
        assert (await careful.complete(question("a" * 40))).cached  # what is known costs nothing

    asyncio.run(run())
    assert len(fake.questions) == 1
    assert (budget.calls, budget.cached) == (1, 1)


def test_nothing_needs_a_key_or_a_network_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    provider = OpenAIProvider(Endpoint.from_environment())
    assert provider.name == "openai|gpt-4o-mini"
    with pytest.raises(KeyMissing, match="OPENAI_API_KEY"):
        asyncio.run(provider.complete(question()))


# --- a model in this process ----------------------------------------------------------------------


def test_an_endpoint_that_echoes_prompts_tells_what_the_model_itself_does(
    tiny_models: TinyModels,
) -> None:
    model = tiny_models("gpt2").ours
    local = LocalProvider(model)

    def echo_of(prompt: str) -> dict[str, Any]:
        found, _ = asyncio.run(local.prompt_tokens(prompt, ()))
        return {
            "tokens": [token.text for token in found],
            "top_logprobs": [None, *(dict(token.top) for token in found[1:])],
            "token_logprobs": [None] * len(found),
            "text_offset": [0] * len(found),
        }

    async def over_http(url: str) -> list[PromptToken]:
        provider = OpenAIProvider(Endpoint("m", url, has_prompt_logprobs=True))
        try:
            return (await provider.prompt_tokens("Mary and John", ()))[0]
        finally:
            await provider.close()

    with endpoint(Script(echo, echo=echo_of)) as url:
        found = asyncio.run(over_http(url))
    expected, _ = asyncio.run(local.prompt_tokens("Mary and John", ()))
    assert [(it.text, it.top) for it in found] == [(it.text, it.top) for it in expected]
    with endpoint(Script(echo)) as url, pytest.raises(ProviderError, match="does not tell"):
        asyncio.run(over_http(url))


def test_a_local_models_log_probabilities_are_its_softmax(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    provider = LocalProvider(model)
    text = "Mary and John went to"
    found, usage = asyncio.run(provider.prompt_tokens(text, ("a", "b")))
    ids = model.tokenizer.encode(text)
    assert usage.prompt == len(ids) == len(found)
    assert "".join(token.text for token in found) == text
    with torch.no_grad():
        expected = model(torch.tensor([ids]))[0].log_softmax(-1)
    for at in range(1, len(ids)):
        for letter in "ab":
            (token,) = model.tokenizer.encode(letter)
            assert found[at].top[letter] == pytest.approx(float(expected[at - 1, token]), abs=1e-4)


def test_a_local_model_answers_equal_questions_alike(tiny_models: TinyModels) -> None:
    provider = LocalProvider(tiny_models("gpt2").ours)
    asked = question("Mary", max_tokens=6, temperature=1.0, n_logprobs=3)
    first, second = (asyncio.run(provider.complete(asked)) for _ in range(2))
    assert first == second
    assert len(first.logprobs) == first.usage.completion <= 6
    assert all(len(top) == 3 for top in first.logprobs)
    other = asyncio.run(
        provider.complete(question("Mary", max_tokens=6, temperature=1.0, sample=1))
    )
    assert other.text != first.text
    with pytest.raises(ProviderError, match="tokens"):
        asyncio.run(provider.complete(question("the " * 500)))


def test_replies_survive_as_they_were(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "r.sqlite")
    reply = Reply("\u4e16 \U0001f600 <b>", logprobs=({"1": -0.5},))
    cache.put("p", question(), reply)
    cache.close()
    kept = ReplyCache(tmp_path / "r.sqlite").get("p", question())
    assert kept is not None
    assert (kept.text, kept.logprobs, kept.cached) == (reply.text, reply.logprobs, True)
    assert ReplyCache(tmp_path / "r.sqlite").get("other", question()) is None
    assert json.dumps(question().to_json())
