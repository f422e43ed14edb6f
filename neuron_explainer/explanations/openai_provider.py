"""Any OpenAI-compatible endpoint, through the `openai` package.

Base URL, model and key come from flags or from OPENAI_BASE_URL, TDB_LLM_MODEL and OPENAI_API_KEY, and are looked at
only when a call is made: nothing needs a key to start. Timeouts, 429, 5xx and cut connections are `Overloaded`; a
reply larger than `MAX_REPLY_BYTES` is refused while it comes in. Servers differ in what they know: an option that one
refuses (JSON mode, a temperature, `max_tokens` under its old name) is left out from then on.
"""

import os
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from neuron_explainer.explanations.providers import (
    MAX_REPLY_BYTES,
    Overloaded,
    PromptToken,
    ProviderError,
    Question,
    Reply,
    Usage,
)

DEFAULT_MODEL = "gpt-4o-mini"
TIMEOUT_SECONDS = 60.0
MAX_LOGPROBS = 15
OTHER_NAMES = {"max_tokens": "max_completion_tokens", "response_format": None, "temperature": None}
"""Options that a server may refuse, and what to ask for instead; None: do without."""


@dataclass(frozen=True)
class Endpoint:
    """Where a model is served."""

    model: str
    base_url: str | None = None
    """None: OpenAI's own."""
    key: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS
    has_prompt_logprobs: bool = False
    """Whether /completions tells the log-probabilities of a prompt (`echo`), as vLLM's does."""

    @staticmethod
    def from_environment(
        model: str | None = None, base_url: str | None = None, **more: Any
    ) -> "Endpoint":
        """What was not given, from the environment."""
        return Endpoint(
            model or os.environ.get("TDB_LLM_MODEL") or DEFAULT_MODEL,
            base_url or os.environ.get("OPENAI_BASE_URL"),
            os.environ.get("OPENAI_API_KEY"),
            **more,
        )


