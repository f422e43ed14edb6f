"""Search by text: which components does this text excite most, for them.

Every component's values on the text are placed in its own distribution over a dataset. Components
are listed by the smallest share of dataset values beyond the text's most extreme one; among those
beyond everything in the dataset, by how many times its extreme the value is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neuron_explainer.exemplars.distribution import QuantileTable, rank_in_own_distribution
from neuron_explainer.exemplars.layout import Group
from neuron_explainer.exemplars.observing import Batch, Observer, lower_triangle
from neuron_explainer.exemplars.sampling import prefix_hashes
from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.nodes import Component, Kind, Stream


@dataclass(frozen=True)
class Unusual:
    """A component that the text excites."""

    component: str
    side: Literal["positive", "negative"]
    position: int
    """Token at which it is most extreme; for heads the query token."""
    key_position: int | None
    value: float
    share_beyond: float
    """Share of the dataset's values that are more extreme still."""
    times_extreme: float
    """Value over the dataset's most extreme one on that side."""


def most_unusual(
    observer: Observer,
    dataset: Dataset,
    tokens: tuple[int, ...],
    *,
    limit: int = 20,
    kinds: Collection[Kind] = ("attn", "mlp", "latent"),
    layers: Collection[int] | None = None,
    stream: Stream | None = None,
    sides: Collection[str] = ("positive", "negative"),
    among: Collection[tuple[Component, str]] | None = None,
) -> list[Unusual]:
    """The components most active on a text relative to their own quantiles, most unusual first.

    Latents only of the coders that the dataset was collated with.

    Args:
        stream: latents of coders on it, and nothing else.
        among: look at no other components and sides.
    """
    device = observer.model.device
    row = torch.tensor([tokens])
    lengths = torch.tensor([len(tokens)], device=device)
    number = torch.zeros(1, dtype=torch.long, device=device)
    batch = Batch(row.to(device), lengths, number, prefix_hashes(row).to(device))
    known = set(dataset.groups)
    found: list[Unusual] = []

    def receive(group: Group, _: Batch, values: Float[Tensor, "window place component"]) -> None:
        is_wanted = group.kind in kinds and (layers is None or group.layer in layers)
        if group not in known or not is_wanted or stream not in (None, group.stream):
            return
        table = dataset.quantiles(group.kind, group.layer, group.stream)
        own = values[0].float().cpu()
        for side, sign in (("positive", 1), ("negative", -1)):
            if side in sides and (sign > 0 or group.is_signed):
                admitted = _admitted(group, side, values.shape[-1], among)
                found.extend(_side(group, own, table, len(tokens), limit, sign, admitted))

    observer.run(batch, receive)
    found.sort(key=lambda one: (one.share_beyond, -one.times_extreme, one.component))
    return found[:limit]


def _admitted(
    group: Group, side: str, n: int, among: Collection[tuple[Component, str]] | None
) -> Bool[Tensor, " component"]:
    """Which components of a group may be found on a side."""
    if among is None:
        return torch.ones(n, dtype=torch.bool)
    return torch.tensor([(group.component(index), side) in among for index in range(n)])


def _side(
    group: Group,
    values: Float[Tensor, "place component"],
    table: QuantileTable,
    n_tokens: int,
    limit: int,
    sign: int,
    admitted: Bool[Tensor, " component"],
) -> list[Unusual]:
    """The most unusual of a group on one side."""
    best, places = (sign * values).max(0)
    rank = rank_in_own_distribution(sign * best, table)
    beyond = (1 - rank if sign > 0 else rank).round(decimals=12)  # alike on both sides
    extreme = table.highest if sign > 0 else -table.lowest
    times = best / extreme.clamp(min=1e-20)
    is_active = (best > 0) & (extreme > 0) & admitted
    # By share, then by times: shares are multiples of some 1e-8, and times are cut at 1e3.
    order = beyond - 1e-12 * times.double().clamp(max=1e3)
    order = order.where(is_active, torch.inf)
    chosen = order.argsort(stable=True)[:limit].tolist()
    return [
        _unusual(group, index, int(places[index]), n_tokens, sign, best, beyond, times)
        for index in chosen
        if is_active[index]
    ]


def _unusual(
    group: Group,
    index: int,
    place: int,
    n_tokens: int,
    sign: int,
    best: Tensor,
    beyond: Tensor,
    times: Tensor,
) -> Unusual:
    position, key = place, None
    if group.kind == "attn":
        query, keys = lower_triangle(n_tokens, torch.device("cpu"))
        position, key = int(query[place]), int(keys[place])
    return Unusual(
        component=str(group.component(index)),
        side="positive" if sign > 0 else "negative",
        position=position,
        key_position=key,
        value=sign * float(best[index]),
        share_beyond=float(beyond[index]),
        times_extreme=float(times[index]),
    )
