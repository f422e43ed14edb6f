"""Transformer Debugger as a library: load a model, ask why it predicts a token, edit it, measure."""

from neuron_explainer.models.weights import load_model

__all__ = ["load_model"]
