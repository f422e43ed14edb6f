"""Sparse coders: autoencoders and transcoders of activations, ours and other people's."""

from neuron_explainer.autoencoders.coder_set import CoderSet, load_coder_set
from neuron_explainer.autoencoders.formats import load_coder, load_coders
from neuron_explainer.autoencoders.sparse_coder import SparseCoder, SparseCoderConfig

__all__ = [
    "CoderSet",
    "SparseCoder",
    "SparseCoderConfig",
    "load_coder",
    "load_coder_set",
    "load_coders",
]
