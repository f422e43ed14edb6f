"""Edits of a run: plain, frozen data that becomes hooks.

    neuron       acts on mlp_post_act[token, neuron]
    head         acts on attn_pattern[head, query, key]; mean and patch over all keys act on
                 attn_z[head, query]
    embed        acts on the embedding vector of a token

Edits act in the order given, each on what the one before left. `positions` is where the component
writes (for heads the query token), None everywhere; patterns are not renormalised, as in the
knockouts of Wang et al. 2022 (section 3.1). While text is generated, a pass computes only the
newest tokens (`Extent`); positions stay those of the whole text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.extent import Extent, Where, check_position
from neuron_explainer.models.hooks import Hook, Hooks, Site
from neuron_explainer.models.patching import Source, patched_part, patched_positions
from neuron_explainer.models.steering import Steer, gathered, steered
from neuron_explainer.nodes import Component, Node


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
    """A tuple is a dataset mean: one number for a neuron, d_head for a head, d_model for embed."""


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


def check_component(component: Component, config: ModelConfig) -> None:
    """Raise LookupError, naming the range, when the model has no such component."""
    if component.kind in ("embed", "bias"):
        return
    if component.kind in ("latent", "error"):
        raise LookupError(f"{component}: no coder is loaded for this model.")
    if component.layer is None or component.layer >= config.n_layers:
        raise LookupError(
            f"{component}: layer {component.layer} is out of range: {config.name} has layers "
            f"0-{config.n_layers - 1}."
        )
    n, noun = (config.n_heads, "head") if component.kind == "attn" else (config.d_mlp, "neuron")
    if component.index is None or component.index >= n:
        raise LookupError(
            f"{component}: {noun} {component.index} is out of range: each layer of "
            f"{config.name} has {noun}s 0-{n - 1}."
        )


def check_pair(node: Node, n_tokens: int) -> tuple[int, int]:
    """A head's query and key token, from 0. Raises ValueError for one off the prompt or ahead."""
    query = check_position(node.position or 0, n_tokens, f"{node}: position")
    key = check_position(node.key_position or 0, n_tokens, f"{node}: key position")
    if key > query:
        raise ValueError(f"{node} looks ahead: a head at token {query} sees 0-{query}.")
    return query, key


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


def intervention_hooks(
    interventions: Sequence[Intervention],
    config: ModelConfig,
    n_tokens: int | Extent,
    source: Source | None = None,
    row: int | None = None,
) -> Hooks:
    """Hooks that carry the edits out.

    Args:
        n_tokens: tokens of the prompt, the rest of a row being padding; or which tokens of a text
            that is being generated the pass computes.
        source: the other case's values, for patches.
        row: the batch row to edit; None edits all rows.

    Raises:
        LookupError, ValueError: a component or position the model or the prompt does not have.
    """
    extent = Extent.whole(n_tokens) if isinstance(n_tokens, int) else n_tokens
    resolved = [_resolve(edit, config, extent) for edit in interventions]
    _check_order(resolved)
    pairs: list[tuple[Site, Hook]] = []
    steers: list[tuple[Steer, tuple[int, ...]]] = []
    for each in resolved:
        edit = each.edit
        if row is None and isinstance(edit, Steer) and edit.component.kind == "mlp":
            steers.append((edit, each.positions))
            continue
        pairs += [("mlp_post_act", hook) for hook in gathered(steers, extent.start)]
        steers = []
        pairs.append((_site(edit), partial(_act, each, config, extent, source, row)))
    return Hooks(pairs + [("mlp_post_act", hook) for hook in gathered(steers, extent.start)])


@dataclass(frozen=True)
class _Resolved:
    """An edit with its positions made explicit and checked."""

    edit: Intervention
    positions: tuple[int, ...]
    """Tokens of this pass, counted from the start of the text."""
    keys: tuple[int, ...] | None


def _resolve(edit: Intervention, config: ModelConfig, extent: Extent) -> _Resolved:
    component = edit.component
    check_component(component, config)
    if component.kind == "bias":
        raise ValueError(
            "bias cannot be edited: it is a sum of many parameters, not one activation."
        )
    if component.kind == "embed" and isinstance(edit, Set | Steer):
        raise ValueError(
            "embed is a vector and cannot be set to a number: ablate, scale or patch it."
        )
    if edit.key_positions is not None and component.kind != "attn":
        raise ValueError(f"{component}: only heads have key_positions; leave them out.")
    for name in ("positions", "key_positions"):
        if getattr(edit, name) == ():
            raise ValueError(f"{component}: {name} is empty: name a token, or None for all.")
    if isinstance(edit, Ablate) and isinstance(edit.value, tuple):
        _check_mean(edit.value, component, edit.key_positions, config)
    positions = _positions(edit, extent)
    keys = edit.key_positions and tuple(
        _named(k, extent, f"{component}: key position") for k in edit.key_positions
    )
    is_whole = extent.stop == extent.limit and bool(positions)
    if keys and is_whole and all(key > place for key in keys for place in positions):
        raise ValueError(
            f"{component}: no pair is left to edit, since a token sees only itself and earlier "
            f"ones (positions {list(positions)}, key_positions {list(keys)})."
        )
    return _Resolved(edit, positions, keys)


