"""What a component responds to: a dataset's record of it, and the datasets themselves."""

from typing import Literal

from pydantic import ConfigDict, Field

from activation_server.schemas.shapes import Prompt, Request, Response, Token
from neuron_explainer.nodes import Kind


class DatasetGroup(Response):
    """The components of one kind, layer and stream."""

    name: str = Field(examples=["mlp_L3", "attn_L3", "mlp_ae_L3"])
    kind: Kind = Field(description="attn, mlp or latent.")
    layer: int
    stream: Literal["attn", "mlp", "resid"] | None
    coder: str | None = Field(description="Latents: the coder set that they are of.")
    n_components: int


class DatasetRecipe(Response):
    """How excerpts were chosen."""

    window: int
    n_top: int
    n_random: int
    n_per_band: int
    precision: Literal["int8", "float16"]
    seed: int
    shard_windows: int


class DatasetInfo(Response):
    """A dataset's card."""

    name: str
    description: str
    model: str
    corpus: str
    n_tokens: int | None = Field(description="Null where it was not published.")
    n_windows: int | None
    n_components: int
    n_bytes: int | None
    coders: list[str]
    created: str
    seconds: float | None = Field(description="Time it took to make.")
    path: str
    recipe: DatasetRecipe | None = Field(description="Null for a public dataset.")
    groups: list[DatasetGroup]
    caveats: list[str] = []


class RecordStatistics(Response):
    """Over every value of the dataset: a token each, or for heads a token pair each."""

    n_tokens: int | None
    n_values: int | None
    mean: float | None
    std: float | None
    fraction_active: float | None = Field(
        description="Share of the values above zero; in a collated dataset, above 2^-21."
    )
    min: float | None
    max: float | None
    quantiles: dict[str, float] = Field(
        description="Share of the values, 1e-07 to 0.9999999, and the value it does not exceed."
    )


class RecordHistogram(Response):
    edges: list[float] = Field(description="One more than counts; log-spaced from zero.")
    counts: list[int]


class ExemplarRecord(Response):
    """An excerpt of the dataset and what the component does on it."""

    tokens: list[str]
    token_ids: list[int]
    activations: list[float] | list[list[float]] = Field(
        description="One per token; for heads `[query][key]`, where row q has keys 0 to q."
    )
    peak: int = Field(description="Token of the value; for heads the query token.")
    peak_key: int | None = Field(description="Heads: the key token.")
    value: float
    source: str


class QuantileBandRecord(Response):
    """Excerpts with a value between two of the component's own quantiles."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    lower: float = Field(alias="from")
    upper: float = Field(alias="to")
    exemplars: list[ExemplarRecord]


class RecordExemplars(Response):
    top_positive: list[ExemplarRecord]
    top_negative: list[ExemplarRecord]
    random: list[ExemplarRecord] = Field(description="A uniform sample of the dataset's windows.")
    quantiles: list[QuantileBandRecord]


class ExplanationMeasure(Response):
    """One score of an explanation, and what it rests on."""

    value: float | None = Field(description="Null where it is undefined; `reason` says why.")
    low: float | None = Field(description="Ends of the 95 % interval, by bootstrap over excerpts.")
    high: float | None
    n: int = Field(description="Tokens, token pairs or excerpts that it rests on.")
    reason: str


class ExplanationRecord(Response):
    """A sentence on what the component responds to, and how well it predicts that."""

    id: str = ""
    text: str = Field(description="Plain text, never HTML.")
    side: Literal["positive", "negative"]
    score: float | None = Field(
        description="Correlation of simulated and true activations on held-out excerpts."
    )
    scores: dict[str, float | None] = {}
    measures: dict[str, ExplanationMeasure] = {}
    explainer: str
    created: str


class SimilarComponent(Response):
    component: str
    score: float = Field(description="Cosine or correlation, -1 to 1.")


class SimilarResponse(Response):
    """Components that are like one, most alike first."""

    component: str
    by: Literal["output", "input", "coactivation"]
    items: list[SimilarComponent]


class AblationEffectRequest(Request):
    prompt: Prompt


class AblationEffectResponse(Response):
    """Change of each next token's probability when a component is ablated; null for the last token."""

    component: str
    tokens: list[Token]
    at_token: list[float | None] = Field(
        description="Ablated only where the prediction is made. Negative: it helps there."
    )
    everywhere: list[float | None] = Field(description="Ablated at every token at once.")


class UnusualComponent(Response):
    """A component that a text excites."""

    component: str
    side: Literal["positive", "negative"]
    position: int
    key_position: int | None
    value: float
    share_beyond: float = Field(description="Share of the dataset's values more extreme still.")
    times_extreme: float = Field(description="Value over the dataset's extreme on that side.")


class UnusualResponse(Response):
    """Components most active on a text, relative to their own quantiles."""

    dataset: str
    tokens: list[Token]
    items: list[UnusualComponent]


class ComponentResponse(Response):
    """What a component responds to in a dataset, and its explanations."""

    component: str
    dataset: str
    measure: Literal["activation", "write_magnitude"] = Field(
        description="What the values are; heads: the write magnitude of a token pair."
    )
    statistics: RecordStatistics
    histogram: RecordHistogram
    exemplars: RecordExemplars
    explanations: list[ExplanationRecord]
    caveats: list[str] = Field(description="What to know before trusting the numbers.")
