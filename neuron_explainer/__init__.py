"""Transformer Debugger as a library: load a model, ask why it predicts a token, edit it, measure."""

from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.models.interventions import Ablate, Patch, Scale, Set
from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.models.weights import load_model
from neuron_explainer.nodes import Component, Node

__all__ = [
    "Ablate",
    "Case",
    "Component",
    "Investigation",
    "Node",
    "NodeObjective",
    "Patch",
    "Scale",
    "Set",
    "TokenObjective",
    "load_model",
]
