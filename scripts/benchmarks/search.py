"""Search by meaning among 300,000 explanations of 384 dimensions: how fast, and does it find.

    scripts/bench search

Prints the latency of a query with filters on (median and worst of 50, after warm-up), what the encoding
of the query takes, and how many of ten planted descriptions come first when asked for in other words.
"""

import statistics
import tempfile
import time
from pathlib import Path

import torch

from neuron_explainer.explanations.encoders import load_encoder
from neuron_explainer.explanations.explanation import Explanation, Score
from neuron_explainer.explanations.search import Filters, SearchIndex, search_keywords
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import VectorTable, save_vectors
from neuron_explainer.nodes import Component
from tests.explanations.planted import PLANTED, fillers

N = 300_000
N_QUERIES = 50
N_DISTINCT = 20_000
"""Other sentences that are encoded; the index repeats them, which changes nothing about its size."""
PER_LAYER = 6400
FILTERS = Filters(kind="mlp", side="positive", min_score=-1.0, max_density=0.9)


def main() -> None:
    torch.set_num_threads(2)
    for name in ("minilm", "words"):
        with tempfile.TemporaryDirectory() as folder:
            run(name, Path(folder))


def run(name: str, folder: Path) -> None:
    encoder = load_encoder(name)
    store = ExplanationStore.open(folder / "e.sqlite", writable=True)
    distinct_texts = list(dict.fromkeys(fillers(N_DISTINCT)))
    n_fillers = N - len(PLANTED)
    texts = (distinct_texts * (n_fillers // len(distinct_texts) + 1))[:n_fillers]
    for number, (text, _) in enumerate(PLANTED):
        texts.insert(number * N // len(PLANTED) + 7, text)
    with store.transaction():
        for number, text in enumerate(texts):
            where = Component("mlp", number // PER_LAYER, number % PER_LAYER)
            score = {"correlation": Score(number % 100 / 100)}
            store.add(Explanation(where, text, "positive", "x", "now", score, density=0.01))
    distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    vectors = encoder.encode(list(distinct))
    numbers = torch.tensor(
        [n for (n,) in store.select("SELECT id FROM explanations ORDER BY id", ())]
    )
    table = vectors[[distinct[text] for text in texts]]
    save_vectors(store.path, VectorTable(encoder.name, numbers, table))
    started = time.perf_counter()
    index = SearchIndex.open(store, encoder)
    opened = time.perf_counter() - started

    queries = [query for _, query in PLANTED]
    for query in queries[:3]:
        index.meaning_and_matches(query, filters=FILTERS)
    taken, encoding, keyword = [], [], []
    for i in range(N_QUERIES):
        query = queries[i % len(queries)]
        started = time.perf_counter()
        index.meaning_and_matches(query, 50, FILTERS)
        taken.append(time.perf_counter() - started)
        started = time.perf_counter()
        encoder.encode([query])
        encoding.append(time.perf_counter() - started)
        started = time.perf_counter()
        search_keywords(store, "rivers streets", 50, FILTERS)
        keyword.append(time.perf_counter() - started)
    first = sum(
        index.meaning(query, 1, FILTERS)[0].explanation.text == text for text, query in PLANTED
    )
    print(f"{encoder.name}: {len(index)} x {encoder.dimensions}, {len(distinct)} distinct")
    print(f"  opened in {opened:.2f} s")
    print(
        f"  by meaning, filters on: median {ms(statistics.median(taken))}, worst {ms(max(taken))}"
    )
    print(f"    of which the query's encoding: median {ms(statistics.median(encoding))}")
    print(f"  by keyword, filters on: median {ms(statistics.median(keyword))}")
    print(f"  planted descriptions first: {first} of {len(PLANTED)}")


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


if __name__ == "__main__":
    main()
