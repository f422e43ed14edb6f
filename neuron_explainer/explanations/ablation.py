"""Which tokens a component's firing needs, found on the model itself: take one away and look.

1. seeds         a component's strongest moments in the text, of different tokens where there are any
2. ablation      each of the last tokens is replaced by random ones (drawn as often as the text has them), one at
                 a time; then everything before the token, and everything before the last few
3. substitution  a needed token is replaced by likely ones: those that stand there in other strong moments, and
                 its neighbours in the embedding; those that keep the component firing are as good

A token is needed where its loss takes more than half of the value (Foote et al. 2023, "Neuron to Graph", prune and
augment with a masked language model; here the model's own text and embedding propose the substitutes).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.explanations.explanation import Side
from neuron_explainer.explanations.observations import Observations, Subjects, probe

REACH = 4
"""Tokens back that are looked at one by one."""
N_SEEDS = 4
N_CANDIDATES = 64
"""Strongest moments among which seeds are chosen, and from which substitutes come."""
PER_TOKEN = 2
"""Seeds that may share their token."""
N_DRAWS = 2
"""Random replacements of each token."""
KEEPS = 0.5
"""A change that leaves this share of the value changes nothing that matters."""
N_FROM_TEXT = 6
N_NEIGHBOURS = 4


@dataclass(frozen=True)
class Seed:
    """One strong moment of a component, and what it needs."""

    component: int
    tokens: tuple[int, ...]
    """The last tokens of the text, up to and with the one it fires on."""
    value: float
    needs: tuple[int, ...]
    """Distances back of the tokens it needs, ascending; 0 is the token itself."""
    context_ratio: float
    """Share of the value that is left without anything before the token."""
    far_ratio: float
    """Share that is left without anything before the last `REACH` tokens."""
    fits: dict[int, frozenset[int]]
    """For each needed distance, the tokens that do there, its own included."""


@dataclass
class _Moments:
    """Strong moments of many components, as parallel lists."""

    component: list[int]
    window: list[int]
    position: list[int]


def study(
    subjects: Subjects,
    observed: Observations,
    side: Side,
    components: Sequence[int],
    generator: torch.Generator,
) -> dict[int, list[Seed]]:
    """The seeds of each component, with what they need and what would do instead."""
    sign = 1.0 if side == "positive" else -1.0
    moments, nearby = _choose(observed, sign, components)
    frequency = torch.bincount(observed.text, minlength=subjects.model.config.n_vocab).float()
    by_position: dict[int, list[int]] = {}
    for number, position in enumerate(moments.position):
        by_position.setdefault(position, []).append(number)
    found: dict[int, list[Seed]] = {component: [] for component in components}
    neighbours = _Neighbours(subjects.model.w_embed.float().cpu())
    for position, numbers in sorted(by_position.items()):
        study = _Study(subjects, observed, sign, position, moments, numbers)
        for seed in study.run(frequency, generator, neighbours, nearby):
            found[seed.component].append(seed)
    for seeds in found.values():
        seeds.sort(key=lambda seed: -seed.value)
    return found


def _choose(
    observed: Observations, sign: float, components: Sequence[int]
) -> tuple[_Moments, dict[int, list[tuple[int, ...]]]]:
    """Seeds of each component, and the last tokens of all its strong moments."""
    window, place = observed.valid.nonzero(as_tuple=True)
    moments = _Moments([], [], [])
    nearby: dict[int, list[tuple[int, ...]]] = {}
    for part in torch.split(torch.tensor(list(components)), 128):
        values = observed.values[part].float() * sign
        best = values.topk(min(N_CANDIDATES, values.shape[1]), dim=1)
        for column, component in enumerate(part.tolist()):
            top, rows = best.values[column], best.indices[column]
            strong = [int(row) for row in rows[top >= max(KEEPS * float(top[0]), 1e-6)]]
            used: Counter[int] = Counter()
            nearby[component] = []
            for row in strong:
                at, where = int(window[row]), int(place[row])
                ending = observed.tokens[at, max(0, where - REACH) : where + 1].tolist()
                nearby[component].append(tuple(ending))
                if used.total() == N_SEEDS or used[ending[-1]] == PER_TOKEN:
                    continue
                used[ending[-1]] += 1
                moments.component.append(component)
                moments.window.append(at)
                moments.position.append(where)
    return moments, nearby


class _Neighbours:
    """Tokens whose embedding points the same way."""

    def __init__(self, embedding: Float[Tensor, "vocab d_model"]) -> None:
        centred = embedding - embedding.mean(0)
        self._unit = torch.nn.functional.normalize(centred, dim=-1)
        self._known: dict[int, list[int]] = {}

    def of(self, token: int) -> list[int]:
        if token not in self._known:
            close = self._unit @ self._unit[token]
            close[token] = -1
            self._known[token] = close.topk(N_NEIGHBOURS).indices.tolist()
        return self._known[token]


class _Study:
    """Seeds at one position of their windows."""

    def __init__(
        self,
        subjects: Subjects,
        observed: Observations,
        sign: float,
        position: int,
        moments: _Moments,
        numbers: Sequence[int],
    ) -> None:
        self.subjects, self.sign = subjects, sign
        self.components = torch.tensor([moments.component[i] for i in numbers])
        texts = observed.tokens[[moments.window[i] for i in numbers], : position + 1]
        start = max(0, position - REACH)
        self.prefixes: Int[Tensor, "seed prefix"] = texts[:, :start]
        self.endings: Int[Tensor, "seed ending"] = texts[:, start:]
        self.n, self.length = self.endings.shape

    def run(
        self,
        frequency: Float[Tensor, " vocab"],
        generator: torch.Generator,
        neighbours: _Neighbours,
        nearby: dict[int, list[tuple[int, ...]]],
    ) -> list[Seed]:
        """Ablate, then substitute."""
        value, kept = self._ablate(frequency, generator)
        context, far = self._without_context(frequency, generator, value)
        needs = [_needed(kept[i], float(context[i])) for i in range(self.n)]
        fits = self._substitute(value, needs, neighbours, nearby)
        return [
            Seed(
                component=int(self.components[i]),
                tokens=tuple(self.endings[i].tolist()),
                value=float(value[i]),
                needs=needs[i],
                context_ratio=float(context[i]),
                far_ratio=float(far[i]),
                fits=fits[i],
            )
            for i in range(self.n)
            if value[i] > 0
        ]

    def _probe(
        self,
        prefixes: Int[Tensor, "text prefix"],
        endings: Int[Tensor, "row ending"],
        seed: Int[Tensor, " row"],
        text: Int[Tensor, " row"] | None = None,
    ) -> Float[Tensor, " row"]:
        text = seed if text is None else text
        found = probe(self.subjects, prefixes, endings, text, self.components[seed])
        return (found * self.sign).clamp(min=0)

    def _ablate(
        self, frequency: Float[Tensor, " vocab"], generator: torch.Generator
    ) -> tuple[Float[Tensor, " seed"], Float[Tensor, "seed distance"]]:
        """Each seed's value, and the share of it that is left without the token at each distance."""
        n_variants = 1 + self.length * N_DRAWS
        endings = self.endings[:, None].repeat(1, n_variants, 1)
        drawn = _draw(frequency, (self.n, self.length, N_DRAWS), generator)
        for distance in range(self.length):
            first = 1 + distance * N_DRAWS
            endings[:, first : first + N_DRAWS, self.length - 1 - distance] = drawn[:, distance]
        seed = torch.arange(self.n).repeat_interleave(n_variants)
        found = self._probe(self.prefixes, endings.flatten(0, 1), seed)
        values = found.reshape(self.n, n_variants)
        left = values[:, 1:].reshape(self.n, self.length, N_DRAWS).mean(2)
        return values[:, 0], left / values[:, :1].clamp(min=1e-9)

    def _without_context(
        self,
        frequency: Float[Tensor, " vocab"],
        generator: torch.Generator,
        value: Float[Tensor, " seed"],
    ) -> tuple[Float[Tensor, " seed"], Float[Tensor, " seed"]]:
        """Shares left without anything before the token, and without anything far from it."""
        other = _draw(frequency, (1, self.prefixes.shape[1]), generator)  # one stands for all
        bare = self.endings.clone()
        if self.length > 1:
            bare[:, :-1] = _draw(frequency, (self.n, self.length - 1), generator)
        seed = torch.arange(self.n).repeat(2)
        values = self._probe(other, torch.cat([bare, self.endings]), seed, torch.zeros_like(seed))
        context, far = (values / value.repeat(2).clamp(min=1e-9)).chunk(2)
        return context, far

    def _substitute(
        self,
        value: Float[Tensor, " seed"],
        needs: Sequence[tuple[int, ...]],
        neighbours: _Neighbours,
        nearby: dict[int, list[tuple[int, ...]]],
    ) -> list[dict[int, frozenset[int]]]:
        """For each seed and needed distance, the tokens that keep it firing."""
        trials: list[tuple[int, int, int]] = []
        for i in range(self.n):
            for distance in needs[i]:
                own = int(self.endings[i, self.length - 1 - distance])
                strong = nearby[int(self.components[i])]
                common = Counter(it[-1 - distance] for it in strong if len(it) > distance)
                proposed = [token for token, _ in common.most_common(N_FROM_TEXT + 1)]
                proposed += neighbours.of(own)
                trials += [
                    (i, distance, token) for token in dict.fromkeys(proposed) if token != own
                ]
        fits: list[dict[int, set[int]]] = [
            {d: {int(self.endings[i, self.length - 1 - d])} for d in needs[i]}
            for i in range(self.n)
        ]
        if trials:
            seed = torch.tensor([i for i, _, _ in trials])
            endings = self.endings[seed].clone()
            at = torch.tensor([self.length - 1 - distance for _, distance, _ in trials])
            endings[torch.arange(len(trials)), at] = torch.tensor([token for *_, token in trials])
            works = self._probe(self.prefixes, endings, seed) >= KEEPS * value[seed]
            for (i, distance, token), fine in zip(trials, works.tolist(), strict=True):
                if fine:
                    fits[i][distance].add(token)
        return [{d: frozenset(tokens) for d, tokens in it.items()} for it in fits]


def _needed(left: Float[Tensor, " distance"], context_ratio: float) -> tuple[int, ...]:
    """Distances whose loss takes more than half of the value: at most three, those that take most.

    Where the context as a whole is needed and no token of it alone, the one whose loss takes most stands for it.
    """
    needed = [distance for distance in range(len(left)) if left[distance] <= KEEPS]
    before = [distance for distance in needed if distance]
    if context_ratio < KEEPS and not before and len(left) > 1:
        needed.append(1 + int(left[1:].argmin()))
    strongest = sorted(needed, key=lambda distance: float(left[distance]))[:3]
    return tuple(sorted(strongest))


def _draw(
    frequency: Float[Tensor, " vocab"], shape: tuple[int, ...], generator: torch.Generator
) -> Int[Tensor, "*shape"]:
    """Random tokens, as often as the text has them."""
    n = 1
    for size in shape:
        n *= size
    if n == 0:
        return torch.zeros(shape, dtype=torch.long)
    return torch.multinomial(frequency, n, replacement=True, generator=generator).reshape(shape)
