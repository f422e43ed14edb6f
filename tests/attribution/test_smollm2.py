"""The real model: Hugging Face's numbers, the figures known for indirect object identification, and
the claims of the tiny models at full size."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer import load_model
from neuron_explainer.attribution.effects import Effects
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.self_check import self_check
from neuron_explainer.models.interventions import Ablate
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.models.tokens import encode, encode_one
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node
from tests.hooked_hf import hooked_run

pytestmark = pytest.mark.real_model

PROMPT = "When Mary and John went to the store, John gave a drink to"


@pytest.fixture(scope="module")
def model(smollm2_folder: Path) -> Transformer:
    return load_model("smollm2")


@pytest.fixture(scope="module")
def hf(smollm2_folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    reference = AutoModelForCausalLM.from_pretrained(
        smollm2_folder, dtype=torch.float32, attn_implementation="eager"
    )
    return reference.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def case(model: Transformer) -> Case:
    mary, john = encode_one(model, " Mary"), encode_one(model, " John")
    return Case(encode(model, PROMPT), TokenObjective("logit_diff", (mary,), (john,)))


@pytest.fixture(scope="module")
def investigation(model: Transformer) -> Investigation:
    return Investigation(model)


def difference(case: Case, logits: Tensor) -> float:
    """Mary's logit less John's after the last token."""
    return float(logits[-1, case.objective.target[0]] - logits[-1, case.objective.distractor[0]])


def test_logits_equal_hugging_face(model: Transformer, hf: Any, case: Case) -> None:
    tokens = torch.tensor([case.tokens])
    # The same sums in the same order on most machines: then not a bit differs, at logits of about 30.
    assert_close(model(tokens), hf(tokens).logits, atol=1e-4, rtol=0)


def test_mary_is_predicted(model: Transformer, case: Case, investigation: Investigation) -> None:
    report = investigation.debug([case]).cases[0]
    likeliest = report.next_tokens[0]
    assert likeliest.text == " Mary"
    assert likeliest.prob > 0.9
    # The figures that the project's first studies of this model report.
    assert report.objective.value == pytest.approx(6.12, abs=0.05)


def test_direct_effects_of_all_nodes_add_up(case: Case, investigation: Investigation) -> None:
    report = investigation.debug([case]).cases[0]
    total = sum(report.direct_effect_by_kind.values())
    assert total == pytest.approx(report.objective.value, rel=1e-4)
    effects = Effects(investigation.read([case]), investigation.norms)
    nodes = sum(
        float(layer.double().sum())
        for kind in effects.kinds().values()
        for layer in kind("direct_effect").layers
    )
    assert nodes + effects.bias.direct_effect == pytest.approx(report.objective.value, rel=1e-4)


def test_ablating_the_strongest_name_mover_halves_the_difference(
    hf: Any, case: Case, investigation: Investigation
) -> None:
    """attn_L23_3 everywhere: 6.12 falls to 3.08, here and by hand in Hugging Face's model."""
    edited = Case(case.tokens, case.objective, (Ablate(Component("attn", 23, 3)),))
    value = investigation.read([edited]).read_out.value
    assert value == pytest.approx(3.08, abs=0.05)

    def without_head(pattern: Tensor) -> Tensor:
        pattern[3] = 0.0
        return pattern

    truth = hooked_run(hf, case.tokens, {("attn_pattern", 23): without_head}).logits
    assert value == pytest.approx(difference(case, truth), abs=1e-3)
    plain, batches = investigation.measure([case], [Component("attn", 23, 3)])
    ((_, effect),) = next(batches)
    assert effect == pytest.approx(plain - value, abs=1e-3)


def test_measured_effects_are_hugging_face_without_the_node(
    hf: Any, case: Case, investigation: Investigation
) -> None:
    """Those of the leading neurons and pairs of the table."""
    rows = investigation.debug([case], top_k=4).nodes
    nodes = [Node.parse(row.node) for row in rows if row.kind in ("attn", "mlp")]
    nodes = sorted(nodes, key=lambda node: (node.component.kind, str(node)))[::6]
    value, batches = investigation.measure([case], nodes)
    found = [effect for batch in batches for _, effect in batch]
    for node, effect in zip(nodes, found, strict=True):
        truth = hooked_run(hf, case.tokens, without(node)).logits
        assert effect == pytest.approx(value - difference(case, truth), abs=1e-3), str(node)
    assert max(map(abs, found)) > 0.3


def without(node: Node) -> dict[tuple[str, int], Callable[[Tensor], Tensor]]:
    component = node.component

    def edit(value: Tensor) -> Tensor:
        if component.kind == "attn":
            value[component.index, node.position, node.key_position] = 0.0
        else:
            value[node.position, component.index] = 0.0
        return value

    site = "attn_pattern" if component.kind == "attn" else "mlp_post_act"
    return {(site, component.layer): edit}


def test_every_claim_of_the_self_check_holds(model: Transformer) -> None:
    claims = self_check(model)
    assert [claim.name for claim in claims if not claim.passed or claim.skipped] == []
