"""Finds components by what their explanations say: by meaning, or by the words themselves.

    meaning    cosine similarity of the query with every explanation, by one matrix product; exact. Filters (kind,
               layer, side, score, density) are masks over rows, applied before the best are taken.
    keyword    SQLite's FTS5, ranked by BM25; every word must occur, the last one may be a beginning.

An index covers one store or several (a bundled one, and one's own); each store's vectors name their encoder.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neuron_explainer.explanations.encoders import Encoder
from neuron_explainer.explanations.explanation import Explanation, Side
from neuron_explainer.explanations.matching import NO_MATCH, Matching, bar, by_side
from neuron_explainer.explanations.meant_coders import NO_CODERS, MeantCoders
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import (
    VectorTable,
    load_vectors,
    update_vectors,
    vectors_written,
)
from neuron_explainer.nodes import Component, Kind, Stream

KINDS: tuple[Kind, ...] = ("attn", "mlp", "latent")
_STREAMS: tuple[Stream | None, ...] = (None, "attn", "mlp", "resid")
MAX_QUERY_WORDS = 64


@dataclass(frozen=True)
class Filters:
    """What a result must be; None leaves a property open."""

    kind: Kind | None = None
    stream: Stream | None = None
    """For latents: the stream of their coder."""
    layer: int | None = None
    side: Side | None = None
    min_score: float | None = None
    """An explanation that was never scored passes only without this."""
    min_density: float | None = None
    max_density: float | None = None
    explainer: str | None = None
    foreign: frozenset[Stream] = frozenset()
    """Streams whose latents are out of the question: those of the store are not of the coder that is meant."""

    def conditions(self) -> tuple[str, list[object]]:
        """As SQL: a conjunction on columns of `explanations`, and its values."""
        tests: list[tuple[str, object]] = [
            ("e.kind = ?", self.kind),
            ("e.stream = ?", self.stream),
            ("e.layer = ?", self.layer),
            ("e.side = ?", self.side),
            ("e.score >= ?", self.min_score),
            ("e.density >= ?", self.min_density),
            ("e.density <= ?", self.max_density),
            ("e.explainer = ?", self.explainer),
        ]
        tests += [("e.stream IS NOT ?", stream) for stream in sorted(self.foreign)]
        used = [(test, value) for test, value in tests if value is not None]
        return " AND ".join(test for test, _ in used) or "1", [value for _, value in used]


ANY = Filters()


@dataclass(frozen=True)
class Hit:
    """One result."""

    explanation: Explanation
    similarity: float
    """By meaning: cosine, -1 to 1. By keyword: BM25, larger is better."""


class SearchIndex:
    """The explanations of one store with their properties, ready for queries.

    It is a snapshot: `is_stale` tells when the store has grown since. Nothing that it gives is about a latent of
    another coder than the one that is meant.
    """

    def __init__(
        self,
        store: ExplanationStore,
        encoder: Encoder,
        table: VectorTable,
        coders: MeantCoders = NO_CODERS,
    ) -> None:
        table.check_encoder(encoder)
        self.store, self.encoder = store, encoder
        self._coders, self._foreign = coders, coders.foreign(store)
        self._version, self._written = store.version, table.written
        self._vectors: Float[Tensor, "row d"] = table.vectors.float()
        self._numbers = table.numbers
        self._columns = _columns(store, table)

    @staticmethod
    def open(store: ExplanationStore, encoder: Encoder, *, update: bool = False) -> "SearchIndex":
        """The index of a store, from the vectors beside it; `update` first encodes what has none.

        Raises LookupError without vectors, EncoderMismatch for another encoder's.
        """
        table = update_vectors(store, encoder) if update else load_vectors(store.path)
        if table is None:
            raise LookupError(
                f"{store.path.name} has no vectors yet: run `tdb search --reindex` once."
            )
        return SearchIndex(store, encoder, table)

    def is_stale(self) -> bool:
        """Whether explanations were added or removed since, or vectors written for some that had none yet."""
        return (
            self.store.version != self._version or vectors_written(self.store.path) != self._written
        )

    def __len__(self) -> int:
        return int(self._numbers.numel())

    def of(
        self, components: Iterable[Component], chosen: Collection[str] = ()
    ) -> Mapping[Component, tuple[Explanation, ...]]:
        """The explanations of each component, the best first; of latents, those of the coder that is meant."""
        foreign = self._coders.foreign(self.store, chosen)
        return self.store.of(it for it in components if it.stream not in foreign)

    def meaning(self, query: str, limit: int = 50, filters: Filters = ANY) -> list[Hit]:
        """The explanations closest in meaning, best first; nothing for a query of unknown words."""
        similarity = self._similarity(query)
        return [] if similarity is None else self._nearest(similarity, limit, filters)

    def matches(
        self, query: str, among: Sequence[Filters] = (ANY,), least: float | None = None
    ) -> Matching:
        """The sides of components that match: at least `least`, or what `matching.py` asks for.

        Filters are alternatives: what passes any of them is admitted.
        """
        similarity = self._similarity(query)
        return NO_MATCH if similarity is None else self._matching(similarity, among, least)

    def meaning_and_matches(
        self, query: str, limit: int = 50, filters: Filters = ANY
    ) -> tuple[list[Hit], Matching]:
        """Both, from one look at the index."""
        similarity = self._similarity(query)
        if similarity is None:
            return [], NO_MATCH
        hits = self._nearest(similarity, limit, filters)
        return hits, self._matching(similarity, (filters,), None)

    def hits(self, matching: Matching, limit: int) -> list[Hit]:
        """The best of the matches, with their explanations."""
        numbers = matching.numbers[:limit].tolist()
        found = dict(zip(numbers, matching.similarities[:limit].tolist(), strict=True))
        return [Hit(it, found[it.id or 0]) for it in self.store.many(numbers)]

    def _similarity(self, query: str) -> Float[Tensor, " row"] | None:
        """Cosine similarity of each explanation; None where the encoder knows none of the query's words."""
        if len(self) == 0 or not self.encoder.knows(query):
            return None
        vector = self.encoder.encode([query])[0]
        return self._vectors @ vector.float() if bool(vector.any()) else None

    def _matching(
        self,
        similarity: Float[Tensor, " row"],
        among: Sequence[Filters],
        least: float | None,
    ) -> Matching:
        needed = bar(similarity) if least is None else least
        masks = [self._mask(filters) for filters in among]
        admitted = [mask for mask in masks if mask is not None]
        if len(admitted) == len(masks):
            similarity = similarity.masked_fill(~torch.stack(admitted).any(0), -torch.inf)
        return by_side(needed, self._numbers, similarity, self._columns["side_of"])

    def _nearest(
        self, similarity: Float[Tensor, " row"], limit: int, filters: Filters
    ) -> list[Hit]:
        mask = self._mask(filters)
        if mask is not None:
            similarity = similarity.masked_fill(~mask, -torch.inf)
        best = similarity.topk(min(limit, len(self)))
        found = {
            int(self._numbers[row]): value
            for value, row in zip(best.values.tolist(), best.indices.tolist(), strict=True)
            if value > -torch.inf
        }
        return [Hit(it, found[it.id or 0]) for it in self.store.many(list(found))]

    def _mask(self, filters: Filters) -> Bool[Tensor, " row"] | None:
        columns = self._columns
        foreign = filters.foreign | self._foreign
        tests = [columns["stream"] != _STREAMS.index(stream) for stream in sorted(foreign)]
        if filters.kind is not None:
            code = KINDS.index(filters.kind) if filters.kind in KINDS else -1
            tests.append(columns["kind"] == code)
        if filters.stream is not None:
            tests.append(columns["stream"] == _STREAMS.index(filters.stream))
        if filters.layer is not None:
            tests.append(columns["layer"] == filters.layer)
        if filters.side is not None:
            tests.append(columns["is_negative"] == (filters.side == "negative"))
        if filters.min_score is not None:
            tests.append(columns["score"] >= filters.min_score)  # NaN, never scored, is not >=
        if filters.min_density is not None:
            tests.append(columns["density"] >= filters.min_density)
        if filters.max_density is not None:
            tests.append(columns["density"] <= filters.max_density)
        if filters.explainer is not None:
            rows = self.store.select(
                "SELECT id FROM explanations WHERE explainer = ?", (filters.explainer,)
            )
            tests.append(torch.isin(self._numbers, torch.tensor([n for (n,) in rows])))
        return torch.stack(tests).all(0) if tests else None


