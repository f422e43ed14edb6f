"""The demo's explanations are there, are as good as is said, and are said to be as good as they are."""

import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuron_explainer.exemplars.store import open_dataset
from neuron_explainer.explanations.evidence import evidence, sides_of
from neuron_explainer.explanations.rule_explainer import score_rule
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.token_rule import TokenRule
from neuron_explainer.nodes import Component

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "datasets/demo"
REPORT = json.loads((DEMO / "explanations.json").read_text())


@pytest.fixture(scope="module")
def store() -> Iterator[ExplanationStore]:
    with ExplanationStore.open(DEMO / "explanations.sqlite") as opened:
        yield opened


def test_the_report_is_the_mean_of_what_is_stored(store: ExplanationStore) -> None:
    found: dict[tuple[object, ...], list[dict[str, float | None]]] = {}
    for it in store.all():
        of = it.component
        for layer in (of.layer, None):
            key = (of.kind, of.stream, layer, it.explainer)
            found.setdefault(key, []).append(dict(it.scores))
    assert REPORT
    for row in REPORT:
        some = found[(row["kind"], row["stream"], row["layer"], row["explainer"])]
        assert row["sides"] == len(some)
        for name in ("correlation", "precision", "recall", "auroc_pairs", "lookup_correlation"):
            known = [value for it in some if (value := it.get(name)) is not None]
            if row[name] is None:
                assert known == []
            else:
                assert row[name]["defined"] == len(known)
                assert row[name]["mean"] == pytest.approx(statistics.fmean(known), abs=1e-4)


def test_stored_scores_are_those_of_the_stored_rules(store: ExplanationStore) -> None:
    dataset = open_dataset(DEMO / "exemplars")
    for name in ("mlp_L0_3", "mlp_L3_117", "mlp_L5_500", "mlp_ae_L2_33", "attn_ae_L4_12"):
        component = Component.parse(name)
        for it in store.of([component])[component]:
            assert it.rule is not None
            known = evidence(dataset.record(component), it.side)
            for measure, score in score_rule(TokenRule.from_json(it.rule), known).items():
                kept = it.measures[measure]
                assert (kept.n, kept.reason) == (score.n, score.reason)
                if score.value is None:
                    assert kept.value is None
                else:
                    assert kept.value == pytest.approx(score.value, abs=1e-6)


def test_every_latent_that_fires_where_rules_are_learnt_is_explained(
    store: ExplanationStore,
) -> None:
    """A few are active in held-out excerpts alone: of them there is nothing to say."""
    dataset = open_dataset(DEMO / "exemplars")
    assert store.coders == {"mlp": "demo-mlp", "attn": "demo-attn"}
    done = store.done("trigger_graph")
    for stream in ("attn", "mlp"):
        for layer in range(6):
            members = dataset.components("latent", layer, stream)  # type: ignore[arg-type]  # a Stream
            some = members[:: len(members) // 12]
            fire = [it for it in some if sides_of(dataset.record(it))]
            explained = [it for it in some if (str(it), "positive") in done]
            assert set(explained) <= set(fire)
            assert len(explained) >= len(fire) - 1
    assert not [it for it in store.all() if "no token in particular" in it.text]


def test_every_side_of_every_neuron_and_head_is_explained(store: ExplanationStore) -> None:
    dataset = open_dataset(DEMO / "exemplars")
    for kind, explainer in (("mlp", "trigger_graph"), ("attn", "attention_patterns")):
        for layer in (0, 5):
            members = dataset.components(kind, layer)[:24]  # type: ignore[arg-type]  # a Kind
            done = store.done(explainer)
            for component in members:
                sides = sides_of(dataset.record(component))
                assert all((str(component), side) in done for side in sides)
                assert kind == "mlp" or sides == ("positive",)


def test_the_documents_state_what_the_report_says() -> None:
    text = (ROOT / "docs/explanations.md").read_text()
    whole = {
        (row["kind"], row["stream"], row["explainer"]): row
        for row in REPORT
        if row["layer"] is None
    }
    for (kind, stream, explainer), row in whole.items():
        (stated,) = re.findall(
            rf"^\| {named(kind, stream)} \| `{explainer}` \|(.*)\|$", text, re.MULTILINE
        )
        values = [cell.strip() for cell in stated.split("|")]
        assert values == [
            f"{row['components']:,}",
            f"{row['sides']:,}",
            *(shown(row[name]) for name in ("correlation", "precision", "recall", "auroc_pairs")),
        ]
    lacking = [
        f"{row['sides'] - row[name]['defined']:,}"
        for name in ("correlation", "precision")
        for kind, stream in (("latent", "mlp"), ("latent", "attn"), ("mlp", None))
        for row in [whole[kind, stream, "trigger_graph"]]
    ]
    (stated,) = re.findall(
        r"no correlation \((\S+) latents of `mlp`, (\S+) of `attn`, (\S+) side .*?"
        r"no precision \(trigger graphs of (\S+) and (\S+) latents and (\S+) sides",
        text,
        re.DOTALL,
    )
    assert list(stated) == lacking


def test_the_readme_states_the_scores_by_kind_and_layer() -> None:
    text = (ROOT / "README.md").read_text()
    names = {"lookup": "token lookup", "trigger_graph": "trigger graph"}
    for kind, stream, explainer in {(it["kind"], it["stream"], it["explainer"]) for it in REPORT}:
        rows = [
            row
            for row in REPORT
            if (row["kind"], row["stream"], row["explainer"]) == (kind, stream, explainer)
        ]
        rows.sort(key=lambda row: (row["layer"] is None, row["layer"]))
        name = names.get(explainer, "attention patterns")
        (stated,) = re.findall(rf"^\| {named(kind, stream)}, {name} \|(.*)\|$", text, re.MULTILINE)
        assert [cell.strip() for cell in stated.split("|")] == [
            *(shown(row["correlation"]) for row in rows),
            *(shown(rows[-1][measure]) for measure in ("precision", "recall")),
        ]
        if (
            kind == "latent"
        ):  # of which the lookup's score alone is kept, beside the trigger graph's
            (stated,) = re.findall(
                rf"^\| {named(kind, stream)}, token lookup \|(.*)\|$", text, re.MULTILINE
            )
            cells = [cell.strip() for cell in stated.split("|")]
            assert cells == [*(shown(row["lookup_correlation"]) for row in rows), "", ""]


def named(kind: str, stream: str | None) -> str:
    return {"attn": "heads", "mlp": "neurons"}.get(kind) or f"latents of `{stream}`"


def shown(measure: dict[str, float] | None) -> str:
    return "" if measure is None else f"{measure['mean']:.2f}"
