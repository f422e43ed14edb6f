"""A Hugging Face checkpoint folder into our transformer: no folding, no centring, every value kept.

1. Read `config.json` into a `ModelConfig`.
2. Open the safetensors shards (or `pytorch_model.bin`, safely).
3. One table per family says where each of our parameters comes from; projections that we keep fused
   are concatenated.
4. Whatever the table does not use must be known to be useless, else the checkpoint is not what we
   think it is.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from neuron_explainer.models.config import Biases, ModelConfig
from neuron_explainer.models.model_settings import read_config, read_tokenizer, rotary
from neuron_explainer.models.sources import ModelUnavailable, resolve
from neuron_explainer.models.transformer import Rotary, Transformer

Table = dict[str, tuple[str, ...]]
"""Our parameter -> the checkpoint's tensors, concatenated along the output dimension."""

_USELESS = ("attn.bias", "attn.masked_bias", "attention.bias", "attention.masked_bias", "inv_freq")
"""Endings of buffers that old checkpoints carry: causal masks and rotary frequencies."""

_RENAMED = {"embed_out.weight": "lm_head.weight"}
"""What GPT-NeoX checkpoints on disk call the unembedding."""


def load_model(
    name_or_path: str | Path,
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Transformer:
    """Load a model by short name, hub name, Hugging Face folder or `.gguf` file.

    Args:
        device: default "cpu".
        dtype: default float32, whatever the checkpoint holds.

    Raises:
        ModelUnavailable: nothing loadable is there; says what works without the network.
        ValueError: an unknown family, nonlinearity or rotary scheme; tensors that do not fit.
    """
    folder = Path(resolve(name_or_path))
    config, hf_config = read_config(folder, str(name_or_path))
    model = build_model(
        config,
        _Checkpoint(folder),
        tokenizer=read_tokenizer(folder),
        rotary=rotary(hf_config, config),
        device=torch.device("cpu" if device is None else device),
        dtype=torch.float32 if dtype is None else dtype,
    )
    model.folder = folder
    return model


def build_model(
    config: ModelConfig,
    checkpoint: "Mapping[str, Tensor] | _Checkpoint",
    *,
    tokenizer: Any,
    rotary: Rotary | None,
    device: torch.device,
    dtype: torch.dtype,
) -> Transformer:
    """Fill a transformer from named tensors and freeze it. A ValueError names what does not fit."""
    prefix = _PREFIXES[config.family]
    names = {_RENAMED.get(n, n): name for name in checkpoint for n in [name.removeprefix(prefix)]}
    table = _TABLES[config.family](config)
    table = {ours: theirs for ours, theirs in table.items() if _has(theirs, names, config, ours)}
    _refuse_leftovers(names, {name for theirs in table.values() for name in theirs}, config)
    biases = Biases(
        "blocks.0.attn.b_qkv" in table, "blocks.0.attn.b_o" in table, "blocks.0.mlp.b_in" in table
    )
    with torch.device("meta"):
        model = Transformer(config, biases, rotary, tokenizer)
    state = {
        ours: _assemble(ours, [checkpoint[names[name]] for name in theirs], config)
        for ours, theirs in table.items()
    }
    _fit(model, state, device, dtype)
    return model.eval()


def _fit(
    model: Transformer, state: dict[str, Tensor], device: torch.device, dtype: torch.dtype
) -> None:
    for name, parameter in list(model.named_parameters()):
        if name not in state:
            raise ValueError(f"{model.config.name}: the checkpoint holds nothing for {name}.")
        value = state.pop(name)
        if value.shape != parameter.shape:
            raise ValueError(
                f"{model.config.name}: {name} has shape {tuple(value.shape)} in the checkpoint, "
                f"but its config.json asks for {tuple(parameter.shape)}."
            )
        owner, _, leaf = name.rpartition(".")
        frozen = torch.nn.Parameter(
            value.to(device=device, dtype=dtype).contiguous(), requires_grad=False
        )
        setattr(model.get_submodule(owner), leaf, frozen)
    if state:
        raise ValueError(
            f"{model.config.name}: some layers, but not the first, hold {', '.join(state)}; "
            "every layer must have the same biases."
        )
    if model.config.tied_embeddings:
        model.w_unembed = model.w_embed


class _Checkpoint(Mapping[str, Tensor]):
    """The tensors of a folder by name, read one at a time from memory-mapped shards."""

    def __init__(self, folder: Path) -> None:
        self._where: dict[str, Any] = {}
        self._loose: dict[str, Tensor] = {}
        shards = _shards(folder)
        for shard in shards:
            if shard.suffix == ".safetensors":
                try:
                    handle: Any = safe_open(shard, framework="pt")  # its methods have no types
                except (
                    Exception
                ) as error:  # safetensors raises its own undocumented exception types
                    raise ModelUnavailable(
                        f"{shard} cannot be read: {error}. Fetch the model again."
                    ) from error
                self._where.update(dict.fromkeys(handle.keys(), handle))
            else:
                self._loose.update(torch.load(shard, map_location="cpu", weights_only=True))

    def __getitem__(self, name: str) -> Tensor:
        if name in self._loose:
            return self._loose[name]
        tensor: Tensor = self._where[name].get_tensor(name)
        return tensor

    def __iter__(self) -> Any:
        return iter((*self._where, *self._loose))

    def __len__(self) -> int:
        return len(self._where) + len(self._loose)


def _shards(folder: Path) -> list[Path]:
    """Weight files, safetensors before `.bin`; an index lists the shards of a large model."""
    for stem in ("model.safetensors", "pytorch_model.bin"):
        if (folder / stem).is_file():
            return [folder / stem]
        index = folder / f"{stem}.index.json"
        if index.is_file():
            shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
            missing = [shard for shard in shards if not (folder / shard).is_file()]
            if missing:
                raise ModelUnavailable(
                    f"{folder} lacks {', '.join(missing)}, which its {index.name} lists."
                )
            return [folder / shard for shard in shards]
    raise ModelUnavailable(
        f"{folder} holds no weights: expected model.safetensors, its index, or pytorch_model.bin."
    )


def _has(theirs: Iterable[str], names: Mapping[str, str], config: ModelConfig, ours: str) -> bool:
    """Whether the checkpoint has all of these tensors; having only some is an error."""
    missing = [name for name in theirs if name not in names]
    if missing and len(missing) < len(tuple(theirs)):
        raise ValueError(f"{config.name}: the checkpoint lacks {missing}, needed for {ours}.")
    return not missing


def _refuse_leftovers(names: Mapping[str, str], used: set[str], config: ModelConfig) -> None:
    left = [n for n in names if n not in used and not n.endswith(_USELESS)]
    if config.tied_embeddings:
        left = [n for n in left if n not in ("lm_head.weight",)]
    if left:
        raise ValueError(
            f"{config.name}: the checkpoint holds tensors that a {config.family} has no place for: "
            f"{', '.join(sorted(left)[:5])}{' ...' if len(left) > 5 else ''}."
        )


def _assemble(ours: str, parts: list[Tensor], config: ModelConfig) -> Tensor:
    joined = torch.cat(list(parts)) if len(parts) > 1 else parts[0]
    rearrange = _REARRANGE.get(config.family)
    return joined if rearrange is None else rearrange(ours, joined, config)


def _from_conv1d(ours: str, value: Tensor, _config: ModelConfig) -> Tensor:
    """GPT-2 stores its projections input dimension first; ours, as torch's, are output first."""
    return value.T if value.ndim == 2 and ours.startswith("blocks.") else value


def _from_mixed_heads(ours: str, value: Tensor, config: ModelConfig) -> Tensor:
    """GPT-NeoX stores (head, q|k|v, d_head) rows; ours are (q|k|v, head, d_head)."""
    if not ours.endswith(("w_qkv", "b_qkv")):
        return value
    by_head = torch.unflatten(value, 0, (config.n_heads, 3, config.d_head))
    return by_head.transpose(0, 1).flatten(0, 2)


_REARRANGE: Mapping[str, Callable[[str, Tensor, ModelConfig], Tensor]] = {
    "gpt2": _from_conv1d,
    "gpt_neox": _from_mixed_heads,
}


def _with_layers(ends: Table, layer: Callable[[int], Table], n_layers: int) -> Table:
    blocks = (layer(index) for index in range(n_layers))
    return ends | {name: parts for block in blocks for name, parts in block.items()}


def _gpt2_table(config: ModelConfig) -> Table:
    def layer(i: int) -> Table:
        ours, theirs = f"blocks.{i}.", f"h.{i}."
        return {
            f"{ours}norm_attn.weight": (f"{theirs}ln_1.weight",),
            f"{ours}norm_attn.bias": (f"{theirs}ln_1.bias",),
            f"{ours}norm_mlp.weight": (f"{theirs}ln_2.weight",),
            f"{ours}norm_mlp.bias": (f"{theirs}ln_2.bias",),
            f"{ours}attn.w_qkv": (f"{theirs}attn.c_attn.weight",),
            f"{ours}attn.b_qkv": (f"{theirs}attn.c_attn.bias",),
            f"{ours}attn.w_o": (f"{theirs}attn.c_proj.weight",),
            f"{ours}attn.b_o": (f"{theirs}attn.c_proj.bias",),
            f"{ours}mlp.w_in": (f"{theirs}mlp.c_fc.weight",),
            f"{ours}mlp.b_in": (f"{theirs}mlp.c_fc.bias",),
            f"{ours}mlp.w_out": (f"{theirs}mlp.c_proj.weight",),
            f"{ours}mlp.b_out": (f"{theirs}mlp.c_proj.bias",),
        }

    ends: Table = {
        "w_embed": ("wte.weight",),
        "w_pos": ("wpe.weight",),
        "final_norm.weight": ("ln_f.weight",),
        "final_norm.bias": ("ln_f.bias",),
    }
    if not config.tied_embeddings:
        ends["w_unembed"] = ("lm_head.weight",)
    return _with_layers(ends, layer, config.n_layers)


def _llama_table(config: ModelConfig) -> Table:
    def layer(i: int) -> Table:
        ours, attn, mlp = f"blocks.{i}.", f"layers.{i}.self_attn.", f"layers.{i}.mlp."
        table: Table = {
            f"{ours}norm_attn.weight": (f"layers.{i}.input_layernorm.weight",),
            f"{ours}norm_mlp.weight": (f"layers.{i}.post_attention_layernorm.weight",),
        }
        for leaf, kind in (("w", "weight"), ("b", "bias")):
            table |= {
                f"{ours}attn.{leaf}_qkv": tuple(f"{attn}{part}_proj.{kind}" for part in "qkv"),
                f"{ours}attn.{leaf}_o": (f"{attn}o_proj.{kind}",),
                f"{ours}mlp.{leaf}_in": (f"{mlp}gate_proj.{kind}", f"{mlp}up_proj.{kind}"),
                f"{ours}mlp.{leaf}_out": (f"{mlp}down_proj.{kind}",),
            }
        return table

    ends: Table = {"w_embed": ("embed_tokens.weight",), "final_norm.weight": ("norm.weight",)}
    if not config.tied_embeddings:
        ends["w_unembed"] = ("lm_head.weight",)
    return _with_layers(ends, layer, config.n_layers)


def _gpt_neox_table(config: ModelConfig) -> Table:
    def layer(i: int) -> Table:
        ours, theirs = f"blocks.{i}.", f"layers.{i}."
        table: Table = {}
        for ours_norm, theirs_norm in (
            ("norm_attn", "input_layernorm"),
            ("norm_mlp", "post_attention_layernorm"),
        ):
            for leaf in ("weight", "bias"):
                table[f"{ours}{ours_norm}.{leaf}"] = (f"{theirs}{theirs_norm}.{leaf}",)
        for leaf, kind in (("w", "weight"), ("b", "bias")):
            table |= {
                f"{ours}attn.{leaf}_qkv": (f"{theirs}attention.query_key_value.{kind}",),
                f"{ours}attn.{leaf}_o": (f"{theirs}attention.dense.{kind}",),
                f"{ours}mlp.{leaf}_in": (f"{theirs}mlp.dense_h_to_4h.{kind}",),
                f"{ours}mlp.{leaf}_out": (f"{theirs}mlp.dense_4h_to_h.{kind}",),
            }
        return table

    ends: Table = {
        "w_embed": ("embed_in.weight",),
        "final_norm.weight": ("final_layer_norm.weight",),
        "final_norm.bias": ("final_layer_norm.bias",),
    }
    if not config.tied_embeddings:
        ends["w_unembed"] = ("lm_head.weight",)
    return _with_layers(ends, layer, config.n_layers)


_PREFIXES = {
    "gpt2": "transformer.",
    "llama": "model.",
    "mistral": "model.",
    "qwen2": "model.",
    "gpt_neox": "gpt_neox.",
}
_TABLES = {
    "gpt2": _gpt2_table,
    "llama": _llama_table,
    "mistral": _llama_table,
    "qwen2": _llama_table,
    "gpt_neox": _gpt_neox_table,
}
