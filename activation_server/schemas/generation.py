"""Text that the model writes, alone or beside its steered self."""

from typing import Literal

from pydantic import Field, FiniteFloat, StrictBool, StrictInt

from activation_server.schemas.conversation import Alternative, Conversation, ConversationToken
from activation_server.schemas.shapes import Response, Token

MAX_NEW_TOKENS = 4096


class GenerateRequest(Conversation):
    """What to continue, and how to choose each token."""

    max_new_tokens: StrictInt = Field(default=64, ge=1, le=MAX_NEW_TOKENS)
    temperature: FiniteFloat = Field(default=0.0, ge=0, le=100, description="0 is greedy.")
    top_p: FiniteFloat = Field(
        default=1.0, gt=0, le=1, description="Keep the likeliest tokens that make up this share."
    )
    top_k: StrictInt | None = Field(
        default=None, ge=1, description="Keep this many of the likeliest tokens; null: all."
    )
    seed: StrictInt = Field(default=0, ge=0, le=2**63 - 1)
    n_top: StrictInt = Field(default=5, ge=0, le=100)
    stop: tuple[str, ...] = Field(
        default=(), max_length=16, description="The text ends before the first of these."
    )
    stream: StrictBool = True


class GeneratedToken(Token):
    position: int = Field(description="Index in the whole text, prompt included.")
    logprob: float = Field(
        description="Under the model itself, edits in force, before temperature and cut-offs."
    )
    rank: int
    top: list[Alternative]


class GenerateResponse(Response):
    """The last event of a stream holds the same, without `tokens`."""

    text: str = Field(description="The new text, without the end token or stop string.")
    tokens: list[GeneratedToken]
    finish: Literal["end_token", "stop_string", "length", "context"]
    stop: str | None = Field(description="The stop string that ended it.")
    prompt_tokens: list[ConversationToken]
    timing_ms: dict[str, float]


class CompareRequest(GenerateRequest):
    """The same continuation without and with `interventions` and `concepts`, from the same seed."""


class ComparedToken(GeneratedToken):
    other_logprob: float = Field(
        description="Of this token after the same text in the other reply's model."
    )


class ComparedReply(Response):
    text: str
    tokens: list[ComparedToken]
    finish: Literal["end_token", "stop_string", "length", "context"]


class CompareResponse(Response):
    """The last event of a stream."""

    default: ComparedReply
    steered: ComparedReply
    prompt_tokens: list[ConversationToken]
    first_difference: int | None = Field(
        description="Index in the replies of the first token that differs; null when none does."
    )
    timing_ms: dict[str, float]
