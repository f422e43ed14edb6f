"""Influence against autograd by hand on Hugging Face's models, and its sums."""

from typing import Any

import pytest
import torch
from torch import Tensor

from neuron_explainer.attribution.effects import Effects, WriteNorms
from neuron_explainer.attribution.influence import Asked, Influence, influence
from neuron_explainer.models.interventions import Scale
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case, run
from neuron_explainer.nodes import Component, side_of
from tests.hooked_hf import hooked_run
from tests.tiny_models import TinyModel, some_tokens

TOKENS = some_tokens(8, 3)
POSITION = 6
"""The token that is explained, predicted from the one before."""
TARGET, OTHER = TOKENS[POSITION], 17
OBJECTIVES = {
    "logprob": TokenObjective("logprob", (TARGET,), (), POSITION - 1),
    "prob": TokenObjective("prob", (TARGET,), (), POSITION - 1),
    "logit": TokenObjective("logit_diff", (TARGET,), (), POSITION - 1),
    "logit_diff": TokenObjective("logit_diff", (TARGET,), (OTHER,), POSITION - 1),
}
EVERYTHING = 10_000


def effects_of(tiny: TinyModel, of: str = "logprob", *edits: Any) -> Effects:
    case = Case(TOKENS, OBJECTIVES[of], edits)
    (found,) = run(tiny.ours, [case], read_out_norm="live")
    return Effects(found, WriteNorms(tiny.ours))


def by_hand(tiny: TinyModel, of: str) -> dict[str, tuple[float, float]]:
    """Activation, and activation times gradient, of every node of Hugging Face's model."""
    kept: dict[tuple[str, int], Tensor] = {}

    def keep(site: str, layer: int) -> Any:
        def edit(value: Tensor) -> Tensor:
            kept[site, layer] = value
            return value

        return edit

    edits = {("embed", 0): lambda value: value.requires_grad_()}
    edits |= {
        (site, layer): keep(site, layer)
        for site in ("attn_pattern", "mlp_post_act")
        for layer in range(3)
    }
    logits = hooked_run(tiny.hf, TOKENS, edits).logits[POSITION - 1]
    scalar = {
        "logprob": logits.log_softmax(-1)[TARGET],
        "prob": logits.softmax(-1)[TARGET],
        "logit": logits[TARGET],
        "logit_diff": logits[TARGET] - logits[OTHER],
    }[of]
    grads = torch.autograd.grad(scalar, list(kept.values()), allow_unused=True)
    found = {}
    for ((site, layer), value), grad in zip(kept.items(), grads, strict=True):
        value = value.detach()
        product = torch.zeros_like(value) if grad is None else value * grad
        for place in product.nonzero().tolist():
            if site == "mlp_post_act":
                token, neuron = place
                name = f"mlp_L{layer}_{neuron}@{token}"
            else:
                head, query, key = place
                name = f"attn_L{layer}_{head}@{query}:{key}"
            found[name] = (float(value[tuple(place)]), float(product[tuple(place)]))
    return found


@pytest.mark.parametrize("of", OBJECTIVES)
def test_attribution_is_autograd_by_hand(varied: TinyModel, of: str) -> None:
    expected = by_hand(varied, of)
    found = influence(effects_of(varied, of), top_k=EVERYTHING)
    largest = max(abs(value) for _, value in expected.values())
    assert len(found.items) == pytest.approx(len(expected), rel=0.01)  # but for underflow
    for item in found.items:
        activation, attribution = expected[str(item.node)]
        assert item.activation == pytest.approx(activation, abs=1e-4)
        assert item.value == item.attribution == pytest.approx(attribution, abs=1e-4 * largest)
        assert item.side == side_of(activation)
    sizes = [abs(item.value) for item in found.items]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(largest, rel=1e-4)


def test_totals_are_the_sums_over_tokens_and_sides(varied: TinyModel) -> None:
    expected = by_hand(varied, "logprob")
    totals = influence(effects_of(varied), top_k=1).totals
    by_side = {"positive": 0.0, "negative": 0.0}
    by_kind = {"attn": 0.0, "mlp": 0.0, "latent": 0.0}
    by_token, by_key = torch.zeros(8), torch.zeros(8)
    for name, (activation, attribution) in expected.items():
        component, _, place = name.partition("@")
        tokens = [int(token) for token in place.split(":")]
        by_side[side_of(activation)] += attribution
        by_kind[component[: component.index("_")]] += attribution
        by_token[tokens[0]] += attribution
        by_key[tokens[-1]] += attribution
    assert totals.by_side == pytest.approx(by_side, abs=1e-3)
    assert totals.by_kind == pytest.approx(by_kind, abs=1e-3)
    assert totals.by_token.tolist() == pytest.approx(by_token.tolist(), abs=1e-3)
    assert totals.by_key_token.tolist() == pytest.approx(by_key.tolist(), abs=1e-3)
    assert totals.all == pytest.approx(sum(by_side.values()), abs=1e-3)
    # What comes after the objective's token cannot have led to it.
    assert totals.by_token[POSITION:].abs().max() == 0


