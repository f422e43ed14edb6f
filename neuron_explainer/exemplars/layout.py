"""How a dataset lies on disk: a folder that needs neither the corpus nor the model to be read.

    dataset.json              the card: model, corpus, recipe, and what each file holds
    text.safetensors          the windows that are shown, where they are from, the vocabulary's text
    mlp_L0.safetensors, ...   one file per group: the components of one kind, layer and stream

Row i of every tensor of a group is component i, and its exemplars lie in slots: first the top of
the positive side, then of the negative (if signed), the random sample, and the quantile bands.

    window    component slot    row of `tokens` in text.safetensors; -1 where empty
    peak      component slot    token of the value; heads: index of the pair q (q + 1) / 2 + k
    value     component slot    the value at the peak
    scale     component slot    activations = scale * codes
    codes     bytes             one zlib stream per component: "slot position", int8 or float16; heads:
                                lower triangle, row by row. `codes_starts` says where each begins

Values are exact in `value`; codes are at most 1 (float16) or 127 (int8). Read with four digits of the
excerpt's largest activation, an activation is off by at most 1/1300 or 1/220 of that.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from neuron_explainer.exemplars.records import Measure
from neuron_explainer.nodes import Component, Kind, Stream

FORMAT = 2
CARD, TEXT = "dataset.json", "text.safetensors"
Precision = Literal["int8", "float16"]

SIGNED_BANDS: tuple[tuple[float, float], ...] = (
    (0.0, 0.001),
    (0.001, 0.01),
    (0.01, 0.1),
    (0.1, 0.5),
    (0.5, 0.9),
    (0.9, 0.99),
    (0.99, 0.999),
    (0.999, 1.0),
)
UNSIGNED_BANDS = SIGNED_BANDS[4:]


class DatasetUnavailable(LookupError):
    """A dataset, or a part of one, that cannot be read. The text says why; `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Recipe:
    """How excerpts are chosen; part of the card, so that a dataset can be made again."""

    window: int = 64
    """Tokens of an excerpt."""
    n_top: int = 20
    """Excerpts on each side."""
    n_random: int = 10
    n_per_band: int = 3
    precision: Precision = "float16"
    seed: int = 0
    """Of the random sample."""
    shard_windows: int = 512
    """Windows that are run, checkpointed and handed out as one; sums are rounded by batch of a shard."""

    def slots(self, is_signed: bool) -> Iterator[tuple[str, tuple[float, float] | None, range]]:
        """Name, band and slots of each list of exemplars, in their order."""
        lists: list[tuple[str, tuple[float, float] | None, int]]
        lists = [("top_positive", None, self.n_top)]
        if is_signed:
            lists.append(("top_negative", None, self.n_top))
        lists.append(("random", None, self.n_random))
        for band in SIGNED_BANDS if is_signed else UNSIGNED_BANDS:
            lists.append(("quantiles", band, self.n_per_band))
        first = 0
        for name, edges, n in lists:
            yield name, edges, range(first, first + n)
            first += n

    def n_slots(self, is_signed: bool) -> int:
        return sum(len(slots) for _, _, slots in self.slots(is_signed))


@dataclass(frozen=True)
class Group:
    """The components of one kind, layer and stream: one file."""

    kind: Kind
    layer: int
    n_components: int
    stream: Stream | None = None
    coder: str | None = None
    """Latents: the name of their coder set."""

    @property
    def name(self) -> str:
        """mlp_L3, attn_L3, mlp_ae_L3."""
        return str(Component(self.kind, self.layer, 0, self.stream)).removesuffix("_0")

    @property
    def measure(self) -> Measure:
        return "write_magnitude" if self.kind == "attn" else "activation"

    @property
    def is_signed(self) -> bool:
        """Whether values can be negative: neurons' can."""
        return self.kind == "mlp"

    def component(self, index: int) -> Component:
        return Component(self.kind, self.layer, index, self.stream)

    def n_positions(self, window: int) -> int:
        """Values on one window: its tokens; for heads its token pairs."""
        return window * (window + 1) // 2 if self.kind == "attn" else window


@dataclass(frozen=True)
class GroupFile:
    """A group as the card lists it."""

    group: Group
    file: str
    n_values: int
    """Values of each component over the whole corpus."""
    n_bytes: int
    sha256: str


@dataclass(frozen=True)
class DatasetCard:
    """What a dataset is: `dataset.json`."""

    name: str
    model: str
    corpus: str
    n_tokens: int
    window: int
    recipe: Recipe
    groups: tuple[GroupFile, ...]
    description: str = ""
    n_windows: int = 0
    n_parameters: int = 0
    dtype: str = "float32"
    corpus_fingerprint: str = ""
    tokenizer_hash: str = ""
    coders: tuple[str, ...] = ()
    created: str = ""
    """When it was finished, in ISO 8601."""
    seconds: float = 0.0
    """Time it took to make."""
    text_sha256: str = ""
    task: str = ""
    """Hash of everything that the result depends on."""
    caveats: tuple[str, ...] = field(default=())

    @property
    def n_components(self) -> int:
        return sum(entry.group.n_components for entry in self.groups)

    @property
    def n_bytes(self) -> int:
        return sum(entry.n_bytes for entry in self.groups)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}

    # Parsed JSON has no static type.
    @staticmethod
    def from_json(data: Any) -> "DatasetCard":
        """Raises ValueError when a field is missing or unknown, or the format is not ours."""
        if not isinstance(data, dict):
            raise ValueError("it is no JSON object")
        if data.get("format") != FORMAT:
            raise ValueError(f"format is {data.get('format')!r}; this version reads {FORMAT}")
        try:
            groups = tuple(
                GroupFile(**{**entry, "group": Group(**entry["group"])}) for entry in data["groups"]
            )
            rest = {key: value for key, value in data.items() if key not in ("format", "groups")}
            rest |= {key: tuple(rest.get(key, ())) for key in ("coders", "caveats")}
            return DatasetCard(**{**rest, "recipe": Recipe(**data["recipe"]), "groups": groups})
        except (TypeError, KeyError) as problem:
            raise ValueError(f"a field is missing or unknown: {problem}") from problem
