"""The model that is served, its components, and the self-check."""

from typing import Literal

from pydantic import Field, StrictBool

from activation_server.schemas.records import DatasetInfo
from activation_server.schemas.shapes import Prompt, Request, Response, Token, TokenScore


class HealthResponse(Response):
    status: Literal["ok"] = "ok"
    model: str
    busy: bool = Field(description="Whether the model is at work.")
    queued: int = Field(description="Requests that wait for it.")
    data_version: int = Field(
        description="Goes up when another dataset is served: read GET /api/model anew."
    )


class CoderInfo(Response):
    name: str
    site: str
    layers: list[int]
    n_latents: int = Field(description="Of the largest of its coders.")
    n_latents_by_layer: list[int] = Field(description="Of the coder of each of `layers`.")


class Example(Response):
    """A ready question of the Debugger page, known to work on this model."""

    name: str
    prompt: str
    target: str
    distractor: str
    note: str = ""


class ExperimentMember(Response):
    component: str
    side: Literal["positive", "negative"]


class MonitorExample(Response):
    """A ready experiment of the Monitor page, known to end in a visible change on this model."""

    name: str
    prompt: str
    is_chat: bool = Field(
        description="Whether the prompt is a user's message, or a text to continue."
    )
    max_new_tokens: int
    explained: int = Field(description="Index in the reply of the token that is explained.")
    target: str = Field(description="That token.")
    distractor: str = Field(description="For `logit_diff`.")
    concept: str = Field(description="What its members are, in words.")
    members: list[ExperimentMember]
    strength: float = Field(description="What the members are set to; 0 suppresses.")
    default: str = Field(description="The greedy reply as it is.")
    steered: str = Field(description="The greedy reply with the concept steered.")
    note: str


class ModelResponse(Response):
    name: str
    family: str
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_model: int
    d_mlp: int
    n_vocab: int
    n_ctx: int
    n_parameters: int
    dtype: str
    device: str
    has_chat_template: StrictBool = Field(
        description="Whether its tokenizer knows how a conversation is written; else it continues text."
    )
    coders: list[CoderInfo]
    datasets: list[DatasetInfo]
    data_version: int = Field(description="That of GET /api/health when this was told.")
    examples: list[Example]
    monitor_examples: list[MonitorExample] | None = Field(
        default=None, description="null: none are known to work on this model."
    )
    glossary: dict[str, str] = Field(description="One sentence for each term the viewer shows.")
    version: str


class TokenizeRequest(Request):
    text: Prompt


class TokenizeResponse(Response):
    tokens: list[Token]


class ActivationsRequest(Request):
    prompts: tuple[Prompt, ...] = Field(min_length=1, max_length=64)


class PromptActivations(Response):
    tokens: list[Token]
    activations: list[float] | list[list[float]] = Field(
        description="One per token; for heads `[query][key]`, where row q has keys 0 to q."
    )


class ActivationsResponse(Response):
    component: str
    results: list[PromptActivations]


class ComponentTokensResponse(Response):
    """What a component's weights alone promote, suppress and respond to."""

    component: str
    promotes: list[TokenScore]
    suppresses: list[TokenScore]
    responds_to: list[TokenScore] = Field(description="Embeddings that raise it most.")
    responds_against: list[TokenScore] = Field(description="Embeddings that lower it most.")
    query: list[TokenScore] = Field(
        default=[], description="Heads: strongest query-circuit tokens."
    )
    key: list[TokenScore] = Field(default=[], description="Heads: strongest key-circuit tokens.")
    copying: float | None = Field(
        default=None,
        description="Heads: share of tokens whose OV circuit promotes themselves most (top 5).",
    )


class SelfCheckClaim(Response):
    name: str
    claim: str
    expected: str
    found: str
    tolerance: str
    passed: StrictBool
    command: str
    skipped: str | None = Field(default=None, description="Why it could not be checked here.")


class SelfCheckResponse(Response):
    model: str
    claims: list[SelfCheckClaim]
