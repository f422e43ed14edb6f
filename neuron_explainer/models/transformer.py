"""The one forward pass: a decoder-only transformer whose every tensor of interest has a name.

    embed       x = W_E[token] (+ W_pos[position])
    layer       x = x + Attention(Norm(x))
                x = x + MLP(Norm(x))             or both from the same x (parallel residual)
    unembed     logits = W_U Norm(x)

with Attention: scores = q . k * scale, pattern = softmax(scores + causal mask),
                z = pattern v, delta = z W_O + b_O
     MLP:       post_act = f(pre)  or  f(gate) * up,  delta = post_act W_out + b_out

References: GPT-2 (Radford et al. 2019), RoPE (Su et al. 2021, section 3.2), RMSNorm (Zhang and
Sennrich 2019), gated MLPs (Shazeer 2020), grouped-query attention (Ainslie et al. 2023), parallel
residual (GPT-NeoX, Black et al. 2022, section 2.1). Softmax and norms are computed in float32 and
cast back. Sequences are padded on the right: a causal model never looks there, so no padding mask
is needed. Sampling is in `sampling.py`, weights come from `weights.py`.
"""

from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from neuron_explainer.models.config import Biases, ModelConfig
from neuron_explainer.models.hooks import NO_HOOKS, Hooks, Site

Resid = Float[Tensor, "batch seq d_model"]
PerHead = Float[Tensor, "batch head seq d_head"]
PerKeyHead = Float[Tensor, "batch kv_head seq d_head"]
"""One for each key-value head: fewer than query heads when they are shared."""


@runtime_checkable
class KeyValueStore(Protocol):
    """Keys and values of earlier tokens: given a layer's new ones, returns all of them."""

    @property
    def start(self) -> int:
        """Position of the first new token."""
        ...

    def extend(self, layer: int, k: PerKeyHead, v: PerKeyHead) -> tuple[Tensor, Tensor]: ...


class Norm(nn.Module):
    """LayerNorm or RMSNorm. The fused kernel runs unless somebody hooks the scale."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.centred = config.norm == "layer"
        self.eps = config.norm_eps
        self.weight = nn.Parameter(torch.empty(config.d_model))
        self.bias = nn.Parameter(torch.empty(config.d_model)) if self.centred else None

    def scale(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch 1"]:
        """The norm's denominator in float32: sqrt(variance + eps); RMSNorm: root mean square."""
        x = x.float()
        if self.centred:
            x = x - x.mean(dim=-1, keepdim=True)
        return torch.sqrt(x.square().mean(dim=-1, keepdim=True) + self.eps)

    def apply(  # type: ignore[override]  # nn.Module.apply is never used on a norm
        self, x: Float[Tensor, "*batch d_model"], scale: Float[Tensor, "*batch 1"]
    ) -> Float[Tensor, "*batch d_model"]:
        """The norm with its denominator given: an affine map of x."""
        y = x.float()
        if self.centred:
            y = y - y.mean(dim=-1, keepdim=True)
        y = (y / scale).to(x.dtype) * self.weight
        return y if self.bias is None else y + self.bias

    def forward(self, x: Resid, hooks: Hooks, site: Site, layer: int) -> Resid:
        if site in hooks:
            return self.apply(x, hooks(site, layer, self.scale(x)))
        if self.centred:
            return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)
        return F.rms_norm(x, x.shape[-1:], self.weight, self.eps)


