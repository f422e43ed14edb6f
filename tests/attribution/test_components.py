"""Components on their own, against Hugging Face's weights multiplied out in full."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.attribution.components import (
    ComponentTokens,
    component_activations,
    component_tokens,
)
from neuron_explainer.attribution.lens import TokenScore
from neuron_explainer.nodes import Component
from tests.hooked_hf import block_of, final_norm_of, head_w_o, hooked_run, names_of, w_out
from tests.tiny_models import TinyModel, TinyModels, some_tokens

PROMPTS = [some_tokens(8, 1), some_tokens(3, 2), some_tokens(1, 3)]


def head_w_qkv(hf: Any, layer: int, head: int) -> tuple[Tensor, Tensor, Tensor]:
    """One head's W_Q, W_K, W_V, "d_model d_head" each, as its family stores them."""
    block, config = block_of(hf, layer), hf.config
    n_heads = config.num_attention_heads
    if config.model_type == "gpt2":
        parts = block.attn.c_attn.weight.chunk(3, dim=1)
        return tuple(part.unflatten(1, (n_heads, -1))[:, head] for part in parts)
    if config.model_type == "gpt_neox":
        mixed = block.attention.query_key_value.weight.unflatten(0, (n_heads, 3, -1))[head]
        return tuple(part.T for part in mixed)
    attn, shared = block.self_attn, head * config.num_key_value_heads // n_heads
    q, k, v = (
        projection.weight.unflatten(0, (-1, attn.head_dim))
        for projection in (attn.q_proj, attn.k_proj, attn.v_proj)
    )
    return q[head].T, k[shared].T, v[shared].T


def promoted(hf: Any, writes: Tensor) -> Tensor:
    """Through the final norm's gain and the unembedding, centred over the vocabulary."""
    norm = final_norm_of(hf)
    if isinstance(norm, torch.nn.LayerNorm):
        writes = writes - writes.mean(-1, keepdim=True)
    logits = (writes * norm.weight) @ hf.get_output_embeddings().weight.T
    return logits - logits.mean(-1, keepdim=True)


def normed_embeddings(hf: Any, layer: int, norm: str) -> Tensor:
    return block_of(hf, layer).get_submodule(norm)(hf.get_input_embeddings().weight)


def assert_listed(listed: tuple[TokenScore, ...], scores: Tensor, *, largest: bool) -> None:
    """The tokens with the extreme scores, in order, with their scores."""
    truth = scores.topk(len(listed), largest=largest).values
    assert [token.logit for token in listed] == pytest.approx(truth.tolist(), rel=1e-3, abs=1e-4)
    for token in listed:
        assert token.logit == pytest.approx(float(scores[token.id]), rel=1e-3, abs=1e-4)


# Activations


@pytest.mark.parametrize("name", ["mlp_L0_3", "mlp_L2_11", "attn_L1_2", "attn_L2_0", "embed"])
def test_activations_on_any_prompts_are_hugging_face_s(name: str, varied: TinyModel) -> None:
    component = Component.parse(name)
    found = component_activations(varied.ours, component, PROMPTS)
    for prompt, activations in zip(PROMPTS, found, strict=True):
        values = hooked_run(varied.hf, prompt).values
        match component.kind:
            case "mlp":
                truth = values["mlp_post_act", component.layer][:, component.index]
            case "attn":
                truth = values["attn_pattern", component.layer][component.index]
            case _:
                truth = values["embed", 0].norm(dim=-1)
        assert_close(activations, truth, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["bias", "mlp_L3_0", "attn_L0_4", "mlp_ae_L0_1"])
def test_what_has_no_activation_is_refused(name: str, tiny_models: TinyModels) -> None:
    with pytest.raises(LookupError, match=name):
        component_activations(tiny_models("gpt2").ours, Component.parse(name), PROMPTS)


# Tokens by the weights alone


