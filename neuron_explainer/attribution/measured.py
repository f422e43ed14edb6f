"""Measured effects: J minus J with one node's write replaced, many nodes in one batch.

Replacing a node's write adds a known vector to the residual stream just after its layer wrote
there, and by causality changes nothing before its token. So:

1. each node becomes a delta: a point of the residual stream, the tokens it changes, and the
   vectors to add;
2. nodes are grouped by first changed token; a group's rows hold only the tokens from there on, and
   read earlier keys and values from the base run;
3. one sweep up the layers carries the rows; a node's row joins at its own layer;
4. the objective is read off each row with its norm live, from the unembedding rows it needs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.extent import check_position
from neuron_explainer.models.forward_pass import Pass, Place
from neuron_explainer.models.hooks import Hooks
from neuron_explainer.models.interventions import check_component, check_pair, replaced_heads
from neuron_explainer.models.objectives import read_out_values
from neuron_explainer.models.run import Run
from neuron_explainer.models.transformer import Frame
from neuron_explainer.nodes import Component, Node

Target = Node | Component
"""A node, or a component at every token at once."""

ReplaceBy = Literal["zero", "mean"]

MAX_ROW_TOKENS = 2048
"""Tokens carried by one sweep, rows times tokens; bounds memory."""


@dataclass(frozen=True)
class Delta:
    """What replacing a write adds, and where: `vectors[i]` at token `positions[i]`."""

    place: Place
    positions: tuple[int, ...]
    vectors: Float[Tensor, "n d_model"]

    @property
    def start(self) -> int:
        return min(self.positions)


class BaseKeys:
    """Key-value store that continues a base row: earlier tokens' keys and values, shared by all
    rows."""

    def __init__(self, batch: Pass, row: int, start: int) -> None:
        self.batch, self.row, self.start = batch, row, start

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        if self.start == 0:
            return k, v
        base_k, base_v = self.batch.rotated_keys(layer)
        earlier = [
            x.detach()[self.row : self.row + 1, :, : self.start].expand(k.shape[0], -1, -1, -1)
            for x in (base_k, base_v)
        ]
        return torch.cat((earlier[0], k), dim=2), torch.cat((earlier[1], v), dim=2)


def measured_effects(
    run: Run, targets: Sequence[Target], hooks: Hooks, *, to: ReplaceBy = "zero"
) -> Iterator[list[tuple[Target, float]]]:
    """Measured effects in small batches, in the order asked.

    Args:
        run: the case as it is.
        targets: nodes, or bare components meaning all their tokens at once.
        hooks: the case's own interventions, which stay in force above each node.
        to: replace a write by zero, or by its mean over the prompt's tokens.

    Raises:
        LookupError, ValueError: a node the model or the prompt does not have (before anything
        runs).
    """
    deltas = [delta_of(run, target, to) for target in targets]
    n_tokens = len(run.tokens)
    n_rows = max(1, MAX_ROW_TOKENS // n_tokens)
    for first in range(0, len(targets), n_rows):
        chunk = list(zip(targets, deltas, strict=True))[first : first + n_rows]
        yield _measure_chunk(run, chunk, hooks)


def _measure_chunk(
    run: Run, chunk: Sequence[tuple[Target, Delta]], hooks: Hooks
) -> list[tuple[Target, float]]:
    has_edits = bool(run.case.interventions)
    groups = _groups([delta.start for _, delta in chunk], len(run.tokens), whole=has_edits)
    found: dict[int, float] = {}
    for start, members in groups:
        ordered = sorted(members, key=lambda i: chunk[i][1].place)
        values = _sweep(run, [chunk[i][1] for i in ordered], start, hooks)
        found |= {i: run.read_out.value - value for i, value in zip(ordered, values, strict=True)}
    return [(target, found[i]) for i, (target, _) in enumerate(chunk)]


def _groups(starts: Sequence[int], n_tokens: int, *, whole: bool) -> list[tuple[int, list[int]]]:
    """Rows that share a first token. Few groups, since a sweep of few rows wastes the processor.

    With edits in force rows are run whole: their hooks speak of positions from 0.
    """
    if whole:
        return [(0, list(range(len(starts))))]
    groups: dict[int, list[int]] = {}
    for i, start in enumerate(starts):
        quarter = 4 * start // n_tokens
        groups.setdefault(quarter, []).append(i)
    return [(min(starts[i] for i in members), members) for _, members in sorted(groups.items())]


@torch.no_grad()
def _sweep(run: Run, deltas: Sequence[Delta], start: int, hooks: Hooks) -> list[float]:
    """J of each row; `deltas` are in the order of their places, so rows join at the end of the
    batch."""
    model, batch, row = run.model, run.batch, run.row
    store = BaseKeys(batch, row, start)
    n_tokens = len(run.tokens)
    end = run.read_out.place
    joining = list(deltas)
    x = torch.empty(
        0, n_tokens - start, model.config.d_model, device=model.device, dtype=model.dtype
    )

    def base(place: Place) -> Tensor:
        return batch.resid(place).detach()[row, start:n_tokens]

    def joined(x: Tensor, place: Place) -> Tensor:
        new = []
        while joining and joining[0].place <= place:
            delta = joining.pop(0)
            fresh = base(place).clone()
            at = torch.tensor(delta.positions, device=x.device) - start
            fresh[at] += delta.vectors.to(fresh.dtype)
            new.append(fresh)
        return torch.cat((x, torch.stack(new))) if new else x

    frame = Frame(model, base(Place(0))[None], store)
    first = min(deltas[0].place.layer, end.layer)
    for layer in range(first, end.layer + 1):
        x = joined(x, Place(layer))
        if Place(layer) == end:
            break
        block = model.block(layer)
        x = hooks("resid_pre", layer, x)
        mid = x
        if len(x):
            delta_attn = block.attention_delta(x, hooks, frame)
            mid = hooks("resid_mid", layer, x + delta_attn)
        n_before = len(mid)
        mid = joined(mid, Place(layer, is_mid=True))
        if Place(layer, is_mid=True) == end:
            x = mid
            break
        reads = mid
        if block.parallel:
            fresh = base(Place(layer))[None].expand(len(mid) - n_before, -1, -1)
            reads = torch.cat((x, fresh))
        x = block.after_mid(reads, mid, hooks) if len(mid) else mid
    x = torch.cat((x, base(end)[None].expand(len(joining), -1, -1))) if joining else x
    return read_out_values(batch, row, run.case.objective, x, start)


def delta_of(run: Run, target: Target, to: ReplaceBy = "zero") -> Delta:
    """What must be added to the residual stream to replace this write."""
    to_mean = to == "mean"
    component = target if isinstance(target, Component) else target.component
    check_component(component, run.model.config)
    n = len(run.tokens)
    position, key = (
        (None, None) if isinstance(target, Component) else (target.position, target.key_position)
    )
    if position is not None:
        position = check_position(position, n, f"{target}: position")
    if isinstance(target, Node) and key is not None:
        position, key = check_pair(target, n)
    match component.kind:
        case "embed":
            return _embed_delta(run, position, to_mean)
        case "mlp":
            return _neuron_delta(run, component, position, to_mean)
        case "attn":
            return _head_delta(run, component, position, key, to_mean)
        case _:
            raise ValueError(
                f"{target}: measured effects are for heads, neurons, embeddings and latents."
            )


def _embed_delta(run: Run, position: int | None, to_mean: bool) -> Delta:
    x0 = run.embed
    new = x0.mean(0, keepdim=True).expand_as(x0) if to_mean else torch.zeros_like(x0)
    return _at(Place(0), position, new - x0)


def _neuron_delta(run: Run, component: Component, position: int | None, to_mean: bool) -> Delta:
    layer = component.layer or 0
    a = run.value("mlp_post_act", layer)[:, component.index or 0]
    new = a.mean() if to_mean else torch.zeros_like(a)
    w_out = run.model.block(layer).mlp.w_out[:, component.index or 0]
    return _at(Place(layer + 1), position, (new - a)[:, None] * w_out)


def _head_delta(
    run: Run, component: Component, position: int | None, key: int | None, to_mean: bool
) -> Delta:
    """A pair's write A v W_O, or, for the whole head, z W_O at every token."""
    layer, head = component.layer or 0, component.index or 0
    config, attn = run.model.config, run.model.block(layer).attn
    w_o = attn.head_w_o()[head]
    place = Place(layer + 1) if attn_adds_after_mlp(run) else Place(layer, is_mid=True)
    if position is None or key is None:
        z = run.value("attn_z", layer)[head]
        new = z.mean(0, keepdim=True) if to_mean else torch.zeros_like(z)
        return _at(place, None, (new - z) @ w_o)
    if position in replaced_heads(run.case.interventions, layer, len(run.tokens)).get(head, ()):
        return Delta(place, (position,), torch.zeros_like(run.embed[:1]))
    pattern = run.value("attn_pattern", layer)[head]
    v = run.value("attn_v", layer)[head * config.n_kv_heads // config.n_heads, key]
    last = None if config.attention_window is None else key + config.attention_window
    new = pattern[key:last, key].mean() if to_mean else torch.zeros_like(pattern[0, 0])
    vector = (new - pattern[position, key]) * (v @ w_o)
    return Delta(place, (position,), vector[None])


def attn_adds_after_mlp(run: Run) -> bool:
    """With a parallel residual nothing in the layer reads what its attention wrote."""
    return run.model.config.parallel_residual


def _at(place: Place, position: int | None, vectors: Float[Tensor, "seq d_model"]) -> Delta:
    if position is not None:
        return Delta(place, (position,), vectors[position : position + 1])
    return Delta(place, tuple(range(len(vectors))), vectors)