class OpenAIProvider:
    """Asks an endpoint. Nothing is imported or opened before the first call."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.has_prompt_logprobs = endpoint.has_prompt_logprobs
        where = endpoint.base_url or "openai"
        self.name = f"{where}|{endpoint.model}"
        self._client: Any = None  # an openai.AsyncOpenAI, imported late
        self._refused: set[str] = set()

    async def complete(self, question: Question) -> Reply:
        """One chat completion."""
        while True:
            options = self._options(question)
            try:
                answer = await self._call(
                    lambda client, options=options: client.chat.completions.create(
                        model=self.endpoint.model,
                        messages=[vars(message) for message in question.messages],
                        **options,
                    )
                )
                break
            except OptionRefused as problem:
                if problem.option not in options:
                    raise
                self._refused.add(problem.option)
        try:
            choice = answer.choices[0]
            text = choice.message.content or ""
            found = choice.logprobs.content if choice.logprobs else None
        except (AttributeError, IndexError, TypeError) as problem:
            raise ProviderError(f"the reply has no message in it: {_shown(answer)}") from problem
        logprobs = tuple({it.token: it.logprob for it in at.top_logprobs} for at in found or ())
        return Reply(text, _usage(answer), logprobs)

    def _options(self, question: Question) -> dict[str, Any]:
        options: dict[str, Any] = {
            "max_tokens": question.max_tokens,
            "temperature": question.temperature,
        }
        if question.n_logprobs:
            options |= {"logprobs": True, "top_logprobs": question.n_logprobs}
        if question.wants_json:
            options["response_format"] = {"type": "json_object"}
        for option in self._refused & options.keys():
            value, instead = options.pop(option), OTHER_NAMES[option]
            if instead is not None:
                options[instead] = value
        return options

    async def prompt_tokens(
        self,
        prompt: str,
        candidates: Sequence[str],  # noqa: ARG002  # an endpoint tells the likeliest only
    ) -> tuple[list[PromptToken], Usage]:
        """The log-probabilities of a prompt, where the endpoint tells them."""
        answer = await self._call(
            lambda client: client.completions.create(
                model=self.endpoint.model,
                prompt=prompt,
                max_tokens=1,
                temperature=0.0,
                echo=True,
                logprobs=MAX_LOGPROBS,
            )
        )
        try:
            found = answer.choices[0].logprobs
            tokens = [
                PromptToken(text, dict(top or {}))
                for text, top in zip(found.tokens, found.top_logprobs, strict=True)
            ]
        except (AttributeError, IndexError, TypeError, ValueError) as problem:
            raise ProviderError(
                "the endpoint does not tell the log-probabilities of a prompt"
            ) from problem
        return tokens, _usage(answer)

    async def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            await self._client.close()

    # call: takes and gives the openai package's objects.
    async def _call(self, call: Any) -> Any:
        import httpx2
        import openai

        client = self._opened()
        try:
            return await call(client)
        except openai.AuthenticationError as problem:
            raise ProviderError(
                "the endpoint refuses the key: set OPENAI_API_KEY, or --base-url to a server that "
                "needs none"
            ) from problem
        except openai.RateLimitError as problem:
            raise Overloaded("429: too many requests", _retry_after(problem)) from problem
        except openai.APITimeoutError as problem:
            raise Overloaded(f"no answer within {self.endpoint.timeout_seconds:g} s") from problem
        except openai.APIConnectionError as problem:
            if isinstance(problem.__cause__, ReplyTooLarge):
                raise ProviderError(str(problem.__cause__)) from problem
            raise Overloaded(f"the connection failed: {problem.__cause__ or problem}") from problem
        except openai.InternalServerError as problem:
            raise Overloaded(f"{problem.status_code}: {_shown(problem.message)}") from problem
        except openai.APIStatusError as problem:
            if (option := _refused_option(problem)) is not None:
                raise OptionRefused(option, f"{problem.status_code}: {option}") from problem
            raise ProviderError(f"{problem.status_code}: {_shown(problem.message)}") from problem
        except ReplyTooLarge as problem:
            raise ProviderError(str(problem)) from problem
        except httpx2.HTTPError as problem:  # while the body comes in
            raise Overloaded(f"the connection failed: {problem}") from problem
        except (openai.OpenAIError, ValueError) as problem:
            raise ProviderError(f"the reply cannot be read: {_shown(problem)}") from problem

    def _opened(self) -> Any:
        if self._client is None:
            if not self.endpoint.key and not self.endpoint.base_url:
                raise KeyMissing
            import openai

            self._client = openai.AsyncOpenAI(
                base_url=self.endpoint.base_url,
                # The package insists on a key; servers of one's own need none.
                api_key=self.endpoint.key or "none",
                timeout=self.endpoint.timeout_seconds,
                max_retries=0,
                http_client=_limited_client(self.endpoint.timeout_seconds),
            )
        return self._client


class KeyMissing(ValueError):
    """OpenAI is asked without a key: no call can work, so it is no failure of one and ends what wanted it."""

    def __init__(self) -> None:
        super().__init__(
            "There is no language model to ask: set OPENAI_API_KEY, or OPENAI_BASE_URL to a server "
            "that needs no key."
        )


class OptionRefused(ProviderError):
    """The server does not know an option of a call."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


# problem: an openai.APIStatusError.
def _refused_option(problem: Any) -> str | None:
    """The option that a 400 or 422 complains of."""
    if problem.status_code not in (400, 422):
        return None
    said = f"{problem.message} {problem.body}"
    return next((option for option in OTHER_NAMES if re.search(rf"\b{option}\b", said)), None)


class ReplyTooLarge(Exception):
    """A reply grew beyond what any answer of ours needs."""

    def __init__(self) -> None:
        super().__init__(f"the reply is larger than {MAX_REPLY_BYTES // 1_000_000} MB")


def _limited_client(timeout: float) -> Any:
    import httpx2

    class Limited(httpx2.AsyncByteStream):
        """A body that stops when it is too long."""

        def __init__(self, body: Any) -> None:
            self._body = body

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in self._body:
                size += len(chunk)
                if size > MAX_REPLY_BYTES:
                    raise ReplyTooLarge
                yield chunk

        async def aclose(self) -> None:
            await self._body.aclose()

    class Transport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: Any) -> Any:
            response = await super().handle_async_request(request)
            response.stream = Limited(response.stream)
            return response

    return httpx2.AsyncClient(transport=Transport(), timeout=timeout, follow_redirects=True)


def _retry_after(problem: Any) -> float | None:
    """Seconds that the endpoint asks to wait; None if it names no time to come."""
    try:
        seconds = float(problem.response.headers.get("retry-after"))
    except (TypeError, ValueError, AttributeError):
        return None
    return seconds if seconds > 0 else None


def _usage(answer: Any) -> Usage:
    usage = getattr(answer, "usage", None)
    prompt = getattr(usage, "prompt_tokens", None)
    completion = getattr(usage, "completion_tokens", None)
    return Usage(int(prompt or 0), int(completion or 0))


def _shown(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 200 else text[:200] + " ..."
