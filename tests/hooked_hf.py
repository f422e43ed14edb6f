"""Hugging Face models, read and edited by hand: the outside truth for edits and measured effects.

Nothing here is ours: the attention function is written out plainly and registered through the
interface that transformers has for custom attention; MLP activations are the input of the
down-projection; embeddings are the input of the first block.

    site            shape                    where
    embed           seq d_model              first block's input
    attn_scores     head seq key             scaled query . key, before the mask (read only)
    attn_pattern    head seq key             after softmax
    attn_z          head seq d_head          pattern times values
    mlp_post_act    seq d_mlp                down-projection's input
    resid_final     seq d_model              input of the final norm (read only)
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, eager_mask

Place = tuple[str, int]
"""Site and layer; layer 0 for embed and resid_final."""
Edit = Callable[[Tensor], Tensor]
"""A site's value without the batch axis -> what it becomes."""

_NAMES = {
    "GPT2LMHeadModel": ("transformer.h", "mlp.c_proj", "transformer.ln_f"),
    "GPTNeoXForCausalLM": ("gpt_neox.layers", "mlp.dense_4h_to_h", "gpt_neox.final_layer_norm"),
}
_LLAMA_NAMES = ("model.layers", "mlp.down_proj", "model.norm")


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
    blocks_name, down_name, norm_name = _NAMES.get(type(hf).__name__, _LLAMA_NAMES)
    blocks, final_norm = hf.get_submodule(blocks_name), hf.get_submodule(norm_name)
    with ExitStack() as stack:
        stack.enter_context(_attention(hf, run))
        for layer, block in enumerate(blocks):
            down = block.get_submodule(down_name)
            stack.enter_context(_before(down, run, "mlp_post_act", layer))
        stack.enter_context(_before(blocks[0], run, "embed", 0))
        stack.enter_context(_before(final_norm, run, "resid_final", 0))
        run.logits = hf(torch.tensor([tokens]), use_cache=False).logits[0]
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
