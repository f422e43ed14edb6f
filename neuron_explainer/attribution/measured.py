"""Measured effects: J minus J with one node's write replaced, many nodes in one batch.

Replacing a node's write adds a known vector to the residual stream just after its layer wrote
there, and by causality changes nothing before its token. So:

1. each node becomes a delta: a point of the residual stream, the tokens it changes, and the
   vectors to add (`deltas.py`);
2. nodes are grouped by first changed token; a group's rows hold only the tokens from there on, and
   read earlier keys and values from the base run;
3. one sweep up the layers carries the rows; a node's row joins at its own layer;
4. the objective is read off each row with its norm live, from the unembedding rows it needs.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from neuron_explainer.attribution.deltas import Delta, ReplaceBy, Target, delta_of
from neuron_explainer.models.forward_pass import Pass, Place
from neuron_explainer.models.hooks import Hooks
from neuron_explainer.models.objectives import read_out_values
from neuron_explainer.models.run import Run
from neuron_explainer.models.transformer import Frame

MAX_ROW_TOKENS = 2048
"""Tokens carried by one sweep, rows times tokens; bounds memory."""


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
        x = hooks("resid_pre", layer, x) if len(x) else x
        x = joined(x, Place(layer))  # as its base left those hooks
        if Place(layer) == end:
            break
        block = model.block(layer)
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
    return read_out_values(batch, row, run.case.objective, x, start, run.case.bases)
