"""Cases made from text, and what an investigation keeps between questions."""

import pytest

from neuron_explainer import (
    Ablate,
    Case,
    Component,
    Investigation,
    Node,
    NodeObjective,
    Patch,
    Scale,
    TokenObjective,
)
from neuron_explainer.models.tokens import encode, encode_one
from tests.tiny_models import TinyModels

PROMPT = "Mary gave a drink to"


@pytest.fixture
def investigation(tiny_models: TinyModels) -> Investigation:
    return Investigation(tiny_models("gpt2").ours)


@pytest.fixture
def plain(investigation: Investigation) -> Case:
    model = investigation.model
    mary, john = encode_one(model, " Mary"), encode_one(model, " John")
    return Case(encode(model, PROMPT), TokenObjective("logit_diff", (mary,), (john,)))


def test_a_case_from_text_is_the_case_from_ids(investigation: Investigation, plain: Case) -> None:
    case = investigation.case
    assert case(PROMPT, target=" Mary", distractor=" John") == plain
    assert case(PROMPT, target=[" Mary"], distractor=[" John"]) == plain
    assert case(PROMPT, target=" Mary", objective="prob", position=2).objective == TokenObjective(
        "prob", (encode_one(investigation.model, " Mary"),), (), 2
    )


def test_a_bare_name_is_ablated_to_zero(investigation: Investigation) -> None:
    scaled = Scale(Component.parse("mlp_L0_3"), (1,), value=2.0)
    case = investigation.case(
        PROMPT, target=" Mary", interventions=["attn_L1_2", "attn_L1_2@3:1", "mlp_L0_3@2", scaled]
    )
    head = Component.parse("attn_L1_2")
    assert case.interventions == (
        Ablate(head),
        Ablate(head, (3,), (1,)),
        Ablate(Component.parse("mlp_L0_3"), (2,)),
        scaled,
    )


def test_a_trace_takes_the_place_of_the_tokens(investigation: Investigation, plain: Case) -> None:
    case = investigation.case
    neuron, head = Node.parse("mlp_L1_3@2"), Node.parse("attn_L1_2@3:1")
    assert case(PROMPT, trace="mlp_L1_3@2").objective == NodeObjective(neuron)
    assert case(PROMPT, trace=head, through="query").objective == NodeObjective(head, "query")
    assert case(PROMPT, trace=NodeObjective(neuron)).objective == NodeObjective(neuron)
    by_value = case(
        PROMPT, target=" Mary", distractor=" John", trace="attn_L1_2@3:1", through="value"
    )
    assert by_value.objective == NodeObjective(head, "value", plain.objective)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "target_tokens is empty"),
        ({"target": ""}, "target or distractor is empty"),
        ({"target": "Mary gave"}, r"'Mary gave' is \d+ tokens"),
        ({"target": " Mary", "interventions": ["attn_L9_0"]}, "layer 9 is out of range"),
        ({"target": " Mary", "interventions": ["attn_L1_2@99:1"]}, "position 99 is out of range"),
        ({"target": " Mary", "interventions": ["nonsense"]}, "not the name of a component"),
        ({"distractor": " John", "trace": "mlp_L1_3@2"}, "a distractor but no target"),
        ({"trace": "attn_L1_2@3:1"}, "through must be query, key"),
        ({"trace": "attn_L1_2@3:1", "through": "value"}, "needs a downstream objective"),
        ({"trace": NodeObjective(Node.parse("mlp_L1_3@2")), "through": "query"}, "leave it out"),
    ],
)
def test_a_mistake_in_the_text_is_said_at_once(
    investigation: Investigation, asked: dict[str, object], message: str
) -> None:
    with pytest.raises((ValueError, LookupError), match=message):
        investigation.case(PROMPT, **asked)  # type: ignore[arg-type]  # wrong on purpose


def test_a_patch_waits_for_its_other_case(investigation: Investigation, plain: Case) -> None:
    patched = investigation.case(
        PROMPT,
        target=" Mary",
        distractor=" John",
        interventions=[Patch(Component.parse("attn_L1_2"))],
    )
    other = investigation.case("John gave a drink to", target=" Mary", distractor=" John")
    left, right = investigation.debug([patched, other]).cases
    assert left.objective.value != right.objective.value
    with pytest.raises(ValueError, match="Give two cases"):
        investigation.debug([patched])


def test_an_answer_does_not_depend_on_what_was_asked_before(
    investigation: Investigation, plain: Case
) -> None:
    edited = investigation.case(
        PROMPT, target=" Mary", distractor=" John", interventions=["attn_L1_2"]
    )
    fresh = Investigation(investigation.model).debug([edited, plain])
    investigation.debug([plain], top_k=3)
    investigation.debug([investigation.case(PROMPT, trace="mlp_L1_3@2")])
    assert investigation.debug([edited, plain]).nodes == fresh.nodes
    assert investigation.debug([edited, plain]).cases == fresh.cases


def test_only_the_last_passes_are_kept(investigation: Investigation) -> None:
    for text in ("Mary", "John", "gave"):
        investigation.debug([investigation.case(text, target=" Mary")])
    assert len(investigation._passes) == investigation.max_passes
    assert encode(investigation.model, "Mary") not in investigation._passes
