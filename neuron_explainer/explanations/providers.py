"""Language models that are asked to explain, simulate and judge: what one must be able to do.

    OpenAIProvider   any OpenAI-compatible endpoint             `openai_provider.py`
    LocalProvider    a Hugging Face model in this process       `local_provider.py`
    Fake             answers from a function; for tests

`careful.py` puts a cache, a budget, a limit on concurrency and retries around any of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from neuron_explainer.models.chat import Message

MAX_REPLY_BYTES = 10_000_000
"""A larger reply is refused unread."""


@dataclass(frozen=True)
class Question:
    """One call. Equal questions have equal answers: the cache goes by content."""

    messages: tuple[Message, ...]
    max_tokens: int = 200
    temperature: float = 0.0
    n_logprobs: int = 0
    """How many alternatives to report at each token of the reply; 0: none."""
    wants_json: bool = False
    sample: int = 0
    """Number of the draw, where the same question is asked several times at a temperature."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Usage:
    """Tokens that a call took."""

    prompt: int = 0
    completion: int = 0


@dataclass(frozen=True)
class Reply:
    """What came back."""

    text: str
    usage: Usage = Usage()
    logprobs: tuple[Mapping[str, float], ...] = ()
    """For each token of the reply, the log-probabilities of the likeliest alternatives."""
    cached: bool = False


@dataclass(frozen=True)
class PromptToken:
    """A token of a prompt, and what the model expected in its place."""

    text: str
    top: Mapping[str, float]
    """Log-probabilities of the likeliest tokens, and of those that were asked for."""


class ProviderError(Exception):
    """A call failed for good, or the endpoint is no use. The text says why."""


class Overloaded(ProviderError):
    """The endpoint asks to wait, is down, slow or cut the connection: worth another try."""

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        """How long the endpoint asks to wait, if it says."""


@runtime_checkable
class Provider(Protocol):
    """A language model that can be asked."""

    name: str
    """Endpoint and model; part of the cache's key."""
    has_prompt_logprobs: bool
    """Whether `prompt_tokens` works."""

    async def complete(self, question: Question) -> Reply:
        """Answer. Raises Overloaded where another try may help, ProviderError where not."""
        ...

    async def prompt_tokens(
        self, prompt: str, candidates: Sequence[str]
    ) -> tuple[list[PromptToken], Usage]:
        """The prompt's own tokens with what was expected at each; `candidates` are always reported."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Fake:
    """A provider that answers from a function, and counts."""

    has_prompt_logprobs = False

    def __init__(self, answer: Callable[[Question], str], name: str = "fake") -> None:
        self.name = name
        self.questions: list[Question] = []
        self._answer = answer

    async def complete(self, question: Question) -> Reply:
        """What the function says; a token is four characters."""
        self.questions.append(question)
        text = self._answer(question)
        size = sum(len(message.content) for message in question.messages)
        return Reply(text, Usage(size // 4, len(text) // 4))

    async def prompt_tokens(
        self,
        prompt: str,  # noqa: ARG002
        candidates: Sequence[str],  # noqa: ARG002
    ) -> tuple[list[PromptToken], Usage]:
        """Never."""
        raise ProviderError("this provider does not tell log-probabilities of a prompt")

    async def close(self) -> None:
        """Nothing to let go of."""
