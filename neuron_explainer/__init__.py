"""Transformer Debugger as a library: load a model, ask why it predicts a token, edit it, measure."""

from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.models.chat import Message
from neuron_explainer.models.interventions import Ablate, Patch, Scale, Set
from neuron_explainer.models.objectives import NodeObjective, TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.models.sampling import generate
from neuron_explainer.models.steering import Steer
from neuron_explainer.models.weights import load_model
from neuron_explainer.nodes import Component, Node

__all__ = [
    "Ablate",
    "Case",
    "Component",
    "Investigation",
    "Message",
    "Node",
    "NodeObjective",
    "Patch",
    "Scale",
    "Set",
    "Steer",
    "TokenObjective",
    "generate",
    "load_model",
]
