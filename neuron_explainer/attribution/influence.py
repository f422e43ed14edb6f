"""Which components led to a token: nodes, or components summed over tokens, ranked together.

    attribution   activation times gradient of the objective through the whole model; signed, an estimate
    activation    activation (of a head: its write magnitude, which is what datasets hold of it) over the
                  component's own extreme quantile of the side it is on; the quantiles come from a dataset,
                  so they are given

A component means one thing where its activation is above zero and another where it is below, so each
side is counted for itself (`side_of`). All kinds are ranked in one list. Steps:

1. each layer of each kind becomes a sheet: activation, attribution, and whose each entry is
2. entries outside of the asked tokens, side and layers are set to zero
3. the largest of each sheet, then the largest of all
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.attribution.effects import Effects
from neuron_explainer.attribution.families import FAMILIES
from neuron_explainer.attribution.leaders import Leaders
from neuron_explainer.attribution.metric import Metric, SparseMetric
from neuron_explainer.nodes import Component, Kind, Node, Side, Stream, side_of

By = Literal["activation", "attribution"]

SidedComponent = tuple[Component, Side]

Extremes = Callable[
    [Kind, int, Stream | None],
    tuple[Float[Tensor, " component"], Float[Tensor, " component"]] | None,
]
"""Extreme quantiles of all components of a kind and layer, negative side and positive side; None if
they are not known."""


class UnknownQuantiles(ValueError):
    """Activations are ranked by quantiles, and those of some components are not known."""


@dataclass(frozen=True)
class Influencer:
    """A node, or a component's side over all its nodes."""

    node: Node
    """Of a component: its strongest node."""
    side: Side
    value: float
    """What it is ranked by. Of a component: attributions summed, or the largest activation."""
    activation: float
    attribution: float
    gauge: float
    """What its quantiles are of: a head's write magnitude, else the activation."""
    relative_activation: float | None
    """The gauge over its extreme quantile of that side."""
    n_tokens: int = 1
    """Nodes that were summed."""

    @property
    def component(self) -> Component:
        return self.node.component


@dataclass(frozen=True)
class InfluenceTotals:
    """Attribution of all entries that were asked about, listed or not."""

    by_side: Mapping[Side, float]
    by_kind: Mapping[str, float]
    by_token: Float[Tensor, " seq"]
    by_key_token: Float[Tensor, " seq"]
    """Heads at the token they read, all else at the token it writes to."""

    @property
    def all(self) -> float:
        return sum(self.by_side.values())


@dataclass(frozen=True)
class Influence:
    """Who led to the objective, strongest first."""

    items: tuple[Influencer, ...]
    totals: InfluenceTotals


@dataclass(frozen=True)
class Asked:
    """Which entries count."""

    kinds: tuple[Kind, ...] | None = None
    layers: tuple[int, ...] | None = None
    side: Side | None = None
    positions: tuple[int, ...] | None = None
    """Tokens at which a component writes."""


@dataclass(frozen=True)
class Sheet:
    """One layer of one kind. The indices broadcast against the values."""

    kind: Kind
    layer: int
    stream: Stream | None
    n_components: int
    index: Int[Tensor, "*#axes"]
    token: Int[Tensor, "*#axes"]
    key: Int[Tensor, "*#axes"] | None
    activation: Float[Tensor, "*#axes"]
    attribution: Float[Tensor, "*#axes"]
    gauge: Float[Tensor, "*#axes"]
    """What quantiles are of; the activation where none are known."""

    def nodes(self, places: tuple[Tensor, ...]) -> list[Node]:
        """The nodes of some entries."""
        indices, tokens = (_at(self, axes, places).tolist() for axes in (self.index, self.token))
        keys = [None] * len(indices) if self.key is None else _at(self, self.key, places).tolist()
        return [
            Node(Component(self.kind, self.layer, index, self.stream), token, key)
            for index, token, key in zip(indices, tokens, keys, strict=True)
        ]

    def kept(self, asked: Asked, n_tokens: int) -> "Sheet":
        """The same with zeros where nothing was asked."""
        mask = self._mask(asked, n_tokens)
        if mask is None:
            return self
        nothing = torch.zeros((), device=mask.device)
        return replace(
            self,
            activation=torch.where(mask, self.activation, nothing),
            attribution=torch.where(mask, self.attribution, nothing),
            gauge=torch.where(mask, self.gauge, nothing),
        )

    def _mask(self, asked: Asked, n_tokens: int) -> Bool[Tensor, "*#axes"] | None:
        mask: Tensor | None = None
        if asked.positions is not None:
            here = torch.zeros(n_tokens, dtype=torch.bool, device=self.activation.device)
            here[list(asked.positions)] = True
            mask = here[self.token]
        if asked.side is not None:
            positive = self.activation > 0
            on_side = positive if asked.side == "positive" else self.activation < 0
            mask = on_side if mask is None else mask & on_side
        return mask


def _at(sheet: Sheet, axes: Int[Tensor, "*#axes"], places: tuple[Tensor, ...]) -> Tensor:
    return axes.expand_as(sheet.activation)[places]


