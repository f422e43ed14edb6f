"""The Monitor page: what influenced a token, grouped into concepts, and steering by them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, StrictInt

from activation_server.schemas.conversation import (
    MAX_MEMBERS,
    ConceptMember,
    Conversation,
    ConversationToken,
    TokenId,
)
from activation_server.schemas.questions import Side, Where
from activation_server.schemas.shapes import (
    MAX_TOP_K,
    Basis,
    ComponentName,
    Positions,
    Prompt,
    Request,
    Response,
    Token,
    TokenText,
)

InfluenceKind = Literal["attn", "mlp", "latent"]


def _some(kinds: tuple[InfluenceKind, ...]) -> tuple[InfluenceKind, ...]:
    if not kinds:
        raise ValueError("name some of attn, mlp and latent; null is all")
    return kinds


Kinds = Annotated[
    tuple[InfluenceKind, ...],
    Field(max_length=3),
    AfterValidator(_some),
    Field(json_schema_extra={"minItems": 1}),
]
TokenChoice = TokenId | TokenText
Layers = Annotated[
    tuple[Annotated[StrictInt, Field(ge=0)], ...], Field(min_length=1, max_length=1000)
]


class _Explained(Conversation):
    """A token of a conversation, and which components are asked about."""

    position: StrictInt = Field(
        default=-1,
        ge=-1,
        description="The token that is explained, predicted from the one before; -1 is the last. "
        "The number of tokens means the one to come, and then `token` must be given.",
    )
    of: Literal["logprob", "prob", "logit", "logit_diff"] = "logprob"
    token: TokenChoice | None = Field(
        default=None, description="Text or id; null: the token that stands at `position`."
    )
    distractor_token: TokenChoice | None = Field(
        default=None, description="For `logit_diff`: the token it is compared with."
    )
    kinds: Kinds | None = Field(default=None, description="null: all that there are.")
    layers: Layers | None = Field(default=None, description="null: all.")
    side: Side | None = Field(default=None, description="null: both.")
    positions: Positions | None = Field(
        default=None, description="Tokens at which components write; null: all before `position`."
    )
    read_out_norm: Literal["fixed", "live"] = "live"
    mlp_basis: Basis | None = Field(default=None, description="A coder set's name; null: neurons.")
    attention_basis: Basis | None = Field(
        default=None, description="A coder set's name; null: heads."
    )
    resid_basis: Basis | None = Field(
        default=None, description="A coder set whose latents come beside all else; null: none."
    )


class InfluenceRequest(_Explained):
    """Which components led to a token."""

    by: Literal["activation", "attribution"] = "attribution"
    top_k: StrictInt = Field(default=100, ge=1, le=MAX_TOP_K)
    per: Literal["node", "component"] = Field(
        default="node",
        description="`component`: one item for each component and side: attributions summed over "
        "tokens, activations at the token where they are largest.",
    )
    measure: StrictInt = Field(
        default=0, ge=0, le=MAX_TOP_K, description="Leading items to measure by ablation."
    )


class InfluenceObjective(Response):
    value: float
    unit: str
    of: Literal["logprob", "prob", "logit", "logit_diff"]
    position: int
    token: Token
    distractor: Token | None


class InfluenceItem(Response):
    node: str = Field(description="Per component: its strongest node.")
    component: ComponentName
    kind: InfluenceKind
    layer: int
    index: int
    position: int
    key_position: int | None
    side: Side = Field(description="The sign of its activation there.")
    value: float = Field(
        description="What the items are ranked by: the attribution, signed, or the activation in "
        "units of the component's own extreme quantile of that side."
    )
    activation: float
    attribution: float | None = Field(description="Activation times gradient; an estimate.")
    quantile: float | None = Field(
        description="Share of a dataset's tokens with a smaller activation (heads: of its token pairs "
        "with a smaller write magnitude); null: none is loaded."
    )
    relative_activation: float | None = Field(
        description="Activation (heads: write magnitude) over the component's extreme quantile of "
        "that side."
    )
    measured_effect: float | None = Field(
        description="Objective minus objective without it; null where not measured. Per node: of that "
        "node. Per component: of its side at all tokens that were asked about, together."
    )
    n_tokens: int = Field(description="Nodes summed; 1 for a node.")
    explanation: str | None = Field(description="The best explanation of that side, if any.")
    explanation_score: float | None = Field(
        description="That explanation's score; null where it has none, or there is no explanation."
    )


class InfluenceTotals(Response):
    """Attribution of everything asked about, listed or not, summed over tokens and sides."""

    all: float
    positive: float
    negative: float
    listed: float
    attn: float
    mlp: float
    latent: float


class InfluenceResponse(Response):
    tokens: list[ConversationToken]
    objective: InfluenceObjective
    items: list[InfluenceItem]
    by_token: list[float] = Field(
        description="Attribution of the components asked about, summed by writing token."
    )
    by_key_token: list[float] = Field(
        description="The same, but heads are counted at the token they read."
    )
    totals: InfluenceTotals
    extreme_level: float | None = Field(
        description="Share of tokens beyond the extreme quantile; null without a dataset."
    )


class ClustersRequest(_Explained):
    """The influential components grouped by the meaning of their explanations."""

    leading: StrictInt = Field(
        default=400, ge=3, le=2000, description="Components, each with its side, that are grouped."
    )
    by: Literal["activation", "attribution"] = "attribution"
    cut: FiniteFloat = Field(
        default=0.6, gt=0, le=2, description="Cosine distance at which groups are kept apart."
    )
    min_members: StrictInt = Field(default=3, ge=1, le=100)
    max_coherence: StrictInt = Field(
        default=3, ge=1, le=7, description="Drop groups that a language model finds less coherent."
    )
    max_clusters: StrictInt = Field(default=24, ge=1, le=200)
    language_model: bool = Field(
        default=True,
        description="Let the language model of the server's environment name the groups, if any.",
    )
    n_controls: StrictInt = Field(default=32, ge=0, le=256)
    seed: StrictInt = Field(default=0, ge=0, le=2**63 - 1, description="Draws the controls.")


class ClusterMember(Response):
    component: ComponentName
    kind: InfluenceKind
    layer: int
    side: Side
    node: str = Field(description="Its strongest node.")
    attribution: float | None
    explanation: str
    similarity: float = Field(description="Cosine with the cluster's mean.")


class Controls(Response):
    """Random sets of the same size, kinds and layers, of nearest mean activation on this text."""

    effects: list[float]
    stronger_than: int = Field(description="Sets whose effect is smaller in size.")
    p_value: float = Field(
        description="(1 + sets at least as strong) / (1 + sets): chance of a random set as strong."
    )
    better_than_chance: bool = Field(
        description="p_value is at most 0.05, and the effect at least 3.5 times the root mean "
        "square of these."
    )


class Cluster(Response):
    id: int
    name: str
    named_by: str = Field(description="`words`, or the language model that named it.")
    words: list[str] = Field(description="Words that tell its explanations from all others.")
    coherence: int | None = Field(
        description="1 (one topic) to 7 (none), by a language model; null where there is none."
    )
    tightness: float = Field(description="Mean cosine of two members' explanations.")
    is_loose: bool = Field(
        description="Its members share little: a tightness below 0.55. Such groups are kept and said."
    )
    members: list[ClusterMember]
    n_positive: int
    n_negative: int
    attribution: float | None = Field(description="Summed over members and tokens; an estimate.")
    measured_effect: float | None = Field(
        description="Objective minus objective with all members' own side set to zero together."
    )
    controls: Controls | None


class ClustersResponse(Response):
    """With an event stream: `clusters` (this, unmeasured), a `cluster` for each as it is measured,
    then `done` (this, in order of measured effect)."""

    tokens: list[ConversationToken]
    objective: InfluenceObjective
    clusters: list[Cluster]
    n_candidates: int
    n_explained: int = Field(description="Candidates that have an explanation of their side.")
    n_grouped: int
    encoder: str
    naming_problem: str | None = Field(
        description="Why a language model that is configured did not name all groups."
    )


class SteerPreviewRequest(Request):
    """Which components a concept means, before anything happens."""

    text: Annotated[str, Field(min_length=1, max_length=1000)]
    k: StrictInt = Field(default=50, ge=1, le=MAX_MEMBERS)
    kinds: Kinds | None = Field(default=None, description="null: all that there are.")
    layers: Layers | None = None
    side: Side | None = None
    min_score: FiniteFloat | None = Field(
        default=None, ge=-1, le=1, description="Least score of an explanation."
    )
    min_similarity: FiniteFloat | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="Least similarity of a match; null: above that of unrelated explanations.",
    )
    dataset: str | None = Field(default=None, max_length=200)


class SteerMatch(Response):
    component: ComponentName
    kind: InfluenceKind
    layer: int
    side: Side
    explanation: str
    score: float | None
    similarity: float = Field(description="Cosine of concept and explanation.")
    extreme: float | None = Field(
        description="Its extreme quantile on that side: the value at strength 1."
    )


class SteerPreviewResponse(Response):
    text: str
    matches: list[SteerMatch]
    n_matches: int = Field(description="Sides of components that match, before cutting to k.")
    min_similarity: float = Field(description="What a match had to reach.")
    encoder: str
    extreme_level: float | None
    timing_ms: dict[str, float]


class SweepRequest(Conversation):
    """Strength times number of components: what it does to a token, and to everything else."""

    members: tuple[ConceptMember, ...] = Field(
        min_length=1, max_length=MAX_MEMBERS, description="Best match first; k takes the first k."
    )
    ks: tuple[Annotated[StrictInt, Field(ge=1, le=MAX_MEMBERS)], ...] = Field(
        default=(5, 20, 50), min_length=1, max_length=16
    )
    strengths: tuple[Annotated[FiniteFloat, Field(ge=-1e6, le=1e6)], ...] = Field(
        default=(0.0, 0.25, 0.5, 0.75, 1.0), min_length=1, max_length=32
    )
    method: Literal["set", "add", "scale"] = "set"
    where: Where = "everything"
    positions: Positions | None = None
    only_matching_side: bool = True
    position: StrictInt = Field(default=-1, ge=-1, description="The token that is watched.")
    token: TokenChoice | None = Field(
        default=None, description="Whose probability is watched; null: the one at `position`."
    )
    other_texts: tuple[Prompt, ...] = Field(
        default=(), max_length=16, description="Unrelated texts; none: a few plain sentences."
    )
    n_reply_tokens: StrictInt = Field(
        default=24, ge=0, le=200, description="Greedy tokens whose repetition is counted; 0: none."
    )
    max_kl: FiniteFloat = Field(default=0.25, ge=0, le=100, description="In nats per token.")
    max_repetition: FiniteFloat = Field(default=0.2, ge=0, le=1)


class SweepCell(Response):
    k: int
    strength: float
    probability: float = Field(description="Of the watched token.")
    kl: float | None = Field(
        description="KL(default, steered) on unrelated text, in nats per token; null: overflow."
    )
    repetition: float | None = Field(
        description="Share of the reply's three-token sequences that occurred before in it."
    )
    usable: bool = Field(description="kl and repetition are within what was asked.")


class SweepResponse(Response):
    """With an event stream: `baseline`, a `cell` for each as it is computed, then `done` (this)."""

    token: Token
    position: int
    baseline: float = Field(description="The token's probability without steering.")
    baseline_repetition: float | None
    cells: list[SweepCell]
    best: int | None = Field(
        description="Index of the usable cell that moves the probability most; null: none is usable."
    )
    max_kl: float
    max_repetition: float
