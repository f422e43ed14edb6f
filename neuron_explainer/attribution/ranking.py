"""The k largest and smallest entries of a metric over all layers, without sorting it.

Exact, in two steps: a node among the k largest lies in a row (one layer's last axis) whose maximum
is among the k largest row maxima. So: row extremes in one sweep, the k best rows, and a top-k over
those rows alone. A sparse metric has few entries, which are ranked as they are.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.metric import Metric, SparseMetric

Place = tuple[int, ...]
"""Layer, then the indices of the kind's own axes."""


def extreme_places(metric: Metric | SparseMetric, k: int) -> list[Place]:
    """Where the metric is largest, and, if signed, smallest: at most k each, zeros never.

    Ties are broken by layer, then by index, lowest first, whatever the device.
    """
    if isinstance(metric, SparseMetric):
        found = _largest_active(metric, k, sign=1.0)
        return found + _largest_active(metric, k, sign=-1.0) if metric.is_signed else found
    lows, highs = [], []
    for layer in metric.of_layers:
        rows = metric.rows(layer)
        highs.append(rows.amax(dim=-1).flatten())  # amax and amin; aminmax is far slower on CPU
        if metric.is_signed:
            lows.append(rows.amin(dim=-1).flatten())
    found = _largest(metric, torch.stack(highs), k, sign=1.0)
    if metric.is_signed:
        found += _largest(metric, -torch.stack(lows), k, sign=-1.0)
    return found


def _largest_active(metric: SparseMetric, k: int, sign: float) -> list[Place]:
    values = torch.cat(metric.values)
    if not len(values):
        return []
    best = torch.tensor(_first_k(values * sign, k, cut=True), dtype=torch.long)
    each = list(zip(metric.of_layers, metric.active, strict=True))
    columns = (
        torch.cat([torch.full_like(active.token, number) for number, active in each]),
        torch.cat([active.token for _, active in each]),
        torch.cat([active.latent for _, active in each]),
    )
    return list(zip(*(column.cpu()[best].tolist() for column in columns), strict=True))


def _largest(metric: Metric, best: Float[Tensor, "layer row"], k: int, sign: float) -> list[Place]:
    """The k largest of sign * metric, given the largest of each row."""
    numbers, n_rows = metric.of_layers, best.shape[1]
    where = [(numbers[i // n_rows], i % n_rows) for i in _first_k(best.flatten(), k)]
    if not where:
        return []
    by_layer: dict[int, list[int]] = {}
    for layer, row in where:
        by_layer.setdefault(layer, []).append(row)
    rows = [
        metric.rows(layer).flatten(0, -2)[members]
        if metric.values[0].ndim > 1
        else metric.rows(layer)[None]
        for layer, members in by_layer.items()
    ]
    candidates = torch.cat(rows)
    width = candidates.shape[1]
    shape = metric.rows(numbers[0]).shape[:-1]
    return [
        _place(metric, *where[i // width], i % width, shape)
        for i in _first_k(candidates.flatten() * sign, k, cut=True)
    ]


def _place(metric: Metric, layer: int, row: int, column: int, shape: torch.Size) -> Place:
    """Layer and indices along each axis, the token axis in the prompt's own positions."""
    index = [*_unravel(row, shape), column]
    if metric.positions is not None:
        index[metric.token_axis] = metric.positions[index[metric.token_axis]]
    return (layer, *index)


def _first_k(values: Float[Tensor, " n"], k: int, cut: bool = False) -> list[int]:
    """Indices of the k largest positive values; ties of the last one all stay, unless cut to k by
    index.

    Cut, they come largest first; uncut, by index.
    """
    least = values.topk(min(k, values.numel())).values[-1]
    kept = ((values >= least) & (values > 0)).nonzero().squeeze(1)
    if not cut:
        return kept.tolist()
    order = values[kept].sort(descending=True, stable=True).indices[:k]
    return kept[order].tolist()


def _unravel(row: int, shape: torch.Size) -> tuple[int, ...]:
    indices: list[int] = []
    for size in reversed(shape):
        row, index = divmod(row, size)
        indices.insert(0, index)
    return tuple(indices)