def keyword_sides(
    store: ExplanationStore, query: str, filters: Filters = ANY
) -> set[tuple[str, Side]]:
    """The sides, as (component's name, side), with an explanation that holds every word of the query."""
    match = match_expression(query)
    if not match:
        return set()
    where, values = filters.conditions()
    rows = store.select(
        "SELECT DISTINCT component, side FROM words JOIN explanations e ON e.id = words.rowid "
        f"WHERE words MATCH ? AND {where}",
        (match, *values),
    )
    return {(name, side) for name, side in rows}


def search_keywords(
    store: ExplanationStore, query: str, limit: int = 50, filters: Filters = ANY
) -> list[Hit]:
    """The explanations that hold every word of the query, best first."""
    match = match_expression(query)
    if not match:
        return []
    where, values = filters.conditions()
    rows = store.select(
        "SELECT e.id, bm25(words) FROM words JOIN explanations e ON e.id = words.rowid "
        f"WHERE words MATCH ? AND {where} ORDER BY bm25(words), e.score DESC LIMIT ?",
        (match, *values, limit),
    )
    rank = dict(rows)
    return [Hit(it, -float(rank[it.id])) for it in store.many([number for number, _ in rows])]


def match_expression(query: str) -> str:
    """A query as FTS5 reads it: quoted words, so that nothing in them is an operator."""
    words = [word for word in _words(query)][:MAX_QUERY_WORDS]
    quoted = [f'"{word}"' for word in words]
    if quoted and query[-1:].isalnum():  # still being typed
        quoted[-1] += "*"
    return " ".join(quoted)


