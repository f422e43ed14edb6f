"""Tracing a coder's error: what it is worth downstream, against coders applied by hand to Hugging Face runs."""

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from neuron_explainer.attribution.effects import Effects
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.write_norms import WriteNorms
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.run import Case, Run, run
from neuron_explainer.nodes import Node
from tests.attribution.hand_splice import SITES, coders_at, error, latent, place_of_site
from tests.hooked_hf import hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS = some_tokens(8, 1)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))
KINDS = ("gpt2", "llama-grouped", "mistral", "gpt_neox", "gpt_neox-sequential", "llama-biases")
LAYER, TOKEN = 1, 7
READS = {
    "mlp_post_act": "mlp_reads",
    "resid_delta_mlp": "mlp_reads",
    "resid_delta_attn": "attn_reads",
}
WAYS = [(site, v) for site in SITES for v in ("relu", "layer-normed", "topk")]


def traced(tiny: TinyModel, site: str, variant: str, downstream: Any = LOGIT_DIFF) -> Run:
    coders = coders_at(tiny.ours, site, variant)
    node = Node(error(coders, LAYER), TOKEN)
    objective = NodeObjective(node, "value", downstream)
    case = Case(TOKENS, objective, (), bases_of([coders]))
    return run(tiny.ours, [case], read_out_norm="live")[0]


@pytest.mark.parametrize(("site", "variant"), WAYS)
def test_an_error_s_value_is_its_direct_effect_and_its_gradient_hugging_face_s(
    site: Any, variant: str, tiny_models: TinyModels
) -> None:
    tiny = tiny_models(KINDS[SITES.index(site)])
    coders = coders_at(tiny.ours, site, variant)
    plain = run(tiny.ours, [Case(TOKENS, LOGIT_DIFF, (), bases_of([coders]))])[0]
    out = traced(tiny, site, variant).read_out
    effects = Effects(plain, WriteNorms(tiny.ours)).coded[coders.stream]
    direct = float(effects.errors("direct_effect").rows(LAYER)[TOKEN])
    assert out.value == pytest.approx(direct, rel=1e-4, abs=1e-5)
    assert (out.unit, out.position, out.adds_up) == ("logits", TOKEN, False)

    place = place_of_site(tiny.ours, site, LAYER)
    delta = torch.zeros(8, tiny.ours.config.d_model, requires_grad=True)
    edits: dict[Any, Any] = {(READS[site], LAYER) if site in READS else place: lambda x: x + delta}
    if site == "resid_delta_attn":
        edits["attn_pattern", LAYER] = lambda pattern: pattern.detach()
    x = hooked_run(tiny.hf, TOKENS, edits).values[place][TOKEN]
    coder = coders.coders[LAYER]
    along = plain.read_out.direction[TOKEN]
    if site == "mlp_post_act":
        along = along @ tiny.ours.block(LAYER).mlp.w_out
    truth = (x - coder.decode(coder.encode(x), x)) @ along
    assert out.value == pytest.approx(float(truth.detach()), rel=1e-3, abs=1e-4)
    (gradient,) = torch.autograd.grad(truth, delta)
    found = torch.zeros_like(gradient)
    for position, vector in out.live_gradient.items():
        found[position] = vector
    assert_close(found, gradient, atol=5e-4, rtol=2e-3)


def test_an_error_is_traced_on_to_a_latent_and_its_causes_are_measured(
    tiny_models: TinyModels,
) -> None:
    """The measured effect of an embedding on a traced error, by running Hugging Face without it."""
    tiny = tiny_models("gpt2")
    coders = coders_at(tiny.ours, "resid_delta_mlp")
    inv = Investigation(tiny.ours, [coders])
    bases = inv.bases(coders.name)
    judge = NodeObjective(Node(latent(coders, 2, 4), TOKEN))
    objective = NodeObjective(Node(error(coders, LAYER), TOKEN), "value", judge)
    case = Case(TOKENS, objective, (), bases)
    table = inv.debug([case], top_k=5)
    assert any(row.node.startswith("mlp_ae_L0_") for row in table.nodes)
    _, batches = inv.measure([case], [Node.parse("embed@7")])
    ((_, effect),) = (pair for batch in batches for pair in batch)
    below = run(tiny.ours, [Case(TOKENS, judge, (), bases)])[0].read_out.direction[TOKEN]

    def value(**edits: Any) -> float:
        x = hooked_run(tiny.hf, TOKENS, edits.get("edits")).values["resid_delta_mlp", LAYER][TOKEN]
        coder = coders.coders[LAYER]
        return float((x - coder.decode(coder.encode(x), x)) @ below)

    def gone(x: torch.Tensor) -> torch.Tensor:
        x[TOKEN] = 0
        return x

    truth = value() - value(edits={("embed", 0): gone})
    assert effect == pytest.approx(truth, abs=2e-4)


@pytest.mark.parametrize(
    ("through", "downstream", "said"),
    [
        (None, None, "trace through must be value, not None"),
        ("query", None, "trace through must be value, not 'query'"),
        ("value", None, "needs a downstream objective"),
    ],
)
def test_what_an_error_cannot_be_traced_through(through: Any, downstream: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        NodeObjective(Node.parse("mlp_ae_error_L1@3"), through, downstream)


def test_a_judge_that_does_not_see_the_error_is_refused(tiny_models: TinyModels) -> None:
    upstream = NodeObjective(Node.parse(f"mlp_L0_3@{TOKEN}"))
    with pytest.raises(ValueError, match="does not read what it writes .*at layer 0"):
        traced(tiny_models("gpt2"), "resid_delta_mlp", "relu", upstream)
