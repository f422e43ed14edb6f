"""Cases in, runs out: a batched forward with each case's edits, its objective read out, and one backward.

run                 everything at once, for scripts
edited_pass         a case's forward, reusing an unedited pass over the same prompt up to the first edited layer
differentiate       objectives read off a pass, and all their gradients in one backward
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import PLAIN, Bases, CodedSite
from neuron_explainer.models.forward_pass import Gradients, Pass, Place
from neuron_explainer.models.hooks import Hooks, Site
from neuron_explainer.models.interventions import (
    Intervention,
    Patch,
    first_edited_layer,
    intervention_hooks,
)
from neuron_explainer.models.objectives import Objective, ReadOut, read_out
from neuron_explainer.models.patching import Source
from neuron_explainer.models.readings import Reading, read_coded
from neuron_explainer.models.transformer import Transformer

ReadOutNorm = Literal["fixed", "live"]
"""Whether the backward holds the scale of the norm at the read-out fixed, or differentiates it."""


@dataclass(frozen=True)
class Case:
    """One row of a batch: a prompt, what is asked of it, and how it is edited."""

    tokens: tuple[int, ...]
    objective: Objective
    interventions: tuple[Intervention, ...] = ()
    bases: Bases = PLAIN
    """What describes its nodes, and what latents in the objective and the edits belong to."""


@dataclass(frozen=True)
class Run:
    """One case's row of a pass, with its read-out and gradients. Tensors are without batch and padding."""

    case: Case
    batch: Pass
    row: int
    read_out: ReadOut
    gradients: Gradients

    @property
    def model(self) -> Transformer:
        return self.batch.model

    @property
    def tokens(self) -> tuple[int, ...]:
        return self.case.tokens

    @property
    def embed(self) -> Float[Tensor, "seq d_model"]:
        return self._cut(self.batch.embed)

    @property
    def embed_grad(self) -> Float[Tensor, "seq d_model"]:
        grad = self.gradients.embed
        return torch.zeros_like(self.embed) if grad is None else self._cut(grad)

    def value(self, site: Site, layer: int) -> Float[Tensor, "*axes"]:
        """A recorded value, detached: "seq d" or "head seq key"."""
        return self._cut(self.batch.value(site, layer), site)

    def grad(self, site: Site, layer: int) -> Float[Tensor, "*axes"] | None:
        """dJ / d(value), or None when the read-out does not depend on it."""
        grad = self.gradients.by_site.get((site, layer))
        return None if grad is None else self._cut(grad, site)

    def reading(self, coded: CodedSite) -> Reading:
        """What a coder makes of its site."""
        return read_coded(self.batch, self.row, coded)

    def _cut(self, tensor: Tensor, site: Site = "embed") -> Tensor:
        n, row = len(self.case.tokens), tensor.detach()[self.row]
        if site == "attn_pattern":
            return row[:, :n, :n]
        return row[:, :n] if site in ("attn_v", "attn_z") else row[:n]


def run(
    model: Transformer, cases: Sequence[Case], *, read_out_norm: ReadOutNorm = "fixed"
) -> list[Run]:
    """Run cases as one batch: one forward, then one backward from all their objectives.

    Patches take their value from the other case as it is without patches.

    Raises:
        ValueError, LookupError: a position, component or objective that does not fit its prompt or model.
    """
    sources = [_unpatched_source(model, cases, i) for i in range(len(cases))]
    hooks = Hooks()
    for row, case in enumerate(cases):
        hooks += intervention_hooks(
            case.interventions, model.config, len(case.tokens), sources[row], row, case.bases
        )
    batch = Pass(model, [case.tokens for case in cases], hooks)
    return differentiate(batch, cases, read_out_norm=read_out_norm)


def differentiate(
    batch: Pass,
    cases: Sequence[Case],
    *,
    read_out_norm: ReadOutNorm = "fixed",
    to_sites: bool = True,
) -> list[Run]:
    """Read out each row's objective and take all their gradients in one backward pass.

    With `to_sites=False` the backward is left out, and no run has gradients.
    """
    outs = [read_out(batch, row, case.objective, case.bases) for row, case in enumerate(cases)]
    incoming: dict[Place, Tensor] = {}
    for row, out in enumerate(outs):
        at = out.live_gradient if read_out_norm == "live" else out.direction
        grad = incoming.setdefault(out.place, torch.zeros_like(batch.resid(out.place)))
        for position, vector in at.items():
            grad[row, position] += vector
    also = {(site.site, site.layer) for case in cases for site in case.bases.of("resid")}
    gradients = batch.gradients(incoming, also) if to_sites else Gradients({}, None)
    return [
        Run(case, batch, row, out, gradients)
        for row, (case, out) in enumerate(zip(cases, outs, strict=True))
    ]


def edited_pass(model: Transformer, case: Case, base: Pass, source: Source | None) -> Pass:
    """The case's prompt with its edits, reusing an unedited pass over the same prompt where nothing changes."""
    first = first_edited_layer(case.interventions)
    if first is None:
        return base
    hooks = intervention_hooks(
        case.interventions, model.config, len(case.tokens), source, bases=case.bases
    )
    return Pass(model, [case.tokens], hooks, base, first)


@dataclass(frozen=True)
class RecordedRow:
    """A row's recorded values as the source of patches."""

    batch: Pass
    row: int

    def __call__(self, site: Site, layer: int) -> Tensor:
        value = self.batch.embed if site == "embed" else self.batch.value(site, layer)
        cut, n = value.detach()[self.row], self.batch.lengths[self.row]
        if site == "attn_pattern":
            return cut[:, :n, :n]
        return cut[:, :n] if site == "attn_z" else cut[:n]

    def latent(self, coded: CodedSite, latent: int) -> Float[Tensor, " token"]:
        return read_coded(self.batch, self.row, coded).latent(latent)

    def error(self, coded: CodedSite) -> Float[Tensor, "token d"]:
        return read_coded(self.batch, self.row, coded).error


def source_of(batch: Pass, row: int = 0) -> Source:
    """A row's recorded values as the source of patches."""
    return RecordedRow(batch, row)


def _unpatched_source(model: Transformer, cases: Sequence[Case], index: int) -> Source | None:
    if not any(isinstance(edit, Patch) for edit in cases[index].interventions):
        return None
    other = other_case(cases, index)
    if other is None:
        return None
    hooks = intervention_hooks(
        unpatched(other).interventions, model.config, len(other.tokens), bases=other.bases
    )
    return source_of(Pass(model, [other.tokens], hooks))


def other_case(cases: Sequence[Case], index: int) -> Case | None:
    """The case that patches of case `index` draw from. Raises ValueError when one draws from itself."""
    for edit in cases[index].interventions:
        if isinstance(edit, Patch) and edit.from_case == index:
            raise ValueError(
                f"{edit.component}: a patch in case {index} cannot take its value from case {index}; "
                f"from_case is {1 - index}."
            )
    return cases[1 - index] if len(cases) == 2 else None


def unpatched(case: Case) -> Case:
    """The case without its patches, so that two cases may patch from each other."""
    kept = tuple(edit for edit in case.interventions if not isinstance(edit, Patch))
    return replace(case, interventions=kept)