def _words(query: str) -> Iterator[str]:
    word = ""
    for letter in query:
        if letter.isalnum():
            word += letter
        elif word:
            yield word
            word = ""
    if word:
        yield word


def merge(results: Sequence[Sequence[Hit]], limit: int) -> list[Hit]:
    """Results of several stores as one list, best first."""
    return sorted((hit for hits in results for hit in hits), key=lambda hit: -hit.similarity)[
        :limit
    ]


def _columns(store: ExplanationStore, table: VectorTable) -> dict[str, Tensor]:
    """What filters look at, one value for each row of the table; rows that are gone match nothing."""
    rows = store.select(
        "SELECT id, kind, stream, layer, number, side, score, density FROM explanations ORDER BY id",
        (),
    )
    place = {int(number): row for row, number in enumerate(table.numbers)}
    n = len(place)
    nan = float("nan")
    columns = {
        "kind": torch.full((n,), -2, dtype=torch.int8),
        "stream": torch.zeros(n, dtype=torch.int8),
        "layer": torch.full((n,), -2, dtype=torch.int16),
        "side_of": torch.full((n,), -1, dtype=torch.int64),
        "is_negative": torch.zeros(n, dtype=torch.bool),
        "score": torch.full((n,), nan),
        "density": torch.full((n,), nan),
    }
    found = [(place[row[0]], *row[1:]) for row in rows if row[0] in place]
    if not found:
        return columns
    at, kind, stream, layer, number, side, score, density = zip(*found, strict=True)
    where = torch.tensor(at)
    columns["kind"][where] = torch.tensor([_code(it) for it in kind], dtype=torch.int8)
    codes = [_STREAMS.index(it) for it in stream]
    columns["stream"][where] = torch.tensor(codes, dtype=torch.int8)
    columns["layer"][where] = torch.tensor(layer, dtype=torch.int16)
    columns["is_negative"][where] = torch.tensor([it == "negative" for it in side])
    columns["side_of"][where] = torch.tensor(
        [_side_code(*it) for it in zip(kind, stream, layer, number, side, strict=True)]
    )
    columns["score"][where] = torch.tensor([nan if it is None else it for it in score])
    columns["density"][where] = torch.tensor([nan if it is None else it for it in density])
    return columns


def _code(kind: Kind) -> int:
    return KINDS.index(kind) if kind in KINDS else -1


def _side_code(kind: Kind, stream: Stream | None, layer: int, number: int, side: Side) -> int:
    """One number for a component's side: kind, stream and side below, layer and number above."""
    where = (number << 16) + layer
    return where * 32 + ((_code(kind) + 1) * 4 + _STREAMS.index(stream)) * 2 + (side == "negative")
