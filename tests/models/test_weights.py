"""Checkpoints as they come on disk, and what is said about those that do not fit."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.testing import assert_close

from neuron_explainer import load_model
from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.sources import ModelUnavailable
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.models.weights import build_model
from tests.tiny_models import TinyModel, TinyModels, hf_config, hf_model, save, some_tokens

TOKENS = some_tokens(8)


def build(state: dict[str, Tensor], kind: str = "gpt2", **changes: Any) -> Transformer:
    config = ModelConfig.from_hf(hf_config(kind, **changes).to_dict(), "mine")
    return build_model(
        config,
        state,
        tokenizer=None,
        rotary=None,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )


@pytest.fixture
def state(tiny_models: TinyModels) -> dict[str, Tensor]:
    """The tensors of a GPT-2 checkpoint by name."""
    return load_file(tiny_models("gpt2").folder / "model.safetensors")


def logits(model: Transformer) -> Tensor:
    return model(torch.tensor([TOKENS]))[0]


def assert_same_model(mine: Transformer, truth: Transformer) -> None:
    """Equal bit for bit in their weights; products may round by where these lie in memory."""
    wanted = dict(truth.named_parameters())
    assert dict(mine.named_parameters()).keys() == wanted.keys()
    assert all(torch.equal(value, wanted[name]) for name, value in mine.named_parameters())
    assert_close(logits(mine), logits(truth), atol=1e-5, rtol=0)


# What loads


def test_parameters_are_frozen(tiny: TinyModel) -> None:
    assert not any(parameter.requires_grad for parameter in tiny.ours.parameters())


def test_parameters_are_counted_as_hugging_face_counts_them(tiny: TinyModel) -> None:
    assert tiny.ours.n_parameters == tiny.hf.num_parameters()


def test_tied_embeddings_are_one_tensor(tiny: TinyModel) -> None:
    is_tied = tiny.ours.w_unembed is tiny.ours.w_embed
    assert is_tied == tiny.hf.config.tie_word_embeddings == tiny.ours.config.tied_embeddings


@pytest.mark.parametrize("kind", ["gpt2-untied", "llama-grouped", "gpt_neox"])
def test_shards_load(kind: str, tiny_models: TinyModels, tmp_path: Path) -> None:
    whole = tiny_models(kind)
    save(whole.hf, tmp_path, max_shard_size="40KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    assert_same_model(load_model(tmp_path), whole.ours)


@pytest.mark.parametrize("n_shards", [1, 2])
def test_pytorch_weights_load(n_shards: int, tiny_models: TinyModels, tmp_path: Path) -> None:
    whole = tiny_models("llama-grouped")
    save(whole.hf, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    names = sorted(tensors)
    if n_shards == 1:
        torch.save(tensors, tmp_path / "pytorch_model.bin")
    else:
        where = {name: f"pytorch_model-{i % 2}.bin" for i, name in enumerate(names)}
        for shard in set(where.values()):
            part = {name: tensors[name] for name in names if where[name] == shard}
            torch.save(part, tmp_path / shard)
        index = tmp_path / "pytorch_model.bin.index.json"
        index.write_text(json.dumps({"weight_map": where}))
    assert_same_model(load_model(tmp_path), whole.ours)


def test_a_checkpoint_without_the_family_s_prefix_loads(state: dict[str, Tensor]) -> None:
    """As in the first GPT-2 files, which also carry their causal masks."""
    bare = {name.removeprefix("transformer."): tensor for name, tensor in state.items()}
    bare |= {f"h.{layer}.attn.bias": torch.ones(1, 1, 32, 32) for layer in range(3)}
    bare |= {f"h.{layer}.attn.masked_bias": torch.tensor(-1e4) for layer in range(3)}
    assert_same_model(build(bare), build(state))


def test_a_written_out_copy_of_tied_embeddings_is_ignored(state: dict[str, Tensor]) -> None:
    twice = state | {"lm_head.weight": state["transformer.wte.weight"]}
    assert_same_model(build(twice), build(state))


def test_a_dtype_can_be_chosen(tiny_models: TinyModels) -> None:
    model = load_model(tiny_models("qwen2").folder, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert model.dtype == torch.bfloat16
    assert model.device.type == "cpu"


def test_neox_unembeddings_load_under_both_names(tiny_models: TinyModels, tmp_path: Path) -> None:
    whole = tiny_models("gpt_neox")
    save(whole.hf, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    old, new = ("lm_head.weight", "embed_out.weight")
    if new in tensors:
        old, new = new, old
    tensors[new] = tensors.pop(old)
    save_file(tensors, tmp_path / "model.safetensors")
    assert_same_model(load_model(tmp_path), whole.ours)


# What does not


def test_tensors_without_a_place_are_named(state: dict[str, Tensor]) -> None:
    state["transformer.h.0.adapter.weight"] = torch.zeros(2)
    with pytest.raises(ValueError, match=r"mine: .*a gpt2 has no place for: h\.0\.adapter\.weight"):
        build(state)


def test_an_unembedding_beside_untied_weights_is_needed(state: dict[str, Tensor]) -> None:
    with pytest.raises(ValueError, match="mine: the checkpoint holds nothing for w_unembed"):
        build(state, tie_word_embeddings=False)


@pytest.mark.parametrize(
    ("missing", "ours"),
    [
        ("transformer.h.1.mlp.c_fc.weight", r"blocks\.1\.mlp\.w_in"),
        ("transformer.h.2.attn.c_proj.bias", r"blocks\.2\.attn\.b_o"),
        ("transformer.wte.weight", "w_embed"),
        ("transformer.ln_f.bias", r"final_norm\.bias"),
    ],
)
def test_a_missing_tensor_is_named(missing: str, ours: str, state: dict[str, Tensor]) -> None:
    del state[missing]
    with pytest.raises(ValueError, match=f"holds nothing for {ours}"):
        build(state)


def test_part_of_a_fused_projection_is_not_enough(tiny_models: TinyModels) -> None:
    state = load_file(tiny_models("llama").folder / "model.safetensors")
    del state["model.layers.1.self_attn.k_proj.weight"]
    with pytest.raises(ValueError, match=r"lacks .*layers\.1\.self_attn\.k_proj\.weight.*w_qkv"):
        build(state, "llama", num_key_value_heads=4)


def test_biases_of_some_layers_only_are_refused(tiny_models: TinyModels) -> None:
    """They are looked for in layer 0; one that only a later layer has must not be dropped."""
    state = load_file(tiny_models("llama").folder / "model.safetensors")
    state["model.layers.1.self_attn.o_proj.bias"] = torch.ones(32)
    with pytest.raises(ValueError, match=r"blocks\.1\.attn\.b_o"):
        build(state, "llama", num_key_value_heads=4)


def test_a_wrong_shape_gives_both_shapes(state: dict[str, Tensor]) -> None:
    with pytest.raises(
        ValueError, match=r"w_in has shape \(128, 32\) in the checkpoint, .* asks for \(64, 32\)"
    ):
        build(state, n_inner=64)


def test_an_unknown_family_names_the_known_ones(tiny_models: TinyModels, tmp_path: Path) -> None:
    save(tiny_models("llama").hf, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "opt"}))
    with pytest.raises(ValueError, match=r"type 'opt' are not supported.*'gpt2'.*'llama'"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "dynamic", "factor": 2.0},
        {
            "rope_type": "longrope",
            "factor": 2.0,
            "short_factor": [1.0] * 4,
            "long_factor": [2.0] * 4,
        },
    ],
)
def test_a_rotary_scheme_that_depends_on_the_length_is_refused(
    rope: dict[str, Any], tmp_path: Path
) -> None:
    rope = rope | {"rope_theta": 100.0, "original_max_position_embeddings": 16}
    save(hf_model(hf_config("llama", rope_parameters=rope)), tmp_path)
    with pytest.raises(ValueError, match=f"rotary scheme '{rope['rope_type']}' is not supported"):
        load_model(tmp_path)


def test_layers_that_mix_attention_windows_are_refused(tmp_path: Path) -> None:
    config = hf_config("qwen2", use_sliding_window=True, sliding_window=4, max_window_layers=1)
    save(hf_model(config), tmp_path)
    with pytest.raises(ValueError, match="mix sliding and full attention"):
        load_model(tmp_path)


def test_an_unknown_nonlinearity_names_the_known_ones(tmp_path: Path) -> None:
    save(hf_model(hf_config("llama", hidden_act="tanh")), tmp_path)
    with pytest.raises(ValueError, match="nonlinearity 'tanh' is not supported.*'silu'"):
        load_model(tmp_path)


def test_a_folder_without_a_tokenizer_says_so(tiny_models: TinyModels, tmp_path: Path) -> None:
    tiny_models("gpt2").hf.save_pretrained(tmp_path)
    with pytest.raises(ModelUnavailable, match="holds no tokenizer"):
        load_model(tmp_path)


def test_a_truncated_file_says_so(tiny_models: TinyModels, tmp_path: Path) -> None:
    save(tiny_models("gpt2").hf, tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors cannot be read"):
        load_model(tmp_path)
