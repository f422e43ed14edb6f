"""Configurations: what Hugging Face's say, and what cannot be."""

import json
from typing import Any

import pytest

from neuron_explainer.models.config import ModelConfig
from tests.tiny_models import FAMILIES, TinyModel, hf_config

SIZES: dict[str, Any] = {
    "name": "mine",
    "family": "gpt2",
    "n_layers": 2,
    "n_heads": 4,
    "n_kv_heads": 4,
    "d_model": 16,
    "d_head": 4,
    "d_mlp": 64,
    "n_vocab": 10,
    "n_ctx": 8,
    "norm": "layer",
    "norm_eps": 1e-5,
    "nonlinearity": "gelu",
    "positions": "learned",
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_config_survives_json(kind: str) -> None:
    config = ModelConfig.from_hf(hf_config(kind).to_dict(), kind)
    assert ModelConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_a_config_is_read_from_the_checkpoint(tiny: TinyModel) -> None:
    config, hf = tiny.ours.config, tiny.hf.config
    assert (config.n_layers, config.n_heads) == (hf.num_hidden_layers, hf.num_attention_heads)
    assert (config.d_model, config.n_vocab) == (hf.hidden_size, hf.vocab_size)
    assert config.n_ctx == hf.max_position_embeddings
    assert config.name == str(tiny.folder)


def test_attention_is_scaled_by_the_head_size_unless_told_otherwise() -> None:
    assert ModelConfig(**SIZES).attention_scales == (0.5, 0.5)
    assert ModelConfig(**SIZES, attention_scales=(1.0, 2.0)).attention_scales == (1.0, 2.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_kv_heads": 3}, "n_heads=4 is not a multiple of n_kv_heads=3"),
        ({"positions": "rotary"}, "positions='rotary' clashes with d_rotary=0"),
        ({"d_rotary": 4}, "positions='learned' clashes with d_rotary=4"),
        ({"attention_scales": (1.0,)}, "attention_scales has 1 entries, n_layers=2"),
    ],
)
def test_fields_that_clash_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelConfig(**(SIZES | changes))


def test_an_unknown_family_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="mine: models of type 'bert' are not supported.*'qwen2'"):
        ModelConfig.from_hf({"model_type": "bert"}, "mine")
