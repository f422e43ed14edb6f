"""The node table against choosing rows by brute force."""

from collections.abc import Sequence
from dataclasses import astuple

import pytest
import torch

from neuron_explainer.attribution.effects import Effects, WriteNorms
from neuron_explainer.attribution.metric import Metric
from neuron_explainer.attribution.table import METRICS, NodeTable, node_table
from neuron_explainer.models.interventions import Ablate, Patch, Scale, Set
from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.run import Case, run
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER, SHORT = some_tokens(8, 1), some_tokens(8, 2), some_tokens(6, 3)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))
LOGPROB = TokenObjective("logprob", (9,), position=4)
QUERY = NodeObjective(Node.parse("attn_L2_3@6:4"), "query")
NEURON = NodeObjective(Node.parse("mlp_L2_7@5"))


def effects_of(model: Transformer, *cases: Case) -> list[Effects]:
    norms = WriteNorms(model)
    return [Effects(mine, norms) for mine in run(model, cases)]


def table_of(model: Transformer, *cases: Case, top_k: int = 3) -> NodeTable:
    return node_table(effects_of(model, *cases), top_k=top_k)


def name_of(kind: str, layer: int, place: Sequence[int]) -> str:
    match kind:
        case "attn":
            head, query, key = place
            return f"attn_L{layer}_{head}@{query}:{key}"
        case "mlp":
            token, neuron = place
            return f"mlp_L{layer}_{neuron}@{token}"
        case _:
            return f"embed@{place[0]}"


def numbers(kind: str, metric: Metric) -> dict[str, float]:
    """Every node of a kind with its number."""
    return {
        name_of(kind, layer, place.tolist()): float(values[tuple(place)])
        for layer, values in enumerate(metric.layers)
        for place in torch.ones_like(values).nonzero()
    }


def chosen(effects: Effects, kind: str, top_k: int) -> set[str]:
    """By brute force: the ends of every metric but the embeddings' activation, which is constant."""
    found: set[str] = set()
    for name in METRICS:
        if (kind, name) == ("embed", "activation"):
            continue
        metric = effects.kinds()[kind](name)
        entries = numbers(kind, metric).items()  # in order of place, which breaks ties
        largest = sorted(entries, key=lambda entry: -entry[1])[:top_k]
        found |= {node for node, value in largest if value > 0}
        if metric.is_signed:
            smallest = sorted(entries, key=lambda entry: entry[1])[:top_k]
            found |= {node for node, value in smallest if value < 0}
    return found


@pytest.mark.parametrize("top_k", [1, 4])
@pytest.mark.parametrize(
    "objective", [LOGIT_DIFF, LOGPROB, QUERY], ids=["diff", "logprob", "trace"]
)
def test_rows_are_the_ends_of_every_metric_of_every_kind(
    objective: TokenObjective | NodeObjective, top_k: int, varied: TinyModel
) -> None:
    (effects,) = effects_of(varied.ours, Case(TOKENS, objective))
    table = node_table([effects], top_k=top_k)
    for kind in ("embed", "attn", "mlp"):
        rows = [row.node for row in table.nodes if row.kind == kind]
        assert len(rows) == len(set(rows))
        assert set(rows) == chosen(effects, kind, top_k), kind


def test_every_row_gives_every_metric(varied: TinyModel) -> None:
    (effects,) = effects_of(varied.ours, Case(TOKENS, LOGIT_DIFF))
    table = node_table([effects], top_k=2)
    truth = {
        (kind, metric): numbers(kind, effects.kinds()[kind](metric))
        for kind in ("embed", "attn", "mlp")
        for metric in METRICS
    }
    for row in table.nodes:
        if row.kind == "bias":
            continue
        (values,) = row.values
        assert values is not None
        wanted = [truth[row.kind, metric][row.node] for metric in METRICS]
        assert astuple(values)[:4] == pytest.approx(wanted, abs=1e-6), row.node
        node = Node.parse(row.node)
        assert (row.component, row.kind) == (str(node.component), node.component.kind)
        assert (row.layer, row.index) == (node.component.layer, node.component.index)
        assert (row.position, row.key_position) == (node.position, node.key_position)