def _positions(edit: Intervention, extent: Extent) -> tuple[int, ...]:
    """The tokens of this pass that an edit acts on."""
    if edit.positions is None:
        return tuple(extent.places(edit.where))
    if edit.where != "everything":
        raise ValueError(
            f"{edit.component}: positions are named, so where={edit.where!r} says nothing more: "
            "leave one of them out."
        )
    named = (_named(p, extent, f"{edit.component}: position") for p in edit.positions)
    return tuple(p for p in named if extent.start <= p < extent.stop)


def _named(position: int, extent: Extent, what: str) -> int:
    n = extent.n_prompt if position == -1 else extent.limit
    return check_position(position, n, what)


def _check_order(edits: Sequence[_Resolved]) -> None:
    """A head's pattern can be edited before its mixed values are replaced, but not after."""
    for i, later in enumerate(edits):
        component = later.edit.component
        if component.kind != "attn" or edits_z(later.edit):
            continue
        for earlier in edits[:i]:
            same = earlier.edit.component == component and edits_z(earlier.edit)
            if same and set(earlier.positions) & set(later.positions):
                raise ValueError(
                    f"{component}: a patch or mean has already replaced what it writes, so its "
                    "attention cannot be edited after that; put the other edit first, or leave "
                    "one of them out."
                )


def _check_mean(
    value: tuple[float, ...],
    component: Component,
    key_positions: tuple[int, ...] | None,
    config: ModelConfig,
) -> None:
    if key_positions is not None:
        raise ValueError(
            f"{component}: a given mean is of the head's whole write; leave out key_positions."
        )
    sizes = {"mlp": 1, "attn": config.d_head, "embed": config.d_model}
    if len(value) != sizes[component.kind]:
        raise ValueError(
            f"{component}: the mean has {len(value)} numbers, but its activation has "
            f"{sizes[component.kind]}."
        )


def _act(
    resolved: _Resolved,
    config: ModelConfig,
    extent: Extent,
    source: Source | None,
    row: int | None,
    value: Tensor,
    layer: int,
) -> Tensor:
    """The hook of an edit: a copy of the site's value with the component's part replaced."""
    edit = resolved.edit
    component, site = edit.component, _site(edit)
    if component.layer is not None and layer != component.layer:
        return value
    value = value.clone()
    rows = slice(None) if row is None else slice(row, row + 1)
    view = _select(value[rows], site, component)
    at = torch.tensor(resolved.positions, device=value.device, dtype=torch.long)
    if site == "attn_pattern":
        _edit_pattern(view, resolved, at, extent, config.attention_window, source, layer)
    else:
        at = at - extent.start
        prompt = view[:, : extent.n_prompt]
        if extent.start == 0 and isinstance(edit, Ablate) and edit.value == "mean":
            extent.means[edit] = prompt.mean(dim=1, keepdim=True)
        view[:, at] = _new_value(edit, view[:, at], extent, source, site, layer, resolved)
    return value


def _site(edit: Intervention) -> Site:
    match edit.component.kind:
        case "embed":
            return "embed"
        case "mlp":
            return "mlp_post_act"
        case _:
            return "attn_z" if edits_z(edit) else "attn_pattern"


def _select(value: Tensor, site: Site, component: Component) -> Tensor:
    """The component's part as "row token ..." (a view, so that writing to it edits the whole)."""
    match site:
        case "embed":
            return value
        case "mlp_post_act":
            return value[:, :, component.index]
        case _:
            return value[:, component.index]


def _new_value(
    edit: Intervention,
    old: Tensor,
    extent: Extent,
    source: Source | None,
    site: Site,
    layer: int,
    resolved: _Resolved,
) -> Tensor:
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
            theirs = patched_part(edit.component, edit.from_case, source, site, layer)
            at = patched_positions(
                edit.component,
                edit.from_positions,
                resolved.positions,
                theirs.shape[0],
                extent.stop,
            )
            return theirs[torch.tensor(at, device=old.device)].to(old.dtype).expand_as(old)
    raise AssertionError(edit)


def _edit_pattern(
    view: Tensor,
    resolved: _Resolved,
    at: Tensor,
    extent: Extent,
    window: int | None,
    source: Source | None,
    layer: int,
) -> None:
    """Edit the pairs of one head's pattern, "row query key"; masked pairs stay alone."""
    n_tokens, n_key = extent.stop, view.shape[2]
    every = range(n_tokens) if resolved.keys is None else resolved.keys
    keys = torch.tensor([k for k in every if k < n_tokens], device=view.device, dtype=torch.long)
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
        theirs = patched_part(edit.component, edit.from_case, source, "attn_pattern", layer)
        if theirs.shape[0] != n_tokens:
            raise ValueError(
                f"{edit.component}: single token pairs are patched only between prompts of equal "
                f"length (here {n_tokens} and {theirs.shape[0]} tokens); omit key_positions."
            )
        from_at = torch.tensor(
            patched_positions(
                edit.component, edit.from_positions, resolved.positions, n_tokens, n_tokens
            ),
            device=view.device,
        )
        new = theirs[from_at[:, None], keys[None, :]].to(old.dtype).expand_as(old)
    else:
        new = _new_value(edit, old, extent, source, "attn_pattern", layer, resolved)
    view[pairs] = torch.where(seen, new, old)
