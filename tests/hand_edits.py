"""Each kind of intervention, beside the same edit written by hand for a Hugging Face run.

An entry makes both from the layer and from a Hugging Face run of the other prompt, which patches take
their values from. Prompts have at least seven tokens; heads, neurons and positions are arbitrary.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from neuron_explainer.models.interventions import Ablate, Intervention, Patch, Scale, Set
from neuron_explainer.nodes import Component
from tests.hooked_hf import Edit, HookedRun, Place

NEURON, HEAD = 5, 2
AT, KEYS = (3, 6), (1, 2)

HandEdit = tuple[Intervention, Mapping[Place, Edit]]


def neuron(edit_type: Any, new: Callable[[Tensor, Tensor], Tensor | float], **how: Any) -> Any:
    """`new` takes the neuron's activation by token, here and in the other prompt."""

    def make(layer: int, other: HookedRun) -> HandEdit:
        theirs = other.values["mlp_post_act", layer][:, NEURON]

        def by_hand(value: Tensor) -> Tensor:
            at = list(how.get("positions") or range(len(value)))
            value[at, NEURON] = spread(new(value[:, NEURON].clone(), theirs), value[:, NEURON])[at]
            return value

        return edit_type(Component("mlp", layer, NEURON), **how), {("mlp_post_act", layer): by_hand}

    return make


def pairs(edit_type: Any, new: Callable[[Tensor, Tensor], Tensor | float], **how: Any) -> Any:
    """`new` takes the head's pattern, "query key", here and in the other prompt."""

    def make(layer: int, other: HookedRun) -> HandEdit:
        theirs = other.values["attn_pattern", layer][HEAD]

        def by_hand(value: Tensor) -> Tensor:
            old = value[HEAD].clone()
            made = spread(new(old, theirs), old)
            for query in how.get("positions") or range(len(old)):
                for key in how.get("key_positions") or range(len(old)):
                    if old[query, key] > 0:  # else it is masked
                        value[HEAD, query, key] = made[query, key]
            return value

        return edit_type(Component("attn", layer, HEAD), **how), {("attn_pattern", layer): by_hand}

    return make


def mixed(edit_type: Any, new: Callable[[Tensor, Tensor], Tensor], **how: Any) -> Any:
    """`new` takes the head's mixed values z, "seq d_head", here and in the other prompt."""

    def make(layer: int, other: HookedRun) -> HandEdit:
        theirs = other.values["attn_z", layer][HEAD]

        def by_hand(value: Tensor) -> Tensor:
            at = list(how.get("positions") or range(value.shape[1]))
            value[HEAD, at] = new(value[HEAD].clone(), theirs).expand_as(value[HEAD])[at]
            return value

        return edit_type(Component("attn", layer, HEAD), **how), {("attn_z", layer): by_hand}

    return make


def embed(edit_type: Any, new: Callable[[Tensor, Tensor], Tensor], **how: Any) -> Any:
    """`new` takes the embeddings, "seq d_model", here and in the other prompt."""

    def make(_layer: int, other: HookedRun) -> HandEdit:
        theirs = other.values["embed", 0]

        def by_hand(value: Tensor) -> Tensor:
            at = list(how.get("positions") or range(len(value)))
            value[at] = new(value.clone(), theirs).expand_as(value)[at]
            return value

        return edit_type(Component("embed"), **how), {("embed", 0): by_hand}

    return make


def spread(value: Tensor | float, like: Tensor) -> Tensor:
    return torch.as_tensor(value).expand_as(like)


def mean_over_queries(pattern: Tensor, _theirs: Tensor) -> Tensor:
    """Over the queries that see the key; others have exactly zero there."""
    return pattern.sum(0) / (pattern > 0).sum(0)


HAND_EDITS: Mapping[str, Callable[[int, HookedRun], HandEdit]] = {
    "neuron ablated": neuron(Ablate, lambda _, __: 0.0),
    "neuron ablated at tokens": neuron(Ablate, lambda _, __: 0.0, positions=AT),
    "neuron at its mean": neuron(Ablate, lambda a, _: a.mean(), value="mean", positions=AT),
    "neuron at a given mean": neuron(Ablate, lambda _, __: 0.7, value=(0.7,)),
    "neuron set": neuron(Set, lambda _, __: -1.5, value=-1.5, positions=AT),
    "neuron scaled": neuron(Scale, lambda a, _: 2.5 * a, value=2.5),
    "neuron patched": neuron(Patch, lambda _, theirs: theirs),
    "head ablated": pairs(Ablate, lambda _, __: 0.0),
    "pairs ablated": pairs(Ablate, lambda _, __: 0.0, positions=AT, key_positions=KEYS),
    "pairs at their mean": pairs(Ablate, mean_over_queries, value="mean", key_positions=KEYS),
    "head set": pairs(Set, lambda _, __: 0.25, value=0.25),
    "pairs set": pairs(Set, lambda _, __: 0.8, value=0.8, positions=AT, key_positions=KEYS),
    "head scaled": pairs(Scale, lambda a, _: -0.5 * a, value=-0.5, positions=AT),
    "pairs patched": pairs(Patch, lambda _, theirs: theirs, key_positions=KEYS, positions=AT),
    "head at its mean": mixed(Ablate, lambda z, _: z.mean(0), value="mean"),
    "head patched": mixed(Patch, lambda _, theirs: theirs),
    "head patched at tokens": mixed(Patch, lambda _, theirs: theirs, positions=AT),
    "embeddings ablated": embed(Ablate, lambda x, _: torch.zeros_like(x), positions=AT),
    "embeddings at their mean": embed(Ablate, lambda x, _: x.mean(0), value="mean", positions=AT),
    "embeddings scaled": embed(Scale, lambda x, _: 1.5 * x, value=1.5, positions=AT),
    "embeddings patched": embed(Patch, lambda _, theirs: theirs, positions=AT),
}
