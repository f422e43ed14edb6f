"""The store of explanations: what is kept, who may read it meanwhile, and what it refuses."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from neuron_explainer.explanations.explanation import Explanation, Score, SimulatedExcerpt
from neuron_explainer.explanations.store import ExplanationStore, Failure
from neuron_explainer.nodes import Component

NEURON = Component("mlp", 3, 117)
MARKUP = "fires on <script>alert('x')</script> & \"quotes\""


def made(text: str, score: float | None = None, component: Component = NEURON) -> Explanation:
    measures = {} if score is None else {"correlation": Score(score, score - 0.1, score + 0.1, 640)}
    return Explanation(component, text, "positive", "lookup", "2026-01-31T12:00:00Z", measures)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "explanations.sqlite"


def test_what_is_stored_comes_back_with_the_best_first(path: Path) -> None:
    unscored, low, high = made("unscored"), made("low", 0.2), made("high", 0.7)
    rule = {"tokens": [[1, 0.5]]}
    with ExplanationStore.open(path, writable=True) as store:
        for explanation in (unscored, low, high):
            store.add(explanation)
        latent = Explanation(
            Component("latent", 2, 5, "mlp"),
            "a latent",
            "positive",
            "trigger_graph",
            "2026-01-31T12:00:00Z",
            {"correlation": Score(None, n=12, reason="it never varies")},
            density=0.01,
            rule=rule,
            prompt_hash="ab",
        )
        store.add(latent)
    found = ExplanationStore.open(path).of([NEURON, latent.component, Component("mlp", 0, 0)])
    assert [it.text for it in found[NEURON]] == ["high", "low", "unscored"]
    assert found[NEURON][0].scores == {"correlation": 0.7}
    assert found[NEURON][0].measures["correlation"] == Score(0.7, 0.6, 0.8, 640)
    (kept,) = found[latent.component]
    assert kept.rule == rule
    assert kept.measures["correlation"].reason == "it never varies"
    assert (kept.score, kept.density, kept.prompt_hash) == (None, 0.01, "ab")
    assert Component("mlp", 0, 0) not in found


def test_the_same_sentence_of_the_same_explainer_is_kept_once(path: Path) -> None:
    with ExplanationStore.open(path, writable=True) as store:
        store.add(made("one", 0.1))
        store.add(made("one", 0.3))
        assert [it.score for it in store.all()] == [0.3]
        assert store.select("SELECT count(*) FROM words WHERE words MATCH 'one'", ()) == [(1,)]


def test_text_stays_text(path: Path) -> None:
    with ExplanationStore.open(path, writable=True) as store:
        store.add(made(MARKUP))
    (kept,) = ExplanationStore.open(path).all()
    assert kept.text == MARKUP


def test_simulations_and_failures_are_kept(path: Path) -> None:
    excerpt = SimulatedExcerpt((" the", " cat"), (0.0, 1.25), (0.5, 1.0), "top")
    with ExplanationStore.open(path, writable=True) as store:
        number = store.add(made("cats", 0.4), [excerpt]).id or 0
        failure = Failure(NEURON, "negative", "llm", "simulate", "garbage", "2026-01-31T12:00:00Z")
        store.fail(failure)
        (kept,) = store.simulations(number)
        assert (kept.tokens, list(kept.true), list(kept.simulated)) == (
            (" the", " cat"),
            [0.0, 1.25],
            [0.5, 1.0],
        )
        assert store.failures() == (failure,)
        store.remove(number)
        assert store.simulations(number) == ()


def test_a_store_explains_the_latents_of_one_coder_for_each_stream(path: Path) -> None:
    with ExplanationStore.open(path, writable=True) as store:
        assert store.coders == {}
        for stream, name in (("mlp", "mine"), ("attn", "other"), ("mlp", "mine")):
            store.note_coder(stream, name)  # type: ignore[arg-type]  # a Stream
        assert store.coders == {"mlp": "mine", "attn": "other"}
        with pytest.raises(ValueError, match="'mine', not of 'other'"):
            store.note_coder("mlp", "other")


def test_an_explanation_takes_the_place_of_its_failure(path: Path) -> None:
    with ExplanationStore.open(path, writable=True) as store:
        store.fail(Failure(NEURON, "positive", "lookup", "explain", "why", "now"))
        store.add(made("it worked"))
        assert store.failures() == ()


def test_a_reader_sees_each_commit_of_a_writer_at_work(path: Path) -> None:
    with (
        ExplanationStore.open(path, writable=True) as writer,
        ExplanationStore.open(path) as reader,
    ):
        assert len(reader) == 0
        writer.add(made("first"))
        assert len(reader) == 1
        with writer.transaction():
            writer.add(made("second"))
            assert len(reader) == 1  # not committed yet
        assert len(reader) == 2


def test_a_reader_cannot_write(path: Path) -> None:
    ExplanationStore.open(path, writable=True).close()
    with (
        ExplanationStore.open(path) as reader,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        reader.add(made("no"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_in_a_folder_nobody_may_write_to_can_be_read(path: Path) -> None:
    with ExplanationStore.open(path, writable=True) as store:
        store.add(made("packed"))
        store.compact()
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert len(ExplanationStore.open(path)) == 1
    finally:
        path.parent.chmod(stat.S_IRWXU)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(
        "not a database, and long enough to have a header of 100 bytes" * 4
    )
    with pytest.raises(ValueError, match="not a store"):
        ExplanationStore.open(tmp_path / "text")
    with pytest.raises(LookupError, match="no store"):
        ExplanationStore.open(tmp_path / "missing")
    sqlite3.connect(tmp_path / "other").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(ValueError, match="layout 0"):
        ExplanationStore.open(tmp_path / "other")
