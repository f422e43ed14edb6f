"""What jobs have made and what came with the demo: datasets and coder sets on the server's disk."""

from typing import Literal

from pydantic import Field, FiniteFloat, StrictBool

from activation_server.schemas.records import DatasetInfo
from activation_server.schemas.shapes import Response


class Damaged(Response):
    """A folder that should hold a dataset or coders and cannot be read."""

    name: str
    path: str
    message: str


class StoredDataset(DatasetInfo):
    """A dataset on the server's disk."""

    n_tokens: int
    n_windows: int
    n_bytes: int
    seconds: float
    serve_option: str = Field(description="What to add to `tdb serve` to use it.")
    is_bundled: StrictBool = Field(description="Whether it came with the demo.")


class UnreadableFile(Response):
    """A file of a dataset that is missing or not as it was written; the other files can be read."""

    path: str = Field(description="The dataset's folder.")
    file: str
    groups: list[str] = Field(description="What it holds, as mlp_L3; empty for the text of all.")
    message: str


class DatasetsResponse(Response):
    datasets: list[StoredDataset]
    damaged: list[Damaged]
    unreadable: list[UnreadableFile] = Field(
        description="Of these and of the datasets that are served from elsewhere, by the files' lengths and "
        "heads; what they hold is not hashed."
    )


class DensityHistogram(Response):
    """Latents by the share of tokens at which they are active; those never active are left out."""

    edges: list[FiniteFloat] = Field(description="log10 of the share; one more than the counts.")
    counts: list[int]


class CoderJudgement(Response):
    """How good a coder is on text it was not trained on."""

    n_tokens: int
    explained_variance: FiniteFloat
    normalized_mse: FiniteFloat
    l0: FiniteFloat = Field(description="Latents active per token.")
    l0_share: FiniteFloat
    dead_fraction: FiniteFloat
    density: DensityHistogram
    loss_bare: FiniteFloat = Field(description="Next-token loss in nats, of the bare model.")
    loss_zero: FiniteFloat = Field(description="With the site set to zero.")
    loss_spliced: FiniteFloat = Field(description="With the reconstruction in its place.")
    loss_recovered: FiniteFloat


class CurvePoint(Response):
    """A coder's figures at one moment of its training."""

    tokens: int
    fvu: FiniteFloat | None = Field(default=None, description="Fraction of variance unexplained.")
    l0: FiniteFloat | None = None
    dead: FiniteFloat | None = None
    loss: FiniteFloat | None = None


class CoderCard(Response):
    """One coder of a set: how it was trained, how that went, and how good it is."""

    layer: int
    n_latents: int
    nonlinearity: str
    k: int | None
    recipe: dict[str, object] = Field(
        description="How it was trained, as its card says; may be empty."
    )
    curve: list[CurvePoint] = Field(description="While it was trained; may be empty.")
    judgement: CoderJudgement | None = Field(description="null: not judged yet.")
    judged_on: str | None


class CoderSetInfo(Response):
    """Coders of one site, one for each of some layers."""

    name: str
    site: Literal[
        "mlp_post_act",
        "resid_delta_mlp",
        "resid_delta_attn",
        "resid_pre",
        "resid_mid",
        "resid_post",
    ]
    model: str
    path: str
    recipe: dict[str, object] = Field(description="How they were trained; may be empty.")
    n_bytes: int
    created: float = Field(description="Seconds since 1970.")
    serve_option: str = Field(description="What to add to `tdb serve` to use them.")
    is_bundled: StrictBool
    coders: list[CoderCard] = Field(
        description="By layer. In a list of sets without curve; `density` of a judgement is kept."
    )


class CodersResponse(Response):
    coder_sets: list[CoderSetInfo]
    damaged: list[Damaged]
