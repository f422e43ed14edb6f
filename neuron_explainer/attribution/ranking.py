"""The k largest and smallest entries of a metric over all layers, without sorting it.

Exact, in two steps: a node among the k largest lies in a row (one layer's last axis) whose maximum
is among the k largest row maxima. So: row extremes in one sweep, the k best rows, and a top-k over
those rows alone.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.effects import Metric

Place = tuple[int, ...]
"""Layer, then the indices of the kind's own axes."""


def extreme_places(metric: Metric, k: int) -> list[Place]:
    """Where the metric is largest, and, if signed, smallest: at most k each, zeros never.

    Ties are broken by layer, then by index, lowest first, whatever the device.
    """
    rows = [layer.reshape(-1, layer.shape[-1]) for layer in metric.layers]
    found = _largest(rows, k, sign=1.0)
    if metric.is_signed:
        found += _largest(rows, k, sign=-1.0)
    shape = metric.layers[0].shape[:-1]
    return [(layer, *_unravel(row, shape), column) for layer, row, column in found]


def _largest(
    rows: list[Float[Tensor, "row column"]], k: int, sign: float
) -> list[tuple[int, int, int]]:
    best = torch.cat([row.amax(-1) if sign > 0 else -row.amin(-1) for row in rows])
    n_rows, width = rows[0].shape
    where = [divmod(int(i), n_rows) for i in _first_k(best, k)]
    if not where:
        return []
    candidates = torch.stack([rows[layer][row] for layer, row in where]).flatten() * sign
    return [(*where[index // width], index % width) for index in _first_k(candidates, k, cut=True)]


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
