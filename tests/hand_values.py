"""Objectives and writes worked out by hand from hooked Hugging Face runs."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.transformer import Transformer
from tests.hooked_hf import HookedRun, final_norm_of, head_w_o, w_out


def token_value(objective: TokenObjective, logits: Tensor) -> Tensor:
    """The objective from the logits after its token, straight from its definition."""
    target = logits[list(objective.target)]
    match objective.kind:
        case "logit_diff":
            return target.mean() - (
                logits[list(objective.distractor)].mean() if objective.distractor else 0.0
            )
        case "logit_minus_mean":
            return target.mean() - logits.mean()
        case "logprob":
            return logits.softmax(-1)[list(objective.target)].sum().log()
        case "prob":
            return logits.softmax(-1)[list(objective.target)].sum()


def node_value(
    hf: Any,
    objective: NodeObjective,
    seen: HookedRun,
    judged_by: Mapping[int, Tensor] | None = None,
) -> Tensor:
    """A node objective. `judged_by`: with `value`, the direction of what lies downstream."""
    component, query = objective.node.component, objective.node.position
    layer, index, key = component.layer, component.index, objective.node.key_position
    if objective.through is None:
        return seen.values["mlp_pre", layer][query, index]
    if objective.through != "value":
        return seen.values["attn_scores", layer][index, query, key]
    assert judged_by is not None
    write = seen.values["attn_v", layer][index, key] @ head_w_o(hf, layer, index)
    return seen.values["attn_pattern", layer][index, query, key] * (write @ judged_by[query])


def read_out_scale(hf: Any, r: Tensor) -> Tensor:
    """The final norm's denominator at a residual vector."""
    norm = final_norm_of(hf)
    is_layer_norm = isinstance(norm, torch.nn.LayerNorm)
    eps = norm.eps if is_layer_norm else norm.variance_epsilon
    centred = r - r.mean() if is_layer_norm else r
    return (centred.square().mean() + eps).sqrt()


def logits_at_scale(hf: Any, r: Tensor, scale: Tensor) -> Tensor:
    """Logits of a final residual vector, the final norm's denominator given."""
    norm = final_norm_of(hf)
    centred = r - r.mean() if isinstance(norm, torch.nn.LayerNorm) else r
    return hf.get_output_embeddings()(centred / scale * norm.weight + getattr(norm, "bias", 0.0))


def node_writes(hf: Any, seen: HookedRun, kind: str, layer: int) -> tuple[Tensor, Tensor]:
    """Activation of every node of a kind in a layer, and the vector each writes (last axis).

    mlp: "token neuron"; attn: "head query key"; embed: "token".
    """
    if kind == "embed":
        x = seen.values["embed", 0]
        return torch.ones(len(x)), x
    if kind == "mlp":
        a = seen.values["mlp_post_act", layer]
        return a, a[:, :, None] * w_out(hf, layer)
    pattern, v = seen.values["attn_pattern", layer], seen.values["attn_v", layer]
    w_o = torch.stack([head_w_o(hf, layer, head) for head in range(len(v))])
    return pattern, pattern[..., None] * (v @ w_o)[:, None]


def layers_of(kind: str, model: Transformer) -> range:
    return range(1 if kind == "embed" else model.config.n_layers)
