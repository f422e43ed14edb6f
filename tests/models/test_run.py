"""Runs: recorded values and gradients against Hugging Face, batches against single rows, reused
passes against full ones."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.models.forward_pass import RECORDED, Pass
from neuron_explainer.models.hooks import NO_HOOKS
from neuron_explainer.models.interventions import Ablate, Intervention, Patch, Scale
from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.run import Case, Run, differentiate, edited_pass, run, source_of
from neuron_explainer.nodes import Component, Node
from tests.hand_edits import HAND_EDITS
from tests.hooked_hf import hooked_run
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS, OTHER, SHORT = some_tokens(9, 1), some_tokens(9, 2), some_tokens(6, 3)
LOGITS = TokenObjective("logit_diff", (5, 17), (40,))
DIFFERENTIABLE = ("attn_pattern", "mlp_post_act")

NEURON = NodeObjective(Node.parse("mlp_L1_7@5"))
QUERY = NodeObjective(Node.parse("attn_L2_3@5:2"), "query")
KEY = NodeObjective(Node.parse("attn_L1_3@5:2"), "key")
VALUE = NodeObjective(Node.parse("attn_L1_0@5:4"), "value", QUERY)


def everything(run: Run) -> dict[str, Tensor]:
    """Every recorded value and every gradient; a gradient that is not there is zero."""
    found = {"embed": run.embed, "d embed": run.embed_grad}
    for layer in range(run.model.config.n_layers):
        for site in RECORDED:
            value, grad = run.value(site, layer), run.grad(site, layer)
            found[f"{site} {layer}"] = value
            found[f"d {site} {layer}"] = torch.zeros_like(value) if grad is None else grad
    return found


def assert_same_run(mine: Run, truth: Run, atol: float) -> None:
    """The same value, and all values and gradients within atol of each other."""
    assert mine.read_out.value == pytest.approx(truth.read_out.value, abs=atol)
    wanted = everything(truth)
    apart = {name: float((x - wanted[name]).abs().max()) for name, x in everything(mine).items()}
    size = max(1.0, max(float(x.abs().max()) for x in wanted.values()))
    assert max(apart.values()) <= atol * size, {n: d for n, d in apart.items() if d > atol}


# Against Hugging Face


def test_recorded_values_are_hugging_face_s(tiny: TinyModel) -> None:
    mine = run(tiny.ours, [Case(TOKENS, LOGITS)])[0]
    seen = hooked_run(tiny.hf, TOKENS)
    assert_close(mine.embed, seen.values["embed", 0], atol=1e-5, rtol=0)
    shared = tiny.ours.config.n_heads // tiny.ours.config.n_kv_heads
    for layer in range(3):
        for site in ("attn_pattern", "attn_z", "mlp_post_act"):
            assert_close(mine.value(site, layer), seen.values[site, layer], atol=1e-4, rtol=0)
        v = mine.value("attn_v", layer).repeat_interleave(shared, 0)
        assert_close(v, seen.values["attn_v", layer], atol=1e-4, rtol=0)
        resid = mine.value("resid_pre", layer)
        assert_close(resid, seen.values["attn_reads", layer], atol=1e-4, rtol=0)
        reads = "resid_pre" if tiny.ours.config.parallel_residual else "resid_mid"
        assert_close(mine.value(reads, layer), seen.values["mlp_reads", layer], atol=1e-4, rtol=0)


def test_the_residual_stream_is_the_sum_of_what_was_written(tiny: TinyModel) -> None:
    mine = run(tiny.ours, [Case(TOKENS, LOGITS)])[0]
    total = mine.embed
    for layer in range(3):
        total = total + mine.value("resid_delta_attn", layer)
        assert_close(mine.value("resid_mid", layer), total, atol=1e-4, rtol=0)
        total = total + mine.value("resid_delta_mlp", layer)
        assert_close(mine.value("resid_post", layer), total, atol=1e-4, rtol=0)


def test_gradients_are_autograd_through_hugging_face(tiny: TinyModel) -> None:
    """With the read-out's norm live: zeros are added at each site, and differentiated."""
    mine = run(tiny.ours, [Case(TOKENS, LOGITS)], read_out_norm="live")[0]
    seen = hooked_run(tiny.hf, TOKENS)
    sites = [(site, layer) for site in DIFFERENTIABLE for layer in range(3)] + [("embed", 0)]
    zeros = {place: torch.zeros_like(seen.values[place], requires_grad=True) for place in sites}

    def adds(zero: Tensor) -> object:
        return lambda value: value + zero

    seen = hooked_run(tiny.hf, TOKENS, {place: adds(zero) for place, zero in zeros.items()})
    value = seen.logits[-1, [5, 17]].mean() - seen.logits[-1, 40]
    truth = torch.autograd.grad(value, list(zeros.values()))
    for (site, layer), wanted in zip(zeros, truth, strict=True):
        found = mine.embed_grad if site == "embed" else mine.grad(site, layer)
        if site == "attn_pattern":  # a masked pair's gradient is never used
            seen_pairs = seen.values[site, layer] > 0
            found, wanted = found * seen_pairs, wanted * seen_pairs
        assert_close(found, wanted, atol=1e-4, rtol=1e-3, msg=lambda m, s=site: f"{s}: {m}")


def test_with_the_scale_fixed_gradients_flow_from_the_direction(tiny: TinyModel) -> None:
    """The last MLP writes straight to the read-out: dJ/da is W_out . G."""
    mine = run(tiny.ours, [Case(TOKENS, LOGITS)])[0]
    wanted = mine.read_out.direction[8] @ tiny.ours.block(2).mlp.w_out
    assert_close(mine.grad("mlp_post_act", 2)[8], wanted, atol=1e-5, rtol=1e-4)
    assert mine.grad("mlp_post_act", 2)[:8].abs().max() == 0


