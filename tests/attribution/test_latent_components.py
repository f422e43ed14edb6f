"""Latents as components: activations on any text, token lists of their weights and of their writes; tables of them."""

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from neuron_explainer.attribution.components import component_activations, component_tokens
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.self_check import self_check
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.interventions import Ablate, Set
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.nodes import Node
from tests.attribution.hand_splice import SITES, coders_at, error, latent, place_of_site
from tests.hooked_hf import hooked_run, w_out
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER = some_tokens(8, 1), some_tokens(6, 2)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,))


@pytest.mark.parametrize("site", SITES)
def test_a_latent_s_activations_are_the_coder_s_on_hugging_face_s_site(
    site: Any, varied: TinyModel
) -> None:
    coders = coders_at(varied.ours, site, "topk")
    bases = bases_of([coders])
    found = component_activations(varied.ours, latent(coders, 1, 7), [TOKENS, OTHER], bases)
    missed = component_activations(varied.ours, error(coders, 1), [TOKENS], bases)[0]
    coder, place = coders.coders[1], place_of_site(varied.ours, site, 1)
    for tokens, mine in zip((TOKENS, OTHER), found, strict=True):
        x = hooked_run(varied.hf, tokens).values[place]
        assert_close(mine, coder.encode(x)[:, 7], atol=1e-4, rtol=1e-4)
    x = hooked_run(varied.hf, TOKENS).values[place]
    assert_close(missed, (x - coder(x)).norm(dim=-1), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("site", SITES)
def test_a_latent_promotes_by_its_decoder_and_responds_by_its_encoder(
    site: Any, varied: TinyModel
) -> None:
    """A token alone in a prompt attends to itself; in a model without learned positions that is the token list."""
    model, coders = varied.ours, coders_at(varied.ours, site)
    found = component_tokens(model, latent(coders, 0, 7), 300, bases_of([coders]))
    coder = coders.coders[0]
    write = coder.decoder[:, 7]
    write = write @ w_out(varied.hf, 0) if site == "mlp_post_act" else write
    centred = write - write.mean() if model.final_norm.centred else write
    logits = model.w_unembed @ (centred * model.final_norm.weight)
    logits = logits - logits.mean()
    for token in (*found.promotes[:5], *found.suppresses[:5]):
        assert token.logit == pytest.approx(float(logits[token.id]), abs=1e-4)
    assert found.promotes[0].id == int(logits.argmax())
    if site in ("resid_mid", "resid_post"):  # holds what the layer added as well
        return
    responds = {token.id: token.logit for token in found.responds_to}
    for token in (found.responds_to[0].id, found.responds_against[0].id, 9):
        if site == "resid_pre":
            x = model.w_embed[token]
        elif site == "resid_delta_attn":

            def bare(x: torch.Tensor, token: int = token) -> torch.Tensor:
                return model.w_embed[token][None].clone()

            x = hooked_run(varied.hf, (token,), {("embed", 0): bare}).values[site, 0][0]
        else:

            def read(x: torch.Tensor, token: int = token) -> torch.Tensor:
                return model.w_embed[token][None].clone()

            x = hooked_run(varied.hf, (token,), {("mlp_reads", 0): read}).values[site, 0][0]
        assert responds[token] == pytest.approx(float(coder.pre_activation(x)[7]), abs=1e-4)


def test_a_table_lists_latents_and_errors_in_the_place_of_neurons_and_heads(
    varied: TinyModel,
) -> None:
    sets = [
        coders_at(varied.ours, "resid_delta_mlp", "topk"),
        coders_at(varied.ours, "resid_delta_attn", layers=(0, 2)),
    ]
    investigation = Investigation(varied.ours, sets)
    bases = investigation.bases("at-resid_delta_mlp", "at-resid_delta_attn")
    index = int(
        sets[0]
        .coders[1]
        .encode(hooked_run(varied.hf, TOKENS).values["resid_delta_mlp", 1])[7]
        .argmax()
    )
    edits = (Set(latent(sets[0], 1, index), (7,), value=9.0), Ablate(error(sets[0], 2)))
    cases = [Case(TOKENS, LOGIT_DIFF, edits, bases), Case(TOKENS, LOGIT_DIFF, (), bases)]
    table = investigation.debug(cases, top_k=5)
    rows = {row.node: row for row in table.nodes}
    assert {row.kind for row in table.nodes} >= {"embed", "attn", "latent", "error"}
    assert all(row.layer == 1 for row in table.nodes if row.kind == "attn")
    assert not any(row.kind == "mlp" for row in table.nodes)
    row = rows[f"mlp_ae_L1_{index}@7"]
    assert (row.edited, row.index, row.position) == ("set", index, 7)
    assert row.values[0].activation == 9.0
    assert row.values[1].activation != 9.0
    assert all(row.edited == "ablated" for row in table.nodes if row.component == "mlp_ae_error_L2")
    assert all(
        row.values[0].activation >= 0 for row in table.nodes if row.kind in ("latent", "error")
    )
    for report in table.cases:
        total = sum(report.direct_effect_by_kind.values())
        assert total == pytest.approx(report.objective.value, rel=1e-4, abs=1e-4)
        assert sum(report.direct_effect_by_layer["error"]) == pytest.approx(
            report.direct_effect_by_kind["error"], abs=1e-4
        )
    plain = investigation.debug([Case(TOKENS, LOGIT_DIFF)], top_k=5)
    assert plain.cases[0].objective.value == table.cases[1].objective.value
    assert not any(row.kind in ("latent", "error") for row in plain.nodes)


def test_prompts_of_unequal_length_are_aligned_for_latents_too(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    coders = coders_at(model, "resid_post")
    bases = bases_of([coders])
    table = Investigation(model, [coders]).debug(
        [Case(TOKENS, LOGIT_DIFF, (), bases), Case(OTHER, LOGIT_DIFF, (), bases)], top_k=4
    )
    latents = [row for row in table.nodes if row.kind == "latent" and all(row.case_nodes)]
    assert latents
    for row in latents:
        ours, theirs = map(Node.parse, row.case_nodes)
        assert theirs.position == ours.position - 2


@pytest.mark.parametrize("site", SITES)
def test_what_a_latent_writes_promotes_tokens(site: Any, varied: TinyModel) -> None:
    coders = coders_at(varied.ours, site, "layer-normed")
    case = Case(TOKENS, LOGIT_DIFF, (), bases_of([coders]))
    investigation = Investigation(varied.ours, [coders])
    x = hooked_run(varied.hf, TOKENS).values[place_of_site(varied.ours, site, 1)]
    coder = coders.coders[1]
    z, unit = coder.encode(x)[7], coder.normalize(x)[2][7]
    index = int(z.argmax())
    nodes = [Node(latent(coders, 1, index), 7), Node(error(coders, 1), 7)]
    found = investigation.node_tokens([case], nodes, 3)
    vectors = (unit * z[index] * coder.decoder[:, index], (x - coder(x))[7])
    final = varied.ours.final_norm
    scale = final.scale(hooked_run(varied.hf, TOKENS).values["resid_final", 0][7])
    for tokens, vector in zip(found, vectors, strict=True):
        write = vector @ w_out(varied.hf, 1) if site == "mlp_post_act" else vector
        write = write - write.mean() if final.centred else write
        logits = varied.ours.w_unembed @ (write * final.weight / scale)
        logits = logits - logits.mean()
        assert tokens.promotes[0].logit == pytest.approx(float(logits.max()), abs=2e-4)
        assert tokens.suppresses[0].logit == pytest.approx(float(logits.min()), abs=2e-4)


def test_an_investigation_says_which_bases_there_are(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    investigation = Investigation(model, [coders_at(model, "resid_delta_mlp")])
    with pytest.raises(
        LookupError,
        match="no basis 'x': the mlp stream may be described by 'neuron' or 'at-resid_delta_mlp'",
    ):
        investigation.bases("x")
    with pytest.raises(
        LookupError, match="'at-resid_delta_mlp' codes resid_delta_mlp: the attn stream"
    ):
        investigation.bases(attention="at-resid_delta_mlp")
    bases = investigation.bases("at-resid_delta_mlp")
    with pytest.raises(ValueError, match="other bases"):
        investigation.debug([Case(TOKENS, LOGIT_DIFF, (), bases), Case(TOKENS, LOGIT_DIFF)])


def test_the_self_check_makes_its_claims_of_coders_too(varied: TinyModel) -> None:
    sets = [
        coders_at(varied.ours, "mlp_post_act", "topk"),
        coders_at(varied.ours, "resid_delta_attn", "layer-normed"),
    ]
    claims = [
        claim for claim in self_check(varied.ours, sets) if claim.name in ("splice", "latent")
    ]
    assert [claim.name for claim in claims] == ["splice", "latent"] * 2
    assert all(claim.passed and claim.skipped is None for claim in claims), claims
