"""Hugging Face models, read and edited by hand: the outside truth for edits and measured effects.

Nothing here is ours: the attention function is written out plainly and registered through the
interface that transformers has for custom attention; the rest are hooks on its modules.

    site            shape                    where
    embed           seq d_model              first block's input
    resid_pre       seq d_model              each block's input
    attn_reads      seq d_model              input of the norm before attention
    attn_v          head seq d_head          values, repeated for the queries that share them
    attn_scores     head seq key             scaled query . key, before the mask
    attn_pattern    head seq key             after softmax
    attn_z          head seq d_head          pattern times values
    resid_delta_attn seq d_model             output projection's output
    resid_mid       seq d_model              the block's input plus that; an edit changes what is added
    mlp_reads       seq d_model              input of the norm before the MLP
    mlp_pre         seq d_mlp                output of the first projection (the gate's, if gated)
    mlp_post_act    seq d_mlp                down-projection's input
    resid_delta_mlp seq d_model              its output
    resid_final     seq d_model              input of the final norm

An edit of `attn_reads` or `mlp_reads` changes what the norm reads, not the residual stream itself.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, eager_mask

Place = tuple[str, int]
"""Site and layer; layer 0 for embed and resid_final."""
Edit = Callable[[Tensor], Tensor]
"""A site's value without the batch axis -> what it becomes."""


class Names(NamedTuple):
    """What a family calls its modules."""

    blocks: str
    final_norm: str
    norm_attn: str
    attn_out: str
    norm_mlp: str
    mlp_in: str
    mlp_out: str


_GPT2 = Names(
    "transformer.h", "transformer.ln_f", "ln_1", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"
)
_NEOX = Names(
    "gpt_neox.layers",
    "gpt_neox.final_layer_norm",
    "input_layernorm",
    "attention.dense",
    "post_attention_layernorm",
    "mlp.dense_h_to_4h",
    "mlp.dense_4h_to_h",
)
_LLAMA = Names(
    "model.layers",
    "model.norm",
    "input_layernorm",
    "self_attn.o_proj",
    "post_attention_layernorm",
    "mlp.gate_proj",
    "mlp.down_proj",
)


def names_of(hf: Any) -> Names:
    return {"gpt2": _GPT2, "gpt_neox": _NEOX}.get(hf.config.model_type, _LLAMA)


def block_of(hf: Any, layer: int) -> nn.Module:
    return hf.get_submodule(names_of(hf).blocks)[layer]


def final_norm_of(hf: Any) -> nn.Module:
    return hf.get_submodule(names_of(hf).final_norm)


def weight_out(module: Any) -> Tensor:
    """A projection's weight, output dimension last: GPT-2 stores it so, the others transposed."""
    return module.weight.T if isinstance(module, nn.Linear) else module.weight


def head_w_o(hf: Any, layer: int, head: int) -> Tensor:
    """W_O of one head, "d_head d_model"."""
    weight = weight_out(block_of(hf, layer).get_submodule(names_of(hf).attn_out))
    return weight.unflatten(0, (hf.config.num_attention_heads, -1))[head]


def w_out(hf: Any, layer: int) -> Tensor:
    """W_out, "d_mlp d_model"."""
    return weight_out(block_of(hf, layer).get_submodule(names_of(hf).mlp_out))


@dataclass
class HookedRun:
    """One forward of a Hugging Face model with edits; `values` holds every site after its edits."""

    edits: Mapping[Place, Edit] = field(default_factory=dict)
    values: dict[Place, Tensor] = field(default_factory=dict)
    logits: Tensor = field(default_factory=lambda: torch.empty(0))

    def see(self, site: str, layer: int, value: Tensor) -> Tensor:
        """Edit and keep "batch ..." with a batch of one."""
        edit = self.edits.get((site, layer))
        if edit is not None:
            value = edit(value[0].clone())[None]
        self.values[site, layer] = value[0]
        return value


def hooked_run(
    hf: Any, tokens: tuple[int, ...], edits: Mapping[Place, Edit] | None = None
) -> HookedRun:
    """Run the prompt with these edits."""
    run = HookedRun(dict(edits or {}))
    names = names_of(hf)
    blocks = hf.get_submodule(names.blocks)
    with ExitStack() as stack:
        stack.enter_context(_attention(hf, run))
        stack.enter_context(_before(blocks[0], run, "embed", 0))
        stack.enter_context(_before(final_norm_of(hf), run, "resid_final", 0))
        for layer, block in enumerate(blocks):
            stack.enter_context(_before(block, run, "resid_pre", layer))
            before = {
                "attn_reads": names.norm_attn,
                "mlp_reads": names.norm_mlp,
                "mlp_post_act": names.mlp_out,
            }
            for site, name in before.items():
                stack.enter_context(_before(block.get_submodule(name), run, site, layer))
            after = {
                "mlp_pre": names.mlp_in,
                "resid_delta_attn": names.attn_out,
                "resid_mid": names.attn_out,
                "resid_delta_mlp": names.mlp_out,
            }
            for site, name in after.items():
                stack.enter_context(_after(block.get_submodule(name), run, site, layer))
        run.logits = hf(torch.tensor([tokens]), use_cache=False).logits[0]
    missed = set(run.edits) - set(run.values)
    assert not missed, f"no such sites: {missed}"
    return run


@contextmanager
def _before(module: nn.Module, run: HookedRun, site: str, layer: int) -> Iterator[None]:
    def hook(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (run.see(site, layer, args[0]), *args[1:])

    handle = module.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _after(module: nn.Module, run: HookedRun, site: str, layer: int) -> Iterator[None]:
    def hook(_module: nn.Module, _args: tuple[Tensor, ...], out: Tensor) -> Tensor:
        if site != "resid_mid":
            return run.see(site, layer, out)
        before = run.values["resid_pre", layer]
        mid = before + out
        changed = run.see(site, layer, mid)
        return out if changed is mid else changed - before

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _attention(hf: Any, run: HookedRun) -> Iterator[None]:
    def attend(
        module: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor,
        scaling: float,
        **_: Any,
    ) -> tuple[Tensor, Tensor]:
        layer = module.layer_idx
        shared = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
        value = run.see("attn_v", layer, value)
        scores = run.see("attn_scores", layer, query @ key.transpose(-1, -2) * scaling)
        pattern = run.see("attn_pattern", layer, (scores + attention_mask).softmax(-1))
        z = run.see("attn_z", layer, pattern @ value)
        return z.transpose(1, 2).contiguous(), pattern

    AttentionInterface.register("hooked", attend)
    AttentionMaskInterface.register("hooked", eager_mask)
    before = hf.config._attn_implementation
    hf.config._attn_implementation = "hooked"
    try:
        yield
    finally:
        hf.config._attn_implementation = before