class Rotary:
    """Rotary position embedding of the first `d_rotary` dimensions of each head."""

    def __init__(self, inverse_frequency: Float[Tensor, " pair"], factor: float) -> None:
        self.inverse_frequency = inverse_frequency
        self.factor = factor
        """Scaling of cos and sin, where a long-context scheme asks (YaRN: Peng et al. 2023)."""

    def angles(self, start: int, stop: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin of positions start to stop - 1: "seq d_rotary"; sin signed for `rotate`."""
        at = torch.arange(start, stop, device=like.device, dtype=torch.float32)
        angle = at[:, None] * self.inverse_frequency.to(like.device)
        cos, sin = angle.cos() * self.factor, angle.sin() * self.factor
        return torch.cat((cos, cos), -1).to(like.dtype), torch.cat((-sin, sin), -1).to(like.dtype)


def rotate(
    x: Float[Tensor, "*batch d_head"], angles: tuple[Tensor, Tensor]
) -> Float[Tensor, "*batch d_head"]:
    """Rotate each pair (x[i], x[i + d_rotary / 2]) by its angle; dimensions past d_rotary stay."""
    cos, sin = angles
    d_rotary = cos.shape[-1]
    if d_rotary < x.shape[-1]:
        return torch.cat((rotate(x[..., :d_rotary], angles), x[..., d_rotary:]), dim=-1)
    return torch.addcmul(x * cos, x.roll(d_rotary // 2, dims=-1), sin)


def causal_mask(
    n_query: int, n_key: int, window: int | None, like: Tensor
) -> Float[Tensor, "seq key"]:
    """Added to scores: minus infinity where a query may not look (ahead of it, or further back than the window)."""
    device = like.device
    query = torch.arange(n_key - n_query, n_key, device=device)[:, None]
    key = torch.arange(n_key, device=device)[None, :]
    hidden = key > query
    hidden = hidden if window is None else hidden | (key <= query - window)
    # A sum takes a fifth of the time of masked_fill, and is the same to the bit.
    return torch.zeros(n_query, n_key, device=device, dtype=like.dtype).masked_fill_(
        hidden, float("-inf")
    )


class Frame:
    """What every layer of one pass shares: rotary angles, mask, and earlier keys and values."""

    def __init__(self, model: "Transformer", x: Resid, store: KeyValueStore | None) -> None:
        self.store = store
        self.start = 0 if store is None else store.start
        stop = self.start + x.shape[1]
        if stop > model.config.n_ctx:
            raise ValueError(
                f"{stop} tokens are too many: {model.config.name} sees at most "
                f"{model.config.n_ctx}."
            )
        self.angles = None if model.rotary is None else model.rotary.angles(self.start, stop, x)
        one_query = x.shape[1] == 1 and model.config.attention_window is None
        self.mask = (
            None if one_query else causal_mask(x.shape[1], stop, model.config.attention_window, x)
        )


class Attention(nn.Module):
    def __init__(self, config: ModelConfig, layer: int, *, in_bias: bool, out_bias: bool) -> None:
        super().__init__()
        self.layer = layer
        self.scale = config.attention_scales[layer]
        self.d_head = config.d_head
        self.n_heads, self.n_kv_heads = config.n_heads, config.n_kv_heads
        self.shares_keys = self.n_kv_heads < self.n_heads
        d_q, d_kv = config.n_heads * config.d_head, config.n_kv_heads * config.d_head
        self.sizes = [d_q, d_kv, d_kv]
        self.w_qkv = nn.Parameter(torch.empty(d_q + 2 * d_kv, config.d_model))
        self.b_qkv = nn.Parameter(torch.empty(d_q + 2 * d_kv)) if in_bias else None
        self.w_o = nn.Parameter(torch.empty(config.d_model, d_q))
        self.b_o = nn.Parameter(torch.empty(config.d_model)) if out_bias else None

    def split_heads(self, x: Float[Tensor, "batch seq d"]) -> PerHead:
        """batch seq (head d_head) -> batch head seq d_head."""
        return torch.unflatten(x, -1, (-1, self.d_head)).transpose(1, 2)

    def project(self, x: Resid) -> tuple[PerHead, PerKeyHead, PerKeyHead]:
        """Queries, keys and values of the normed residual stream, before rotary positions."""
        heads = self.split_heads(F.linear(x, self.w_qkv, self.b_qkv))
        q, k, v = heads.split_with_sizes((self.n_heads, self.n_kv_heads, self.n_kv_heads), dim=1)
        return q, k, v

    def turn(
        self, q: PerHead, k: PerKeyHead, angles: tuple[Tensor, Tensor]
    ) -> tuple[PerHead, PerKeyHead]:
        """Rotary positions of both, in one go."""
        both = rotate(torch.cat((q, k), dim=1), angles)
        q, k = both.split_with_sizes((self.n_heads, self.n_kv_heads), dim=1)
        return q, k

    def scores(
        self, q: PerHead, k: Float[Tensor, "batch kv_head key d_head"]
    ) -> Float[Tensor, "batch head seq key"]:
        """Scaled query . key. Queries that share a key head are stacked along seq: keys stay."""
        n_query = q.shape[2]
        stacked = (q * self.scale).reshape(q.shape[0], self.n_kv_heads, -1, self.d_head)
        return (stacked @ k.transpose(2, 3)).reshape(q.shape[0], self.n_heads, n_query, -1)

    def mix(
        self,
        pattern: Float[Tensor, "batch head seq key"],
        v: Float[Tensor, "batch kv_head key d_head"],
    ) -> PerHead:
        """z = pattern v, with the same stacking."""
        n_query = pattern.shape[2]
        stacked = pattern.reshape(pattern.shape[0], self.n_kv_heads, -1, pattern.shape[3])
        return (stacked @ v).reshape(pattern.shape[0], self.n_heads, n_query, self.d_head)

    def write(self, z: PerHead) -> Resid:
        """batch head seq d_head -> batch seq d_model, output bias included."""
        return F.linear(z.transpose(1, 2).flatten(2), self.w_o, self.b_o)

    def head_w_o(self) -> Float[Tensor, "head d_head d_model"]:
        """W_O by head: a head's write is z[head] @ head_w_o()[head]."""
        return torch.unflatten(self.w_o.T, 0, (self.n_heads, self.d_head))

    def forward(self, x: Resid, hooks: Hooks, frame: Frame) -> Resid:
        q, k, v = self.project(x)
        q = hooks("attn_q", self.layer, q)
        k = hooks("attn_k", self.layer, k)
        v = hooks("attn_v", self.layer, v)
        if frame.angles is not None:
            q, k = self.turn(q, k, frame.angles)
        if frame.store is not None:
            k, v = frame.store.extend(self.layer, k, v)
        z = hooks("attn_z", self.layer, self.attend(q, k, v, hooks, frame.mask))
        return hooks("resid_delta_attn", self.layer, self.write(z))

    def attend(
        self,
        q: PerHead,
        k: Float[Tensor, "batch kv_head key d_head"],
        v: Float[Tensor, "batch kv_head key d_head"],
        hooks: Hooks,
        mask: Float[Tensor, "seq key"] | None,
    ) -> PerHead:
        """z. The fused kernel runs unless somebody hooks the scores or the pattern."""
        if "attn_scores" not in hooks and "attn_pattern" not in hooks:
            return F.scaled_dot_product_attention(
                q, k, v, attn_mask=mask, scale=self.scale, enable_gqa=self.shares_keys
            )
        scores = hooks("attn_scores", self.layer, self.scores(q, k))
        if mask is not None:
            scores = scores + mask
        pattern = scores.softmax(dim=-1, dtype=torch.float32).to(v.dtype)
        return self.mix(hooks("attn_pattern", self.layer, pattern), v)


class MLP(nn.Module):
    def __init__(self, config: ModelConfig, layer: int, *, in_bias: bool, out_bias: bool) -> None:
        super().__init__()
        self.layer = layer
        self.gated = config.gated_mlp
        self.nonlinearity = config.nonlinearity
        d_in = config.d_mlp * (2 if self.gated else 1)
        self.w_in = nn.Parameter(torch.empty(d_in, config.d_model))
        """Rows of the gate first, then of the up-projection, when gated."""
        self.b_in = nn.Parameter(torch.empty(d_in)) if in_bias else None
        self.w_out = nn.Parameter(torch.empty(config.d_model, config.d_mlp))
        self.b_out = nn.Parameter(torch.empty(config.d_model)) if out_bias else None

    def activate(self, pre: Float[Tensor, "*batch d_mlp"]) -> Float[Tensor, "*batch d_mlp"]:
        match self.nonlinearity:
            case "gelu":
                return F.gelu(pre)
            case "gelu_tanh":
                return F.gelu(pre, approximate="tanh")
            case "silu":
                return F.silu(pre)
            case "relu":
                return F.relu(pre)

    def post_act(
        self, x: Float[Tensor, "*batch d_model"], hooks: Hooks = NO_HOOKS
    ) -> Float[Tensor, "*batch d_mlp"]:
        pre = F.linear(x, self.w_in, self.b_in)
        if not self.gated:
            return self.activate(hooks("mlp_pre", self.layer, pre))
        gate, up = pre.chunk(2, dim=-1)
        return self.activate(hooks("mlp_pre", self.layer, gate)) * up

    def forward(self, x: Resid, hooks: Hooks) -> Resid:
        post_act = hooks("mlp_post_act", self.layer, self.post_act(x, hooks))
        return hooks("resid_delta_mlp", self.layer, F.linear(post_act, self.w_out, self.b_out))


class Block(nn.Module):
    def __init__(self, config: ModelConfig, layer: int, biases: Biases) -> None:
        super().__init__()
        self.layer = layer
        self.parallel = config.parallel_residual
        self.norm_attn, self.norm_mlp = Norm(config), Norm(config)
        self.attn = Attention(config, layer, in_bias=biases.attn_in, out_bias=biases.attn_out)
        self.mlp = MLP(config, layer, in_bias=biases.mlp, out_bias=biases.mlp)

    def forward(self, x: Resid, hooks: Hooks, frame: Frame) -> Resid:
        x = hooks("resid_pre", self.layer, x)
        return self.after_attention(x, self.attention_delta(x, hooks, frame), hooks)

    def attention_delta(self, x: Resid, hooks: Hooks, frame: Frame) -> Resid:
        return self.attn(self.norm_attn(x, hooks, "attn_norm_scale", self.layer), hooks, frame)  # type: ignore[no-any-return]

    def after_attention(self, x: Resid, delta_attn: Resid, hooks: Hooks) -> Resid:
        """The second half of the block, from what attention wrote."""
        mid = hooks("resid_mid", self.layer, x + delta_attn)
        return self.after_mid(x if self.parallel else mid, mid, hooks)

    def after_mid(self, mlp_reads: Resid, mid: Resid, hooks: Hooks) -> Resid:
        delta_mlp = self.mlp(self.norm_mlp(mlp_reads, hooks, "mlp_norm_scale", self.layer), hooks)
        return hooks("resid_post", self.layer, mid + delta_mlp)


class Transformer(nn.Module):
    """A decoder-only language model: `model(tokens)` gives logits. Parameters are frozen."""

    def __init__(
        self, config: ModelConfig, biases: Biases, rotary: Rotary | None, tokenizer: Any
    ) -> None:
        # tokenizer: a Hugging Face tokenizer, whose classes share no useful static type.
        super().__init__()
        self.config = config
        self.rotary = rotary
        self.tokenizer = tokenizer
        self.folder: Path | None = None
        """Checkpoint folder it was loaded from, if any; the self-check compares with it."""
        self.w_embed = nn.Parameter(torch.empty(config.n_vocab, config.d_model))
        self.w_pos = (
            nn.Parameter(torch.empty(config.n_ctx, config.d_model))
            if config.positions == "learned"
            else None
        )
        self.blocks = nn.ModuleList(
            Block(config, layer, biases) for layer in range(config.n_layers)
        )
        self.final_norm = Norm(config)
        self.w_unembed = (
            self.w_embed
            if config.tied_embeddings
            else nn.Parameter(torch.empty(config.n_vocab, config.d_model))
        )

    @property
    def device(self) -> torch.device:
        return self.w_embed.device

    @property
    def dtype(self) -> torch.dtype:
        return self.w_embed.dtype

    @property
    def n_parameters(self) -> int:
        """Numbers in the checkpoint; tied embeddings count once."""
        return sum(p.numel() for p in self.parameters())

    def block(self, layer: int) -> Block:
        return self.blocks[layer]  # type: ignore[return-value]  # ModuleList is not generic

    def embed(
        self, tokens: Int[Tensor, "batch seq"], hooks: Hooks = NO_HOOKS, start: int = 0
    ) -> Resid:
        x = F.embedding(tokens, self.w_embed)
        if self.w_pos is not None:
            x = x + self.w_pos[start : start + tokens.shape[1]]
        return hooks("embed", 0, x)

    def layers(
        self,
        x: Resid,
        hooks: Hooks = NO_HOOKS,
        first: int = 0,
        stop: int | None = None,
        store: KeyValueStore | None = None,
    ) -> Resid:
        """Run layers first to stop - 1 on the residual stream that enters layer `first`."""
        frame = Frame(self, x, store)
        for block in islice(self.blocks, first, stop):
            x = block(x, hooks, frame)
        return x

    def unembed(self, x: Resid, hooks: Hooks = NO_HOOKS) -> Float[Tensor, "batch seq vocab"]:
        normed = self.final_norm(x, hooks, "final_norm_scale", 0)
        return hooks("logits", 0, F.linear(normed, self.w_unembed))

    def forward(
        self,
        tokens: Int[Tensor, "batch seq"],
        hooks: Hooks = NO_HOOKS,
        store: KeyValueStore | None = None,
    ) -> Float[Tensor, "batch seq vocab"]:
        if tokens.shape[1] == 0:
            raise ValueError("tokens is empty: a run needs at least one token.")
        start = 0 if store is None else store.start
        if start + tokens.shape[1] > self.config.n_ctx:
            raise ValueError(
                f"{start + tokens.shape[1]} tokens are too many: {self.config.name} sees at most "
                f"{self.config.n_ctx}."
            )
        return self.unembed(
            self.layers(self.embed(tokens, hooks, start), hooks, store=store), hooks
        )
