"""Coders with random weights, of every nonlinearity, none of whose parts is trivial."""

from typing import Any

import torch

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.autoencoders.sparse_coder import (
    SparseCoder,
    SparseCoderConfig,
    coder_from_tensors,
)

VARIANTS: dict[str, dict[str, Any]] = {
    "relu": {"nonlinearity": "relu"},
    "topk": {"nonlinearity": "topk", "k": 6},
    "batchtopk": {"nonlinearity": "batchtopk", "k": 6},
    "jumprelu": {"nonlinearity": "jumprelu"},
    "layer-normed": {"nonlinearity": "topk", "k": 6, "input_norm": "layer"},
    "scaled": {"nonlinearity": "relu", "input_scale": 0.7, "subtract_b_dec": False},
    "tied": {"nonlinearity": "relu", "tied_decoder": True},
}
"""Every rule, and every way in which a coder may treat its input."""


def coder_config(site: Any, layer: int, width: int, variant: str = "relu") -> SparseCoderConfig:
    return SparseCoderConfig(site, layer, d_in=width, n_latents=3 * width, **VARIANTS[variant])


def random_coder(config: SparseCoderConfig) -> SparseCoder:
    """Weights that make about a third of the latents active where there is no k."""
    generator = torch.Generator().manual_seed(config.layer)
    tensors = {}
    for name, parameter in SparseCoder(config).named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        wide = parameter.ndim == 2
        tensors[name] = noise * (config.d_in**-0.5 if wide else 0.2)
    if "threshold" in tensors:
        tensors["threshold"] = tensors["threshold"].abs()
    return coder_from_tensors(config, tensors, "random")


def random_coder_set(
    name: str,
    site: Any,
    width: int,
    layers: tuple[int, ...] = (0, 1, 2),
    variant: str = "relu",
) -> CoderSet:
    coders = {at: random_coder(coder_config(site, at, width, variant)) for at in layers}
    return CoderSet(name, site, coders)
