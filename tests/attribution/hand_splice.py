"""Coders spliced by hand into a Hugging Face run: x' = decode(z') + (x - decode(z)), everything dense.

`resid_post` is what the next block reads, or the final norm after the last.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from neuron_explainer.autoencoders import CoderSet, SparseCoder
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.autoencoders.random_coders import random_coder_set
from tests.hooked_hf import Edit, Place

Change = Callable[[Tensor], Tensor]
"""Latents "seq latent", or the error "seq d", to what they become."""

SITES = (
    "mlp_post_act",
    "resid_delta_mlp",
    "resid_delta_attn",
    "resid_pre",
    "resid_mid",
    "resid_post",
)


def unchanged(value: Tensor) -> Tensor:
    return value


def coders_at(model: Transformer, site: Any, variant: str = "relu", **how: Any) -> CoderSet:
    """Random coders at a site of every layer."""
    width = model.config.d_mlp if site == "mlp_post_act" else model.config.d_model
    return random_coder_set(f"at-{site}", site, width, variant=variant, **how)


def place_of_site(model: Transformer, site: str, layer: int) -> Place:
    """Where a Hugging Face run sees the site."""
    if site != "resid_post":
        return site, layer
    is_last = layer + 1 == model.config.n_layers
    return ("resid_final", 0) if is_last else ("resid_pre", layer + 1)


def splice(coder: SparseCoder, latents: Change = unchanged, error: Change = unchanged) -> Edit:
    """The edit of a site that changes latents, and the error."""

    def edit(x: Tensor) -> Tensor:
        z = coder.encode(x)
        missed = x - coder.decode(z, x)
        return coder.decode(latents(z.clone()), x) + error(missed.clone())

    return edit


def with_latent(index: int, change: Change, at: Any = slice(None)) -> Change:
    """Change one latent, given at all tokens, at some tokens."""

    def changed(z: Tensor) -> Tensor:
        new = change(z[:, index].clone())
        z[at, index] = new[at]
        return z

    return changed


def at_tokens(change: Change, at: Any = slice(None)) -> Change:
    """Change the error at some tokens."""

    def changed(e: Tensor) -> Tensor:
        e[at] = change(e.clone())[at]
        return e

    return changed


def latent(coder_set: CoderSet, layer: int, index: int) -> Component:
    return Component("latent", layer, index, coder_set.stream)


def error(coder_set: CoderSet, layer: int) -> Component:
    return Component("error", layer, stream=coder_set.stream)
