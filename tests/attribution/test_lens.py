"""What the vocabulary makes of vectors, against Hugging Face's own norm and head."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer.attribution.lens import logit_lens, node_tokens, top_tokens, write_logits
from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.run import Case, run
from neuron_explainer.nodes import Node
from tests.hand_values import node_writes, read_out_scale, token_value
from tests.hooked_hf import final_norm_of, hooked_run
from tests.tiny_models import N_VOCAB, TinyModel, TinyModels, some_tokens

TOKENS = some_tokens(8, 1)
LOGIT_DIFF = TokenObjective("logit_diff", (5, 17), (40,), position=6)


def logits_of_write(hf: Any, write: Tensor, scale: Tensor) -> Tensor:
    """How far a write moves the logits at a fixed norm scale, less the mean over the vocabulary."""
    norm, head = final_norm_of(hf), hf.get_output_embeddings()
    centred = write - write.mean() if isinstance(norm, torch.nn.LayerNorm) else write
    logits = head(norm.weight * centred / scale)
    return logits - logits.mean()


NODES = ("embed@2", "mlp_L1_7@6", "mlp_L2_3@4", "attn_L1_2@6:5", "attn_L2_0@3:3")


def test_a_node_s_tokens_are_those_its_write_moves_most(tiny: TinyModel) -> None:
    mine = run(tiny.ours, [Case(TOKENS, LOGIT_DIFF)])[0]
    seen = hooked_run(tiny.hf, TOKENS)
    scale = read_out_scale(tiny.hf, seen.values["resid_final", 0][6])
    for found in node_tokens(mine, [Node.parse(name) for name in NODES], n=4):
        node = Node.parse(found.node)
        component = node.component
        _, writes = node_writes(tiny.hf, seen, component.kind, component.layer or 0)
        place = {
            "embed": (node.position,),
            "mlp": (node.position, component.index),
            "attn": (component.index, node.position, node.key_position),
        }[component.kind]
        truth = logits_of_write(tiny.hf, writes[place], scale)
        for listed, sign in ((found.promotes, 1), (found.suppresses, -1)):
            top = (sign * truth).topk(4)
            assert [t.logit for t in listed] == pytest.approx(
                (sign * top.values).tolist(), rel=1e-3, abs=1e-4
            )
            for token in listed:
                assert float(truth[token.id]) == pytest.approx(token.logit, rel=1e-3, abs=1e-4)
                assert token.text == tiny.ours.tokenizer.decode([token.id])


def test_logits_of_all_writes_add_up_to_the_logits(tiny: TinyModel) -> None:
    """The embedding's, every layer's and the norm's own bias, up to the mean over the vocabulary."""
    mine = run(tiny.ours, [Case(TOKENS, LOGIT_DIFF)])[0]
    deltas = [mine.embed[6]]
    for layer in range(3):
        deltas += [mine.value(s, layer)[6] for s in ("resid_delta_attn", "resid_delta_mlp")]
    scale = float(tiny.ours.final_norm.scale(mine.batch.final[0, 6].detach()))
    total = write_logits(tiny.ours, torch.stack(deltas), scale).sum(0)
    norm = final_norm_of(tiny.hf)
    own = tiny.hf.get_output_embeddings()(getattr(norm, "bias", torch.zeros_like(norm.weight)))
    logits = tiny.hf_logits(TOKENS)[6] - own
    assert_close(total, logits - logits.mean(), atol=1e-3, rtol=1e-3)


def test_the_lens_reads_every_layer_as_if_it_were_the_last(tiny: TinyModel) -> None:
    mine = run(tiny.ours, [Case(TOKENS, LOGIT_DIFF)])[0]
    seen = hooked_run(tiny.hf, TOKENS)
    resid = [seen.values["attn_reads", layer] for layer in range(3)]
    resid.append(seen.values["resid_final", 0])
    norm, head = final_norm_of(tiny.hf), tiny.hf.get_output_embeddings()
    lens = logit_lens(mine, n=3)
    assert [layer.layer for layer in lens] == [-1, 0, 1, 2]
    for layer, r in zip(lens, resid, strict=True):
        logits = head(norm(r[6]))
        assert layer.value == pytest.approx(float(token_value(LOGIT_DIFF, logits)), abs=1e-3)
        order = logits.argsort(descending=True).tolist()
        assert {t.id for t in layer.tokens} == {*order[:3], 5, 17, 40}
        assert {t.id: t.rank for t in layer.tokens} == {
            t.id: order.index(t.id) for t in layer.tokens
        }
        roles = {5: "target", 17: "target", 40: "distractor"}
        assert all(t.role == roles.get(t.id) for t in layer.tokens)
    assert lens[-1].value == pytest.approx(mine.read_out.value, abs=1e-4)


def test_the_lens_of_a_traced_node_follows_the_likeliest_token(tiny_models: TinyModels) -> None:
    tiny = tiny_models("gpt2")
    trace = NodeObjective(Node.parse("mlp_L1_7@6"))
    lens = logit_lens(run(tiny.ours, [Case(TOKENS, trace)])[0], n=3)
    assert lens[-1].value == pytest.approx(float(tiny.hf_logits(TOKENS)[6].max()), abs=1e-3)


def test_more_tokens_than_there_are_words_is_all_of_them(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    logits = torch.arange(N_VOCAB).float()
    assert [t.id for t in top_tokens(model, logits, 1000)] == list(range(N_VOCAB))[::-1]
    assert [t.id for t in top_tokens(model, logits, 2, largest=False)] == [0, 1]


@pytest.mark.parametrize("name", ["mlp_L9_1@2", "attn_L0_7@2:1"])
def test_tokens_of_a_node_that_is_not_there_are_refused(name: str, tiny_models: TinyModels) -> None:
    mine = run(tiny_models("gpt2").ours, [Case(TOKENS, LOGIT_DIFF)])[0]
    with pytest.raises(LookupError, match="out of range"):
        node_tokens(mine, [Node.parse(name)], 3)
