"""What is said of components in words: search, labels, simulations, coverage, and one's own sentences."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from activation_server.schemas.records import ExplanationRecord
from activation_server.schemas.shapes import ComponentName, Request, Response
from neuron_explainer.nodes import Kind

SearchMode = Literal["meaning", "keyword", "token", "text"]


class SearchHit(Response):
    """A component that was found."""

    component: str
    side: Literal["positive", "negative"]
    explanation: ExplanationRecord | None = Field(
        description="The explanation that matched; by token or text its best one, if it has any."
    )
    value: float = Field(
        description="meaning: cosine similarity. keyword: BM25. token: logit per unit of activation. "
        "text: share of the component's own values that are less extreme than its value here."
    )
    is_match: bool = Field(
        description="meaning: whether it is more similar than unrelated explanations are; else true."
    )
    token: str | None = Field(description="text: the token at which it is most unusual.")
    position: int | None = Field(description="text: where that token is.")


class SearchResponse(Response):
    """Components, best match first."""

    mode: SearchMode
    encoders: list[str] = Field(description="meaning: who encoded the explanations.")
    n_matches: int | None = Field(
        description="meaning, keyword: sides of components that match, listed or not."
    )
    hits: list[SearchHit]


class LabelsRequest(Request):
    """Components whose best explanations are wanted."""

    components: tuple[ComponentName, ...] = Field(max_length=5000)
    coders: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        default=(),
        max_length=3,
        description="Whose latents are meant: one for each stream, by default the first.",
    )


class LabelsResponse(Response):
    """The best explanation of each side; components without any are left out."""

    labels: dict[str, list[ExplanationRecord]]


class SimulatedExcerptRecord(Response):
    """True and simulated activations of one excerpt; simulated ones are calibrated to the true scale."""

    tokens: list[str]
    true: list[float]
    simulated: list[float]
    sample: str = Field(description="top or random.")


class SimulationResponse(Response):
    """How an explanation's simulation compares with the truth, on the excerpts it was scored on."""

    component: str
    explanation: ExplanationRecord
    excerpts: list[SimulatedExcerptRecord] = Field(description="Empty if none were kept.")


class OwnExplanationRequest(Request):
    """A sentence of one's own, to be kept and scored."""

    text: Annotated[str, Field(min_length=1, max_length=1000)]
    side: Literal["positive", "negative"] = "positive"
    simulator: Literal["literal", "local", "endpoint"] = Field(
        default="literal",
        description="Who predicts activations from the sentence. literal: its quoted tokens and named classes of "
        "words, without a language model. local: the served model. endpoint: that of OPENAI_BASE_URL and "
        "TDB_LLM_MODEL.",
    )


class OwnExplanationResponse(Response):
    """The sentence as it was kept, with its scores."""

    component: str
    explanation: ExplanationRecord
    excerpts: list[SimulatedExcerptRecord]
    problems: list[str] = Field(description="What went wrong while scoring, if anything did.")


class LayerCoverage(Response):
    """How much of a group of components is explained, by one explainer."""

    kind: Kind
    stream: Literal["attn", "mlp", "resid"] | None
    layer: int
    coder: str | None = Field(description="Of latents: the coder set whose latents are counted.")
    explainer: str
    n_components: int | None = Field(description="In the dataset; null where none is loaded.")
    n_explained: int
    n_scored: int
    mean_score: float | None
    histogram: list[int] = Field(
        description="Scores in ten bins from 0 to 1; lower ones in the first."
    )


class CoverageResponse(Response):
    """Coverage and score distribution by layer."""

    n_explanations: int
    n_failures: int
    layers: list[LayerCoverage]


class EstimateRequest(Request):
    """An explain job that would ask a language model: what would it take?"""

    dataset: str = Field(
        min_length=1, max_length=1000, description="A dataset known here by name, or a folder."
    )
    components: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        default=(), max_length=100_000, description="Which ones; empty: all of them."
    )
    candidates: int = Field(default=1, ge=1, le=100, description="Phrases to choose from.")
    simulator: Literal["json", "all_at_once", "token_by_token"] = "json"


class EstimateResponse(Response):
    """What it would take, and who would be asked. Sides are counted; calls and tokens are told from a few."""

    is_configured: StrictBool = Field(description="Whether the server knows an endpoint to ask.")
    model: str | None
    address: str | None
    hint: str = Field(description="How to configure one, where there is none.")
    n_components: int
    n_sides: int
    n_calls: int
    n_tokens: int = Field(
        description="Of prompts and replies, at three characters a token and replies as long as they may be."
    )


class ShowStoreRequest(Request):
    """A finished explain job whose explanations shall be served from now on."""

    job: Annotated[str, Field(min_length=1, max_length=64)]


class ShowStoreResponse(Response):
    n_explanations: int = Field(description="In the store that is served now.")
