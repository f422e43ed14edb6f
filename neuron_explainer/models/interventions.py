"""Edits of a run: plain, frozen data that becomes hooks.

    neuron       acts on mlp_post_act[token, neuron]
    head         acts on attn_pattern[head, query, key]; mean and patch over all keys act on
                 attn_z[head, query]
    embed        acts on the embedding vector of a token
    latent       acts on its site, after all other edits there (`splice.py`); a coder's error likewise

Edits act in the order given, each on what the one before left. Patterns are not renormalised, as
in the knockouts of Wang et al. 2022 (section 3.1). While text is generated, a pass computes only
the newest tokens (`Extent`); positions stay those of the whole text. What an edit says is in
`edits.py`, the numbers it puts in place of others in `edited_values.py`.
"""

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from neuron_explainer.models.bases import PLAIN, Bases
from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.edited_values import Resolved, edit_pattern, edit_tokens
from neuron_explainer.models.edits import (
    Ablate,
    Intervention,
    Patch,
    Scale,
    Set,
    edits_z,
    first_edited_layer,
    replaced_heads,
)
from neuron_explainer.models.extent import Extent, check_position
from neuron_explainer.models.hooks import Hook, Hooks, Site
from neuron_explainer.models.patching import Source, patched_part
from neuron_explainer.models.splice import splices
from neuron_explainer.models.steering import Steer, gathered
from neuron_explainer.nodes import Component, Node

__all__ = [
    "Ablate",
    "Intervention",
    "Patch",
    "Scale",
    "Set",
    "Source",
    "Steer",
    "check_component",
    "check_pair",
    "edits_z",
    "first_edited_layer",
    "intervention_hooks",
    "replaced_heads",
]


def check_component(component: Component, config: ModelConfig, bases: Bases = PLAIN) -> None:
    """Raise LookupError, naming the range, when the model or its bases have no such component."""
    if component.kind in ("embed", "bias"):
        return
    if component.kind in ("latent", "error"):
        bases.at(component)
        return
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


def intervention_hooks(
    interventions: Sequence[Intervention],
    config: ModelConfig,
    n_tokens: int | Extent,
    source: Source | None = None,
    row: int | None = None,
    bases: Bases = PLAIN,
) -> Hooks:
    """Hooks that carry the edits out.

    Args:
        n_tokens: tokens of the prompt, the rest of a row being padding; or which tokens of a text
            that is being generated the pass computes.
        source: the other case's values, for patches.
        row: the batch row to edit; None edits all rows.
        bases: what the edited latents belong to.

    Raises:
        LookupError, ValueError: a component or position the model or the prompt does not have.
    """
    extent = Extent.whole(n_tokens) if isinstance(n_tokens, int) else n_tokens
    resolved = [_resolve(edit, config, extent, bases) for edit in interventions]
    _check_order(resolved)
    coded = [each for each in resolved if each.edit.component.stream is not None]
    pairs: list[tuple[Site, Hook]] = []
    steers: list[tuple[Steer, tuple[int, ...]]] = []
    for each in resolved:
        edit = each.edit
        if edit.component.stream is not None:
            continue
        if isinstance(edit, Steer) and edit.component.kind == "mlp":
            steers.append((edit, each.positions))
            continue
        pairs += [("mlp_post_act", hook) for hook in gathered(steers, extent.start, row)]
        steers = []
        pairs.append((_site(edit), partial(_act, each, config, extent, source, row)))
    pairs += [("mlp_post_act", hook) for hook in gathered(steers, extent.start, row)]
    return Hooks(pairs + [(s.coded.site, s) for s in splices(coded, extent, source, row, bases)])


def _resolve(edit: Intervention, config: ModelConfig, extent: Extent, bases: Bases) -> Resolved:
    component = edit.component
    check_component(component, config, bases)
    if component.kind == "bias":
        raise ValueError(
            "bias cannot be edited: it is a sum of many parameters, not one activation."
        )
    if component.kind in ("embed", "error") and isinstance(edit, Set | Steer):
        raise ValueError(
            f"{component} is a vector and cannot be set to a number: ablate, scale or patch it."
        )
    if edit.key_positions is not None and component.kind != "attn":
        raise ValueError(f"{component}: only heads have key_positions; leave them out.")
    for name in ("positions", "key_positions"):
        if getattr(edit, name) == ():
            raise ValueError(f"{component}: {name} is empty: name a token, or None for all.")
    if isinstance(edit, Ablate) and isinstance(edit.value, tuple):
        _check_mean(edit.value, component, edit.key_positions, config, bases)
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
    return Resolved(edit, positions, keys)


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


def _check_order(edits: Sequence[Resolved]) -> None:
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
    bases: Bases,
) -> None:
    if key_positions is not None:
        raise ValueError(
            f"{component}: a given mean is of the head's whole write; leave out key_positions."
        )
    sizes = {"mlp": 1, "latent": 1, "attn": config.d_head, "embed": config.d_model}
    size = bases.at(component).width if component.kind == "error" else sizes[component.kind]
    if len(value) != size:
        raise ValueError(
            f"{component}: the mean has {len(value)} numbers, but its activation has {size}."
        )


def _act(
    resolved: Resolved,
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

    def theirs() -> Tensor:
        assert isinstance(edit, Patch)
        return patched_part(component, edit.from_case, source, site, layer)

    if site == "attn_pattern":
        edit_pattern(resolved, view, extent, config.attention_window, theirs)
    else:
        edit_tokens(resolved, view, extent, theirs)
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