@pytest.mark.parametrize("kind", ["gpt2", "mistral"])
def test_no_masked_pair_is_listed_however_many_are_asked_for(
    kind: str, tiny_models: TinyModels
) -> None:
    """Ahead of the token, or further back than a window."""
    model = tiny_models(kind).ours
    table = table_of(model, Case(TOKENS, LOGIT_DIFF), top_k=1000)
    window = model.config.attention_window or len(TOKENS)
    pairs = [row for row in table.nodes if row.kind == "attn"]
    n_seen = sum(min(query + 1, window) for query in range(len(TOKENS)))
    assert len(pairs) == 3 * 4 * n_seen
    for row in pairs:
        assert 0 <= row.position - row.key_position < window


def test_two_cases_share_the_union_of_their_rows(varied: TinyModel) -> None:
    edit = Ablate(Component("attn", 1, 2))
    cases = (Case(TOKENS, LOGIT_DIFF, (edit,)), Case(TOKENS, LOGIT_DIFF))
    left, right = effects_of(varied.ours, *cases)
    table = node_table([left, right], top_k=3)
    for kind in ("embed", "attn", "mlp"):
        rows = {row.node for row in table.nodes if row.kind == kind}
        assert rows == chosen(left, kind, 3) | chosen(right, kind, 3)
        for column, effects in enumerate((left, right)):
            totals = numbers(kind, effects.kinds()[kind]("total_effect"))
            for row in table.nodes:
                if row.kind == kind:
                    found = row.values[column].total_effect
                    assert found == pytest.approx(totals[row.node], abs=1e-6)


def test_prompts_of_unequal_length_are_aligned_at_their_ends(tiny_models: TinyModels) -> None:
    """TOKENS has two tokens more than SHORT: its first two have no partner."""
    model = tiny_models("llama-grouped").ours
    left, right = effects_of(model, Case(TOKENS, LOGIT_DIFF), Case(SHORT, LOGIT_DIFF))
    table = node_table([left, right], top_k=4)
    activations = [numbers("mlp", e.neurons("activation")) for e in (left, right)]
    for row in table.nodes:
        if row.kind == "bias":
            continue
        ours, theirs = (name and Node.parse(name) for name in row.case_nodes)
        assert ours is not None
        if theirs is None:
            assert row.values[1] is None
            assert min(ours.position, ours.key_position or 0 if row.kind == "attn" else 9) < 2
        else:
            assert theirs.position == ours.position - 2
            assert (theirs.key_position is None) == (ours.key_position is None)
            assert (theirs.key_position or 0) == (ours.key_position or 2) - 2
        if row.kind == "mlp":
            for column, name in enumerate(row.case_nodes):
                if name is not None:
                    found = row.values[column].activation
                    assert found == pytest.approx(activations[column][name], abs=1e-6)
    assert any(row.values[1] is None for row in table.nodes)
    swapped = table_of(model, Case(SHORT, LOGIT_DIFF), Case(TOKENS, LOGIT_DIFF), top_k=4)
    assert any(row.values[0] is None and row.node == row.case_nodes[1] for row in swapped.nodes)
    assert {row.case_nodes[::-1] for row in swapped.nodes} == {r.case_nodes for r in table.nodes}


def test_totals_hold_all_nodes_and_say_how_much_is_listed(varied: TinyModel) -> None:
    table = table_of(varied.ours, Case(TOKENS, LOGIT_DIFF), top_k=2)
    (report,) = table.cases
    assert report.objective.adds_up
    total = sum(report.direct_effect_by_kind.values())
    assert total == pytest.approx(report.objective.value, rel=1e-4, abs=1e-4)
    listed = sum(row.values[0].direct_effect for row in table.nodes)
    assert report.listed_direct_effect == pytest.approx(listed, abs=1e-5)
    assert listed != pytest.approx(total, rel=0.01)
    for kind, by_layer in report.direct_effect_by_layer.items():
        assert sum(by_layer) == pytest.approx(report.direct_effect_by_kind[kind], abs=1e-4)


