"""How much is explained: by coder, and over several stores each component once."""

from pathlib import Path

import pytest

from neuron_explainer.explanations.coverage import coverage
from neuron_explainer.explanations.explanation import Explanation, Score
from neuron_explainer.explanations.meant_coders import MeantCoders
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.nodes import Component

TWO = MeantCoders({"mlp": ("first", "wide")})


def store(
    path: Path, said: dict[str, float | None], coder: str | None = None, explainer: str = "rule"
) -> ExplanationStore:
    """A store with one explanation of each component, with that score."""
    made = ExplanationStore.open(path, writable=True)
    if coder is not None:
        made.note_coder("mlp", coder)
    for name, value in said.items():
        scores = {} if value is None else {"correlation": Score(value, value, value, 10)}
        of = Component.parse(name)
        made.add(Explanation(of, "rivers", "positive", explainer, "now", scores))
    return made


def test_latents_of_two_coders_are_counted_apart_and_neurons_together(tmp_path: Path) -> None:
    latents = {"mlp_ae_L1_0": 0.25, "mlp_ae_L1_1": None}
    first = store(tmp_path / "a.sqlite", {**latents, "mlp_L1_0": 0.5})
    wide = store(tmp_path / "b.sqlite", {"mlp_ae_L1_1": 0.75, "mlp_L1_1": 1.0}, "wide")
    found = [
        (it.kind, it.coder, it.n_explained, it.n_scored, it.mean_score)
        for it in coverage([first, wide], TWO)
    ]
    assert found == [
        ("latent", "first", 2, 1, 0.25),
        ("latent", "wide", 1, 1, 0.75),
        ("mlp", None, 2, 2, 0.75),
    ]


def test_what_two_stores_explain_is_counted_once_and_all_its_scores(tmp_path: Path) -> None:
    stores = [
        store(tmp_path / "a.sqlite", {"mlp_L0_1": 0.05, "mlp_L0_2": -0.2}),
        store(tmp_path / "b.sqlite", {"mlp_L0_2": 0.95, "mlp_L0_3": None}),
        store(tmp_path / "c.sqlite", {"mlp_L0_2": 0.5}, explainer="another"),
    ]
    another, rule = coverage(stores)
    assert (another.explainer, another.n_explained) == ("another", 1)
    assert (rule.n_explained, rule.n_scored) == (3, 3)
    assert rule.mean_score == pytest.approx(0.8 / 3)
    assert rule.histogram == (2, 0, 0, 0, 0, 0, 0, 0, 0, 1)


def test_nothing_is_scored(tmp_path: Path) -> None:
    (row,) = coverage([store(tmp_path / "a.sqlite", {"mlp_ae_L0_1": None})])
    assert (row.coder, row.n_scored, row.mean_score, sum(row.histogram)) == (None, 0, None, 0)
