"""What an edit of a run says: plain, frozen data. `interventions.py` turns it into hooks.

`positions` is where the component writes (for heads the query token), None everywhere. Edits act in the order given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from neuron_explainer.models.extent import Where, check_position
from neuron_explainer.models.steering import Steer
from neuron_explainer.nodes import Component


@dataclass(frozen=True)
class _Edit:
    component: Component
    positions: tuple[int, ...] | None = None
    key_positions: tuple[int, ...] | None = None
    where: Where = field(default="everything", kw_only=True)


@dataclass(frozen=True)
class Ablate(_Edit):
    """Replace the activation by zero, by its mean over the prompt's tokens, or by a given mean."""

    value: Literal["zero", "mean"] | tuple[float, ...] = "zero"
    """A tuple is a dataset mean: one number for a neuron or latent, d_head for a head, d_model for embed, the
    site's width for a coder's error."""


@dataclass(frozen=True)
class Set(_Edit):
    value: float = 0.0


@dataclass(frozen=True)
class Scale(_Edit):
    value: float = 1.0


@dataclass(frozen=True)
class Patch(_Edit):
    """Take the activation from the other case, at the same positions or at `from_positions`."""

    from_case: Literal[0, 1] = 1
    from_positions: tuple[int, ...] | None = None


Intervention = Ablate | Set | Scale | Patch | Steer


def first_edited_layer(interventions: Sequence[Intervention]) -> int | None:
    """The first layer an edit can change; -1 for the embeddings, None when nothing is edited."""
    layers = (-1 if i.component.layer is None else i.component.layer for i in interventions)
    return min(layers, default=None)


def edits_z(intervention: Intervention) -> bool:
    """Whether a head's edit replaces its mixed values, so that its token pairs no longer write."""
    over_all_keys = intervention.component.kind == "attn" and intervention.key_positions is None
    return over_all_keys and (
        isinstance(intervention, Patch)
        or (isinstance(intervention, Ablate) and intervention.value != "zero")
    )


def replaced_heads(
    interventions: Sequence[Intervention], layer: int, n_tokens: int
) -> dict[int, set[int]]:
    """Heads of a layer whose mixed values an edit replaces, and the tokens where it does."""
    found: dict[int, set[int]] = {}
    for edit in interventions:
        if edits_z(edit) and edit.component.layer == layer:
            positions = range(n_tokens) if edit.positions is None else edit.positions
            tokens = {check_position(p, n_tokens, "position") for p in positions}
            found.setdefault(edit.component.index or 0, set()).update(tokens)
    return found