# Batches


def test_a_row_of_a_batch_is_the_run_of_that_row_alone(tiny: TinyModel) -> None:
    """Rows of other lengths, objectives and edits; padding is never seen."""
    cases = [
        Case(TOKENS, LOGITS),
        Case(SHORT, QUERY, (Ablate(Component("attn", 1, 2)), Scale(Component("embed"), (3,)))),
        Case(SHORT[:1], TokenObjective("prob", (9,)), (Ablate(Component("mlp", 0, 5)),)),
        Case(OTHER, NEURON, (Ablate(Component("attn", 0, 1), value="mean"),)),
        Case(TOKENS, VALUE, (Ablate(Component("mlp", 0, 1), value="mean"),)),
        Case(SHORT, KEY, (Ablate(Component("attn", 0, 1), key_positions=(0, 2), value="mean"),)),
    ]
    for case, mine in zip(cases, run(tiny.ours, cases), strict=True):
        # Another batch size is another order of summation.
        assert_same_run(mine, run(tiny.ours, [case])[0], atol=2e-5)


def test_the_same_run_twice_gives_the_same_bits(tiny_models: TinyModels) -> None:
    model = tiny_models("llama-grouped").ours
    first, second = (run(model, [Case(TOKENS, LOGITS)])[0] for _ in range(2))
    assert_same_run(first, second, atol=0)


def test_parameters_get_no_gradients(varied: TinyModel) -> None:
    run(varied.ours, [Case(TOKENS, LOGITS, (Ablate(Component("mlp", 1, 3)),))])
    assert all(p.grad is None and not p.requires_grad for p in varied.ours.parameters())


# Passes that reuse another


def both_ways(model: TinyModel, edits: tuple[Intervention, ...]) -> tuple[Pass, Pass]:
    """The edited prompt starting from an unedited pass over it, and in full."""
    case = Case(TOKENS, LOGITS, edits)
    base = Pass(model.ours, [TOKENS], NO_HOOKS)
    source = source_of(Pass(model.ours, [OTHER], NO_HOOKS))
    reused = edited_pass(model.ours, case, base, source)
    assert reused.base is (base if reused.first_layer > 0 else None)
    return reused, run(model.ours, [case, Case(OTHER, LOGITS)])[0].batch


def assert_same_pass(reused: Pass, full: Pass) -> None:
    """For objectives above, in and below the part that is run again. The full pass has two rows,
    hence another order of summation."""
    for objective in (LOGITS, NEURON, QUERY, KEY, VALUE):
        case = Case(TOKENS, objective)
        truth = differentiate(full, [case, Case(OTHER, LOGITS)])[0]
        assert_same_run(differentiate(reused, [case])[0], truth, atol=2e-5)


FEW_EDITS = ("neuron scaled", "pairs ablated", "head patched", "embeddings scaled")


@pytest.mark.parametrize(
    ("kind", "layer", "name"),
    [
        *(("llama-grouped", 1, name) for name in HAND_EDITS),
        *(("llama-grouped", layer, name) for layer in (0, 2) for name in FEW_EDITS),
        *(("gpt_neox", 1, name) for name in FEW_EDITS),
    ],
)
def test_a_pass_that_reuses_the_base_is_the_full_run(
    kind: str, layer: int, name: str, tiny_models: TinyModels
) -> None:
    model = tiny_models(kind)
    edit, _ = HAND_EDITS[name](layer, hooked_run(model.hf, OTHER))
    assert_same_pass(*both_ways(model, (edit,)))


def test_edits_in_several_layers_reuse_the_base_below_the_first(varied: TinyModel) -> None:
    edits = (
        Scale(Component("mlp", 2, 3), value=2.0),
        Ablate(Component("attn", 1, 2), (4, 5)),
        Patch(Component("attn", 2, 0)),
    )
    assert_same_pass(*both_ways(varied, edits))


def test_without_edits_the_base_itself_is_used(varied: TinyModel) -> None:
    base = Pass(varied.ours, [TOKENS], NO_HOOKS)
    assert edited_pass(varied.ours, Case(TOKENS, LOGITS), base, None) is base


def test_a_base_answers_again_after_an_edited_pass_used_it(varied: TinyModel) -> None:
    """Its graph is kept and its values are untouched."""
    base = Pass(varied.ours, [TOKENS], NO_HOOKS)
    plain = Case(TOKENS, LOGITS)
    before = differentiate(base, [plain])[0]
    edited = Case(TOKENS, LOGITS, (Ablate(Component("mlp", 2, 3)),))
    differentiate(edited_pass(varied.ours, edited, base, None), [edited])
    assert_same_run(differentiate(base, [plain])[0], before, atol=0)


def test_a_run_read_without_gradients_has_the_same_value(varied: TinyModel) -> None:
    base = Pass(varied.ours, [TOKENS], NO_HOOKS)
    case = Case(TOKENS, LOGITS)
    read = differentiate(base, [case], to_sites=False)[0]
    assert read.read_out.value == differentiate(base, [case])[0].read_out.value
    assert read.grad("mlp_post_act", 0) is None
    assert read.embed_grad.abs().max() == 0


@pytest.mark.parametrize("tokens", [(), (1, -1), (1, 10**9)])
def test_a_prompt_without_tokens_or_with_unknown_ones_is_refused(
    tokens: tuple[int, ...], tiny_models: TinyModels
) -> None:
    case = Case(tokens, TokenObjective("logit_diff", (1,)))
    with pytest.raises(ValueError, match="one token id or more"):
        run(tiny_models("gpt2").ours, [case])
