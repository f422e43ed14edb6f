"""How much of a model is explained, and how well: counts and scores by layer, coder and explainer.

Latents of two coders of one stream bear the same names, and are different components: they are counted apart. What
several stores say of the same components is counted together, each component once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neuron_explainer.explanations.meant_coders import NO_CODERS, MeantCoders
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.nodes import Kind, Stream

N_BINS = 10


@dataclass(frozen=True)
class Place:
    """What one explainer explains: a kind of component in one layer, of latents those of one coder."""

    kind: Kind
    stream: Stream | None
    layer: int
    coder: str | None
    """Of latents; None where it was not noted and none is in use."""
    explainer: str


@dataclass(frozen=True)
class LayerCoverage(Place):
    """What one explainer did there."""

    n_explained: int
    """Components with an explanation on either side."""
    n_scored: int
    """Explanations with a score."""
    mean_score: float | None
    histogram: tuple[int, ...]
    """Scores in ten equal bins from 0 to 1; what is below counts in the first."""


@dataclass(frozen=True)
class _Part:
    """What one store holds of a place."""

    store: ExplanationStore
    n_explained: int
    n_scored: int
    total_score: float
    histogram: list[int]


def coverage(
    stores: Sequence[ExplanationStore], coders: MeantCoders = NO_CODERS
) -> list[LayerCoverage]:
    """Coverage by kind, layer, coder and explainer, in that order."""
    parts: dict[Place, list[_Part]] = {}
    for store in stores:
        for place, part in _parts(store, coders):
            parts.setdefault(place, []).append(part)
    order = sorted(
        parts, key=lambda it: (it.kind, it.stream or "", it.layer, it.coder or "", it.explainer)
    )
    return [_together(place, parts[place]) for place in order]


def _together(place: Place, parts: Sequence[_Part]) -> LayerCoverage:
    n_scored = sum(part.n_scored for part in parts)
    total = sum(part.total_score for part in parts)
    return LayerCoverage(
        place.kind,
        place.stream,
        place.layer,
        place.coder,
        place.explainer,
        parts[0].n_explained if len(parts) == 1 else _n_components(place, parts),
        n_scored,
        total / n_scored if n_scored else None,
        tuple(map(sum, zip(*(part.histogram for part in parts), strict=True))),
    )


def _n_components(place: Place, parts: Sequence[_Part]) -> int:
    """How many components several stores explain, each counted once."""
    found: set[str] = set()
    for part in parts:
        found |= {
            name
            for (name,) in part.store.select(
                "SELECT DISTINCT component FROM explanations "
                "WHERE kind = ? AND stream IS ? AND layer = ? AND explainer = ?",
                (place.kind, place.stream, place.layer, place.explainer),
            )
        }
    return len(found)


def _parts(store: ExplanationStore, coders: MeantCoders) -> Iterator[tuple[Place, _Part]]:
    """What a store holds, place by place."""
    known = store.coders
    bins: dict[tuple[str, str | None, int, str], list[int]] = {}
    for kind, stream, layer, explainer, number, count in store.select(
        "SELECT kind, stream, layer, explainer, "
        f"max(0, min({N_BINS - 1}, CAST(score * {N_BINS} AS INTEGER))), count(*) "
        "FROM explanations WHERE score IS NOT NULL GROUP BY 1, 2, 3, 4, 5",
        (),
    ):
        bins.setdefault((kind, stream, layer, explainer), [0] * N_BINS)[number] = count
    for kind, stream, layer, explainer, n_explained, n_scored, total in store.select(
        "SELECT kind, stream, layer, explainer, count(DISTINCT component), count(score), total(score) "
        "FROM explanations GROUP BY kind, stream, layer, explainer",
        (),
    ):
        coder = known.get(stream, coders.first(stream)) if kind == "latent" else None
        histogram = bins.get((kind, stream, layer, explainer), [0] * N_BINS)
        yield (
            Place(kind, stream, layer, coder, explainer),
            _Part(store, n_explained, n_scored, total, histogram),
        )
