"""OpenAI's public records and explanations of GPT-2's components, read as our own.

    FOLDER/{layer}/{index}.json      one NeuronRecord: its most positive and random excerpts, quantile samples
    FOLDER/{layer}/{index}.jsonl     NeuronSimulationResults: explanations with their scores

Known datasets by name; NAME=FOLDER reads the records from a copy, local or on a blob store:

    openai:gpt2-xl                   neurons, 48 layers of 6400
    openai:gpt2-small                neurons, 12 layers of 3072
    openai:gpt2-small-heads          heads by write magnitude of token pairs, 12 layers of 12
    openai:gpt2-small-SITE-VERSION   latents: mlp-post-act-v1, mlp-post-act-v4, resid-delta-mlp-v1,
                                     resid-delta-mlp-v4, resid-delta-attn-v4

Objects may carry a "dataclass_name" or not, and fields may have their older names; a head's
activations are the lower triangle of its token pairs, row by row. (Layout: Bills et al. 2023,
"Language models can explain neurons in language models", and OpenAI's Transformer Debugger.)
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isfinite, isqrt, sqrt
from pathlib import Path
from typing import Any

from neuron_explainer.exemplars.blobs import fetched, is_remote
from neuron_explainer.exemplars.layout import DatasetUnavailable, Group
from neuron_explainer.exemplars.records import (
    ComponentRecord,
    Exemplar,
    Histogram,
    QuantileBand,
    Statistics,
)
from neuron_explainer.nodes import Component, Kind, Stream

PUBLIC = "openai:"
"""How the names of public datasets begin."""
BLOBS = "https://openaipublic.blob.core.windows.net/neuron-explainer"
NEURON_CAVEAT = (
    "The public GPT-2 neuron activations are reported to have been computed with another form of "
    "GELU than the model's own: compare them with live activations before trusting their scale."
)
PUBLIC_CAVEAT = (
    "A public record holds excerpts only: no histogram and no minimum, and its maximum is that of "
    "its excerpts."
)
_BANDS = (0.0, 0.5, 0.9, 0.99, 0.999, 1.0)
"""What the quantile samples are of, where a record has five; others are spread evenly."""


@dataclass(frozen=True)
class PublicSource:
    """One published dataset."""

    name: str
    folder: str
    model: str
    kind: Kind
    n_layers: int
    n_components: int
    stream: Stream | None = None
    explanations: str | None = None
    """Folder of its explanations, where there are any."""
    caveats: tuple[str, ...] = (PUBLIC_CAVEAT,)


def _latents(site: str, version: str, n: int) -> PublicSource:
    stream: Stream = "attn" if site.endswith("attn") else "mlp"
    folder = f"{BLOBS}/gpt2_small/autoencoder_latent/{site}_{version}/collated-activations"
    name = f"openai:gpt2-small-{site.replace('_', '-')}-{version}"
    return PublicSource(name, folder, "gpt2", "latent", 12, n, stream)


SOURCES: Mapping[str, PublicSource] = {
    source.name: source
    for source in (
        PublicSource(
            name="openai:gpt2-xl",
            folder=f"{BLOBS}/data/collated-activations",
            model="gpt2-xl",
            kind="mlp",
            n_layers=48,
            n_components=6400,
            explanations=f"{BLOBS}/data/explanations",
            caveats=(NEURON_CAVEAT, PUBLIC_CAVEAT),
        ),
        PublicSource(
            name="openai:gpt2-small",
            folder=f"{BLOBS}/gpt2_small_data/collated-activations",
            model="gpt2",
            kind="mlp",
            n_layers=12,
            n_components=3072,
            explanations=f"{BLOBS}/gpt2_small_data/explanations",
            caveats=(NEURON_CAVEAT, PUBLIC_CAVEAT),
        ),
        PublicSource(
            name="openai:gpt2-small-heads",
            folder=f"{BLOBS}/gpt2_small/attn_write_norm/collated-activations-by-token-pair",
            model="gpt2",
            kind="attn",
            n_layers=12,
            n_components=12,
        ),
        _latents("mlp_post_act", "v1", 32768),
        _latents("mlp_post_act", "v4", 32768),
        _latents("resid_delta_mlp", "v1", 32768),
        _latents("resid_delta_mlp", "v4", 32768),
        _latents("resid_delta_attn", "v4", 10240),
    )
}


class PublicDataset:
    """Records in the public layout, each read (and, from afar, fetched) when asked for."""

    def __init__(self, source: PublicSource) -> None:
        self.source = source

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def groups(self) -> Sequence[Group]:
        source = self.source
        return [
            Group(source.kind, layer, source.n_components, source.stream)
            for layer in range(source.n_layers)
        ]

    def __contains__(self, component: Component) -> bool:
        source = self.source
        return (
            (component.kind, component.stream) == (source.kind, source.stream)
            and (component.layer or 0) < source.n_layers
            and (component.index or 0) < source.n_components
        )

    def record(self, component: Component) -> ComponentRecord:
        """One component's record. Raises DatasetUnavailable if there is none, or it is damaged."""
        data = self._read(component, self.source.folder, "json")
        with _known_layout(f"The public record of {component}"):
            return _record(data, component, self.source)

    def explanations(self, component: Component) -> list[dict[str, Any]]:
        """Published explanations: text, side, score. None where there are none."""
        if self.source.explanations is None or component not in self:
            return []
        try:
            data = self._read(component, self.source.explanations, "jsonl")
            with _known_layout(f"What the public explanations say of {component}"):
                return [_explanation(one, self.name) for one in data.get("scored_explanations", ())]
        except DatasetUnavailable:  # the record can be shown without
            return []

    # Parsed JSON has no static type.
    def _read(self, component: Component, folder: str, ending: str) -> Any:
        if component not in self:
            raise DatasetUnavailable(
                f"The dataset {self.name} holds nothing on {component}.",
                f"It has layers 0-{self.source.n_layers - 1} with "
                f"{self.source.n_components:,} components each.",
            )
        where = f"{folder.rstrip('/')}/{component.layer}/{component.index}.{ending}"
        try:
            path = fetched(where, version="public") if is_remote(where) else Path(where)
            return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refused)
        except FileNotFoundError as problem:
            raise DatasetUnavailable(
                f"There is no public record of {component} at {where}.",
                "Choose another component, or collate a dataset of your own with `tdb collate`.",
            ) from problem
        except OSError as problem:
            raise DatasetUnavailable(
                f"The public record of {component} cannot be fetched: {problem}.",
                "Check the network, or collate a dataset of your own with `tdb collate`.",
            ) from problem
        except ValueError as problem:
            if is_remote(where):
                path.unlink(missing_ok=True)  # fetched anew next time
            raise DatasetUnavailable(
                f"The public record of {component} is damaged: {problem}.",
                "Try again; other components can still be read.",
            ) from problem