def influence(
    effects: Effects,
    *,
    by: By = "attribution",
    top_k: int = 100,
    per: Literal["node", "component"] = "node",
    asked: Asked | None = None,
    extremes: Extremes | None = None,
) -> Influence:
    """The strongest nodes or components, by the size of their value.

    Raises UnknownQuantiles when activations are to be ranked, and those of a layer are not known.
    """
    wanted = Asked() if asked is None else asked
    candidates: list[_Candidates] = []
    totals, leaders = _Totals(effects.n_tokens), Leaders(top_k)
    for sheet in _sheets(effects, wanted, extremes):
        kept = sheet.kept(wanted, effects.n_tokens)
        totals.add(kept)
        relative = _relative(kept, extremes)
        if by == "activation" and relative is None:
            raise UnknownQuantiles(
                f"Activations of {sheet.kind} in layer {sheet.layer} are ranked in units of the "
                "components' own quantiles, and no dataset that is loaded holds them."
            )
        ranked = kept.attribution if by == "attribution" or relative is None else relative
        if per == "node":
            candidates.append(_nodes(kept, ranked, relative, leaders))
        else:
            candidates += _components(kept, ranked, relative, top_k, by)
    return Influence(tuple(_strongest(candidates, top_k)), totals.result())


@dataclass(frozen=True)
class _Candidates:
    """The strongest of one sheet: nodes, or components on one side."""

    sheet: Sheet
    ranked: Float[Tensor, "*#axes"]
    relative: Float[Tensor, "*#axes"] | None
    values: Float[Tensor, " n"]
    which: Int[Tensor, " n"]
    """Of a node: its place in the flattened sheet. Of a component: its index."""
    side: Side | None
    """None for nodes."""

    def items(self, numbers: Sequence[int]) -> list[Influencer]:
        """Some of them, by their numbers."""
        if self.side is not None:
            return [self._component(number, self.side) for number in numbers]
        some = torch.tensor(numbers, device=self.which.device)
        return _influencers(self, self.which[some], self.values[some].tolist())

    def _component(self, number: int, side: Side) -> Influencer:
        which, value = self.which[number], float(self.values[number])
        own = (self.sheet.index == which) & _on_side(self.sheet, side) & (self.ranked != 0)
        flat = torch.where(own, self.ranked.abs(), -1.0).argmax()
        (item,) = _influencers(self, flat[None], [value])
        total = torch.where(own, self.sheet.attribution, 0.0).sum()
        return replace(item, attribution=float(total), n_tokens=int(own.sum()))


def _strongest(candidates: Sequence[_Candidates], k: int) -> list[Influencer]:
    """The k largest in size; ties in the order of kind, layer and index."""
    if not candidates:
        return []
    sizes, order = torch.cat([c.values.abs() for c in candidates]).sort(
        descending=True, stable=True
    )
    order = order[:k][sizes[:k] > 0].cpu()
    ends = torch.tensor([len(each.values) for each in candidates]).cumsum(0)
    groups = torch.bucketize(order, ends, right=True)
    found: dict[int, Influencer] = {}
    for group in sorted(set(groups.tolist())):
        each, own = candidates[group], order[groups == group]
        numbers = (own - ends[group] + len(each.values)).tolist()
        found |= zip(own.tolist(), each.items(numbers), strict=True)
    return [found[place] for place in order.tolist()]


def _sheets(effects: Effects, asked: Asked, extremes: Extremes | None) -> Iterator[Sheet]:
    for name, metric_of in effects.kinds().items():
        family = FAMILIES[name]
        if family.kind not in ("attn", "mlp", "latent"):
            continue
        if asked.kinds is not None and family.kind not in asked.kinds:
            continue
        activations, attributions = metric_of("activation"), metric_of("total_effect")
        for layer in activations.of_layers:
            if asked.layers is not None and layer not in asked.layers:
                continue
            if isinstance(activations, SparseMetric) and isinstance(attributions, SparseMetric):
                yield _latents(layer, family.stream, activations, attributions)
            elif isinstance(activations, Metric) and isinstance(attributions, Metric):
                value = activations.rows(layer)
                attribution = attributions.rows(layer).expand_as(value)
                if family.kind == "mlp":
                    yield _neurons(layer, value, attribution)
                    continue
                is_known = extremes is not None and extremes("attn", layer, None) is not None
                written = metric_of("write_magnitude") if is_known else activations
                assert isinstance(written, Metric)
                yield _pairs(layer, value, attribution, written.rows(layer).expand_as(value))


def _latents(
    layer: int, stream: Stream | None, activation: SparseMetric, attribution: SparseMetric
) -> Sheet:
    number = activation.of_layers.index(layer)
    active = activation.active[number]
    return Sheet(
        "latent",
        layer,
        stream,
        activation.shape[1],
        active.latent,
        active.token,
        None,
        activation.values[number],
        attribution.values[number],
        activation.values[number],
    )


def _neurons(layer: int, a: Float[Tensor, "seq d_mlp"], attribution: Tensor) -> Sheet:
    index, token = torch.arange(a.shape[1])[None, :], torch.arange(a.shape[0])[:, None]
    index, token = index.to(a.device), token.to(a.device)
    return Sheet("mlp", layer, None, a.shape[1], index, token, None, a, attribution, a)


