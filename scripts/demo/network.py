"""The network that is trained: Hugging Face's GPT-2, started for its size, and run with as few kernels as it needs.

`hidden` is `GPT2Model.forward` without masks, caches and options: x = wte[t] + wpe[i], then for each
block x += attention(LN(x)), x += MLP(LN(x)), and a last LN. It is what a compiler or a graph of
kernels wants, and a test holds it to the original.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel


def new_model(
    seed: int, n_tokens: int, d_model: int, n_layer: int, d_head: int, context: int
) -> GPT2LMHeadModel:
    """Embeddings start at 1/sqrt(d_model) and positions as sines, or copying comes late."""
    config = GPT2Config(
        vocab_size=n_tokens, n_positions=context, n_embd=d_model, n_layer=n_layer,
        n_head=d_model // d_head, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=n_tokens - 1, eos_token_id=n_tokens - 1,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = GPT2LMHeadModel(config)
    scale = d_model**-0.5
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("c_attn.weight", "c_fc.weight")):
                weight.normal_(0.0, scale)
        model.transformer.wte.weight.normal_(0.0, scale)
        model.transformer.wpe.weight.copy_(scale * sines(context, d_model))
    return model


def sines(n_positions: int, d_model: int) -> Tensor:
    """Sines and cosines of the position, `[position d_model]`: neighbours are one rotation apart."""
    rate = torch.exp(-math.log(10_000.0) * torch.arange(0, d_model, 2) / d_model)
    angle = torch.arange(n_positions)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def hidden(model: GPT2LMHeadModel, tokens: Tensor) -> Tensor:
    """What the unembedding reads, `[row position d_model]`, for tokens `[row position]`."""
    transformer = model.transformer
    n_head = model.config.n_head
    x = transformer.wte(tokens) + transformer.wpe.weight[: tokens.shape[1]]
    for block in transformer.h:
        q, k, v = (
            part.unflatten(-1, (n_head, -1)).transpose(1, 2)
            for part in block.attn.c_attn(block.ln_1(x)).chunk(3, dim=-1)
        )
        results = attend(q, k, v).transpose(1, 2).flatten(2)
        x = x + block.attn.c_proj(results)
        x = x + block.mlp.c_proj(F.gelu(block.mlp.c_fc(block.ln_2(x)), approximate="tanh"))
    return transformer.ln_f(x)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention; written out on a CPU, where a compiler makes it faster than the fused kernel."""
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    future = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool, device=q.device).triu(1)
    scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    return scores.masked_fill(future, -math.inf).softmax(-1) @ v
