"""What a component responds to, as data: excerpts, the distribution of its values, statistics.

A record describes one component over one dataset. Its values are

    neuron, latent    the activation at each token
    head              the write magnitude |A v W_O| of each token pair (query q, key k <= q)

`to_json` gives the shape of `GET /api/components/{component}`, less what other parts add to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Measure = Literal["activation", "write_magnitude"]
Activations = tuple[float, ...] | tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Exemplar:
    """An excerpt of the dataset and what the component does on it."""

    tokens: tuple[str, ...]
    token_ids: tuple[int, ...]
    activations: Activations
    """One value per token; for heads one row per query token, of the keys up to it."""
    peak: int
    """Token at which the value is; for heads the query token."""
    value: float
    """The value at the peak, for which this excerpt was kept."""
    source: str
    """Where the text is from, as the corpus names it."""
    peak_key: int | None = None
    """Heads: the key token of the peak."""

    def to_json(self) -> dict[str, Any]:
        return {
            "tokens": self.tokens,
            "token_ids": self.token_ids,
            "activations": self.activations,
            "peak": self.peak,
            "peak_key": self.peak_key,
            "value": self.value,
            "source": self.source,
        }


@dataclass(frozen=True)
class QuantileBand:
    """Excerpts on which the component reaches a value between two of its own quantiles."""

    lower: float
    """A share of all values, 0 to 1; `from` in JSON."""
    upper: float
    exemplars: tuple[Exemplar, ...]

    def to_json(self) -> dict[str, Any]:
        exemplars = [exemplar.to_json() for exemplar in self.exemplars]
        return {"from": self.lower, "to": self.upper, "exemplars": exemplars}


@dataclass(frozen=True)
class Statistics:
    """Moments and quantiles over every value of the dataset. A public record may lack some."""

    n_tokens: int | None
    """Tokens of the dataset; padding never counts."""
    n_values: int | None
    """Values the component has there: one per token; for heads one per token pair."""
    mean: float | None
    std: float | None
    fraction_active: float | None
    """Share of the values above zero; in a collated dataset, above 2^-21."""
    min: float | None
    max: float | None
    quantiles: Mapping[str, float]
    """Level (a share, as text: "1e-07" to "0.9999999") -> the value that this share does not exceed."""

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "quantiles": dict(self.quantiles)}


@dataclass(frozen=True)
class Histogram:
    """How many values lie between each two edges. Edges are log-spaced from zero, on either side."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        return {"edges": self.edges, "counts": self.counts}


@dataclass(frozen=True)
class ComponentRecord:
    """What one component responds to in one dataset."""

    component: str
    dataset: str
    measure: Measure
    statistics: Statistics
    histogram: Histogram
    top_positive: tuple[Exemplar, ...]
    """Largest values, largest first; at most one excerpt of the same text."""
    top_negative: tuple[Exemplar, ...]
    """Smallest values, smallest first; empty where values are never negative."""
    random: tuple[Exemplar, ...]
    """A uniform sample of the dataset's windows, the same for every component."""
    quantiles: tuple[QuantileBand, ...]
    caveats: tuple[str, ...] = ()
    """What a reader must know before trusting the numbers, one sentence each."""

    def to_json(self) -> dict[str, Any]:
        return {
            "component": self.component,
            "dataset": self.dataset,
            "measure": self.measure,
            "statistics": self.statistics.to_json(),
            "histogram": self.histogram.to_json(),
            "exemplars": {
                "top_positive": [exemplar.to_json() for exemplar in self.top_positive],
                "top_negative": [exemplar.to_json() for exemplar in self.top_negative],
                "random": [exemplar.to_json() for exemplar in self.random],
                "quantiles": [band.to_json() for band in self.quantiles],
            },
            "caveats": list(self.caveats),
        }
