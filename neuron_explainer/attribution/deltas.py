"""What replacing a node's write adds to the residual stream, and where.

A write's vector is known from the run. It is in the stream at its `Place`; edits of latents that it meets on the way
there, or that read the stream there, turn it into another one, and so may act at other tokens too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.coded_writes import in_stream
from neuron_explainer.models.extent import check_position
from neuron_explainer.models.forward_pass import Place
from neuron_explainer.models.hooks import Site
from neuron_explainer.models.interventions import check_component, check_pair, replaced_heads
from neuron_explainer.models.readings import splice_of
from neuron_explainer.models.run import Run
from neuron_explainer.nodes import Component, Node

Target = Node | Component
"""A node, or a component at every token at once."""

ReplaceBy = Literal["zero", "mean"]

_TO_MID: Sequence[Site] = ("attn_z", "resid_delta_attn", "resid_mid")
_TO_NEXT: Sequence[Site] = ("mlp_post_act", "resid_delta_mlp", "resid_post")
"""What a write passes, from where it is made, until the stream holds it."""


@dataclass(frozen=True)
class Delta:
    """What replacing a write adds, and where: `vectors[i]` at token `positions[i]`."""

    place: Place
    positions: tuple[int, ...]
    vectors: Float[Tensor, "n d_model"]

    @property
    def start(self) -> int:
        return min(self.positions)


@dataclass(frozen=True)
class Change:
    """How a write becomes another, as a vector of the stream, where the node makes it."""

    site: Site
    layer: int
    position: int | None
    """None: at every token."""
    vectors: Float[Tensor, "seq d_model"]


def delta_of(run: Run, target: Target, to: ReplaceBy = "zero") -> Delta:
    """What must be added to the residual stream to replace this write.

    Raises LookupError or ValueError for a node that the model or the prompt does not have.
    """
    change = change_of(run, target, to)
    position, vectors = change.position, change.vectors
    if position is not None:
        alone = torch.zeros_like(vectors)
        alone[position] = vectors[position]
        vectors = alone
    way, place = _way(run, change.site, change.layer)
    for passed, at in way:
        vectors, is_spread = _spliced(run, passed, at, vectors)
        position = None if is_spread else position
    if position is None:
        return Delta(place, tuple(range(len(vectors))), vectors)
    return Delta(place, (position,), vectors[position : position + 1])


def change_of(run: Run, target: Target, to: ReplaceBy = "zero") -> Change:
    """The difference that replacing a write makes to the write itself."""
    to_mean = to == "mean"
    component = target if isinstance(target, Component) else target.component
    check_component(component, run.model.config, run.case.bases)
    n = len(run.tokens)
    position, key = (
        (None, None) if isinstance(target, Component) else (target.position, target.key_position)
    )
    if position is not None:
        position = check_position(position, n, f"{target}: position")
    if isinstance(target, Node) and key is not None:
        position, key = check_pair(target, n)
    match component.kind:
        case "embed":
            return _embed_change(run, position, to_mean)
        case "mlp":
            return _neuron_change(run, component, position, to_mean)
        case "attn":
            return _head_change(run, component, position, key, to_mean)
        case "latent" | "error":
            return _coded_change(run, component, position, to_mean)
        case _:
            raise ValueError(
                f"{target}: measured effects are for heads, neurons, embeddings and latents."
            )


def _embed_change(run: Run, position: int | None, to_mean: bool) -> Change:
    x0 = run.embed
    new = x0.mean(0, keepdim=True).expand_as(x0) if to_mean else torch.zeros_like(x0)
    return Change("embed", 0, position, new - x0)


def _neuron_change(run: Run, component: Component, position: int | None, to_mean: bool) -> Change:
    layer = component.layer or 0
    a = run.value("mlp_post_act", layer)[:, component.index or 0]
    new = a.mean() if to_mean else torch.zeros_like(a)
    w_out = run.model.block(layer).mlp.w_out[:, component.index or 0]
    return Change("mlp_post_act", layer, position, (new - a)[:, None] * w_out)


def _head_change(
    run: Run, component: Component, position: int | None, key: int | None, to_mean: bool
) -> Change:
    """A pair's write A v W_O, or, for the whole head, z W_O at every token."""
    layer, head = component.layer or 0, component.index or 0
    config = run.model.config
    w_o = run.model.block(layer).attn.head_w_o()[head]
    if position is None or key is None:
        z = run.value("attn_z", layer)[head]
        new = z.mean(0, keepdim=True) if to_mean else torch.zeros_like(z)
        return Change("attn_z", layer, None, (new - z) @ w_o)
    vectors = torch.zeros_like(run.embed)
    replaced = replaced_heads(run.case.interventions, layer, len(run.tokens))
    if position not in replaced.get(head, ()):
        pattern = run.value("attn_pattern", layer)[head]
        v = run.value("attn_v", layer)[head * config.n_kv_heads // config.n_heads, key]
        last = None if config.attention_window is None else key + config.attention_window
        new = pattern[key:last, key].mean() if to_mean else torch.zeros_like(pattern[0, 0])
        vectors[position] = (new - pattern[position, key]) * (v @ w_o)
    return Change("attn_z", layer, position, vectors)


def _coded_change(run: Run, component: Component, position: int | None, to_mean: bool) -> Change:
    """A latent's write u z_j D_j, or a coder's error."""
    coded = run.case.bases.at(component)
    reading = run.reading(coded)
    if component.index is None:
        old = reading.error
        change = (old.mean(0, keepdim=True) if to_mean else 0.0) - old
    else:
        z = reading.latent(component.index)[:, None]
        direction = coded.directions(torch.tensor([component.index], device=z.device))
        change = reading.unit * ((z.mean() if to_mean else 0.0) - z) * direction
    vectors = in_stream(run.model, coded, change).to(run.embed.dtype)
    return Change(coded.site, coded.layer, position, vectors)


def _way(run: Run, site: Site, layer: int) -> tuple[list[tuple[Site, int]], Place]:
    """The sites that a write at `site` still passes, and the point of the stream where it has passed them."""
    if site in ("embed", "resid_pre"):
        return ([("resid_pre", 0)] if site == "embed" else []), Place(layer)
    mid = Place(layer, is_mid=True)
    legs = _TO_MID if site in _TO_MID else _TO_NEXT
    way = [(passed, layer) for passed in legs[legs.index(site) + 1 :]]
    if legs is _TO_MID:
        # With a parallel residual nothing in the layer reads what its attention wrote.
        if not run.model.config.parallel_residual or run.read_out.place == mid:
            return way, mid
        way.append(("resid_post", layer))
    return [*way, ("resid_pre", layer + 1)], Place(layer + 1)


def _spliced(
    run: Run, site: Site, layer: int, vectors: Float[Tensor, "seq d_model"]
) -> tuple[Float[Tensor, "seq d_model"], bool]:
    """A difference after the edits of latents at a site, and whether there are any."""
    coded = next((c for c in run.case.bases.sites if (c.site, c.layer) == (site, layer)), None)
    splice = None if coded is None else splice_of(run.batch, run.row, coded)
    if coded is None or splice is None:
        return vectors, False
    x = run.reading(coded).entered[None]
    return (vectors + splice.change(x + vectors) - splice.change(x))[0], True