def _refused(constant: str) -> None:
    raise ValueError(f"it holds {constant}, which is no number")


@contextmanager
def _known_layout(what: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as problem:
        raise DatasetUnavailable(
            f"{what} is not in the known layout: {problem!r}.",
            "Other components can still be read.",
        ) from problem


def open_public(spec: str) -> PublicDataset:
    """A known public dataset: NAME or, read from a copy of it, NAME=FOLDER.

    Raises DatasetUnavailable with the known names.
    """
    name, is_copied, folder = spec.partition("=")
    if name not in SOURCES:
        known = ", ".join(SOURCES)
        raise DatasetUnavailable(f"There is no public dataset {name}.", f"Known are: {known}.")
    source = SOURCES[name]
    if is_copied:
        source = replace(source, folder=folder, explanations=None)
    return PublicDataset(source)


def _record(data: Mapping[str, Any], component: Component, source: PublicSource) -> ComponentRecord:
    own = data.get("neuron_id") or data.get("attention_head_id") or {}
    index, layer = own.get("neuron_index", own.get("idx")), own.get("layer_index", own.get("layer"))
    if index is not None and (layer, index) != (component.layer, component.index):
        raise ValueError(f"it is of layer {layer}, index {index}")
    pairs = source.kind == "attn"
    top = [
        _exemplar(one, pairs)
        for one in _field(data, "most_positive_activation_records", "top_activations")
    ]
    top.sort(key=lambda exemplar: -exemplar.value)
    bands = data.get("random_sample_by_quantile") or []
    edges = _BANDS if len(bands) == len(_BANDS) - 1 else _even(len(bands))
    mean, variance = (
        None if data.get(name) is None else _finite(data[name]) for name in ("mean", "variance")
    )
    return ComponentRecord(
        component=str(component),
        dataset=source.name,
        measure="write_magnitude" if pairs else "activation",
        statistics=Statistics(
            n_tokens=None,
            n_values=None,
            mean=mean,
            std=None if variance is None else sqrt(variance),
            fraction_active=None,
            min=None,
            max=top[0].value if top else None,
            quantiles=_boundaries(data.get("quantile_boundaries"), edges),
        ),
        histogram=Histogram((), ()),
        top_positive=tuple(top),
        top_negative=(),
        random=tuple(_exemplar(one, pairs) for one in data.get("random_sample") or ()),
        quantiles=tuple(
            QuantileBand(edges[i], edges[i + 1], tuple(_exemplar(one, pairs) for one in band))
            for i, band in enumerate(bands)
            if band
        ),
        caveats=source.caveats,
    )


def _field(data: Mapping[str, Any], *names: str) -> Any:
    """A field by its present or an older name."""
    for name in names:
        if name in data:
            return data[name]
    raise KeyError(names[0])


def _exemplar(data: Mapping[str, Any], pairs: bool) -> Exemplar:
    tokens = tuple(str(token) for token in data["tokens"])
    flat = [_finite(value) for value in data["activations"]]
    if not pairs:
        if len(flat) != len(tokens):
            raise ValueError(f"{len(flat)} activations for {len(tokens)} tokens")
        peak = max(range(len(flat)), key=flat.__getitem__)
        return Exemplar(tokens, (), tuple(flat), peak, flat[peak], "")
    rows, firsts = _rows(flat, len(tokens))
    query = max(range(len(rows)), key=lambda q: max(rows[q]))
    key = max(range(len(rows[query])), key=rows[query].__getitem__)
    whole = tuple((0.0,) * first + row for row, first in zip(rows, firsts, strict=True))
    return Exemplar(tokens, (), whole, query, rows[query][key], "", firsts[query] + key)


def _rows(flat: Sequence[float], n_tokens: int) -> tuple[list[tuple[float, ...]], list[int]]:
    """A head's values by query, and the first key of each row.

    Where the window of keys is shorter than the text, rows stop growing at its length K:
    K (K + 1) / 2 + (T - K) K values in all.
    """
    n = len(flat)
    inside = (2 * n_tokens + 1) ** 2 - 8 * n
    window = (2 * n_tokens + 1 - isqrt(max(inside, 0))) // 2
    if window * (window + 1) // 2 + (n_tokens - window) * window != n:
        raise ValueError(f"{n} activations are no triangle of {n_tokens} tokens")
    rows, firsts, start = [], [], 0
    for query in range(n_tokens):
        length = min(query + 1, window)
        rows.append(tuple(flat[start : start + length]))
        firsts.append(query + 1 - length)
        start += length
    return rows, firsts


def _finite(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{value} is no number")
    return number


def _even(n: int) -> tuple[float, ...]:
    return tuple(i / max(n, 1) for i in range(n + 1))


def _boundaries(values: Sequence[float] | None, edges: Sequence[float]) -> dict[str, float]:
    """Quantiles between the bands."""
    inner = edges[1:-1]
    if values is None or len(values) != len(inner):
        return {}
    return {f"{level:g}": _finite(value) for level, value in zip(inner, values, strict=True)}


def _explanation(data: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """One explanation, under its present or its older field names."""
    text = data.get("explanation", data.get("explanation_or_baseline"))
    scored = (
        data.get("scored_simulation")
        or data.get("scored_attention_simulation")
        or data.get("simulation")
        or {}
    )
    scores = {
        "correlation": scored.get("ev_correlation_score"),
        "r_squared": scored.get("rsquared_score"),
        "absolute_deviation_explained": scored.get("absolute_dev_explained_score"),
        "roc_auc": scored.get("roc_auc_score"),
    }
    known = {name: score for name, score in scores.items() if score is not None}
    score = known.get("correlation", known.get("roc_auc"))
    return {
        "id": "",
        "text": str(text).strip(),
        "side": "positive",
        "score": score,
        "scores": known,
        "measures": {},
        "explainer": dataset,
        "created": "",
    }