def _pairs(
    layer: int, pattern: Float[Tensor, "head seq key"], attribution: Tensor, written: Tensor
) -> Sheet:
    heads, tokens = (torch.arange(n).to(pattern.device) for n in pattern.shape[:2])
    return Sheet(
        "attn",
        layer,
        None,
        len(heads),
        heads[:, None, None],
        tokens[None, :, None],
        tokens[None, None, :],
        pattern,
        attribution,
        written,
    )


def _relative(sheet: Sheet, extremes: Extremes | None) -> Float[Tensor, "*#axes"] | None:
    """Gauges over the extreme quantile of their side; 0 where a component has no such side."""
    known = None if extremes is None else extremes(sheet.kind, sheet.layer, sheet.stream)
    if known is None:
        return None
    low, high = (extreme.to(sheet.activation.device)[sheet.index] for extreme in known)
    extreme = torch.where(sheet.activation < 0, low, high)
    return torch.where(extreme == 0, 0.0, sheet.gauge / extreme)


def _on_side(sheet: Sheet, side: Side) -> Bool[Tensor, "*#axes"]:
    """Where `side_of` gives this side; zeros are on neither."""
    return sheet.activation < 0 if side == "negative" else sheet.activation > 0


def _nodes(sheet: Sheet, ranked: Tensor, relative: Tensor | None, leaders: Leaders) -> _Candidates:
    flat = ranked.flatten()
    best = leaders.among(flat.abs())
    return _Candidates(sheet, ranked, relative, flat[best], best, None)


def _components(
    sheet: Sheet, ranked: Tensor, relative: Tensor | None, k: int, by: By
) -> Iterator[_Candidates]:
    index = sheet.index.expand_as(ranked).flatten()
    both: tuple[Side, ...] = ("positive", "negative")
    sides: tuple[Side, ...] = both if sheet.kind == "mlp" else ("positive",)
    for side in sides:
        here = torch.where(_on_side(sheet, side), ranked, 0.0).flatten()
        nothing = here.new_zeros(sheet.n_components)
        if by == "attribution":
            total = nothing.index_add(0, index, here)
        else:
            total = nothing.scatter_reduce(0, index, here, "amax")
        best = total.abs().topk(min(k, len(total))).indices
        yield _Candidates(sheet, ranked, relative, total[best], best, side)


def _influencers(
    of: _Candidates, which: Int[Tensor, " n"], values: Sequence[float]
) -> list[Influencer]:
    """The nodes of some entries of a sheet, given their places once flattened; all read at once."""
    # torch.unravel_index takes ten times as long.
    along_axes = np.unravel_index(which.cpu().numpy(), tuple(of.ranked.shape))
    places = tuple(torch.from_numpy(axis) for axis in along_axes)
    activations, attributions, gauges = (
        each[places].tolist()
        for each in (of.sheet.activation, of.sheet.attribution, of.sheet.gauge)
    )
    relatives = [None] * len(values) if of.relative is None else of.relative[places].tolist()
    columns = zip(
        of.sheet.nodes(places), values, activations, attributions, gauges, relatives, strict=True
    )
    return [
        Influencer(node, side_of(activation), value, activation, attribution, gauge, relative)
        for node, value, activation, attribution, gauge, relative in columns
    ]


class _Totals:
    """Sums while the sheets go by."""

    def __init__(self, n_tokens: int) -> None:
        self.side: dict[Side, float] = {"positive": 0.0, "negative": 0.0}
        self.kind: dict[str, float] = {"attn": 0.0, "mlp": 0.0, "latent": 0.0}
        self.token, self.key = torch.zeros(n_tokens), torch.zeros(n_tokens)

    def add(self, sheet: Sheet) -> None:
        by_token = _by(sheet.token, sheet.attribution, len(self.token))
        positive, negative = float(by_token.sum()), 0.0
        if sheet.kind == "mlp":
            is_negative = (sheet.activation < 0).to(sheet.attribution.dtype)
            negative = float(torch.tensordot(sheet.attribution, is_negative))
            positive = float(torch.tensordot(sheet.attribution, 1 - is_negative))
        self.side["negative"] += negative
        self.side["positive"] += positive
        self.kind[sheet.kind] += positive + negative
        self.token += by_token
        self.key += (
            by_token if sheet.key is None else _by(sheet.key, sheet.attribution, len(self.key))
        )

    def result(self) -> InfluenceTotals:
        return InfluenceTotals(self.side, self.kind, self.token, self.key)


def _by(token: Tensor, values: Tensor, n_tokens: int) -> Float[Tensor, " seq"]:
    """Sums by token: over the axes that the token's index does not span."""
    others: Sequence[int] = [axis for axis, size in enumerate(token.shape) if size == 1]
    if len(others) < token.ndim - 1 or values.ndim == 1:
        return values.new_zeros(n_tokens).index_add(0, token, values).cpu()
    return values.sum(dim=tuple(others)).cpu() if n_tokens > 1 else values.sum().reshape(1).cpu()
