"""Sparse coders: autoencoders and transcoders of activations, ours and other people's."""

from neuron_explainer.autoencoders.formats import load_coder, load_coders
from neuron_explainer.autoencoders.sparse_coder import SparseCoder, SparseCoderConfig

__all__ = ["SparseCoder", "SparseCoderConfig", "load_coder", "load_coders"]
