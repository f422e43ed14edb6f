"""What the Monitor reads: a text or a chat, the reply so far, and the edits in force."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictInt, model_validator

from activation_server.schemas.questions import ActivationValue, InterventionSpec, Side, Where
from activation_server.schemas.shapes import (
    MAX_INTERVENTIONS,
    ComponentName,
    Positions,
    Prompt,
    Request,
    Response,
    Token,
)

MAX_MESSAGES = 200
MAX_MEMBERS = 1000
"""Components of one concept."""
MAX_CONCEPTS = 16

TokenId = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]


class Message(Request):
    role: Literal["system", "user", "assistant"]
    content: Prompt


class ConceptMember(Request):
    component: ComponentName
    side: Side = "positive"


class ConceptSpec(Request):
    """Components that share a meaning, driven together to a multiple of their extreme quantiles."""

    name: str = Field(default="", max_length=200, description="Shown; changes nothing.")
    members: tuple[ConceptMember, ...] = Field(min_length=1, max_length=MAX_MEMBERS)
    strength: ActivationValue = Field(
        default=0.0,
        description="In extreme quantiles (`set`, `add`), or a factor; of heads always a factor "
        "(`add`: 1 + it). 0 suppresses.",
    )
    method: Literal["set", "add", "scale"] = "set"
    positions: Positions | None = Field(
        default=None, description="Absolute token indices; null: as `where` says."
    )
    where: Where = "everything"
    only_matching_side: StrictBool = Field(
        default=True,
        description="Act only where the activation has the member's sign, or is exactly 0.",
    )
    enabled: StrictBool = Field(default=True, description="False: listed, but not in force.")


class Conversation(Request):
    """A prompt or messages, then `prefix_tokens`, exactly as they are."""

    prompt: Prompt | None = None
    messages: tuple[Message, ...] | None = Field(
        default=None, max_length=MAX_MESSAGES, description="Needs a model with a chat template."
    )
    prefix_tokens: tuple[TokenId, ...] = Field(
        default=(),
        max_length=100_000,
        description="Ids of the reply so far. To branch: the ids before the token, then the other one.",
    )
    interventions: tuple[InterventionSpec, ...] = Field(default=(), max_length=MAX_INTERVENTIONS)
    concepts: tuple[ConceptSpec, ...] = Field(default=(), max_length=MAX_CONCEPTS)
    dataset: str | None = Field(
        default=None, max_length=200, description="Whose quantiles are meant; null: the first."
    )

    @model_validator(mode="after")
    def _one_text(self) -> Self:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give either `prompt` or `messages`")
        if self.messages is not None and not self.messages:
            raise ValueError("`messages` is empty: give at least one")
        return self


class ConversationToken(Token):
    role: Literal["prompt", "template", "system", "user", "assistant", "reply"] = Field(
        description="Whose token it is: a message's, the chat template's, or `prefix_tokens`."
    )
    message: int | None = Field(description="Index of its message; null outside of messages.")


class Alternative(Token):
    logprob: float = Field(description="In nats.")


class TokenStatistics(ConversationToken):
    logprob: float | None = Field(
        description="Of this token, given those before; null for the first."
    )
    rank: int | None = Field(description="0 is the most likely token.")
    top: list[Alternative] = Field(description="The most likely tokens here, this one or not.")


class MonitorTokensRequest(Conversation):
    """Every token of a conversation with its probability, rank and alternatives."""

    n_top: StrictInt = Field(default=5, ge=0, le=100)


class MonitorTokensResponse(Response):
    tokens: list[TokenStatistics]
    next: list[Alternative] = Field(description="The most likely tokens after the last one.")
    reply: str = Field(
        description="The reply so far as text, without end tokens: what `assistant` has said. Its "
        "tokens' texts, one after another, may not be it: a token may be a part of a character."
    )
