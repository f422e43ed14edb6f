"""Questions asked one after another: what is kept never changes an answer."""

from dataclasses import replace
from typing import Any

import pytest

from neuron_explainer.attribution.effects import Effects, WriteNorms
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.lens import logit_lens, node_tokens
from neuron_explainer.attribution.memory import estimated_bytes
from neuron_explainer.attribution.table import NodeTable, node_table
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.interventions import Ablate, Patch, Scale, Set
from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.run import Case, run
from neuron_explainer.models.tokens import PromptTooLong, encode, encode_one
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node
from tests.attribution.hand_splice import coders_at
from tests.tiny_models import TinyModels, some_tokens

TOKENS, OTHER, SHORT = some_tokens(8, 1), some_tokens(8, 2), some_tokens(6, 3)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))
LOGPROB = TokenObjective("logprob", (9,))
TRACE = NodeObjective(Node.parse("attn_L2_3@6:4"), "query")

QUESTIONS: list[list[Case]] = [
    [Case(TOKENS, LOGIT_DIFF)],
    [Case(TOKENS, TRACE)],
    [Case(TOKENS, LOGIT_DIFF, (Ablate(Component("attn", 2, 1)),)), Case(TOKENS, LOGIT_DIFF)],
    [Case(TOKENS, LOGIT_DIFF, (Scale(Component("embed"), (3,), value=2.0),))],
    [Case(TOKENS, LOGPROB), Case(SHORT, LOGPROB)],
    [
        Case(TOKENS, LOGIT_DIFF, (Patch(Component("mlp", 1, 3)), Set(Component("mlp", 2, 1)))),
        Case(
            OTHER,
            LOGIT_DIFF,
            (Ablate(Component("mlp", 0, 2)), Patch(Component("attn", 1, 0), from_case=0)),
        ),
    ],
    [
        Case(TOKENS, LOGPROB, (Patch(Component("attn", 2, 1), (7,), from_positions=(5,)),)),
        Case(SHORT, LOGPROB),
    ],
]


@pytest.fixture
def model(tiny_models: TinyModels) -> Transformer:
    return tiny_models("gpt2").ours


def untimed(table: NodeTable) -> NodeTable:
    return replace(table, timing_ms={})


def assert_same_table(found: NodeTable, truth: NodeTable) -> None:
    """The same numbers; a row at the edge of the ranking may differ by rounding."""
    for mine, wanted in zip(found.cases, truth.cases, strict=True):
        assert mine.objective.value == pytest.approx(wanted.objective.value, abs=1e-4)
        assert mine.direct_effect_by_kind == pytest.approx(wanted.direct_effect_by_kind, abs=1e-4)
        assert [t.id for t in mine.next_tokens] == [t.id for t in wanted.next_tokens]
    rows = {row.node: row for row in truth.nodes}
    common = [row for row in found.nodes if row.node in rows]
    assert len(common) > 0.95 * max(len(found.nodes), len(truth.nodes))
    for row in common:
        for mine, wanted in zip(row.values, rows[row.node].values, strict=True):
            assert (mine is None) == (wanted is None)
            if mine is not None and wanted is not None:
                assert mine.total_effect == pytest.approx(wanted.total_effect, abs=1e-4)
                assert mine.direct_effect == pytest.approx(wanted.direct_effect, abs=1e-4)


def test_an_answer_is_that_of_one_full_run(model: Transformer) -> None:
    """Asked after all the others, of passes and answers that are kept."""
    investigation, norms = Investigation(model), WriteNorms(model)
    for cases in QUESTIONS:
        investigation.debug(cases, top_k=5)
    for cases in QUESTIONS:
        truth = node_table([Effects(mine, norms) for mine in run(model, cases)], top_k=5)
        assert_same_table(investigation.debug(cases, top_k=5), truth)


def test_the_same_question_gets_the_same_numbers_whatever_was_asked_between(
    model: Transformer,
) -> None:
    investigation, forgetful = Investigation(model), Investigation(model, max_passes=1)
    first = [untimed(investigation.debug(cases, top_k=5)) for cases in QUESTIONS]
    again = [untimed(investigation.debug(cases, top_k=5)) for cases in reversed(QUESTIONS)]
    assert again[::-1] == first
    assert [untimed(forgetful.debug(cases, top_k=5)) for cases in QUESTIONS] == first


def test_norms_of_the_read_out_are_not_mixed_up(model: Transformer) -> None:
    cases = [Case(TOKENS, LOGIT_DIFF)]
    investigation = Investigation(model)
    for norm in ("fixed", "live", "fixed", "live"):
        norms = WriteNorms(model)
        (mine,) = run(model, cases, read_out_norm=norm)
        truth = node_table([Effects(mine, norms)], top_k=5)
        assert_same_table(investigation.debug(cases, top_k=5, read_out_norm=norm), truth)


def test_no_more_passes_are_kept_than_asked(model: Transformer) -> None:
    investigation = Investigation(model, max_passes=2)
    for seed in range(4):
        investigation.debug([Case(some_tokens(5, seed), LOGIT_DIFF)])
    assert list(investigation._passes) == [some_tokens(5, 2), some_tokens(5, 3)]
    assert set(investigation._answers) <= set(investigation._passes)


