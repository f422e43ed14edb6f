"""What counts as a match: the bar by hand, and on pairs that clearly mean the same, or clearly do not."""

import pytest
import torch

from neuron_explainer.explanations.encoders import word_vectors
from neuron_explainer.explanations.explanation import Explanation, Side
from neuron_explainer.explanations.matching import FLOOR, bar, by_side, count_sides
from neuron_explainer.explanations.search import Filters, SearchIndex, keyword_sides
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.nodes import Component
from tests.explanations.planted import PLANTED, fillers

SAME = [
    ("weekdays", "fires on ' Tuesday', ' Friday' and other days of the week after ' on'"),
    ("cities", "fires on ' Vienna', ' Tehran' and other cities"),
    ("commas", "fires on ',' and ' ,'"),
    ("colors", "fires on ' red', ' blue' and other colours"),
    ("induction", "attends to what followed earlier copies of the same token (induction)"),
    ("animals", "fires on ' cow', ' sheep' and 4 other tokens"),
    *((query, text) for text, query in PLANTED),
]
UNLIKE = [
    ("weekdays", "fires on ' red', ' blue' and other colours"),
    ("fire and smoke", "fires on ' had', ' was' and 9 other tokens after ' they'"),
    ("quantum physics", "fires on ' she', ' he' and other pronouns"),
    ("cities", "fires on '\"', '.' and other ends of sentences"),
    ("other tokens", "fires on ' and' and 3 other tokens"),
    ("volcano", "fires on ' doctor', ' pilot' and other professions"),
]


def test_the_bar_is_three_deviations_above_the_middle() -> None:
    # Of -50..50 the median is 0, the median absolute deviation 25.
    values = torch.arange(-50, 51) / 100
    assert bar(values) == pytest.approx(3 * 1.4826 * 0.25)
    assert bar(values / 10) == FLOOR
    assert bar(values + 0.5) == pytest.approx(0.5 + 3 * 1.4826 * 0.25)
    assert bar(values[:99]) == FLOOR  # too few to say


def test_the_bar_is_hardly_moved_by_the_matches() -> None:
    noise = 0.3 + 0.1 * torch.randn(2000, generator=torch.Generator().manual_seed(0))
    matches = torch.full((100,), 0.95)
    assert bar(torch.cat([noise, matches])) == pytest.approx(bar(noise), abs=0.03)
    assert bar(noise) == pytest.approx(0.6, abs=0.03)


def test_each_side_counts_once_by_its_most_similar_explanation() -> None:
    found = by_side(
        0.4,
        numbers=torch.tensor([1, 2, 3, 4, 5]),
        similarities=torch.tensor([0.5, 0.9, 0.3, 0.7, 0.4]),
        sides=torch.tensor([10, 11, 12, 10, 13]),
    )
    assert found.numbers.tolist() == [2, 4, 5]
    assert found.sides.tolist() == [11, 10, 13]
    other = by_side(0.4, torch.tensor([1]), torch.tensor([0.8]), torch.tensor([13]))
    assert count_sides([found, other]) == 3
    assert count_sides([]) == 0


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    """Explanations of other things, and those of the pairs; the first one twice over, on both sides."""
    path = tmp_path_factory.mktemp("matching") / "e.sqlite"
    store = ExplanationStore.open(path, writable=True)
    texts = [*dict.fromkeys(text for _, text in [*SAME, *UNLIKE]), *fillers(2000)]
    with store.transaction():
        for number, text in enumerate(texts):
            where = Component("mlp", number // 1000, number % 1000)
            store.add(Explanation(where, text, "positive", "lookup", "now"))
        sides: list[tuple[Side, str]] = [("positive", "again"), ("negative", "lookup")]
        for side, explainer in sides:
            store.add(Explanation(Component("mlp", 0, 0), texts[0], side, explainer, "now"))
    return SearchIndex.open(store, word_vectors(), update=True)


def texts_of(index: SearchIndex, query: str) -> set[str]:
    found = index.matches(query)
    return {hit.explanation.text for hit in index.hits(found, 5000)}


def test_what_means_the_same_matches(index: SearchIndex) -> None:
    missed = [query for query, text in SAME if text not in texts_of(index, query)]
    # The words' vectors are nearer to windows and insects.
    assert missed == ["software bugs and exceptions"]


def test_what_means_something_else_does_not(index: SearchIndex) -> None:
    wrong = [(query, text) for query, text in UNLIKE if text in texts_of(index, query)]
    assert wrong == []
    assert count_sides([index.matches("zzzz \u4e16")]) == 0


def test_few_of_many_explanations_match(index: SearchIndex) -> None:
    for query in ("weekdays", "getting married", "cardiac illness", "cities"):
        assert 1 <= count_sides([index.matches(query)]) <= len(index) / 10


def test_sides_are_counted_not_sentences(index: SearchIndex) -> None:
    found = index.matches("weekdays", (Filters(layer=0),), least=0.7)
    of = [(it.explanation.component, it.explanation.side) for it in index.hits(found, 100)]
    assert len(of) == len(set(of)) == count_sides([found])
    assert {side for component, side in of if component.index == 0} == {"positive", "negative"}
    assert keyword_sides(index.store, "Tuesday Friday") == {
        ("mlp_L0_0", "positive"),
        ("mlp_L0_0", "negative"),
    }


def test_filters_are_alternatives(index: SearchIndex) -> None:
    def layers(*among: Filters) -> set[int]:
        found = index.matches("weekdays", among, least=-1.0)
        return {hit.explanation.component.layer for hit in index.hits(found, 5000)}

    every = layers(Filters())
    assert layers(Filters(layer=0), Filters(layer=1)) == {0, 1} < every
    assert layers(Filters(layer=0), Filters()) == every
    assert layers(Filters(kind="attn")) == set()
