"""Components that are like a given one: by what they write, by what they read, by when they are active.

    weights, output    cosine of the vectors written to the residual stream: W_out[n], a latent's D_j
                       (through W_out at mlp_post_act); of heads, of the matrices W_V W_O
    weights, input     cosine of what is read: W_in[n] with the norm's gain, or a latent's encoder; of
                       heads, of the matrices W_Q W_K^T without rotary positions
    coactivation       correlation over the tokens of the component's own leading and random excerpts;
                       a head's activity at a token is its strongest pair from there

Cosines of matrices are those of their entries, tr(A^T B) / (|A| |B|), taken through the heads' own
dimensions. Inputs are compared only among components that read the same place in their layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.exemplars.layout import Group
from neuron_explainer.exemplars.observing import Batch, Observer, groups_of, lower_triangle
from neuron_explainer.exemplars.records import ComponentRecord
from neuron_explainer.exemplars.sampling import prefix_hashes
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component

Part = Literal["output", "input"]


@dataclass(frozen=True)
class Similar:
    component: str
    score: float
    """Cosine or correlation, -1 to 1."""


@torch.no_grad()
def similar_by_weights(
    model: Transformer,
    coder_sets: Sequence[CoderSet],
    component: Component,
    *,
    part: Part = "output",
    limit: int = 10,
) -> list[Similar]:
    """The components whose weights are most like one's, best first; heads are compared with heads.

    A latent's name does not say its coder: give one coder set for each stream.
    """
    groups = [g for g in groups_of(model, coder_sets) if _is_comparable(g, component, part)]
    scores = []
    if component.kind == "attn":
        own = _head_matrices(model, component.layer or 0, part)
        mine = (own[0][component.index or 0], own[1][component.index or 0])
        for group in groups:
            scores.append(_matrix_cosines(mine, _head_matrices(model, group.layer, part)))
    else:
        own_vectors = _vectors(model, coder_sets, _group_of(component, groups), part)
        vector = torch.nn.functional.normalize(own_vectors[component.index or 0], dim=0)
        for group in groups:
            others = _vectors(model, coder_sets, group, part)
            scores.append(torch.nn.functional.normalize(others, dim=1) @ vector)
    return _best(groups, scores, component, limit)


@torch.no_grad()
def similar_by_coactivation(
    observer: Observer, record: ComponentRecord, *, limit: int = 10
) -> list[Similar]:
    """The components whose activity on a component's own excerpts goes along with its own."""
    exemplars = [*record.top_positive, *record.top_negative, *record.random]
    if not exemplars:
        return []
    lengths = torch.tensor([len(e.token_ids) for e in exemplars])
    tokens = torch.zeros(len(exemplars), int(lengths.max()), dtype=torch.long)
    activity = torch.zeros(tokens.shape)
    for row, exemplar in enumerate(exemplars):
        n = len(exemplar.token_ids)
        tokens[row, :n] = torch.tensor(exemplar.token_ids)
        activity[row, :n] = torch.tensor(
            [max(own) if isinstance(own, tuple) else own for own in exemplar.activations]
        )
    device = observer.model.device
    numbers = torch.arange(len(exemplars), device=device)
    batch = Batch(tokens.to(device), lengths.to(device), numbers, prefix_hashes(tokens).to(device))
    is_text = (torch.arange(tokens.shape[1]) < lengths[:, None]).to(device)
    own_activity = activity.to(device)[is_text]
    scores: dict[str, Tensor] = {}

    def receive(group: Group, part: Batch, values: Float[Tensor, "window place component"]) -> None:
        if group.kind == "attn":
            values = _strongest_pairs(values, part.tokens.shape[1])
        rows = part.windows
        series = values[is_text[rows]].float()
        if len(rows) == len(numbers):
            scores[group.name] = _correlations(series, own_activity)
        else:  # a large coder comes in several pieces
            pieces.setdefault(group.name, []).append(series)

    pieces: dict[str, list[Tensor]] = {}
    observer.run(batch, receive)
    scores |= {name: _correlations(torch.cat(own), own_activity) for name, own in pieces.items()}
    component = Component.parse(record.component)
    found = [scores[group.name] for group in observer.groups]
    return _best(observer.groups, found, component, limit)


