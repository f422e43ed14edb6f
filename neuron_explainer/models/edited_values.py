"""The numbers that edits put in place of activations.

Every component's activation is "row token ..." here: one number for a neuron or a latent, a vector for embeddings,
mixed values and errors. Patterns, which are pairs of tokens, have their own function.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from neuron_explainer.models.edits import Ablate, Intervention, Patch, Scale, Set
from neuron_explainer.models.extent import Extent
from neuron_explainer.models.patching import patched_positions
from neuron_explainer.models.steering import Steer, head_factor, steered


@dataclass(frozen=True)
class Resolved:
    """An edit with its positions made explicit and checked."""

    edit: Intervention
    positions: tuple[int, ...]
    """Tokens of this pass, counted from the start of the text."""
    keys: tuple[int, ...] | None


def edit_tokens(
    resolved: Resolved, activation: Tensor, extent: Extent, theirs: Callable[[], Tensor]
) -> None:
    """Carry an edit out on an activation, "row token ...", in place."""
    edit = resolved.edit
    if extent.start == 0 and isinstance(edit, Ablate) and edit.value == "mean":
        extent.means[edit] = activation[:, : extent.n_prompt].mean(dim=1, keepdim=True)
    at = _tokens(resolved.positions, activation) - extent.start
    activation[:, at] = new_value(resolved, activation[:, at], extent, theirs)


def new_value(
    resolved: Resolved, old: Tensor, extent: Extent, theirs: Callable[[], Tensor]
) -> Tensor:
    """What an edit makes of an activation at the edited tokens, "row token ...".

    Args:
        extent: the tokens of the pass; holds the means over the prompt.
        theirs: the other case's activation, "token ...", asked for only by patches.
    """
    edit = resolved.edit
    match edit:
        case Ablate(value="zero"):
            return torch.zeros_like(old)
        case Ablate(value="mean"):
            return extent.means[edit].expand_as(old)
        case Ablate(value=tuple() as mean):
            given = torch.tensor(mean, dtype=old.dtype, device=old.device)
            return (given if old.ndim == 3 else given.squeeze(0)).expand_as(old)
        case Set():
            return torch.full_like(old, edit.value)
        case Scale():
            return old * edit.value
        case Steer():
            return steered([edit], old[..., None])[..., 0]
        case Patch():
            other = theirs()
            at = patched_positions(
                edit.component,
                edit.from_positions,
                resolved.positions,
                other.shape[0],
                extent.stop,
            )
            return other[torch.tensor(at, device=old.device)].to(old.dtype).expand_as(old)
    raise AssertionError(edit)


def edit_pattern(
    resolved: Resolved,
    view: Tensor,
    extent: Extent,
    window: int | None,
    theirs: Callable[[], Tensor],
) -> None:
    """Edit the pairs of one head's pattern, "row query key"; masked pairs stay alone."""
    n_tokens, n_key = extent.stop, view.shape[2]
    at = _tokens(resolved.positions, view)
    every = range(n_tokens) if resolved.keys is None else resolved.keys
    keys = _tokens([k for k in every if k < n_tokens], view)
    seen = keys[None, :] <= at[:, None]
    if window is not None:
        seen &= keys[None, :] > at[:, None] - window
    pairs = (slice(None), at[:, None] - extent.start, keys[None, :])
    old = view[pairs]
    edit = resolved.edit
    if isinstance(edit, Ablate) and edit.value == "mean":
        if extent.limit != extent.n_prompt:
            raise ValueError(
                f"{edit.component}: the mean of single pairs is not known for tokens that are "
                "generated: ablate them to zero, or the head at all its keys."
            )
        n_queries = torch.arange(n_key, 0, -1, device=view.device) - (n_key - n_tokens)
        mean = view[:, :n_tokens].sum(dim=1) / n_queries.clamp(1, window)  # those that see the key
        new = mean[:, None, keys].expand_as(old)
    elif isinstance(edit, Patch):
        other = theirs()
        if other.shape[0] != n_tokens:
            raise ValueError(
                f"{edit.component}: single token pairs are patched only between prompts of equal "
                f"length (here {n_tokens} and {other.shape[0]} tokens); omit key_positions."
            )
        from_at = torch.tensor(
            patched_positions(
                edit.component, edit.from_positions, resolved.positions, n_tokens, n_tokens
            ),
            device=view.device,
        )
        new = other[from_at[:, None], keys[None, :]].to(old.dtype).expand_as(old)
    elif isinstance(edit, Steer):
        new = old * head_factor(edit)
    else:
        new = new_value(resolved, old, extent, theirs)
    view[pairs] = torch.where(seen, new, old)


def _tokens(positions: Sequence[int], like: Tensor) -> Int[Tensor, " n"]:
    return torch.tensor(positions, device=like.device, dtype=torch.long)
