"""The k largest and smallest entries of a metric over all layers, without sorting it.

Exact, in two steps: a node among the k largest lies in a row (one layer's last axis) whose maximum
is among the k largest row maxima. So: row extremes in one sweep, the k best rows, and a top-k over
those rows alone.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.metric import Metric

Place = tuple[int, ...]
"""Layer, then the indices of the kind's own axes."""


def extreme_places(metric: Metric, k: int) -> list[Place]:
    """Where the metric is largest, and, if signed, smallest: at most k each, zeros never.

    Ties are broken by layer, then by index, lowest first, whatever the device.
    """
    lows, highs = [], []
    for layer in range(len(metric.values)):
        rows = metric.rows(layer)
        highs.append(rows.amax(dim=-1).flatten())  # amax and amin; aminmax is far slower on CPU
        if metric.is_signed:
            lows.append(rows.amin(dim=-1).flatten())
    found = _largest(metric, torch.stack(highs), k, sign=1.0)
    if metric.is_signed:
        found += _largest(metric, -torch.stack(lows), k, sign=-1.0)
    return found


def _largest(metric: Metric, best: Float[Tensor, "layer row"], k: int, sign: float) -> list[Place]:
    """The k largest of sign * metric, given the largest of each row."""
    where = [divmod(i, best.shape[1]) for i in _first_k(best.flatten(), k)]
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
    shape = metric.rows(0).shape[:-1]
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
