"""How a node's value stands among all values of its own component: the debugger's rows in its units."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import torch

from activation_server.extremes import Extremes
from neuron_explainer.attribution.table import NodeRow, NodeTable
from neuron_explainer.exemplars import DatasetUnavailable, rank_in_own_distribution
from neuron_explainer.models.bases import Bases
from neuron_explainer.nodes import Component, Kind, Stream


def with_standing(table: NodeTable, extremes: Extremes, bases: Bases) -> NodeTable:
    """The table, each value with the share of its component's dataset values that are larger.

    A head's values are the write magnitudes of its token pairs. Rows that no dataset knows, such as
    latents of another coder than its own, stay as they are, and so do those whose file of it is damaged or
    was deleted: that is no reason to answer nothing.
    """
    cells = [
        (row, case)
        for row, node in enumerate(table.nodes)
        for case, values in enumerate(node.values)
        if values is not None and node.kind in ("attn", "mlp", "latent")
    ]
    shares = _shares_above(
        [Component.parse(table.nodes[row].component) for row, _ in cells],
        [_measured(table.nodes[row], case) for row, case in cells],
        extremes,
        bases,
    )
    rows = [list(node.values) for node in table.nodes]
    for (row, case), share in zip(cells, shares, strict=True):
        values = rows[row][case]
        assert values is not None
        rows[row][case] = replace(values, share_above=share)
    nodes = (replace(node, values=tuple(own)) for node, own in zip(table.nodes, rows, strict=True))
    return replace(table, nodes=tuple(nodes))


def _measured(node: NodeRow, case: int) -> float:
    values = node.values[case]
    assert values is not None
    return values.write_magnitude if node.kind == "attn" else values.activation


def _shares_above(
    components: Sequence[Component], values: Sequence[float], extremes: Extremes, bases: Bases
) -> list[float | None]:
    """For each value the share of its component's values that are larger; one lookup a layer."""
    groups: defaultdict[tuple[Kind, int | None, Stream | None], list[int]] = defaultdict(list)
    for number, component in enumerate(components):
        groups[component.kind, component.layer, component.stream].append(number)
    found: list[float | None] = [None] * len(components)
    for numbers in groups.values():
        try:
            table = extremes.table(components[numbers[0]], bases=bases)
        except DatasetUnavailable:
            continue
        if table is None:
            continue
        own = torch.tensor([values[number] for number in numbers])
        rows = torch.tensor([components[number].index or 0 for number in numbers])
        ranks = rank_in_own_distribution(own, table, rows)
        for number, rank in zip(numbers, ranks.double().tolist(), strict=True):
            found[number] = 1 - rank
    return found
