"""The metrics of one stream's latents and errors in one run.

With u the coder's factor at the token, D_j the decoder column, g = dJ/dx at the site, G the direction seen from there:

    node             activation   write magnitude      direct effect      total effect (estimate)
    latent (t, j)    z_j          |z_j u| |D_j|        z_j u <D_j, G>     z_j u <D_j, g>
    error (t)        |e|          |e|                  <e, G>             <e, g>

and, at `mlp_post_act`, the norms of writes and G through W_out. Only active latents are held, and only their
directions are looked up.
"""

from collections.abc import Mapping
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.metric import Metric, SparseMetric, plain
from neuron_explainer.attribution.write_norms import WriteNorms
from neuron_explainer.models.bases import Active, CodedSite
from neuron_explainer.models.coded_writes import at_site, in_stream, lands
from neuron_explainer.models.run import Run
from neuron_explainer.nodes import Stream

CHUNK = 4096
"""Directions looked up at once."""


class CodedEffects:
    """Latents and errors of a stream, put together when asked for."""

    def __init__(self, run: Run, norms: WriteNorms, stream: Stream) -> None:
        self.run = run
        self.norms = norms
        self.sites = run.case.bases.of(stream)
        self.layers = tuple(coded.layer for coded in self.sites)
        self.readings = tuple(run.reading(coded) for coded in self.sites)

    def latents(self, metric: str) -> SparseMetric:
        """A metric of all active latents."""
        return self._latents[metric]

    def errors(self, metric: str) -> Metric:
        """A metric of the errors, "token" by layer."""
        return self._errors[metric]

    @cached_property
    def _latents(self) -> Mapping[str, SparseMetric]:
        active = tuple(reading.active for reading in self.readings)
        activation = [each.value for each in active]
        writing = [r.active.value * r.unit[r.active.token, 0] for r in self.readings]
        sizes = [self.norms.latents(c, a.latent) for c, a in zip(self.sites, active, strict=True)]
        return {
            "activation": self._sparse(activation, is_signed=False),
            "write_magnitude": self._sparse(_products(writing, sizes), is_signed=False),
            "direct_effect": self._sparse(_products(writing, self._along(self._directions))),
            "total_effect": self._sparse(_products(writing, self._along(self._gradients))),
        }

    @cached_property
    def _errors(self) -> Mapping[str, Metric]:
        errors = [reading.error for reading in self.readings]
        writes = [in_stream(self.run.model, c, e) for c, e in zip(self.sites, errors, strict=True)]
        direct = [(e * g).sum(-1) for e, g in zip(errors, self._directions, strict=True)]
        total = [(e * g).sum(-1) for e, g in zip(errors, self._gradients, strict=True)]
        return {
            "activation": self._plain([e.norm(dim=-1) for e in errors], is_signed=False),
            "write_magnitude": self._plain([w.norm(dim=-1) for w in writes], is_signed=False),
            "direct_effect": self._plain(direct, is_signed=True),
            "total_effect": self._plain(total, is_signed=True),
        }

    @cached_property
    def _directions(self) -> tuple[Float[Tensor, "seq d"], ...]:
        """G as each site sees it: zero at other tokens than the read-out's and above it."""
        return tuple(self._direction(coded) for coded in self.sites)

    def _direction(self, coded: CodedSite) -> Float[Tensor, "seq d"]:
        run = self.run
        full = torch.zeros(len(run.tokens), coded.width, device=run.embed.device)
        if lands(coded) <= run.read_out.place:
            for position, direction in run.read_out.direction.items():
                full[position] = at_site(run.model, coded, direction.float())
        return full

    @cached_property
    def _gradients(self) -> tuple[Float[Tensor, "seq d"], ...]:
        """dJ/dx at each site."""
        found = []
        for coded, reading in zip(self.sites, self.readings, strict=True):
            grad = self.run.grad(coded.site, coded.layer)
            found.append(torch.zeros_like(reading.error) if grad is None else grad.float())
        return tuple(found)

    def _along(
        self, vectors: tuple[Float[Tensor, "seq d"], ...]
    ) -> list[Float[Tensor, " _active"]]:
        each = zip(self.sites, self.readings, vectors, strict=True)
        return [along(coded, reading.active, at) for coded, reading, at in each]

    def _sparse(self, numbers: list[Tensor], *, is_signed: bool = True) -> SparseMetric:
        return SparseMetric(
            self.layers,
            tuple(reading.active for reading in self.readings),
            tuple(numbers),
            is_signed,
            (len(self.run.tokens), max(coded.n_latents for coded in self.sites)),
        )

    def _plain(self, values: list[Tensor], *, is_signed: bool) -> Metric:
        return plain(tuple(values), is_signed=is_signed, numbers=self.layers)


def along(coded: CodedSite, active: Active, vectors: Float[Tensor, "seq d"]) -> Float[Tensor, " n"]:
    """<D_j, vectors[t]> of every active latent, looking up those alone whose vector is not zero."""
    numbers = torch.zeros_like(active.value)
    wanted = vectors.any(dim=-1)[active.token].nonzero().squeeze(1)
    for part in torch.split(wanted, CHUNK):
        directions = coded.directions(active.latent[part])
        numbers[part] = (directions * vectors[active.token[part]]).sum(-1)
    return numbers


def _products(left: list[Tensor], right: list[Tensor]) -> list[Tensor]:
    return [a * b for a, b in zip(left, right, strict=True)]
