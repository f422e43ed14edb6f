"""Every request and response of the REST interface. snake_case, frozen, unknown fields refused.

The viewer's client is generated from these through `openapi.json`. A request is hashable, since it
is the key under which its answer is kept. Meaning of the numbers: `neuron_explainer.attribution`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, StrictInt

MAX_TEXT = 200_000
"""Characters of one prompt; far above any model's context, so that no tokenizer sees 10 MB."""
MAX_INTERVENTIONS = 64
MAX_TOP_K = 1000
MAX_MEASURED = 2000
"""Nodes of one measure request."""


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Response(BaseModel):
    model_config = ConfigDict(frozen=True)


ComponentName = Annotated[str, Field(max_length=64, examples=["attn_L9_9", "mlp_L3_117"])]
NodeName = Annotated[str, Field(max_length=80, examples=["attn_L9_9@13:1", "mlp_L3_117@5"])]
Prompt = Annotated[str, Field(max_length=MAX_TEXT)]
TokenText = Annotated[str, Field(max_length=1000)]
Position = Annotated[
    StrictInt, Field(ge=-1, description="Token index from 0; -1 is the last token.")
]
Positions = Annotated[
    tuple[Position, ...],
    Field(min_length=1, max_length=100_000, description="Token indices from 0; -1 is the last."),
]
Basis = Annotated[
    str, Field(max_length=100, description="`neuron`, `head`, or the name of a loaded coder.")
]


# --- errors -------------------------------------------------------------------------------------


class ErrorResponse(Response):
    """Every error has this shape."""

    error: str = Field(description="A short machine-readable name of the error.")
    message: str = Field(description="What was wrong, naming what was given.")
    hint: str = Field(description="What is allowed and what to do.")


# --- interventions ------------------------------------------------------------------------------


ActivationValue = Annotated[
    FiniteFloat, Field(ge=-1e30, le=1e30, description="Any number that float32 holds easily.")
]


class _Edit(Request):
    component: ComponentName
    positions: Positions | None = Field(
        default=None, description="Where the component writes; null: everywhere."
    )
    key_positions: Positions | None = Field(
        default=None, description="Heads only: the tokens attended to; null: all of them."
    )


class AblateSpec(_Edit):
    """Replace the component's activation by zero, or by its mean over the prompt's positions."""

    kind: Literal["ablate"]
    value: Literal["zero", "mean"] = "zero"


class SetSpec(_Edit):
    """Set the component's activation to a value."""

    kind: Literal["set"]
    value: ActivationValue


class ScaleSpec(_Edit):
    """Multiply the component's activation; 1 changes nothing."""

    kind: Literal["scale"]
    value: ActivationValue


class PatchSpec(_Edit):
    """Take the component's activation from the other case, at the same or at other positions."""

    kind: Literal["patch"]
    from_case: Literal[0, 1]
    from_positions: Positions | None = Field(
        default=None,
        description="Positions in the other case, one for each of `positions`; null: the same.",
    )


class SteerSpec(_Edit):
    """Drive a component to a multiple of its extreme quantile; needs a dataset that knows it."""

    kind: Literal["steer"]
    strength: ActivationValue
    method: Literal["set", "add", "scale"] = "set"
    side: Literal["positive", "negative"] = "positive"


InterventionSpec = Annotated[
    AblateSpec | SetSpec | ScaleSpec | PatchSpec | SteerSpec, Field(discriminator="kind")
]


# --- the question -------------------------------------------------------------------------------


class TraceSpec(Request):
    """Explain a node's own pre-activation or attention score instead of the logits."""

    node: NodeName
    through: Literal["query", "key", "query_and_key", "value"] | None = Field(
        default=None, description="Heads: which input to follow. Null for neurons and latents."
    )
    downstream: "TraceSpec | None" = Field(
        default=None,
        description="With `value`: what the head's write is judged by; null: the objective.",
    )


class CaseSpec(Request):
    """One prompt and what is asked of it."""

    prompt: Prompt
    target_tokens: tuple[TokenText, ...] = Field(default=(), max_length=100)
    distractor_tokens: tuple[TokenText, ...] = Field(default=(), max_length=100)
    objective: Literal["logit_diff", "logit_minus_mean", "logprob", "prob"] = "logit_diff"
    position: Position = -1
    interventions: tuple[InterventionSpec, ...] = Field(default=(), max_length=MAX_INTERVENTIONS)
    trace: TraceSpec | None = None


class DebugRequest(Request):
    """One case, or two to compare: the left one usually carries the interventions."""

    cases: tuple[CaseSpec, ...] = Field(min_length=1, max_length=2)
    mlp_basis: Basis = "neuron"
    attention_basis: Basis = "head"
    top_k: StrictInt = Field(default=10, ge=1, le=MAX_TOP_K)
    read_out_norm: Literal["fixed", "live"] = Field(
        default="fixed",
        description="Whether total effects differentiate the read-out norm's scale.",
    )


class Token(Response):
    id: int
    text: str


