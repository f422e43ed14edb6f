"""How much of a model is explained, and how well: counts and scores by layer and explainer."""

from dataclasses import dataclass

from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.nodes import Kind, Stream

N_BINS = 10


@dataclass(frozen=True)
class LayerCoverage:
    """What one explainer did for one kind of component in one layer."""

    kind: Kind
    stream: Stream | None
    layer: int
    explainer: str
    n_explained: int
    """Components with an explanation on either side."""
    n_scored: int
    """Explanations with a score."""
    mean_score: float | None
    histogram: tuple[int, ...]
    """Scores in ten equal bins from 0 to 1; what is below counts in the first."""


def coverage(store: ExplanationStore) -> list[LayerCoverage]:
    """Coverage by kind, layer and explainer, in that order."""
    rows = store.select(
        "SELECT kind, stream, layer, explainer, count(DISTINCT component), count(score), avg(score) "
        "FROM explanations GROUP BY kind, stream, layer, explainer "
        "ORDER BY kind, stream, layer, explainer",
        (),
    )
    bins: dict[tuple[str, str | None, int, str], list[int]] = {}
    for kind, stream, layer, explainer, number, count in store.select(
        "SELECT kind, stream, layer, explainer, "
        f"max(0, min({N_BINS - 1}, CAST(score * {N_BINS} AS INTEGER))), count(*) "
        "FROM explanations WHERE score IS NOT NULL GROUP BY 1, 2, 3, 4, 5",
        (),
    ):
        key = (kind, stream, layer, explainer)
        bins.setdefault(key, [0] * N_BINS)[number] = count
    return [
        LayerCoverage(
            kind,
            stream,
            layer,
            explainer,
            n_explained,
            n_scored,
            mean,
            tuple(bins.get((kind, stream, layer, explainer), [0] * N_BINS)),
        )
        for kind, stream, layer, explainer, n_explained, n_scored, mean in rows
    ]
