"""Measured joint effects of sets of components, and random sets to compare them with.

The joint effect of a set is J - J(each member silent on its own side): one intervention set, run
together. Many sets run as rows of one batch, from the first edited layer on:

    neuron     mlp_post_act[row, token, neuron] <- 0 where it is on the member's side
    head       attn_z[row, head, token] <- 0: it attends to nothing
    latent     as an edit of its coder's site (steering with strength 0)

A control has a member's kind and layer for each member, drawn from those whose mean activation on that side, over
the same tokens, is nearest. If the set were chosen at random, it would be as strong as its controls:

    p = (1 + controls at least as strong) / (1 + controls)        (Phipson and Smyth 2010)
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.influence import SidedComponent
from neuron_explainer.attribution.measured import MAX_ROW_TOKENS
from neuron_explainer.models.forward_pass import Place
from neuron_explainer.models.hooks import Hook, Hooks, Site
from neuron_explainer.models.interventions import intervention_hooks
from neuron_explainer.models.objectives import place_of, read_out_values
from neuron_explainer.models.run import Run
from neuron_explainer.models.steering import Steer
from neuron_explainer.nodes import Component, Side, Stream

ComponentSet = Sequence[SidedComponent]

N_CONTROLS = 32
POOL = 32
"""Components of nearest mean activation that a control's member is drawn from."""
CHANCE = 0.05
"""A set is better than chance only when its p-value is at most this,"""
STANDS_OUT = 3.5
"""and its effect at least so many times the root mean square of its controls': effects have heavy tails, so that
by rank alone 6 % of random sets would pass among 32 controls; with this, 2 % do."""