class NextToken(Token):
    logit: float
    prob: float
    rank: int = Field(description="0 is the most likely token.")
    role: Literal["target", "distractor"] | None = None


class ObjectiveValue(Response):
    value: float
    unit: str = Field(description="logits, nats, probability, score or pre-activation.")
    position: int
    adds_up: bool = Field(
        description="Whether direct effects sum to the value exactly (true for linear objectives)."
    )


class EffectByToken(Response):
    """Total effect (estimate) summed by token; `attn_from` by query, `attn_to` by key token."""

    embed: list[float]
    mlp: list[float]
    attn_from: list[float]
    attn_to: list[float]


class EffectByLayer(Response):
    """Total effect (estimate), `[layer][token]`; attention by query token."""

    attn: list[list[float]]
    mlp: list[list[float]]


class DirectEffectByKind(Response):
    """Direct effects of all nodes of a kind, listed or not.

    Their sum is `objective.value` when it adds up.
    """

    embed: float
    attn: float
    mlp: float
    bias: float
    error: float
    edit: float = Field(
        default=0.0, description="What interventions wrote that no node accounts for."
    )


class DirectEffectByLayer(Response):
    attn: list[float]
    mlp: list[float]


class CaseResult(Response):
    tokens: list[Token]
    objective: ObjectiveValue
    next_tokens: list[NextToken]
    direct_effect_by_kind: DirectEffectByKind
    direct_effect_by_layer: DirectEffectByLayer
    listed_direct_effect: float = Field(description="Direct effect held by the rows of `nodes`.")
    by_token: EffectByToken
    by_layer: EffectByLayer


class NodeValues(Response):
    activation: float
    write_magnitude: float
    direct_effect: float
    total_effect: float


class NodeRow(Response):
    node: NodeName
    case_nodes: list[NodeName | None] = Field(
        description="Its name in each case; prompts of unequal length are aligned at the end."
    )
    component: ComponentName
    kind: Literal["embed", "attn", "mlp", "latent", "error", "bias"]
    layer: int | None
    index: int | None
    position: int | None
    key_position: int | None
    values: list[NodeValues | None] = Field(description="One entry per case; null where absent.")
    edited: str | None = Field(
        default=None, description="The intervention on it in the left case: ablated, set, ..."
    )


class DebugResponse(Response):
    cases: list[CaseResult]
    nodes: list[NodeRow]
    timing_ms: dict[str, float]


# --- the other calls ----------------------------------------------------------------------------


class HealthResponse(Response):
    status: Literal["ok"] = "ok"
    model: str
    busy: bool = Field(description="Whether the model is at work.")
    queued: int = Field(description="Requests that wait for it.")


class CoderInfo(Response):
    name: str
    site: str
    layers: list[int]
    n_latents: int


class DatasetInfo(Response):
    name: str
    description: str


class Example(Response):
    """A ready question of the Debugger page, known to work on this model."""

    name: str
    prompt: str
    target: str
    distractor: str
    note: str = ""


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
    coders: list[CoderInfo]
    datasets: list[DatasetInfo]
    examples: list[Example]
    glossary: dict[str, str] = Field(description="One sentence for each term the viewer shows.")
    version: str


class TokenizeRequest(Request):
    text: Prompt


class TokenizeResponse(Response):
    tokens: list[Token]


class MeasureRequest(Request):
    """Re-run with each node's write replaced; a component's bare name means all its tokens."""

    case: CaseSpec
    nodes: tuple[NodeName, ...] = Field(min_length=1, max_length=MAX_MEASURED)
    to: Literal["zero", "mean"] = "zero"
    mlp_basis: Basis = "neuron"
    attention_basis: Basis = "head"
    other_case: CaseSpec | None = Field(
        default=None, description="The other case, when the interventions patch from it."
    )


class MeasuredEffect(Response):
    node: str
    measured_effect: float = Field(description="J minus J with this node's write replaced.")


class MeasureResponse(Response):
    objective: float
    effects: list[MeasuredEffect]


class NodeTokensRequest(Request):
    case: CaseSpec
    nodes: tuple[NodeName, ...] = Field(min_length=1, max_length=200)
    n: StrictInt = Field(default=5, ge=1, le=100)
    other_case: CaseSpec | None = None


class TokenScore(Token):
    logit: float


class NodeTokens(Response):
    """Tokens a node's write promotes and suppresses, in logits centred over the vocabulary."""

    node: str
    promotes: list[TokenScore]
    suppresses: list[TokenScore]


class NodeTokensResponse(Response):
    nodes: list[NodeTokens]


class LensRequest(Request):
    case: CaseSpec
    n: StrictInt = Field(default=5, ge=1, le=100)
    other_case: CaseSpec | None = None


class LensLayer(Response):
    """What the model would predict if the residual stream after this layer were read out."""

    layer: int = Field(description="-1 is the embeddings, before any layer.")
    value: float = Field(description="The case's objective, read out here.")
    tokens: list[NextToken]


class LensResponse(Response):
    position: int
    unit: str
    layers: list[LensLayer]


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
