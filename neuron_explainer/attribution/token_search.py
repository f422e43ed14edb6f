"""Which components promote a token, from the weights alone: neurons by W_out, latents by their decoder direction.

    promotion = <write per unit of activation, u_t>,    u_t = gain * (W_U[t] - mean over the vocabulary of W_U)

the direct effect of one unit of activation on the token's logit, relative to the mean logit, before the final norm's
scale; for a centred norm the write's mean is taken out first. The negative side of a component suppresses what its
positive side promotes. Heads are left out: what they write depends on what they attend to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component


@dataclass(frozen=True)
class Promotion:
    """A component, and how far one unit of its activation moves a token's logit."""

    component: Component
    logit: float


@torch.inference_mode()
def promotions(
    model: Transformer, token: int, coder_sets: Sequence[CoderSet] = ()
) -> Mapping[tuple[str, int, str | None], Float[Tensor, " component"]]:
    """Logit per unit of activation, of all components, by (kind, layer, stream)."""
    direction = _direction(model, token)
    found: dict[tuple[str, int, str | None], Tensor] = {}
    for layer in range(model.config.n_layers):
        found["mlp", layer, None] = model.block(layer).mlp.w_out.float().T @ direction
    for coders in coder_sets:
        for layer, coder in sorted(coders.coders.items()):
            write = coder.decoder.float()
            if coders.site == "mlp_post_act":
                write = model.block(layer).mlp.w_out.float() @ write
            scale = coder.config.input_scale
            found["latent", layer, coders.stream] = (direction @ write) / scale
    return found


def top_promotions(
    by_group: Mapping[tuple[str, int, str | None], Float[Tensor, " component"]],
    limit: int,
    *,
    kind: str | None = None,
    layer: int | None = None,
    stream: str | None = None,
    suppress: bool = False,
    among: Collection[Component] | None = None,
) -> list[Promotion]:
    """Those that promote most (or suppress most), strongest first.

    Args:
        stream: latents of coders on it, and nothing else.
        among: look at no others.
    """
    found: list[tuple[float, Component]] = []
    chosen: dict[tuple[str, int | None, str | None], list[int]] = {}
    for it in among or ():
        chosen.setdefault((it.kind, it.layer, it.stream), []).append(it.index or 0)
    for (own_kind, own_layer, own_stream), logits in by_group.items():
        fits = kind in (None, own_kind) and layer in (None, own_layer)
        if not fits or stream not in (None, own_stream):
            continue
        rows = torch.arange(len(logits))
        if among is not None:
            rows = torch.tensor(chosen.get((own_kind, own_layer, own_stream), []), dtype=torch.long)
        best = logits[rows].topk(min(limit, len(rows)), largest=not suppress)
        for value, index in zip(best.values.tolist(), rows[best.indices].tolist(), strict=True):
            component = (
                Component("mlp", own_layer, index)
                if own_kind == "mlp"
                else Component("latent", own_layer, index, own_stream)  # type: ignore[arg-type]  # a coder set's stream
            )
            found.append((value, component))
    found.sort(key=lambda it: it[0], reverse=not suppress)
    return [Promotion(component, value) for value, component in found[:limit]]


def _direction(model: Transformer, token: int) -> Float[Tensor, " d_model"]:
    unembed = model.w_unembed.float()
    direction = (unembed[token] - unembed.mean(0)) * model.final_norm.weight.float()
    return direction - direction.mean() if model.final_norm.centred else direction
