"""Search by meaning and keyword: exact, filtered, and only within one encoder."""

import random
from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase

import pytest
import torch
import torch.nn.functional as F
from jaxtyping import Float
from openai import OpenAI
from torch import Tensor

from neuron_explainer.explanations.encoders import (
    RETIRED,
    EndpointEncoder,
    load_encoder,
    word_vectors,
)
from neuron_explainer.explanations.explanation import Explanation, Score
from neuron_explainer.explanations.matching import count_sides
from neuron_explainer.explanations.search import Filters, SearchIndex, match_expression
from neuron_explainer.explanations.search import search_keywords as by_keyword
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import (
    EncoderMismatch,
    VectorTable,
    encoder_for,
    load_vectors,
    recorded_encoder,
    save_vectors,
    update_vectors,
)
from neuron_explainer.nodes import Component
from tests.explanations.endpoint import Script, endpoint

TEXTS = {
    "mlp_L0_0": "fires on ' Tuesday', ' Friday' and other days of the week",
    "mlp_L1_5": "fires on ' Paris', ' London' and other cities",
    "mlp_L1_6": "closing brackets and parentheses",
    "mlp_ae_L1_7": "four-digit years such as 1992",
    "resid_ae_L2_7": "fires on ' piano', ' guitar' and other musical instruments",
    "attn_L2_1": "attends from a name to the previous copy of that name",
}
QUERIES = {
    "weekdays": "mlp_L0_0",
    "european capitals": "mlp_L1_5",
    "bracket": "mlp_L1_6",
    "dates and years": "mlp_ae_L1_7",
    "music": "resid_ae_L2_7",
    "duplicate name head": "attn_L2_1",
}


class OtherEncoder:
    """An encoder that counts letters."""

    name = "letters"
    dimensions = 26

    def encode(self, texts: Sequence[str]) -> Float[Tensor, "text d"]:
        rows = [[text.count(chr(97 + i)) for i in range(26)] for text in texts]
        return torch.nn.functional.normalize(torch.tensor(rows).float(), dim=-1)

    def knows(self, _: str, /) -> bool:
        return True


@pytest.fixture
def store(tmp_path: Path) -> ExplanationStore:
    store = ExplanationStore.open(tmp_path / "e.sqlite", writable=True)
    for number, (name, text) in enumerate(TEXTS.items()):
        measures = {"correlation": Score(number / 10)} if number else {}
        side = "negative" if name == "mlp_L1_6" else "positive"
        store.add(
            Explanation(
                Component.parse(name),
                text,
                side,
                "lookup",
                "2026-01-31T12:00:00Z",
                measures,
                density=number / 100,
            )
        )
    return store


@pytest.fixture
def index(store: ExplanationStore) -> SearchIndex:
    return SearchIndex.open(store, load_encoder("words"), update=True)


@pytest.mark.parametrize(("query", "name"), QUERIES.items())
def test_the_built_in_encoder_finds_meaning_without_shared_words(
    index: SearchIndex, query: str, name: str
) -> None:
    assert str(index.meaning(query)[0].explanation.component) == name


def test_meaning_is_the_exact_cosine(index: SearchIndex) -> None:
    hits = index.meaning("music from a piano", limit=3)
    assert len(hits) == 3
    encoder = word_vectors()
    query = encoder.encode(["music from a piano"])[0].double()
    every = {text: float(encoder.encode([text])[0].double() @ query) for text in TEXTS.values()}
    expected = sorted(every, key=lambda text: -every[text])[:3]
    assert [hit.explanation.text for hit in hits] == expected
    for hit in hits:
        assert hit.similarity == pytest.approx(
            every[hit.explanation.text], abs=0.01
        )  # a byte for each dimension


