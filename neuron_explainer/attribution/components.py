"""A component on its own: its activations on any text, and the tokens its weights alone speak of.

    neuron    promotes W_U (gain * W_out[n]);  responds to the tokens whose embedding gives the largest pre-activation
    head      OV = W_V W_O and QK = W_Q W_K^T, each by its leading singular direction (Elhage et al. 2021,
              "A Mathematical Framework for Transformer Circuits"): the tokens that direction reads,
              and those it writes or attends to. Rotary positions are left out: QK is taken at
              distance zero.
    latent    promotes W_U (gain * D_j);  responds to the tokens that raise its pre-activation most when each stands
              alone: its embedding as the stream, attending to itself, or through the MLP, as the site has it

Copying is the share of sampled tokens for which the OV circuit puts the token itself among its five
most promoted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.lens import TokenScore, top_tokens, write_logits
from neuron_explainer.models.bases import PLAIN, Bases, CodedSite, live
from neuron_explainer.models.coded_writes import in_stream
from neuron_explainer.models.hooks import Recorder, Site
from neuron_explainer.models.interventions import check_component
from neuron_explainer.models.tokens import PromptTooLong
from neuron_explainer.models.transformer import Block, Norm, Transformer
from neuron_explainer.nodes import Component

N_COPY_SAMPLE = 512
COPY_TOP = 5
MAX_PATTERN_TOKENS = 1024
VOCAB_CHUNK = 4096
"""Tokens put through an MLP at once."""


@dataclass(frozen=True)
class ComponentTokens:
    component: str
    promotes: tuple[TokenScore, ...]
    suppresses: tuple[TokenScore, ...]
    responds_to: tuple[TokenScore, ...]
    responds_against: tuple[TokenScore, ...]
    query: tuple[TokenScore, ...] = ()
    key: tuple[TokenScore, ...] = ()
    copying: float | None = None


@torch.no_grad()
def component_activations(
    model: Transformer,
    component: Component,
    prompts: Sequence[tuple[int, ...]],
    bases: Bases = PLAIN,
) -> list[Float[Tensor, "*axes"]]:
    """A neuron's or latent's activation at each token, "seq"; a head's pattern, "query key"; the norm of an
    embedding or of what a coder missed.

    Raises LookupError for a component the model does not have, PromptTooLong for a head on a long text.
    """
    check_component(component, model.config, bases)
    longest = max(map(len, prompts), default=0)
    if component.kind == "attn" and longest > MAX_PATTERN_TOKENS:
        raise PromptTooLong(
            f"The text has {longest} tokens; a head's pattern, one number for each pair of them, is given "
            f"for at most {MAX_PATTERN_TOKENS}."
        )
    return [_activations(model, component, prompt, bases) for prompt in prompts]


def _activations(
    model: Transformer, component: Component, prompt: tuple[int, ...], bases: Bases
) -> Tensor:
    tokens = torch.tensor([prompt], device=model.device)
    x = model.embed(tokens)
    if component.kind == "embed":
        norms: Tensor = x[0].float().norm(dim=-1)
        return norms
    if component.kind == "bias" or component.layer is None:
        raise LookupError("bias has no activation: it writes the same vector at every token.")
    coded = bases.at(component) if component.stream is not None else None
    plain: Site = "attn_pattern" if component.kind == "attn" else "mlp_post_act"
    site = plain if coded is None else coded.site
    recorder = Recorder([site])
    model.layers(x, recorder.hooks(), stop=component.layer + 1)
    value = recorder.values[site][component.layer][0]
    if coded is not None:
        return _coded_activations(coded, component, value)
    part = value[component.index] if component.kind == "attn" else value[:, component.index]
    return part.float()


def _coded_activations(
    coded: CodedSite, component: Component, x: Float[Tensor, "seq d"]
) -> Float[Tensor, " seq"]:
    if component.index is None:
        missed: Tensor = (x - coded.reconstruction(x)).norm(dim=-1)
        return missed
    return coded.latents(x, torch.tensor([component.index], device=x.device))[:, 0]


@torch.no_grad()
def component_tokens(
    model: Transformer, component: Component, n: int, bases: Bases = PLAIN
) -> ComponentTokens:
    """Tokens that a component's weights promote, suppress and respond to. Raises LookupError if
    there is none."""
    check_component(component, model.config, bases)
    if component.layer is None or component.index is None:
        raise LookupError(
            f"{component} is no single unit: token lists are for heads, neurons and latents."
        )
    block = model.block(component.layer)
    if component.kind == "latent":
        return _latent_tokens(model, bases.at(component), component, n)
    if component.kind == "attn":
        return _head_tokens(model, block, component, n)
    write = block.mlp.w_out[:, component.index]
    promoted = write_logits(model, write[None])[0]
    read = block.mlp.w_in[component.index]
    excited = _normed_embeddings(model, block.norm_mlp) @ read.float()
    return ComponentTokens(str(component), *_both(model, promoted, n), *_both(model, excited, n))


def _latent_tokens(
    model: Transformer, coded: CodedSite, component: Component, n: int
) -> ComponentTokens:
    latent = component.index or 0
    direction = coded.directions(torch.tensor([latent], device=model.device))
    promoted = write_logits(model, in_stream(model, coded, direction))[0]
    excited = torch.cat(
        [
            coded.pre_activation(_alone(model, coded, part), latent, live)
            for part in torch.split(model.w_embed, VOCAB_CHUNK)
        ]
    )
    return ComponentTokens(str(component), *_both(model, promoted, n), *_both(model, excited, n))


def _alone(
    model: Transformer, coded: CodedSite, embeddings: Float[Tensor, "vocab d_model"]
) -> Float[Tensor, "vocab d"]:
    """The site's value for tokens without context: what the sublayer makes of their embeddings, without position."""
    block = model.block(coded.layer)
    match coded.site:
        case "mlp_post_act" | "resid_delta_mlp":
            a = block.mlp.post_act(_through_norm(block.norm_mlp, embeddings).to(model.dtype))
            if coded.site == "resid_delta_mlp":
                a = F.linear(a, block.mlp.w_out, block.mlp.b_out)
            return a
        case "resid_delta_attn":
            x = _through_norm(block.norm_attn, embeddings).to(model.dtype)
            v = block.attn.project(x[None])[2]
            v = v.repeat_interleave(block.attn.n_heads // block.attn.n_kv_heads, dim=1)
            return block.attn.write(v)[0]
        case _:
            return embeddings


def _head_tokens(model: Transformer, block: Block, component: Component, n: int) -> ComponentTokens:
    head, attn = component.index or 0, block.attn
    shared = head * attn.n_kv_heads // attn.n_heads
    w_q, w_k, w_v = torch.split(attn.w_qkv.float(), attn.sizes)
    q = torch.unflatten(w_q, 0, (attn.n_heads, attn.d_head))[head]
    k = torch.unflatten(w_k, 0, (attn.n_kv_heads, attn.d_head))[shared]
    v = torch.unflatten(w_v, 0, (attn.n_kv_heads, attn.d_head))[shared]
    w_o = attn.head_w_o()[head].float()
    embeddings = _normed_embeddings(model, block.norm_attn)
    reads, writes = _leading_directions(v.T, w_o, embeddings)
    queries, keys = _leading_directions(q.T, k, embeddings)
    return ComponentTokens(
        str(component),
        *_both(model, write_logits(model, writes[None])[0], n),
        *_both(model, embeddings @ reads, n),
        query=top_tokens(model, embeddings @ queries, n),
        key=top_tokens(model, embeddings @ keys, n),
        copying=_copying(model, embeddings, v, w_o),
    )


def _leading_directions(
    left: Float[Tensor, "d_model d_head"],
    right: Float[Tensor, "d_head d_model"],
    embeddings: Float[Tensor, "vocab d_model"],
) -> tuple[Float[Tensor, " d_model"], Float[Tensor, " d_model"]]:
    """First singular pair of left @ right, from two thin QRs, with the sign that tokens read most
    strongly."""
    q_left, r_left = torch.linalg.qr(left)
    q_right, r_right = torch.linalg.qr(right.T)
    u, s, vh = torch.linalg.svd(r_left @ r_right.T)
    reads, writes = q_left @ u[:, 0], q_right @ vh[0] * s[0]
    along = embeddings @ reads
    sign = 1.0 if along.max() >= -along.min() else -1.0
    return sign * reads, sign * writes


def _copying(
    model: Transformer,
    embeddings: Float[Tensor, "vocab d_model"],
    v: Float[Tensor, "d_head d_model"],
    w_o: Float[Tensor, "d_head d_model"],
) -> float:
    n_vocab = embeddings.shape[0]
    generator = torch.Generator().manual_seed(0)
    sample = torch.randperm(n_vocab, generator=generator)[:N_COPY_SAMPLE].to(embeddings.device)
    logits = write_logits(model, embeddings[sample] @ v.T @ w_o)
    top = logits.topk(min(COPY_TOP, n_vocab), dim=-1).indices
    return float((top == sample[:, None]).any(-1).float().mean())


def _normed_embeddings(model: Transformer, norm: Norm) -> Float[Tensor, "vocab d_model"]:
    """Every token's embedding, without position, as a layer's norm would hand it on."""
    return _through_norm(norm, model.w_embed)


def _through_norm(norm: Norm, x: Float[Tensor, "n d_model"]) -> Float[Tensor, "n d_model"]:
    x = x.float()
    if norm.centred:
        bias = None if norm.bias is None else norm.bias.float()
        return F.layer_norm(x, x.shape[-1:], norm.weight.float(), bias, norm.eps)
    return F.rms_norm(x, x.shape[-1:], norm.weight.float(), norm.eps)


def _both(
    model: Transformer, scores: Float[Tensor, " vocab"], n: int
) -> tuple[tuple[TokenScore, ...], tuple[TokenScore, ...]]:
    return top_tokens(model, scores, n), top_tokens(model, scores, n, largest=False)
