"""What a component does to each next token: the probability of the right one, with and without it.

For a text t_0 ... t_n, P_i = p(t_i+1 | t_0 ... t_i). Reported is P_i ablated - P_i: negative where the
component helps. It is ablated

    at the token    only where the prediction is made, i: one row for each i
    everywhere      at every token at once: one row

A neuron's activation is set to zero, a head writes nothing, a latent is taken out of its coder's
reconstruction (the error stays). Rows start from the unedited residual stream at the component's layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.models.hooks import Hook, Hooks, Site
from neuron_explainer.models.tokens import PromptTooLong
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component

MAX_ABLATED_TOKENS = 256
ROW_TOKENS_AT_ONCE = 4096


@dataclass(frozen=True)
class AblationEffect:
    """Change of the next token's probability; one entry per token, None for the last."""

    at_token: tuple[float | None, ...]
    everywhere: tuple[float | None, ...]


@torch.no_grad()
def ablation_effect(
    model: Transformer,
    coder_sets: Sequence[CoderSet],
    component: Component,
    tokens: tuple[int, ...],
) -> AblationEffect:
    """Raises PromptTooLong for a long text, LookupError for what cannot be ablated."""
    n = len(tokens)
    if n > MAX_ABLATED_TOKENS:
        raise PromptTooLong(
            f"The text has {n} tokens; ablation at each of them is given for at most "
            f"{MAX_ABLATED_TOKENS}."
        )
    if component.kind not in ("attn", "mlp", "latent") or component.layer is None:
        raise LookupError(f"{component} is no single unit: heads, neurons and latents are ablated.")
    if n == 1:
        return AblationEffect((None,), (None,))
    given = torch.tensor([tokens], device=model.device)
    start = model.layers(model.embed(given), stop=component.layer)
    right = given[0, 1:]
    base = _probabilities(model, model.layers(start, first=component.layer)[0, :-1], right)
    everywhere = torch.ones(1, n, dtype=torch.bool, device=model.device)
    final = _ablated(model, coder_sets, component, start, everywhere)
    without = _probabilities(model, final[0, :-1], right)
    alone = []
    for rows in torch.split(torch.arange(n - 1), max(1, ROW_TOKENS_AT_ONCE // n)):
        where = torch.zeros(len(rows), n, dtype=torch.bool, device=model.device)
        where[torch.arange(len(rows)), rows] = True
        final = _ablated(model, coder_sets, component, start, where)
        alone.append(_probabilities(model, final[torch.arange(len(rows)), rows], right[rows]))
    return AblationEffect(
        (*(torch.cat(alone) - base).tolist(), None), (*(without - base).tolist(), None)
    )


def _probabilities(
    model: Transformer, resid: Float[Tensor, "row d_model"], right: Tensor
) -> Float[Tensor, " row"]:
    """Probability of the right token after each row."""
    found = model.unembed(resid[None])[0].float().softmax(-1)
    return found.gather(1, right[:, None])[:, 0]


def _ablated(
    model: Transformer,
    coder_sets: Sequence[CoderSet],
    component: Component,
    start: Float[Tensor, "1 seq d_model"],
    where: Bool[Tensor, "row seq"],
) -> Float[Tensor, "row seq d_model"]:
    """The final residual stream of each row, the component ablated where it says."""
    hook = _ablation(coder_sets, component, where)
    rows = start.expand(where.shape[0], -1, -1)
    return model.layers(rows, Hooks([hook]), first=component.layer or 0)


def _ablation(
    coder_sets: Sequence[CoderSet], component: Component, where: Bool[Tensor, "row seq"]
) -> tuple[Site, Hook]:
    index = component.index or 0

    def neuron(value: Tensor, layer: int) -> Tensor:
        if layer == component.layer:
            value = value.clone()
            value[..., index] = value[..., index].masked_fill(where, 0)
        return value

    def head(value: Tensor, layer: int) -> Tensor:
        if layer == component.layer:
            value = value.clone()
            value[:, index] = value[:, index].masked_fill(where[..., None], 0)
        return value

    if component.kind == "mlp":
        return "mlp_post_act", neuron
    if component.kind == "attn":
        return "attn_z", head
    coders = next((c for c in coder_sets if c.stream == component.stream), None)
    coder = None if coders is None else coders.coders.get(component.layer or 0)
    if coders is None or coder is None:
        raise LookupError(f"{component}: no coder of that layer is loaded.")

    def latent(value: Tensor, layer: int) -> Tensor:
        if layer != component.layer:
            return value
        z = coder.encode(value)
        without = z.clone()
        without[..., index] = without[..., index].masked_fill(where, 0)
        return value + (coder.decode(without, value) - coder.decode(z, value)).to(value.dtype)

    return coders.site, latent
