"""The Debugger page: the node table, measured effects, token lists, the logit lens."""

from typing import Literal

from pydantic import Field, StrictInt

from activation_server.schemas.questions import CaseSpec
from activation_server.schemas.shapes import (
    MAX_MEASURED,
    MAX_TOP_K,
    AnyBasis,
    Basis,
    ComponentName,
    NodeName,
    Request,
    Response,
    Token,
    TokenScore,
)


class DebugRequest(Request):
    """One case, or two to compare: the left one usually carries the interventions."""

    cases: tuple[CaseSpec, ...] = Field(min_length=1, max_length=2)
    mlp_basis: Basis = "neuron"
    attention_basis: Basis = "head"
    resid_basis: Basis | None = Field(
        default=None, description="A coder of the residual stream, listed beside the rest."
    )
    top_k: StrictInt = Field(default=10, ge=1, le=MAX_TOP_K)
    read_out_norm: Literal["fixed", "live"] = Field(
        default="fixed",
        description="Whether total effects differentiate the read-out norm's scale.",
    )


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
    error: list[float] = Field(default=[], description="What the coders in use missed.")


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
    share_above: float | None = Field(
        default=None,
        description=(
            "Share of the component's values in the dataset that are larger than this one "
            "(heads: write magnitudes of pairs); null where no dataset knows it."
        ),
    )


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


class MeasureRequest(Request):
    """Re-run with each node's write replaced; a component's bare name means all its tokens."""

    case: CaseSpec
    nodes: tuple[NodeName, ...] = Field(min_length=1, max_length=MAX_MEASURED)
    to: Literal["zero", "mean"] = "zero"
    mlp_basis: Basis = "neuron"
    attention_basis: Basis = "head"
    resid_basis: Basis | None = None
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
    mlp_basis: AnyBasis = None
    attention_basis: AnyBasis = None
    resid_basis: AnyBasis = None
    other_case: CaseSpec | None = None


class NodeTokens(Response):
    """Tokens a node's write promotes and suppresses, in logits centred over the vocabulary."""

    node: str
    promotes: list[TokenScore]
    suppresses: list[TokenScore]


class NodeTokensResponse(Response):
    nodes: list[NodeTokens]


class LatentPairsRequest(Request):
    """Which tokens, through which heads, raise a latent of attention."""

    case: CaseSpec
    node: NodeName
    n: StrictInt = Field(default=20, ge=1, le=1000)
    attention_basis: AnyBasis = None
    other_case: CaseSpec | None = None


class PairShare(Response):
    node: NodeName
    head: int
    key_position: int
    value: float


class LatentPairsResponse(Response):
    """All pairs and `rest` sum to the pre-activation, whatever the coder's nonlinearity."""

    node: NodeName
    activation: float
    pre_activation: float
    rest: float = Field(
        description="The output bias, the coder's biases, and what edits put in place of pairs."
    )
    pairs: list[PairShare] = Field(description="The largest, either way.")
    by_key: list[float] = Field(description="Summed over heads, by token looked at.")
    by_head: list[float] = Field(description="Summed over keys.")


class LensRequest(Request):
    case: CaseSpec
    n: StrictInt = Field(default=5, ge=1, le=100)
    mlp_basis: AnyBasis = None
    attention_basis: AnyBasis = None
    resid_basis: AnyBasis = None
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
