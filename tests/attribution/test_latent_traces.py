"""Tracing a latent: its pre-activation, against coders applied by hand to Hugging Face runs."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.attribution.effects import Effects
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.latent_pairs import latent_pairs
from neuron_explainer.attribution.write_norms import WriteNorms
from neuron_explainer.autoencoders import CoderSet
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.interventions import Patch
from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.run import Case, Run, run
from neuron_explainer.nodes import Component, Node
from tests.attribution.hand_splice import SITES, coders_at, latent, place_of_site
from tests.autoencoders.random_coders import VARIANTS
from tests.hooked_hf import head_w_o, hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER = some_tokens(8, 1), some_tokens(8, 2)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))
KINDS = ("gpt2", "llama-grouped", "mistral", "gpt_neox", "gpt_neox-sequential", "llama-biases")
LAYER, INDEX, TOKEN = 1, 5, 6
LINEAR = ("resid_delta_attn", "resid_pre", "resid_mid", "resid_post")
CASES = [(site, variant) for site in SITES for variant in ("relu", "layer-normed", "scaled")]


def model_for(site: str, variant: str, tiny_models: TinyModels) -> TinyModel:
    number = SITES.index(site) + list(VARIANTS).index(variant)
    return tiny_models(KINDS[number % len(KINDS)])


def traced(tiny: TinyModel, coders: CoderSet, *sets: CoderSet) -> Run:
    """A run whose objective is the latent, and whose nodes are those of `sets`."""
    node = Node(latent(coders, LAYER, INDEX), TOKEN)
    bases = bases_of([coders, *sets])
    return run(tiny.ours, [Case(TOKENS, NodeObjective(node), (), bases)], read_out_norm="live")[0]


def pre_activations(coders: CoderSet, x: Tensor) -> Tensor:
    return coders.coders[LAYER].pre_activation(x)[..., INDEX]


@pytest.mark.parametrize(("site", "variant"), CASES)
def test_a_traced_latent_s_value_and_gradient_are_hugging_face_s(
    site: Any, variant: str, tiny_models: TinyModels
) -> None:
    """The gradient by autograd through the layer, pattern held; at every token that is read."""
    tiny = model_for(site, variant, tiny_models)
    coders = coders_at(tiny.ours, site, variant)
    out = traced(tiny, coders).read_out
    place = place_of_site(tiny.ours, site, LAYER)
    reads = {"mlp_post_act": "mlp_reads", "resid_delta_mlp": "mlp_reads"}.get(site)
    reads = "attn_reads" if site == "resid_delta_attn" else reads
    delta = torch.zeros(8, tiny.ours.config.d_model, requires_grad=True)
    edits: dict[Any, Any] = {(reads, LAYER) if reads else place: lambda x: x + delta}
    if site == "resid_delta_attn":
        edits["attn_pattern", LAYER] = lambda pattern: pattern.detach()
    truth = pre_activations(coders, hooked_run(tiny.hf, TOKENS, edits).values[place][TOKEN])
    (gradient,) = torch.autograd.grad(truth, delta)
    assert out.value == pytest.approx(float(truth.detach()), abs=1e-4)
    assert (out.unit, out.position, out.adds_up) == ("pre-activation", TOKEN, site in LINEAR)
    found = torch.zeros_like(gradient)
    for position, vector in out.live_gradient.items():
        found[position] = vector
    assert_close(found, gradient, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("variant", ["relu", "layer-normed"])
@pytest.mark.parametrize("site", LINEAR)
def test_direct_effects_on_a_traced_latent_sum_to_its_pre_activation(
    site: Any, variant: str, tiny_models: TinyModels
) -> None:
    tiny = model_for(site, variant, tiny_models)
    coders = coders_at(tiny.ours, site, variant)
    beside = coders_at(tiny.ours, "resid_delta_mlp", "topk")
    effects = Effects(traced(tiny, coders, beside), WriteNorms(tiny.ours))
    x = hooked_run(tiny.hf, TOKENS).values[place_of_site(tiny.ours, site, LAYER)]
    truth = float(pre_activations(coders, x)[TOKEN])
    assert sum(effects.totals.by_kind.values()) == pytest.approx(truth, rel=1e-4, abs=1e-4)
    nodes = sum(
        float(layer.sum())
        for family, metric in effects.kinds().items()
        if not family.startswith("resid")
        for layer in metric("direct_effect").layers
    )
    assert nodes + effects.bias.direct_effect == pytest.approx(truth, rel=1e-4, abs=2e-4)


@pytest.mark.parametrize("site", ["mlp_post_act", "resid_delta_mlp"])
def test_through_an_mlp_the_direction_is_the_derivative_with_its_norm_s_scale_held(
    site: Any, varied: TinyModel
) -> None:
    """By finite differences of the layer written out."""
    model, coders = varied.ours, coders_at(varied.ours, site)
    mine = traced(varied, coders)
    block, place = model.block(LAYER), mine.read_out.place
    r = mine.batch.resid(place)[0, TOKEN].detach()
    scale = block.norm_mlp.scale(r)

    def value(r: Tensor) -> Tensor:
        x = block.mlp.post_act(block.norm_mlp.apply(r, scale))
        x = (
            x
            if site == "mlp_post_act"
            else torch.nn.functional.linear(x, block.mlp.w_out, block.mlp.b_out)
        )
        return pre_activations(coders, x).double()

    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        step = torch.randn(r.shape, generator=generator)
        slope = float(value(r + 1e-3 * step) - value(r - 1e-3 * step)) / 2e-3
        assert float(mine.read_out.direction[TOKEN] @ step) == pytest.approx(
            slope, rel=5e-3, abs=5e-3
        )


@pytest.mark.parametrize("site", SITES)
def test_measured_effects_on_a_traced_latent_are_hugging_face_s(
    site: Any, tiny_models: TinyModels
) -> None:
    tiny = model_for(site, "relu", tiny_models)
    coders = coders_at(tiny.ours, site)
    case = Case(
        TOKENS, NodeObjective(Node(latent(coders, LAYER, INDEX), TOKEN)), (), bases_of([coders])
    )
    names = ("mlp_L0_3@2", "embed@6", "mlp_L0_7@6")
    _, batches = Investigation(tiny.ours, [coders]).measure([case], [Node.parse(n) for n in names])
    found = {str(node): effect for batch in batches for node, effect in batch}
    place = place_of_site(tiny.ours, site, LAYER)
    plain = hooked_run(tiny.hf, TOKENS)
    held: dict[Any, Any] = {}
    if site == "resid_delta_attn":  # the trace holds the pattern
        held = {("attn_pattern", LAYER): lambda _: plain.values["attn_pattern", LAYER].clone()}

    def value(**gone: int) -> float:
        edits = dict(held)
        if "neuron" in gone:

            def edit(a: Tensor) -> Tensor:
                a[gone["token"], gone["neuron"]] = 0
                return a

            edits["mlp_post_act", 0] = edit
        elif gone:

            def edit_embed(x: Tensor) -> Tensor:
                x[gone["token"]] = 0
                return x

            edits["embed", 0] = edit_embed
        return float(
            pre_activations(coders, hooked_run(tiny.hf, TOKENS, edits).values[place][TOKEN])
        )

    truths = (
        value() - value(neuron=3, token=2),
        value() - value(token=6),
        value() - value(neuron=7, token=6),
    )
    for name, truth in zip(names, truths, strict=True):
        assert found[name] == pytest.approx(truth, abs=2e-4), name


# Attention latents by pairs


@pytest.mark.parametrize("variant", VARIANTS)
def test_pairs_and_the_rest_sum_to_the_pre_activation(variant: str, varied: TinyModel) -> None:
    coders = coders_at(varied.ours, "resid_delta_attn", variant)
    mine = run(varied.ours, [Case(TOKENS, LOGIT_DIFF, (), bases_of([coders]))])[0]
    node = Node(latent(coders, LAYER, INDEX), TOKEN)
    found = latent_pairs(mine, node, 1000)
    seen, coder = hooked_run(varied.hf, TOKENS), coders.coders[LAYER]
    x = seen.values["resid_delta_attn", LAYER]
    truth = float(pre_activations(coders, x)[TOKEN])
    assert found.pre_activation == pytest.approx(truth, abs=1e-4)
    assert found.activation == pytest.approx(float(coder.encode(x)[TOKEN, INDEX]), abs=1e-4)
    assert sum(found.by_key) + found.rest == pytest.approx(truth, abs=1e-4)
    assert sum(pair.value for pair in found.pairs) + found.rest == pytest.approx(truth, abs=1e-4)
    assert sum(found.by_head) == pytest.approx(sum(found.by_key), abs=1e-4)
    sizes = [abs(pair.value) for pair in found.pairs]
    assert sizes == sorted(sizes, reverse=True)
    # One pair by its definition: what the latent loses, scale held, without that write.
    pair = found.pairs[0]
    write = seen.values["attn_v", LAYER][pair.head, pair.key_position] @ head_w_o(
        varied.hf, LAYER, pair.head
    )
    write = write * seen.values["attn_pattern", LAYER][pair.head, TOKEN, pair.key_position]
    std = coder.normalize(x[TOKEN])[2] if coder.config.input_norm == "layer" else torch.ones(1)
    centred = write - write.mean() if coder.config.input_norm == "layer" else write
    share = centred / std * coder.config.input_scale @ coder.w_enc[INDEX]
    assert pair.value == pytest.approx(float(share), abs=1e-4)
    assert pair.node == f"attn_L{LAYER}_{pair.head}@{TOKEN}:{pair.key_position}"


def test_pairs_of_a_patched_head_count_as_the_rest(varied: TinyModel) -> None:
    coders = coders_at(varied.ours, "resid_delta_attn")
    bases = bases_of([coders])
    edit = Patch(Component("attn", LAYER, 2))
    cases = [Case(TOKENS, LOGIT_DIFF, (edit,), bases), Case(OTHER, LOGIT_DIFF, (), bases)]
    mine = run(varied.ours, cases)[0]
    before = mine.value("attn_pattern", LAYER).clone()
    found = latent_pairs(mine, Node(latent(coders, LAYER, INDEX), TOKEN), 1000)
    assert sum(found.by_key) + found.rest == pytest.approx(found.pre_activation, abs=1e-4)
    assert found.by_head[2] == 0
    assert torch.equal(mine.value("attn_pattern", LAYER), before)


def test_only_latents_of_attention_have_pairs(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    coders = coders_at(model, "resid_delta_mlp")
    mine = run(model, [Case(TOKENS, LOGIT_DIFF, (), bases_of([coders]))])[0]
    for node in (Node(latent(coders, 1, 2), 3), Node.parse("mlp_L1_2@3")):
        with pytest.raises(ValueError, match="only a latent of attention"):
            latent_pairs(mine, node, 5)
