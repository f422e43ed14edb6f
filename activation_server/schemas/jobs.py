"""Long work that the server runs beside itself: what is asked for, and where it stands.

The fields of the options are the flags of the command that does the work; `job_commands.py` says how.
"""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, StrictBool, StrictInt, model_validator

from activation_server.schemas.shapes import Request, Response

JobKind = Literal["collate", "train_sae", "eval_sae", "explain"]
JobState = Literal["queued", "running", "done", "failed", "cancelled", "stopped"]
CoderSite = Literal[
    "mlp_post_act", "resid_delta_mlp", "resid_delta_attn", "resid_pre", "resid_mid", "resid_post"
]

ModelSpec = Annotated[
    str | None,
    Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="A short name, folder, .gguf or hub name; null: the model that is served.",
    ),
]
CorpusSpec = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$",
        description=(
            "Text on the server's machine: a file of text, JSON lines or Parquet, a folder of such, "
            "or the name of a Hugging Face dataset."
        ),
    ),
]
OutputName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Letters, digits, dots, dashes: the folder's name among the server's data.",
        examples=["stories"],
    ),
]
NumberOfTokens = Annotated[
    StrictInt | None,
    Field(
        default=None,
        ge=1,
        le=10**12,
        description="Stop at the first batch or shard that reaches so many; null: all.",
    ),
]
Layer = Annotated[StrictInt, Field(ge=0, le=10_000)]


class CollateOptions(Request):
    """What every component responds to, over a corpus: a dataset of exemplars."""

    name: OutputName
    corpus: CorpusSpec
    model: ModelSpec
    tokens: NumberOfTokens
    top: StrictInt = Field(default=20, ge=1, le=1000, description="Excerpts on each side.")
    window: StrictInt = Field(
        default=64, ge=4, le=4096, description="Tokens of an excerpt, its peak among them."
    )
    coders: tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...] = Field(
        default=(),
        max_length=16,
        description="Coder sets whose latents are collated too: a name known here, or a folder.",
    )


class TrainSaeOptions(Request):
    """Sparse autoencoders at one site of several layers, in one pass over the corpus."""

    name: OutputName
    corpus: CorpusSpec
    model: ModelSpec
    site: CoderSite = "resid_delta_mlp"
    layers: tuple[Layer, ...] = Field(min_length=1, max_length=1000, examples=[[0, 1]])
    latents: StrictInt = Field(ge=1, le=10**7, description="Latents of each coder.")
    k: StrictInt | None = Field(
        default=None, ge=1, le=10**6, description="Active latents per token, for TopK."
    )
    l1: FiniteFloat | None = Field(
        default=None, gt=0, le=1e6, description="Weight of the L1 penalty, for ReLU."
    )
    tokens: StrictInt = Field(ge=1, le=10**12, description="Tokens to train on.")
    held_out: CorpusSpec | None = Field(
        default=None, description="Another corpus, to judge the coders on at the end."
    )
    seed: StrictInt = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _one_sparsity(self) -> "TrainSaeOptions":
        if (self.k is None) == (self.l1 is None):
            raise ValueError("Give k (active latents per token) or l1 (a penalty), one of the two.")
        if self.k is not None and self.k > self.latents:
            raise ValueError(f"k is {self.k}, more than the {self.latents} latents.")
        return self


class EvalSaeOptions(Request):
    """Judge a coder set on text it was not trained on."""

    coder: str = Field(
        min_length=1, max_length=1000, description="A coder set known here by name, or a folder."
    )
    corpus: CorpusSpec
    model: ModelSpec
    tokens: NumberOfTokens


class ExplainOptions(Request):
    """Explain a dataset's components in words, and score the explanations."""

    dataset: str = Field(
        min_length=1, max_length=1000, description="A dataset known here by name, or a folder."
    )
    name: OutputName
    components: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        default=(), max_length=100_000, description="Which ones; empty: all of them."
    )
    methods: tuple[Literal["lookup", "trigger_graph", "llm"], ...] = Field(
        default=("lookup", "trigger_graph"),
        min_length=1,
        max_length=3,
        description="llm asks the endpoint of OPENAI_BASE_URL with OPENAI_API_KEY: it costs what that costs.",
    )
    llm: str | None = Field(
        default=None, min_length=1, max_length=200, description="Model of that endpoint."
    )
    simulator: Literal["json", "all_at_once", "token_by_token"] = "json"
    candidates: int = Field(default=1, ge=1, le=100, description="Phrases to choose from.")
    max_tokens: int | None = Field(
        default=None, ge=1, description="llm: stop after so many tokens in all."
    )


class CollateJob(Request):
    kind: Literal["collate"]
    options: CollateOptions


class TrainSaeJob(Request):
    kind: Literal["train_sae"]
    options: TrainSaeOptions


class EvalSaeJob(Request):
    kind: Literal["eval_sae"]
    options: EvalSaeOptions


class ExplainJob(Request):
    kind: Literal["explain"]
    options: ExplainOptions


JobRequest = Annotated[
    CollateJob | TrainSaeJob | EvalSaeJob | ExplainJob, Field(discriminator="kind")
]


class ProgressEvent(Response):
    """How far a command is; `progress_lines.py` writes it."""

    event: Literal["progress"]
    time: FiniteFloat | None = None
    done: int
    total: int | None = None
    unit: str
    message: str = ""
    metrics: dict[str, FiniteFloat | None] = {}


class DoneEvent(Response):
    """The last word of a command that went well."""

    event: Literal["done"]
    result: dict[str, object] = {}


class ErrorEvent(Response):
    """The last word of a command that failed."""

    event: Literal["error"]
    message: str
    hint: str = ""


JobEvent = Annotated[ProgressEvent | DoneEvent | ErrorEvent, Field(discriminator="event")]


class JobProgress(Response):
    """Where a job stands, as it last told."""

    done: int
    total: int | None = Field(description="null while it is not known.")
    unit: str = Field(description="What is counted: tokens, steps, components.")
    message: str
    metrics: dict[str, float | None] = Field(description="Figures of the moment, by name.")
    rate: float | None = Field(description="Units per second over the last seconds.")
    seconds_left: float | None


class JobError(Response):
    message: str
    hint: str


class JobInfo(Response):
    """One job."""

    id: str
    kind: JobKind
    options: dict[str, object] = Field(description="As they were asked for.")
    state: JobState = Field(
        description=(
            "`cancelled`: somebody asked for it; `stopped`: its process or its server ended "
            "without a word. Both, and `failed`, can be resumed."
        )
    )
    is_resumable: StrictBool
    created: float = Field(description="Seconds since 1970.")
    started: float | None
    ended: float | None
    progress: JobProgress | None
    error: JobError | None
    result: dict[str, object] | None = Field(description="What came out, once it is done.")
    not_served: JobError | None = Field(
        description="collate, once it is done: why the dataset is not served at once; null where it is."
    )
    command: str = Field(description="What to type to do the same by hand.")
    output: str | None = Field(description="The folder or file that it writes.")
    serve_option: str | None = Field(
        description="What to add to `tdb serve` to use what came out, as in --dataset DIR."
    )
    queue_ahead: int | None = Field(description="Queued: how many start before it.")


class JobList(Response):
    jobs: list[JobInfo] = Field(description="The newest first.")
    data_dir: str | None = Field(description="Where outputs go; null: this server runs no jobs.")
    max_running: int = Field(description="How many run at a time; the others wait.")
    corpora: list[str] = Field(description="Texts that are here to try jobs on: the demo's own.")