def test_a_prompt_that_needs_too_much_memory_says_how_many_tokens_fit(model: Transformer) -> None:
    investigation = Investigation(model, max_bytes=200_000)
    with pytest.raises(PromptTooLong, match=r"has 32 tokens.* is (\d+) tokens of") as caught:
        investigation.debug([Case(some_tokens(32), LOGIT_DIFF)])
    fits = int(str(caught.value).rsplit(" is ", 1)[1].split()[0])
    assert 0 < fits < 32
    investigation.debug([Case(some_tokens(fits), LOGIT_DIFF)])
    with pytest.raises(PromptTooLong):
        investigation.debug([Case(some_tokens(fits + 1), LOGIT_DIFF)])


def test_coders_count_as_memory_that_a_question_needs(model: Transformer) -> None:
    coders = coders_at(model, "resid_delta_mlp", "topk")
    bases = bases_of([coders])
    needed = estimated_bytes(model.config, 32)
    assert estimated_bytes(model.config, 32, bases.sites) > needed
    investigation = Investigation(model, [coders], max_bytes=needed)
    investigation.debug([Case(some_tokens(32), LOGIT_DIFF)])
    with pytest.raises(PromptTooLong, match="has 32 tokens.* with coders at 3 places would take"):
        investigation.debug([Case(some_tokens(32), LOGIT_DIFF, (), bases)])


def test_either_case_can_be_measured(model: Transformer) -> None:
    edit = Patch(Component("mlp", 1, 3), from_case=0)
    cases = [Case(TOKENS, LOGIT_DIFF), Case(OTHER, LOGIT_DIFF, (edit,))]
    investigation = Investigation(model)
    value, batches = investigation.measure(cases, [Component("attn", 0, 1)], case_index=1)
    ((_, effect),) = next(batches)
    without = replace(cases[1], interventions=(edit, Ablate(Component("attn", 0, 1))))
    plain, gone = (run(model, [cases[0], case])[1].read_out.value for case in (cases[1], without))
    assert value == pytest.approx(plain, abs=1e-4)
    assert effect == pytest.approx(plain - gone, abs=1e-4)


def test_tokens_and_lens_are_those_of_the_case_s_run(model: Transformer) -> None:
    cases = [Case(SHORT, LOGPROB), Case(TOKENS, LOGIT_DIFF, (Ablate(Component("attn", 1, 0)),))]
    mine = run(model, cases)[1]
    nodes = [Node.parse("mlp_L2_3@7"), Node.parse("attn_L1_1@7:2")]
    investigation = Investigation(model)
    found = investigation.node_tokens(cases, nodes, 3, case_index=1)
    for one, truth in zip(found, node_tokens(mine, nodes, 3), strict=True):
        assert [t.id for t in one.promotes] == [t.id for t in truth.promotes]
    read, lens = investigation.lens(cases, 3, case_index=1)
    assert read.case is cases[1]
    wanted = [layer.value for layer in logit_lens(mine, 3)]
    assert [layer.value for layer in lens] == pytest.approx(wanted, abs=1e-4)


# Cases from text


def test_a_case_is_made_from_text(model: Transformer) -> None:
    investigation = Investigation(model)
    made = investigation.case(
        "When Mary and John went", target=" Mary", distractor=[" John", " and"], position=3
    )
    mary, john, both = (encode_one(model, text) for text in (" Mary", " John", " and"))
    objective = TokenObjective("logit_diff", (mary,), (john, both), 3)
    assert made == Case(encode(model, "When Mary and John went"), objective)


def test_names_are_edits_and_traces(model: Transformer) -> None:
    investigation = Investigation(model)
    scale = Scale(Component("mlp", 0, 1), value=2.0)
    made = investigation.case(
        "When Mary and",
        target=" John",
        interventions=["attn_L1_2", "attn_L0_1@2:1", "mlp_L1_4@2", "embed@1", scale],
        trace="attn_L2_3@2:1",
        through="value",
    )
    assert made.interventions == (
        Ablate(Component("attn", 1, 2)),
        Ablate(Component("attn", 0, 1), (2,), (1,)),
        Ablate(Component("mlp", 1, 4), (2,)),
        Ablate(Component("embed"), (1,)),
        scale,
    )
    judged = TokenObjective("logit_diff", (encode_one(model, " John"),))
    assert made.objective == NodeObjective(Node.parse("attn_L2_3@2:1"), "value", judged)
    plain = investigation.case("When Mary and", trace="mlp_L1_4@2").objective
    assert plain == NodeObjective(Node.parse("mlp_L1_4@2"))


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({}, ValueError, "target_tokens is empty"),
        ({"target": "Mary John"}, ValueError, "is exactly one"),
        ({"distractor": " John", "trace": "mlp_L0_1@1"}, ValueError, "a distractor but no target"),
        ({"target": " John", "interventions": ["mlp_L9_1"]}, LookupError, "layer 9 is out of"),
        ({"target": " John", "interventions": ["mlp_L0_1@9"]}, ValueError, "position 9 is out of"),
        ({"target": " John", "interventions": ["mlp"]}, ValueError, "not the name of a component"),
        ({"trace": "attn_L0_1@1:0", "through": "value"}, ValueError, "needs a downstream"),
        ({"trace": TRACE, "through": "query"}, ValueError, "leave it out"),
    ],
)
def test_a_case_that_cannot_be_says_why(
    how: dict[str, Any], error: type[Exception], message: str, model: Transformer
) -> None:
    with pytest.raises(error, match=message):
        Investigation(model).case("When Mary", **how)


@pytest.mark.parametrize("n_cases", [0, 3])
def test_a_table_is_of_one_case_or_two(n_cases: int, model: Transformer) -> None:
    investigation = Investigation(model)
    case = investigation.case("When Mary", target=" John")
    with pytest.raises(ValueError, match=f"{n_cases} cases were given"):
        investigation.debug([case] * n_cases)