def test_what_is_kept_of_a_vector_points_the_same_way(store: ExplanationStore) -> None:
    numbers = torch.arange(200)
    vectors = F.normalize(torch.randn(200, 384, generator=torch.Generator().manual_seed(0)), dim=-1)
    vectors[7] = 0  # a text of unknown words
    save_vectors(store.path, VectorTable("x", numbers, vectors))
    kept = load_vectors(store.path)
    assert kept is not None
    assert kept.numbers.tolist() == numbers.tolist()
    cosine = (kept.vectors * vectors).sum(1)
    assert cosine[7] == 0
    cosine[7] = 1
    assert cosine.clamp(max=1).arccos().rad2deg().max() < 1


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(kind="attn"), {"attn_L2_1"}),
        (Filters(kind="latent"), {"mlp_ae_L1_7", "resid_ae_L2_7"}),
        (Filters(kind="latent", stream="resid"), {"resid_ae_L2_7"}),
        (Filters(layer=1), {"mlp_L1_5", "mlp_L1_6", "mlp_ae_L1_7"}),
        (Filters(side="negative"), {"mlp_L1_6"}),
        (Filters(min_score=0.35), {"resid_ae_L2_7", "attn_L2_1"}),
        (Filters(max_density=0.015), {"mlp_L0_0", "mlp_L1_5"}),
        (Filters(min_density=0.015, layer=1), {"mlp_L1_6", "mlp_ae_L1_7"}),
        (Filters(explainer="lookup", kind="mlp", side="positive"), {"mlp_L0_0", "mlp_L1_5"}),
        (Filters(explainer="nobody"), set()),
    ],
)
def test_filters_act_before_the_best_are_taken(
    index: SearchIndex, store: ExplanationStore, filters: Filters, expected: set[str]
) -> None:
    hits = index.meaning("fires on cities", limit=len(TEXTS), filters=filters)
    assert {str(hit.explanation.component) for hit in hits} == expected
    where, values = filters.conditions()
    rows = store.select(f"SELECT component FROM explanations e WHERE {where}", values)
    assert {name for (name,) in rows} == expected


def test_keywords_must_all_occur_and_are_stemmed(store: ExplanationStore) -> None:
    assert [str(h.explanation.component) for h in by_keyword(store, "city")] == ["mlp_L1_5"]
    assert {h.explanation.text for h in by_keyword(store, "fires other")} == {
        TEXTS[name] for name in ("mlp_L0_0", "mlp_L1_5", "resid_ae_L2_7")
    }
    assert by_keyword(store, "fires", filters=Filters(kind="attn")) == []
    assert len(by_keyword(store, "fires", limit=2)) == 2


@pytest.mark.parametrize(
    "query", ['" OR "', "NEAR(", "*", "-x", "a AND", "'; DROP TABLE x", "", "É"]
)
def test_no_query_is_an_operator(store: ExplanationStore, query: str) -> None:
    by_keyword(store, query)


def test_a_word_that_is_being_typed_is_a_beginning() -> None:
    assert match_expression('other "mus') == '"other" "mus"*'
    assert match_expression("music ") == '"music"'


def test_another_encoder_than_the_indexs_is_an_error(store: ExplanationStore) -> None:
    update_vectors(store, word_vectors())
    with pytest.raises(EncoderMismatch, match="words-128-content.*letters"):
        SearchIndex.open(store, OtherEncoder())
    SearchIndex.open(store, OtherEncoder(), update=True)
    with pytest.raises(EncoderMismatch, match="letters.*words-128-content"):
        SearchIndex.open(store, word_vectors())


def test_vectors_of_an_earlier_versions_encoder_are_made_anew_or_refused(
    store: ExplanationStore,
) -> None:
    (retired,) = RETIRED
    save_vectors(store.path, VectorTable(retired, torch.arange(6), torch.eye(6)))
    with pytest.raises(LookupError, match=f"{retired}.*--reindex words"):
        load_encoder(retired)
    with pytest.raises(EncoderMismatch, match=f"{retired}.*--reindex"):
        SearchIndex.open(store, word_vectors())
    assert encoder_for(store.path) is word_vectors()
    update_vectors(store, encoder_for(store.path))
    assert recorded_encoder(store.path) == word_vectors().name
    assert SearchIndex.open(store, word_vectors()).meaning("weekdays")


def test_what_is_added_is_encoded_as_what_was_there(store: ExplanationStore) -> None:
    assert encoder_for(store.path) is word_vectors()
    update_vectors(store, OtherEncoder())
    with pytest.raises(LookupError, match="letters"):
        encoder_for(store.path)