def _best(
    groups: Sequence[Group], scores: Sequence[Tensor], component: Component, limit: int
) -> list[Similar]:
    """The highest scores over all groups, without the component itself."""
    found: list[tuple[float, Component]] = []
    for group, own in zip(groups, scores, strict=True):
        top = own.topk(min(limit + 1, len(own)))
        for score, index in zip(top.values.tolist(), top.indices.tolist(), strict=True):
            found.append((score, group.component(index)))
    ranked = sorted((-score, str(other)) for score, other in found if other != component)
    return [Similar(other, -score) for score, other in ranked[:limit]]


def _is_comparable(group: Group, component: Component, part: Part) -> bool:
    if part == "output":
        return (group.kind == "attn") == (component.kind == "attn")
    return (group.kind, group.stream) == (component.kind, component.stream)


def _group_of(component: Component, groups: Sequence[Group]) -> Group:
    key = (component.kind, component.layer, component.stream)
    for group in groups:
        if (group.kind, group.layer, group.stream) == key:
            return group
    raise LookupError(f"{component}: no coder of layer {component.layer} is loaded.")


def _vectors(
    model: Transformer, coder_sets: Sequence[CoderSet], group: Group, part: Part
) -> Float[Tensor, "component d_model"]:
    """What each component of a group writes, or reads."""
    block = model.block(group.layer)
    if group.kind == "mlp":
        if part == "output":
            return block.mlp.w_out.T.float()
        return (block.mlp.w_in[: group.n_components] * block.norm_mlp.weight).float()
    coders = next(c for c in coder_sets if c.name == group.coder)
    coder = coders.coders[group.layer]
    if part == "input":
        return coder.w_enc.float()
    decoder = coder.decoder.float()
    return (block.mlp.w_out.float() @ decoder if coders.site == "mlp_post_act" else decoder).T


def _head_matrices(model: Transformer, layer: int, part: Part) -> tuple[Tensor, Tensor]:
    """Each head's matrix as two factors, "head d_model d_head" and "head d_head d_model"."""
    block = model.block(layer)
    attn = block.attn
    gain = block.norm_attn.weight.float()
    q, k, v = (
        torch.unflatten(w.float() * gain, 0, (-1, attn.d_head))
        for w in torch.split(attn.w_qkv, attn.sizes)
    )
    per_key = attn.n_heads // attn.n_kv_heads
    if part == "input":
        return q.transpose(1, 2), k.repeat_interleave(per_key, 0)
    return v.repeat_interleave(per_key, 0).transpose(1, 2), attn.head_w_o().float()


def _matrix_cosines(
    one: tuple[Float[Tensor, "d_model d_head"], Float[Tensor, "d_head d_model"]],
    others: tuple[Float[Tensor, "head d_model d_head"], Float[Tensor, "head d_head d_model"]],
) -> Float[Tensor, " head"]:
    """tr(A^T B) / (|A| |B|) for A = left right, from d_head-sized products."""

    def product(left: Tensor, right: Tensor) -> Tensor:
        return (left * right).sum((-2, -1))

    left, right = one
    lefts, rights = others
    inner = product(left.T @ lefts, right @ rights.transpose(1, 2))
    mine = product(left.T @ left, right @ right.T)
    theirs = product(lefts.transpose(1, 2) @ lefts, rights @ rights.transpose(1, 2))
    return inner / (mine * theirs).clamp(min=1e-30).sqrt()


def _strongest_pairs(
    values: Float[Tensor, "window pair head"], n_tokens: int
) -> Float[Tensor, "window token head"]:
    """The largest value of the pairs from each query token."""
    query = lower_triangle(n_tokens, values.device)[0]
    found = values.new_zeros(values.shape[0], n_tokens, values.shape[2])
    at = query[None, :, None].expand_as(values)
    return found.scatter_reduce(1, at, values, "amax")


def _correlations(
    series: Float[Tensor, "token component"], own: Float[Tensor, " token"]
) -> Float[Tensor, " component"]:
    """Pearson's r of each component with one; 0 where a series is constant."""
    own = own - own.mean()
    series = series - series.mean(0)
    scale = own.norm() * series.norm(dim=0)
    correlations: Tensor = own @ series / scale.clamp(min=1e-20)
    return correlations.where(scale > 1e-12, 0.0)