def test_the_leading_few_are_the_first_of_all(varied: TinyModel) -> None:
    effects = effects_of(varied)
    everything = influence(effects, top_k=EVERYTHING)
    assert influence(effects, top_k=7).items == everything.items[:7]


def names(found: Influence) -> list[str]:
    return [str(item.node) for item in found.items]


def test_filters_leave_the_rest_as_it_is(varied: TinyModel) -> None:
    effects = effects_of(varied)
    everything = influence(effects, top_k=EVERYTHING).items
    asked = Asked(kinds=("mlp",), layers=(0, 2), side="negative", positions=(1, 5))
    expected = [
        item
        for item in everything
        if item.component.kind == "mlp"
        and item.component.layer in (0, 2)
        and item.side == "negative"
        and item.node.position in (1, 5)
    ]
    found = influence(effects, top_k=EVERYTHING, asked=asked)
    assert [(str(i.node), i.value) for i in found.items] == [
        (str(i.node), i.value) for i in expected
    ]
    assert found.totals.all == pytest.approx(sum(item.value for item in expected), abs=1e-4)
    heads = influence(effects, top_k=EVERYTHING, asked=Asked(kinds=("attn",), side="negative"))
    assert heads.items == ()


def test_components_sum_their_nodes_side_by_side(varied: TinyModel) -> None:
    effects = effects_of(varied)
    sums: dict[tuple[Component, str], float] = {}
    strongest: dict[tuple[Component, str], Any] = {}
    for item in influence(effects, top_k=EVERYTHING).items:
        key = (item.component, item.side)
        sums[key] = sums.get(key, 0.0) + item.value
        strongest.setdefault(key, item)
    found = influence(effects, top_k=EVERYTHING, per="component").items
    assert {(item.component, item.side) for item in found} == set(sums)
    for item in found:
        key = (item.component, item.side)
        assert (item.value, item.attribution) == pytest.approx((sums[key],) * 2, abs=1e-5)
        assert item.node == strongest[key].node


def extremes_of(kind: str, layer: int, stream: object) -> tuple[Tensor, Tensor]:
    """Made-up quantiles, another for each component; every third has no negative side."""
    n = 4 if kind == "attn" else 400
    numbers = torch.arange(n, dtype=torch.float32)
    low = torch.where(numbers % 3 == 0, 0.0, -0.5 - numbers / 100)
    return low, 1.0 + numbers / 50 + layer


def test_activation_is_in_units_of_its_own_extreme_quantile(varied: TinyModel) -> None:
    effects = effects_of(varied)
    found = influence(effects, by="activation", top_k=50, extremes=extremes_of)
    for item in found.items:
        low, high = extremes_of(item.component.kind, item.component.layer or 0, None)
        extreme = (low if item.side == "negative" else high)[item.component.index or 0]
        assert float(extreme) != 0
        assert item.value == item.relative_activation
        assert item.value == pytest.approx(item.gauge / float(extreme), rel=1e-5)
    assert {item.component.kind for item in found.items} == {"attn", "mlp"}
    values = [item.value for item in found.items]
    assert values == sorted(values, reverse=True)
    per_component = influence(
        effects, by="activation", per="component", top_k=20, extremes=extremes_of
    )
    assert per_component.items[0].node == found.items[0].node
    assert len({(i.component, i.side) for i in per_component.items}) == 20


def test_heads_are_in_units_of_what_datasets_hold_of_them(varied: TinyModel) -> None:
    effects = effects_of(varied)
    asked = Asked(kinds=("attn",), positions=(3, 5))
    found = influence(effects, by="activation", asked=asked, top_k=20, extremes=extremes_of)
    for item in found.items:
        head, q, k = item.component, item.node.position, item.node.key_position
        layer, index = head.layer or 0, head.index or 0
        written = effects.heads("write_magnitude").rows(layer)[index, q, k]
        assert q in (3, 5)
        assert item.gauge == pytest.approx(float(written), rel=1e-5)
        high = extremes_of("attn", layer, None)[1][index]
        assert item.value == pytest.approx(float(written / high), rel=1e-5)
        assert item.activation == pytest.approx(
            float(effects.heads("activation").rows(layer)[index, q, k]), rel=1e-5
        )
    assert any(abs(item.gauge - item.activation) > 0.01 for item in found.items)


def test_activation_without_quantiles_is_refused(varied: TinyModel) -> None:
    with pytest.raises(ValueError, match="own quantiles"):
        influence(effects_of(varied), by="activation")


def test_edits_are_in_force(varied: TinyModel) -> None:
    edited = effects_of(varied, "logprob", Scale(Component("mlp", 0, 3), value=6.0))
    assert influence(edited, top_k=20).items != influence(effects_of(varied), top_k=20).items