def test_a_neuron_promotes_by_its_output_and_responds_by_its_input(tiny: TinyModel) -> None:
    layer, index = 1, 7
    found = component_tokens(tiny.ours, Component("mlp", layer, index), 4)
    writes = promoted(tiny.hf, w_out(tiny.hf, layer)[index])
    assert_listed(found.promotes, writes, largest=True)
    assert_listed(found.suppresses, writes, largest=False)
    names = names_of(tiny.hf)
    reads = block_of(tiny.hf, layer).get_submodule(names.mlp_in).weight
    read = reads[:, index] if tiny.hf.config.model_type == "gpt2" else reads[index]
    excited = normed_embeddings(tiny.hf, layer, names.norm_mlp) @ read
    assert_listed(found.responds_to, excited, largest=True)
    assert_listed(found.responds_against, excited, largest=False)
    assert found.query == found.key == ()
    assert found.copying is None


@pytest.mark.parametrize("head", [0, 3])
def test_a_head_speaks_by_the_leading_directions_of_its_circuits(
    head: int, varied: TinyModel
) -> None:
    """From the full d_model x d_model products, decomposed as they are."""
    layer, hf = 1, varied.hf
    found = component_tokens(varied.ours, Component("attn", layer, head), 4)
    w_q, w_k, w_v = head_w_qkv(hf, layer, head)
    embeddings = normed_embeddings(hf, layer, names_of(hf).norm_attn)

    def leading(circuit: Tensor) -> tuple[Tensor, Tensor]:
        u, s, vh = torch.linalg.svd(circuit.double())
        along = embeddings.double() @ u[:, 0]
        sign = 1.0 if along.max() >= -along.min() else -1.0
        return (sign * u[:, 0]).float(), (sign * s[0] * vh[0]).float()

    reads, writes = leading(w_v @ head_w_o(hf, layer, head))
    assert_listed(found.responds_to, embeddings @ reads, largest=True)
    assert_listed(found.responds_against, embeddings @ reads, largest=False)
    assert_listed(found.promotes, promoted(hf, writes), largest=True)
    assert_listed(found.suppresses, promoted(hf, writes), largest=False)
    queries, keys = leading(w_q @ w_k.T)
    assert_listed(found.query, embeddings @ queries, largest=True)
    assert_listed(found.key, embeddings @ keys, largest=True)


def test_copying_is_the_share_of_tokens_a_head_promotes_when_it_reads_them(
    varied: TinyModel,
) -> None:
    """The vocabulary is smaller than the sample, so every token counts."""
    hf = varied.hf
    embeddings = normed_embeddings(hf, 2, names_of(hf).norm_attn)
    for head in range(4):
        w_v = head_w_qkv(hf, 2, head)[2]
        top = promoted(hf, embeddings @ w_v @ head_w_o(hf, 2, head)).topk(5).indices
        truth = float((top == torch.arange(len(embeddings))[:, None]).any(1).float().mean())
        found = component_tokens(varied.ours, Component("attn", 2, head), 1).copying
        assert found == pytest.approx(truth, abs=0.005)  # one token may tie


def test_a_head_that_copies_is_told_from_one_that_does_not(tiny_models: TinyModels) -> None:
    """W_V W_O made a projection: what the head reads it writes back."""
    from neuron_explainer import load_model

    model = load_model(tiny_models("gpt2-untied").folder)
    attn = model.block(0).attn
    plain = component_tokens(model, Component("attn", 0, 1), 1).copying
    model.w_unembed.copy_(model.w_embed)
    value = slice(2 * 32 + 8, 2 * 32 + 16)
    attn.w_o[:, 8:16] = attn.w_qkv[value].T
    copies = component_tokens(model, Component("attn", 0, 1), 1).copying
    assert copies > 0.5 > plain


@pytest.mark.parametrize("name", ["embed", "bias"])
def test_token_lists_are_for_single_units(name: str, tiny_models: TinyModels) -> None:
    with pytest.raises(LookupError, match=f"{name} is no single unit"):
        component_tokens(tiny_models("gpt2").ours, Component.parse(name), 3)


def test_every_list_has_the_length_asked_for(tiny_models: TinyModels) -> None:
    found: ComponentTokens = component_tokens(tiny_models("qwen2").ours, Component("attn", 0, 0), 6)
    lists = (found.promotes, found.suppresses, found.responds_to, found.query, found.key)
    assert [len(each) for each in lists] == [6] * 5
