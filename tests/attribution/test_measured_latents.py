"""Measured effects of latents and errors, and of others while latents are edited, against hand-spliced runs."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.autoencoders import CoderSet
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.interventions import Ablate, Intervention, Scale
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.nodes import Component, Node
from tests.attribution.hand_splice import (
    SITES,
    at_tokens,
    coders_at,
    error,
    latent,
    place_of_site,
    splice,
    unchanged,
    with_latent,
)
from tests.autoencoders.random_coders import VARIANTS
from tests.hand_values import token_value
from tests.hooked_hf import Edit, Place, hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS = some_tokens(8, 1)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))
KINDS = ("gpt2", "llama-grouped", "gpt_neox", "gpt_neox-sequential")


def measure(
    tiny: TinyModel,
    coders: CoderSet,
    targets: list[Any],
    edits: tuple[Intervention, ...] = (),
    to: Any = "zero",
) -> list[float]:
    case = Case(TOKENS, LOGIT_DIFF, edits, bases_of([coders]))
    _, batches = Investigation(tiny.ours, [coders]).measure([case], targets, to=to)
    return [effect for batch in batches for _, effect in batch]


def value(tiny: TinyModel, edits: Mapping[Place, Edit]) -> float:
    return float(token_value(LOGIT_DIFF, hooked_run(tiny.hf, TOKENS, edits).logits[-1]))


def strongest(tiny: TinyModel, coders: CoderSet, layer: int, token: int) -> int:
    x = hooked_run(tiny.hf, TOKENS).values[place_of_site(tiny.ours, coders.site, layer)]
    return int(coders.coders[layer].encode(x)[token].argmax())


@pytest.mark.parametrize("to", ["zero", "mean"])
@pytest.mark.parametrize("site", SITES)
def test_a_measured_effect_is_hugging_face_with_that_latent_or_error_replaced(
    site: Any, to: Any, tiny_models: TinyModels
) -> None:
    tiny = tiny_models(KINDS[SITES.index(site) % 4])
    coders = coders_at(tiny.ours, site, list(VARIANTS)[SITES.index(site)])

    def new(old: Tensor) -> Tensor:
        return old.mean(0).expand_as(old) if to == "mean" else 0 * old

    targets: list[Any] = []
    truths = []
    for layer, token in ((0, 2), (1, 7), (2, 7), (1, None)):
        index = strongest(tiny, coders, layer, 7 if token is None else token)
        at: Any = slice(None) if token is None else token
        place, coder = place_of_site(tiny.ours, site, layer), coders.coders[layer]
        for component, by_hand in (
            (latent(coders, layer, index), splice(coder, with_latent(index, new, at))),
            (error(coders, layer), splice(coder, unchanged, at_tokens(new, at))),
        ):
            targets.append(component if token is None else Node(component, token))
            truths.append(value(tiny, {}) - value(tiny, {place: by_hand}))
    found = measure(tiny, coders, targets, to=to)
    assert found == pytest.approx(truths, abs=5e-4)
    assert max(map(abs, truths)) > 0.02


EDITS: dict[str, Any] = {
    "ablated": (lambda c, _: Ablate(c), lambda z: 0 * z),
    "at its mean": (lambda c, _: Ablate(c, value="mean"), lambda z: z.mean(0).expand_as(z)),
    "scaled": (lambda c, _: Scale(c, value=-1.5), lambda z: -1.5 * z),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("site", SITES)
def test_writes_go_through_edits_of_latents_on_their_way(
    site: Any, name: str, tiny_models: TinyModels
) -> None:
    """Nodes at, below and above an edited latent and error of layer 1."""
    number = SITES.index(site) + list(EDITS).index(name)
    tiny = tiny_models(KINDS[number % 4])
    coders = coders_at(tiny.ours, site, ("relu", "layer-normed", "topk")[number % 3])
    index = strongest(tiny, coders, 1, 7)
    make, change = EDITS[name]
    edits = (make(latent(coders, 1, index), 0), Scale(error(coders, 1), value=0.4))
    place, coder = place_of_site(tiny.ours, site, 1), coders.coders[1]
    by_hand = splice(coder, with_latent(index, change), lambda e: 0.4 * e)
    names = [
        "embed@3",
        "mlp_L0_3@2",
        "attn_L0_1@6:4",
        "attn_L1_2@7:5",
        "mlp_L2_9@7",
        "attn_L1_1",
        "embed",
    ]
    names += [] if site == "mlp_post_act" else ["mlp_L1_7@7", "mlp_L1_4@3"]
    truths = []
    for each in names:
        gone = without(each)
        both = dict(gone)
        if place in both:
            first = both[place]
            both[place] = lambda x, first=first: by_hand(first(x))
        else:
            both[place] = by_hand
        truths.append(value(tiny, {place: by_hand}) - value(tiny, both))
    targets = [Node.parse(each) if "@" in each else Component.parse(each) for each in names]
    found = measure(tiny, coders, targets, edits)
    apart = dict(zip(names, zip(found, truths, strict=True), strict=True))
    assert found == pytest.approx(truths, abs=1e-3), apart


def without(name: str) -> dict[Place, Edit]:
    """The node's write taken out by hand."""
    node = Node.parse(name) if "@" in name else None
    component = Component.parse(name) if node is None else node.component
    at: Any = slice(None) if node is None else node.position

    def edit(value: Tensor) -> Tensor:
        if component.kind == "embed":
            value[at] = 0
        elif component.kind == "mlp":
            value[at, component.index] = 0
        elif node is not None:
            value[component.index, at, node.key_position] = 0
        else:
            value[component.index] = 0
        return value

    sites = {
        "embed": "embed",
        "mlp": "mlp_post_act",
        "attn": "attn_z" if node is None else "attn_pattern",
    }
    return {(sites[component.kind], component.layer or 0): edit}


def test_an_edited_latent_is_measured_as_it_stands(varied: TinyModel) -> None:
    coders = coders_at(varied.ours, "resid_delta_attn", "jumprelu")
    index = strongest(varied, coders, 1, 7)
    component = latent(coders, 1, index)
    place = place_of_site(varied.ours, coders.site, 1)

    def by_hand(factor: float) -> dict[Place, Edit]:
        change = with_latent(index, lambda z: factor * z)
        return {place: splice(coders.coders[1], change)}

    (found,) = measure(varied, coders, [component], (Scale(component, value=3.0),))
    assert found == pytest.approx(value(varied, by_hand(3)) - value(varied, by_hand(0)), abs=5e-4)
    assert torch.is_grad_enabled()
