"""One decoder-only transformer, described by flags.

A family (GPT-2, Llama, GPT-NeoX, ...) is nothing but a setting of these flags: no code asks for a
family's name. `from_hf` is the one place that reads Hugging Face's field names.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Norm = Literal["layer", "rms"]
Nonlinearity = Literal["gelu", "gelu_tanh", "silu", "relu"]

_NONLINEARITIES: Mapping[str, Nonlinearity] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
    "relu": "relu",
}


@dataclass(frozen=True)
class Biases:
    """Which projections of a checkpoint have biases; read off its weights."""

    attn_in: bool
    attn_out: bool
    mlp: bool


@dataclass(frozen=True)
class ModelConfig:
    """Shapes and flags of a decoder-only transformer."""

    name: str
    """What the user asked for; shown, never interpreted."""
    family: str
    """Hugging Face `model_type`; shown, and the key of the weight-name table only."""
    n_layers: int
    n_heads: int
    n_kv_heads: int
    """Key and value heads; fewer than `n_heads` when queries share them (grouped queries)."""
    d_model: int
    d_head: int
    d_mlp: int
    n_vocab: int
    n_ctx: int
    """Longest sequence, in tokens."""
    norm: Norm
    norm_eps: float
    nonlinearity: Nonlinearity
    positions: Literal["learned", "rotary"]
    d_rotary: int = 0
    """Dimensions of each head that rotate; 0 with learned positions, `d_head` for full rotary."""
    rope: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Rotary parameters as in Hugging Face's `rope_parameters` (base, scaling)."""
    gated_mlp: bool = False
    """post_act = nonlinearity(gate) * up, instead of nonlinearity(pre)."""
    parallel_residual: bool = False
    """The MLP reads `resid_pre`, beside attention, instead of `resid_mid`, after it."""
    tied_embeddings: bool = True
    attention_scales: tuple[float, ...] = ()
    """Factor on query . key, one for each layer; filled with d_head ** -0.5 when empty."""
    attention_window: int | None = None
    """Tokens a query sees back, itself included; None sees all."""

    def __post_init__(self) -> None:
        if self.n_heads % self.n_kv_heads:
            raise ValueError(
                f"n_heads={self.n_heads} is not a multiple of n_kv_heads={self.n_kv_heads}"
            )
        if (self.positions == "rotary") != (self.d_rotary > 0):
            raise ValueError(f"positions={self.positions!r} clashes with d_rotary={self.d_rotary}")
        if not self.attention_scales:
            scales = (self.d_head**-0.5,) * self.n_layers
            object.__setattr__(self, "attention_scales", scales)
        if len(self.attention_scales) != self.n_layers:
            raise ValueError(
                f"attention_scales has {len(self.attention_scales)} entries, "
                f"n_layers={self.n_layers}"
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "ModelConfig":
        return ModelConfig(**{**data, "attention_scales": tuple(data["attention_scales"])})

    @staticmethod
    def from_hf(hf: Mapping[str, Any], name: str) -> "ModelConfig":
        """Read a Hugging Face config (as a dict). Raises ValueError for an unknown family."""
        family = str(hf.get("model_type"))
        if family not in _READERS:
            raise ValueError(
                f"{name}: models of type {family!r} are not supported. "
                f"Supported: {sorted(_READERS)}."
            )
        return _READERS[family](hf, name)


def _nonlinearity(name: str) -> Nonlinearity:
    if name not in _NONLINEARITIES:
        raise ValueError(
            f"nonlinearity {name!r} is not supported. Supported: {sorted(_NONLINEARITIES)}."
        )
    return _NONLINEARITIES[name]


def _from_gpt2(hf: Mapping[str, Any], name: str) -> ModelConfig:
    d_head = hf["n_embd"] // hf["n_head"]
    base = d_head**-0.5 if hf.get("scale_attn_weights", True) else 1.0
    by_layer = hf.get("scale_attn_by_inverse_layer_idx", False)
    return ModelConfig(
        name=name,
        family="gpt2",
        n_layers=hf["n_layer"],
        n_heads=hf["n_head"],
        n_kv_heads=hf["n_head"],
        d_model=hf["n_embd"],
        d_head=d_head,
        d_mlp=hf.get("n_inner") or 4 * hf["n_embd"],
        n_vocab=hf["vocab_size"],
        n_ctx=hf["n_positions"],
        norm="layer",
        norm_eps=hf["layer_norm_epsilon"],
        nonlinearity=_nonlinearity(hf["activation_function"]),
        positions="learned",
        tied_embeddings=hf.get("tie_word_embeddings", True),
        attention_scales=tuple(
            base / (layer + 1) if by_layer else base for layer in range(hf["n_layer"])
        ),
    )


def _from_llama(hf: Mapping[str, Any], name: str) -> ModelConfig:
    d_head = hf.get("head_dim") or hf["hidden_size"] // hf["num_attention_heads"]
    windowed = hf.get("use_sliding_window", hf["model_type"] == "mistral")
    return ModelConfig(
        name=name,
        family=hf["model_type"],
        n_layers=hf["num_hidden_layers"],
        n_heads=hf["num_attention_heads"],
        n_kv_heads=hf.get("num_key_value_heads") or hf["num_attention_heads"],
        d_model=hf["hidden_size"],
        d_head=d_head,
        d_mlp=hf["intermediate_size"],
        n_vocab=hf["vocab_size"],
        n_ctx=hf["max_position_embeddings"],
        norm="rms",
        norm_eps=hf["rms_norm_eps"],
        nonlinearity=_nonlinearity(hf["hidden_act"]),
        positions="rotary",
        d_rotary=d_head,
        rope=dict(hf["rope_parameters"]),
        gated_mlp=True,
        tied_embeddings=hf.get("tie_word_embeddings", False),
        attention_window=_window(hf, name) if windowed else None,
    )


def _window(hf: Mapping[str, Any], name: str) -> int | None:
    window = hf.get("sliding_window")
    if window is None or window >= hf["max_position_embeddings"]:
        return None
    kinds = set(hf.get("layer_types") or ())
    if kinds > {"sliding_attention"}:
        raise ValueError(f"{name}: layers that mix sliding and full attention are not supported.")
    return int(window) if kinds != {"full_attention"} else None


def _from_gpt_neox(hf: Mapping[str, Any], name: str) -> ModelConfig:
    d_head = hf["hidden_size"] // hf["num_attention_heads"]
    rope = dict(hf["rope_parameters"])
    return ModelConfig(
        name=name,
        family="gpt_neox",
        n_layers=hf["num_hidden_layers"],
        n_heads=hf["num_attention_heads"],
        n_kv_heads=hf["num_attention_heads"],
        d_model=hf["hidden_size"],
        d_head=d_head,
        d_mlp=hf["intermediate_size"],
        n_vocab=hf["vocab_size"],
        n_ctx=hf["max_position_embeddings"],
        norm="layer",
        norm_eps=hf["layer_norm_eps"],
        nonlinearity=_nonlinearity(hf["hidden_act"]),
        positions="rotary",
        d_rotary=int(d_head * rope.get("partial_rotary_factor", 1.0)),
        rope=rope,
        parallel_residual=hf.get("use_parallel_residual", True),
        tied_embeddings=hf.get("tie_word_embeddings", False),
    )


_READERS = {
    "gpt2": _from_gpt2,
    "llama": _from_llama,
    "mistral": _from_llama,
    "qwen2": _from_llama,
    "gpt_neox": _from_gpt_neox,
}
