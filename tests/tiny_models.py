"""Tiny random-weight checkpoints of every family, as Hugging Face sees them and as we load them.

Biases and norms are made non-trivial: at Hugging Face's own initialisation they are zeros and ones,
and an implementation that ignores them would pass. The weights are large enough for attention to be
far from uniform.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from neuron_explainer import load_model
from neuron_explainer.models.transformer import Transformer

N_VOCAB = 300
N_CTX = 32

CORPUS = (
    "When Mary and John went to the store, John gave a drink to Mary. "
    "The cat sat on the mat, and the dog sat on the cat. "
) * 20

_ROTARY = {"rope_type": "default", "rope_theta": 100.0}
_HALF_ROTARY = _ROTARY | {"partial_rotary_factor": 0.5}

_CONFIGS: Mapping[str, tuple[type, Mapping[str, Any]]] = {
    "gpt2": (GPT2Config, {}),
    "gpt2-untied": (
        GPT2Config,
        {"tie_word_embeddings": False, "scale_attn_by_inverse_layer_idx": True, "n_inner": 40},
    ),
    "llama": (LlamaConfig, {"num_key_value_heads": 4, "tie_word_embeddings": True}),
    "llama-grouped": (LlamaConfig, {"num_key_value_heads": 2, "head_dim": 12}),
    "llama-biases": (LlamaConfig, {"attention_bias": True, "mlp_bias": True}),
    "qwen2": (Qwen2Config, {"num_key_value_heads": 2, "tie_word_embeddings": True}),
    "mistral": (MistralConfig, {"num_key_value_heads": 1, "sliding_window": 4}),
    "gpt_neox": (GPTNeoXConfig, {"rope_parameters": _HALF_ROTARY}),
    "gpt_neox-sequential": (GPTNeoXConfig, {"use_parallel_residual": False}),
}
FAMILIES = tuple(_CONFIGS)
WITH_ROPE_SCALING: Mapping[str, Mapping[str, Any]] = {
    "linear": {"rope_type": "linear", "factor": 4.0},
    "llama3": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    },
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8},
}


def hf_config(kind: str, **changes: Any) -> Any:
    """A tiny configuration: 3 layers, 4 heads, 32 wide, 300 words, and what makes it this kind."""
    config_type, own = _CONFIGS[kind]
    if config_type is GPT2Config:
        sizes = {"n_layer": 3, "n_head": 4, "n_embd": 32, "n_positions": N_CTX}
        sizes |= {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    else:
        sizes = {"num_hidden_layers": 3, "num_attention_heads": 4, "hidden_size": 32}
        sizes |= {"intermediate_size": 48, "max_position_embeddings": N_CTX}
        sizes |= {"rope_parameters": _ROTARY, "tie_word_embeddings": False}
    ends = {"vocab_size": N_VOCAB, "bos_token_id": 0, "eos_token_id": 0}
    # Hugging Face writes into the dicts it is given.
    return config_type(**deepcopy(sizes | ends | dict(own) | changes))


def hf_model(config: Any, seed: int = 0) -> Any:
    """A Hugging Face model in eager attention, float32, with weights that matter everywhere."""
    model = AutoModelForCausalLM.from_config(
        config, attn_implementation="eager", dtype=torch.float32
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            is_norm = "norm" in name or ".ln_" in name
            if is_norm and name.endswith("weight"):
                parameter.copy_(1.0 + 0.3 * noise)
            elif parameter.ndim == 1:
                parameter.copy_(0.3 * noise)
            else:
                parameter.copy_(1.2 * parameter.shape[-1] ** -0.5 * noise)
    model.requires_grad_(False)
    return model.eval()


@cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE of 300 words, trained on two sentences."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=N_VOCAB,
        show_progress=False,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    raw.train_from_iterator([CORPUS], trainer)
    assert raw.get_vocab_size() == N_VOCAB
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|end|>", bos_token="<|end|>")


@dataclass(frozen=True)
class TinyModel:
    """One checkpoint twice: Hugging Face's model, and ours loaded from the folder it saved."""

    kind: str
    folder: Path
    hf: Any
    ours: Transformer

    def hf_logits(self, tokens: tuple[int, ...]) -> Tensor:
        """ "seq vocab"."""
        with torch.no_grad():
            return self.hf(torch.tensor([tokens])).logits[0]


def save(hf: Any, folder: Path, **how: Any) -> Path:
    hf.save_pretrained(folder, **how)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@dataclass
class TinyModels:
    """Builds each kind once."""

    root: Path
    _built: dict[str, TinyModel] = field(default_factory=dict)

    def __call__(self, kind: str) -> TinyModel:
        if kind not in self._built:
            hf = hf_model(hf_config(kind), seed=FAMILIES.index(kind))
            folder = save(hf, self.root / kind)
            self._built[kind] = TinyModel(kind, folder, hf, load_model(folder))
        return self._built[kind]


def some_tokens(n: int, seed: int = 0) -> tuple[int, ...]:
    """A prompt of random token ids."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(1, N_VOCAB, (n,), generator=generator).tolist())