def joint_effects(
    run: Run, sets: Sequence[ComponentSet], positions: Sequence[int], hooks: Hooks
) -> Iterator[list[float]]:
    """The joint effect of each set, in batches, in the order given.

    Args:
        positions: tokens at which members are silenced.
        hooks: the case's own interventions, which stay in force above.
    """
    end = len(run.tokens) if run.case.interventions else run.read_out.position + 1
    at = sorted(position for position in positions if position < end)
    n_rows = max(1, MAX_ROW_TOKENS // end)
    for first in range(0, len(sets), n_rows):
        some = sets[first : first + n_rows]
        values = _silenced(run, some, at, end, hooks)
        yield [run.read_out.value - value for value in values]


@torch.no_grad()
def _silenced(
    run: Run, sets: Sequence[ComponentSet], at: Sequence[int], end: int, hooks: Hooks
) -> list[float]:
    """J with each set silent."""
    place = place_of(run.case.objective, run.model)
    layers = [component.layer or 0 for members in sets for component, _ in members]
    first = min([*layers, place.layer])
    base = run.batch.resid(Place(first)).detach()[run.row, :end]
    x = base[None].expand(len(sets), -1, -1)
    silencing = Hooks(_silencers(sets, torch.tensor(at, device=x.device, dtype=torch.long)))
    silencing += _silent_latents(run, sets, at, end)
    x = run.model.layers(x, hooks + silencing, first=first, stop=place.layer)
    return read_out_values(run.batch, run.row, run.case.objective, x, 0)


def _silencers(sets: Sequence[ComponentSet], at: Tensor) -> Iterator[tuple[Site, Hook]]:
    by_layer: defaultdict[tuple[str, int], list[tuple[int, int, float]]] = defaultdict(list)
    for row, members in enumerate(sets):
        for component, side in members:
            if component.kind in ("mlp", "attn"):
                key = (component.kind, component.layer or 0)
                sign = -1.0 if side == "negative" else 1.0
                by_layer[key].append((row, component.index or 0, sign))
    for (kind, layer), places in by_layer.items():
        rows, units, signs = (torch.tensor(column) for column in zip(*places, strict=True))
        silencer = _Silencer(layer, kind == "attn", rows, units, signs, at)
        yield ("attn_z" if kind == "attn" else "mlp_post_act"), silencer


def _silent_latents(run: Run, sets: Sequence[ComponentSet], at: Sequence[int], end: int) -> Hooks:
    hooks = Hooks()
    for row, members in enumerate(sets):
        edits = [
            Steer(component, tuple(at), side=side)
            for component, side in members
            if component.kind == "latent" and at
        ]
        if edits:
            config, bases = run.model.config, run.case.bases
            hooks += intervention_hooks(edits, config, end, row=row, bases=bases)
    return hooks


@dataclass(frozen=True)
class _Silencer:
    """Sets members of one layer to zero, each in its own row."""

    layer: int
    is_attn: bool
    rows: Tensor
    units: Tensor
    signs: Tensor
    at: Tensor

    def __call__(self, value: Tensor, layer: int) -> Tensor:
        if layer != self.layer or not len(self.at):
            return value
        value = value.clone()
        rows, units = self.rows[:, None].to(value.device), self.units[:, None].to(value.device)
        if self.is_attn:
            value[rows, units, self.at[None, :]] = 0.0
            return value
        old = value[rows, self.at[None, :], units]
        signs = self.signs[:, None].to(device=value.device, dtype=value.dtype)
        value[rows, self.at[None, :], units] = torch.where(old * signs > 0, 0.0, old)
        return value


# --- controls -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """A set's effect among those of its controls."""

    effect: float
    effects: tuple[float, ...]
    """The controls'."""
    stronger_than: int
    """Controls whose effect is smaller in size."""
    p_value: float

    @property
    def better_than_chance(self) -> bool:
        squares = [effect * effect for effect in self.effects]
        typical = (sum(squares) / len(squares)) ** 0.5 if squares else float("inf")
        return self.p_value <= CHANCE and abs(self.effect) >= STANDS_OUT * typical


def compare(effect: float, controls: Sequence[float]) -> Comparison:
    """Where an effect stands among its controls', by size."""
    stronger = sum(abs(control) < abs(effect) for control in controls)
    p_value = (1 + len(controls) - stronger) / (1 + len(controls))
    return Comparison(effect, tuple(controls), stronger, p_value)


class Controls:
    """Draws random sets that match a given one, on one run's tokens."""

    def __init__(self, run: Run, positions: Sequence[int], generator: torch.Generator) -> None:
        self._run = run
        self._at = list(positions)
        self._generator = generator
        self._means: dict[tuple[str, int, Stream | None, Side], Float[Tensor, " component"]] = {}

    def draw(self, members: ComponentSet, n: int) -> list[list[SidedComponent]]:
        """n random sets of the same size, kinds, layers and sides, of nearest mean activation."""
        pools = [self._pool(component, side, set(members)) for component, side in members]
        return [self._one(members, pools) for _ in range(n)]

    def _one(self, members: ComponentSet, pools: Sequence[list[Component]]) -> list[SidedComponent]:
        drawn: list[SidedComponent] = []
        taken: set[SidedComponent] = set()
        for (_, side), pool in zip(members, pools, strict=True):
            free = [component for component in pool if (component, side) not in taken]
            if free:
                pick = int(torch.randint(len(free), (), generator=self._generator))
                drawn.append((free[pick], side))
                taken.add(drawn[-1])
        return drawn

    def _pool(
        self, component: Component, side: Side, members: set[SidedComponent]
    ) -> list[Component]:
        """Others of its layer, nearest in mean activation on that side."""
        means = self.means(component, side)
        own = component.index or 0
        order = (means - means[own]).abs().sort(stable=True).indices.tolist()
        others = (Component(component.kind, component.layer, i, component.stream) for i in order)
        pool = [other for other in others if (other, side) not in members]
        # In a small layer a set may hold nearly all there is; its own members then stand in.
        size = max(6, min(POOL, len(order) // 16))
        return (
            pool[:size]
            if len(pool) > 1
            else [Component(component.kind, component.layer, i, component.stream) for i in order]
        )

    def means(self, component: Component, side: Side) -> Float[Tensor, " component"]:
        """Mean activation on one side over the tokens, of all components of a kind and layer; a head's is its
        mean attention to other tokens than the first, since its row always sums to 1."""
        key = (component.kind, component.layer or 0, component.stream, side)
        if key not in self._means:
            if component.kind == "attn":
                pattern = self._run.value("attn_pattern", component.layer or 0)
                found = pattern[:, self._at, 1:].sum(-1).mean(-1)
            elif component.kind == "latent":
                found = self._latent_means(component)
            else:
                values = self._run.value("mlp_post_act", component.layer or 0)[self._at]
                found = (values if side == "positive" else -values).clamp(min=0).mean(0)
            self._means[key] = found.float().cpu()
        return self._means[key]

    def _latent_means(self, component: Component) -> Float[Tensor, " latent"]:
        coded = self._run.case.bases.at(component)
        active = self._run.reading(coded).active
        here = torch.isin(active.token, torch.tensor(self._at, device=active.token.device))
        sums = active.value.new_zeros(coded.n_latents)
        return sums.index_add(0, active.latent[here], active.value[here]) / len(self._at)