def test_only_what_is_new_is_encoded(store: ExplanationStore) -> None:
    calls: list[int] = []

    class Counting(OtherEncoder):
        def encode(self, texts: Sequence[str]) -> Float[Tensor, "text d"]:
            calls.append(len(texts))
            return super().encode(texts)

    before = update_vectors(store, Counting())
    first = next(iter(store.all()))
    store.remove(first.id or 0)
    added = store.add(Explanation(first.component, "zzz", "positive", "human", "now"))
    after = update_vectors(store, Counting())
    assert calls == [len(TEXTS), 1]
    torch.testing.assert_close(after.vectors[:-1], before.vectors[1:])
    assert int(after.numbers[-1]) == added.id
    loaded = load_vectors(store.path)
    assert loaded is not None
    torch.testing.assert_close(loaded.vectors, after.vectors)


def test_an_index_knows_that_its_store_has_grown(
    index: SearchIndex, store: ExplanationStore
) -> None:
    assert not index.is_stale()
    store.add(Explanation(Component("mlp", 0, 9), "new", "positive", "human", "now"))
    assert index.is_stale()


def test_an_index_that_was_opened_before_the_vectors_were_written_is_stale_after(
    index: SearchIndex, store: ExplanationStore
) -> None:
    store.add(Explanation(Component("mlp", 0, 9), "volcanoes", "positive", "human", "now"))
    early = SearchIndex.open(store, index.encoder)
    assert (len(early), early.is_stale()) == (len(index), False)
    update_vectors(store, index.encoder)
    assert early.is_stale()
    assert not SearchIndex.open(store, index.encoder).is_stale()


def test_without_vectors_the_error_says_how_to_make_them(store: ExplanationStore) -> None:
    with pytest.raises(LookupError, match="--reindex"):
        SearchIndex.open(store, word_vectors())


def test_a_query_without_known_words_finds_nothing(index: SearchIndex) -> None:
    assert index.meaning("") == []
    assert index.meaning("\u4e16") == []


@pytest.mark.parametrize("query", ["zzxqqq", "asdfgh", "hjkl qwqw", "xkvbrt zzxqqq", "'zzxqqq'"])
def test_pieces_of_no_word_mean_nothing(index: SearchIndex, query: str) -> None:
    assert bool(word_vectors().encode([query]).any())  # the pieces have vectors
    assert index.meaning(query) == []
    assert count_sides([index.matches(query, least=-1.0)]) == 0


@pytest.mark.parametrize(
    "query", ["Tuesdays", "javascript", "zzxqqq rivers", "the", ";", "31415926"]
)
def test_a_word_may_be_known_by_its_parts(index: SearchIndex, query: str) -> None:
    assert index.meaning(query) != []


def test_random_letters_are_hardly_ever_a_word() -> None:
    draw = random.Random(0)
    strings = ["".join(draw.choices(ascii_lowercase, k=draw.randint(4, 10))) for _ in range(1000)]
    assert sum(map(word_vectors().knows, strings)) <= 5


def test_nine_of_ten_planted_descriptions_come_first_among_thousands(tmp_path: Path) -> None:
    """The full size, 300,000, is in scripts/benchmarks/search.py."""
    from tests.explanations.planted import PLANTED, fillers

    store = ExplanationStore.open(tmp_path / "many.sqlite", writable=True)
    with store.transaction():
        for number, text in enumerate([*fillers(3000), *(text for text, _ in PLANTED)]):
            where = Component("mlp", number // 1000, number % 1000)
            store.add(Explanation(where, text, "positive", "lookup", "now"))
    index = SearchIndex.open(store, word_vectors(), update=True)
    first = sum(index.meaning(query, 1)[0].explanation.text == text for text, query in PLANTED)
    assert first >= 9


def test_an_endpoint_encodes_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def vector(text: str) -> list[float]:
        return [float(text.count(letter)) for letter in "abcdefgh"]

    store = ExplanationStore.open(tmp_path / "e.sqlite", writable=True)
    for number, text in enumerate(("a bad cab", "each head", "face")):
        where = Component("mlp", 0, number)
        store.add(Explanation(where, text, "positive", "human", "2026-01-31T12:00:00Z"))
    with endpoint(Script(lambda body: "", embed=vector)) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        encoder = load_encoder("endpoint:small")
        index = SearchIndex.open(store, encoder, update=True)
        assert index.meaning("head each", 1)[0].explanation.text == "each head"
        assert load_vectors(store.path).encoder == "endpoint:small"  # type: ignore[union-attr]
    nowhere = OpenAI(base_url="http://127.0.0.1:9", api_key="none", max_retries=0)
    with pytest.raises(LookupError, match="OPENAI_BASE_URL"):
        EndpointEncoder(nowhere, "small").encode(["more"])
