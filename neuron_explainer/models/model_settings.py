"""What a model folder says beside its weights: the configuration, rotary frequencies, the tokenizer.

transformers reads them. Importing it takes half a second, and having it look
through its families for a class as much again, so that is done only where a folder needs it.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.sources import ModelUnavailable
from neuron_explainer.models.transformer import Rotary

_ANY_TOKENIZER = ("PreTrainedTokenizerFast", "TokenizersBackend")
"""What a tokenizer_config.json names, by its old or its new name, when tokenizer.json says it all."""

_ROPE_KINDS = ("default", "linear", "llama3", "yarn")
"""Rotary schemes whose frequencies do not depend on the length of the sequence."""


def read_config(folder: Path, name: str) -> tuple[ModelConfig, Any]:
    """Our configuration, and Hugging Face's for what is rotary.

    A GPT-2's file says all there is to know. The others lean on defaults that transformers holds, and
    finding its class for a family takes half a second, the first time.
    """
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if fields.get("model_type") == "gpt2":
        with suppress(KeyError):
            return ModelConfig.from_hf(fields, name), None
    from transformers import AutoConfig

    hf_config = AutoConfig.from_pretrained(folder, local_files_only=True)
    return ModelConfig.from_hf(hf_config.to_dict(), name), hf_config


def read_tokenizer(folder: Path) -> Any:
    tokenizer_files = ("tokenizer.json", "tokenizer.model", "vocab.json")
    if not any((folder / name).is_file() for name in tokenizer_files):
        raise ModelUnavailable(
            f"{folder} holds no tokenizer: expected one of {', '.join(tokenizer_files)}."
        )
    settings = folder / "tokenizer_config.json"
    named = (
        json.loads(settings.read_text(encoding="utf-8")).get("tokenizer_class")
        if settings.is_file()
        else None
    )
    if named in _ANY_TOKENIZER and (folder / "tokenizer.json").is_file():
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    from transformers import AutoTokenizer  # looks through every family: half a second

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def rotary(hf_config: Any, config: ModelConfig) -> Rotary | None:
    if config.positions == "learned":
        return None
    kind = config.rope.get("rope_type", "default")
    if kind not in _ROPE_KINDS:
        raise ValueError(
            f"{config.name}: rotary scheme {kind!r} is not supported. Supported: {_ROPE_KINDS}."
        )
    if kind != "default":
        from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

        return Rotary(*ROPE_INIT_FUNCTIONS[kind](hf_config, torch.device("cpu")))
    pair = torch.arange(0, config.d_rotary, 2, dtype=torch.float32)
    return Rotary(1.0 / (config.rope["rope_theta"] ** (pair / config.d_rotary)), 1.0)
