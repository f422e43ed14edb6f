"""The change of each next token's probability, against editing the prompt and reading the softmax."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from neuron_explainer.attribution.ablation import ablation_effect
from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.models.hooks import Hooks
from neuron_explainer.models.tokens import PromptTooLong
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.autoencoders.random_coders import random_coder_set
from tests.tiny_models import TinyModels, some_tokens

TOKENS = some_tokens(9, seed=3)


def probabilities(model: Transformer, hooks: Hooks) -> Tensor:
    """p(next token) after each token but the last."""
    logits = model(torch.tensor([TOKENS]), hooks)[0, :-1]
    return logits.softmax(-1)[torch.arange(8), torch.tensor(TOKENS[1:])]


def without(
    component: Component, coders: CoderSet, places: slice
) -> tuple[str, Callable[[Tensor, int], Tensor]]:
    """The component taken out by hand."""

    def hook(value: Tensor, layer: int) -> Tensor:
        if layer != component.layer:
            return value
        value = value.clone()
        if component.kind == "attn":
            value[:, component.index, places] = 0
        elif component.kind == "mlp":
            value[:, places, component.index] = 0
        else:
            coder = coders.coders[layer]
            z = coder.encode(value)[..., component.index]
            value[:, places] -= (z[..., None] * coder.decoder[:, component.index])[:, places]
        return value

    site = {"attn": "attn_z", "mlp": "mlp_post_act", "latent": coders.site}[component.kind]
    return site, hook


@pytest.mark.parametrize("kind", ["gpt2", "llama-grouped", "gpt_neox"])
@pytest.mark.parametrize("name", ["attn_L1_2", "mlp_L0_7", "mlp_L2_30", "mlp_ae_L1_5"])
def test_it_is_the_change_of_the_softmax(tiny_models: TinyModels, kind: str, name: str) -> None:
    model, component = tiny_models(kind).ours, Component.parse(name)
    coders = random_coder_set("random", "resid_delta_mlp", model.config.d_model)
    found = ablation_effect(model, [coders], component, TOKENS)
    base = probabilities(model, Hooks())
    everywhere = probabilities(model, Hooks([without(component, coders, slice(None))])) - base
    assert found.everywhere[:-1] == pytest.approx(everywhere.tolist(), abs=1e-6)
    alone = [
        probabilities(model, Hooks([without(component, coders, slice(i, i + 1))]))[i] - base[i]
        for i in range(8)
    ]
    assert found.at_token[:-1] == pytest.approx(torch.stack(alone).tolist(), abs=1e-6)
    assert found.at_token[-1] is found.everywhere[-1] is None
    assert max(map(abs, found.everywhere[:-1])) > 1e-5


def test_rows_may_be_split(tiny_models: TinyModels, monkeypatch: pytest.MonkeyPatch) -> None:
    from neuron_explainer.attribution import ablation

    model, component = tiny_models("gpt2").ours, Component.parse("mlp_L1_3")
    whole = ablation_effect(model, [], component, TOKENS)
    monkeypatch.setattr(ablation, "ROW_TOKENS_AT_ONCE", 20)
    split = ablation_effect(model, [], component, TOKENS)
    assert split.at_token[:-1] == pytest.approx(whole.at_token[:-1], abs=1e-6)


def test_what_cannot_be_ablated_is_refused(
    tiny_models: TinyModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neuron_explainer.attribution import ablation

    model = tiny_models("gpt2").ours
    for name in ("embed", "mlp_ae_L0_0"):
        with pytest.raises(LookupError):
            ablation_effect(model, [], Component.parse(name), TOKENS)
    assert ablation_effect(model, [], Component.parse("attn_L0_0"), (5,)).at_token == (None,)
    monkeypatch.setattr(ablation, "MAX_ABLATED_TOKENS", 8)
    with pytest.raises(PromptTooLong, match="at most 8"):
        ablation_effect(model, [], Component.parse("attn_L0_0"), TOKENS)