def test_with_every_row_listed_nothing_is_left(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    report = table_of(model, Case(TOKENS, LOGIT_DIFF), top_k=100_000).cases[0]
    assert report.listed_direct_effect == pytest.approx(report.objective.value, rel=1e-4, abs=1e-4)


def test_strips_and_maps_hold_the_same_total_effects(varied: TinyModel) -> None:
    (effects,) = effects_of(varied.ours, Case(TOKENS, LOGIT_DIFF))
    report = node_table([effects], top_k=1).cases[0]
    totals = {kind: effects.kinds()[kind]("total_effect").layers for kind in ("attn", "mlp")}
    everything = float(torch.stack(totals["attn"]).sum())
    for strip in ("attn_from", "attn_to"):
        assert sum(report.by_token[strip]) == pytest.approx(everything, abs=1e-4)
    for name, by_layer in report.by_layer.items():
        assert torch.tensor(by_layer).shape == (3, len(TOKENS))
        total = float(torch.stack(totals[name]).sum())
        assert sum(map(sum, by_layer)) == pytest.approx(total, abs=1e-4)
    assert sum(report.by_token["mlp"]) == pytest.approx(sum(map(sum, report.by_layer["mlp"])))
    assert len(report.by_token["embed"]) == len(TOKENS)


def test_next_tokens_hold_the_likeliest_and_whatever_is_asked_about(tiny: TinyModel) -> None:
    logits = tiny.hf_logits(TOKENS)[4]
    order = logits.argsort(descending=True).tolist()
    target, distractor = order[250], order[280]
    objective = TokenObjective("logit_diff", (target,), (distractor,), position=4)
    report = table_of(tiny.ours, Case(TOKENS, objective)).cases[0]
    found = report.next_tokens
    assert [token.id for token in found] == [*order[:10], target, distractor]
    assert [token.rank for token in found] == [*range(10), 250, 280]
    assert [token.role for token in found] == [None] * 10 + ["target", "distractor"]
    probs = logits.softmax(-1)
    for token in found:
        assert token.logit == pytest.approx(float(logits[token.id]), abs=1e-3)
        assert token.prob == pytest.approx(float(probs[token.id]), rel=1e-3)
        assert token.text == tiny.ours.tokenizer.decode([token.id])
    assert [token.id for token in report.tokens] == list(TOKENS)
    assert (report.objective.position, report.objective.unit) == (4, "logits")


def test_rows_say_how_the_left_case_edits_them_where_it_does(tiny_models: TinyModels) -> None:
    edits = (
        Ablate(Component("attn", 0, 1), (0,)),
        Scale(Component("mlp", 1, 4), value=0.5),
        Set(Component("mlp", 2, 7), value=3.0),
        Patch(Component("attn", 2, 0)),
    )
    cases = (Case(TOKENS, LOGIT_DIFF, edits), Case(OTHER, LOGIT_DIFF))
    table = table_of(tiny_models("gpt2").ours, *cases, top_k=1000)
    wanted = {"mlp_L1_4": "scaled", "mlp_L2_7": "set", "attn_L2_0": "patched"}
    seen = set()
    for row in table.nodes:
        if row.component == "attn_L0_1":
            expected = "ablated" if row.position == 0 else None
        else:
            expected = wanted.get(row.component)
        assert row.edited == expected, row.node
        seen.add((row.component, row.edited))
    assert seen >= {*wanted.items(), ("attn_L0_1", "ablated"), ("attn_L0_1", None)}


@pytest.mark.parametrize("objective", [LOGIT_DIFF, NEURON], ids=["diff", "trace"])
def test_biases_are_one_row_where_there_are_any(
    objective: TokenObjective | NodeObjective, tiny: TinyModel
) -> None:
    rows = [row for row in table_of(tiny.ours, Case(TOKENS, objective)).nodes if row.kind == "bias"]
    has_biases = any(
        block.attn.b_o is not None or block.mlp.b_out is not None for block in tiny.ours.blocks
    )
    assert [row.node for row in rows] == (["bias"] if has_biases else [])


def test_a_table_becomes_a_data_frame_and_shows_itself(tiny_models: TinyModels) -> None:
    pandas = pytest.importorskip("pandas")
    model = tiny_models("gpt2").ours
    table = table_of(model, Case(TOKENS, LOGIT_DIFF), Case(SHORT, LOGIT_DIFF))
    frame = table.to_pandas()
    assert list(frame["node"]) == [row.node for row in table.nodes]
    for i, row in enumerate(table.nodes):
        assert frame["total_effect"][i] == row.values[0].total_effect
        right = frame["direct_effect_right"][i]
        assert pandas.isna(right) if row.values[1] is None else right == row.values[1].direct_effect
    page = table._repr_html_()
    assert f"{table.cases[0].objective.value:+.3f}" in page
    strongest = frame.sort_values("total_effect", key=abs, ascending=False)["node"].iloc[0]
    assert strongest in page
