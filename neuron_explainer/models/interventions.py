"""Edits of a run: plain, frozen data that becomes hooks.

    neuron       acts on mlp_post_act[token, neuron]
    head         acts on attn_pattern[head, query, key]; mean and patch over all keys act on
                 attn_z[head, query]
    embed        acts on the embedding vector of a token

Edits act in the order given, each on what the one before left. `positions` is where the component
writes (for heads the query token), None everywhere; patterns are not renormalised, as in the
knockouts of Wang et al. 2022 (section 3.1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.hooks import Hooks, Site
from neuron_explainer.nodes import Component, Node


@dataclass(frozen=True)
class _Edit:
    component: Component
    positions: tuple[int, ...] | None = None
    key_positions: tuple[int, ...] | None = None


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


Intervention = Ablate | Set | Scale | Patch

Source = Callable[[Site, int], Tensor]
"""Site and layer -> the other case's recorded value, without the batch axis."""


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


def check_position(position: int, n_tokens: int, what: str) -> int:
    """A position from 0, with -1 meaning the last token. Raises ValueError naming the range."""
    if not -1 <= position < n_tokens:
        raise ValueError(
            f"{what} {position} is out of range: the prompt has tokens 0-{n_tokens - 1} "
            "(-1 is the last)."
        )
    return position % n_tokens


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
    n_tokens: int,
    source: Source | None = None,
    row: int | None = None,
) -> Hooks:
    """Hooks that carry the edits out.

    Args:
        n_tokens: tokens of the prompt; the rest of a row is padding.
        source: the other case's values, for patches.
        row: the batch row to edit; None edits all rows.

    Raises:
        LookupError, ValueError: a component or position the model or the prompt does not have.
    """
    resolved = [_resolve(edit, config, n_tokens) for edit in interventions]
    _check_order(resolved)
    return Hooks(
        (_site(each.edit), partial(_act, each, config, n_tokens, source, row)) for each in resolved
    )


@dataclass(frozen=True)
class _Resolved:
    """An edit with its positions made explicit and checked."""

    edit: Intervention
    positions: tuple[int, ...]
    keys: tuple[int, ...] | None


def _resolve(edit: Intervention, config: ModelConfig, n_tokens: int) -> _Resolved:
    component = edit.component
    check_component(component, config)
    if component.kind == "bias":
        raise ValueError(
            "bias cannot be edited: it is a sum of many parameters, not one activation."
        )
    if component.kind == "embed" and isinstance(edit, Set):
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
    positions = (
        tuple(range(n_tokens))
        if edit.positions is None
        else tuple(check_position(p, n_tokens, f"{component}: position") for p in edit.positions)
    )
    keys = edit.key_positions and tuple(
        check_position(k, n_tokens, f"{component}: key position") for k in edit.key_positions
    )
    if keys and all(key > position for key in keys for position in positions):
        raise ValueError(
            f"{component}: no pair is left to edit, since a token sees only itself and earlier "
            f"ones (positions {list(positions)}, key_positions {list(keys)})."
        )
    return _Resolved(edit, positions, keys)


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
    n_tokens: int,
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
    at = torch.tensor(resolved.positions, device=value.device)
    if site == "attn_pattern":
        _edit_pattern(view, resolved, at, n_tokens, config.attention_window, source, layer)
    else:
        old = view[:, at]
        view[:, at] = _new_value(edit, old, view[:, :n_tokens], source, site, layer, resolved)
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
    prompt: Tensor,
    source: Source | None,
    site: Site,
    layer: int,
    resolved: _Resolved,
) -> Tensor:
    match edit:
        case Ablate(value="zero"):
            return torch.zeros_like(old)
        case Ablate(value="mean"):
            return prompt.mean(dim=1, keepdim=True).expand_as(old)
        case Ablate(value=tuple() as mean):
            given = torch.tensor(mean, dtype=old.dtype, device=old.device)
            return (given if old.ndim == 3 else given.squeeze(0)).expand_as(old)
        case Set():
            return torch.full_like(old, edit.value)
        case Scale():
            return old * edit.value
        case Patch():
            theirs = _patch_source(edit, source, site, layer)
            at = _patch_positions(edit, resolved.positions, theirs.shape[0], prompt.shape[1])
            return theirs[torch.tensor(at, device=old.device)].to(old.dtype).expand_as(old)
    raise AssertionError(edit)


def _edit_pattern(
    view: Tensor,
    resolved: _Resolved,
    at: Tensor,
    n_tokens: int,
    window: int | None,
    source: Source | None,
    layer: int,
) -> None:
    """Edit the pairs of one head's pattern, "row query key"; masked pairs stay alone."""
    n_key = view.shape[2]
    keys = torch.arange(n_tokens) if resolved.keys is None else torch.tensor(resolved.keys)
    keys = keys.to(view.device)
    seen = keys[None, :] <= at[:, None]
    if window is not None:
        seen &= keys[None, :] > at[:, None] - window
    old = view[:, at[:, None], keys[None, :]]
    edit = resolved.edit
    if isinstance(edit, Ablate) and edit.value == "mean":
        n_queries = torch.arange(n_key, 0, -1, device=view.device) - (n_key - n_tokens)
        mean = view[:, :n_tokens].sum(dim=1) / n_queries.clamp(1, window)  # those that see the key
        new = mean[:, None, keys].expand_as(old)
    elif isinstance(edit, Patch):
        theirs = _patch_source(edit, source, "attn_pattern", layer)
        if theirs.shape[0] != n_tokens:
            raise ValueError(
                f"{edit.component}: single token pairs are patched only between prompts of equal "
                f"length (here {n_tokens} and {theirs.shape[0]} tokens); omit key_positions."
            )
        from_at = torch.tensor(
            _patch_positions(edit, resolved.positions, n_tokens, n_tokens), device=view.device
        )
        new = theirs[from_at[:, None], keys[None, :]].to(old.dtype).expand_as(old)
    else:
        new = _new_value(edit, old, view, source, "attn_pattern", layer, resolved)
    view[:, at[:, None], keys[None, :]] = torch.where(seen, new, old)


def _patch_source(edit: Patch, source: Source | None, site: Site, layer: int) -> Tensor:
    """The other case's activation of this component, "token ..."."""
    if source is None:
        raise ValueError(
            f"{edit.component}: patch takes its value from case {edit.from_case}, and there is no "
            "such case beside this one. Give two cases."
        )
    value = source(site, layer)
    match edit.component.kind:
        case "embed":
            return value
        case "mlp":
            return value[:, edit.component.index]
        case _:
            return value[edit.component.index or 0]


def _patch_positions(
    edit: Patch, positions: tuple[int, ...], n_theirs: int, n_ours: int
) -> list[int]:
    wanted = edit.from_positions
    if wanted is None:
        if n_theirs != n_ours:
            raise ValueError(
                f"{edit.component}: the prompts have {n_ours} and {n_theirs} tokens, so say which "
                "token goes where: give positions and from_positions of equal length."
            )
        wanted = positions
    elif len(wanted) != len(positions):
        raise ValueError(
            f"{edit.component}: {len(positions)} positions but {len(wanted)} from_positions; "
            "they go in pairs."
        )
    return [check_position(p, n_theirs, f"{edit.component}: from_position") for p in wanted]
