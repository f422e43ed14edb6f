"""Which nodes describe a run: heads and neurons, or at some sites the latents of a coder.

With x a site's value at a token, D_j a latent's decoder column, u(x) and c(x) the factor and offset by which a
reconstruction is taken back to the site's own scale:

    z = encode(x)         x = u (sum_j z_j D_j) + c + e          e is what the coder missed

Coders themselves are in `autoencoders`; here is all that runs, edits and traces ask of one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.models.hooks import Site
from neuron_explainer.nodes import Component, Stream

Hold = Callable[[Tensor], Tensor]
"""What is done with a norm's scale on its way: `torch.detach` holds it fixed, `live` does not."""


def live(scale: Tensor) -> Tensor:
    """Leave a scale in the graph."""
    return scale


class Active(NamedTuple):
    """The active latents of a run of tokens, sorted by token, then latent."""

    token: Int[Tensor, " n"]
    latent: Int[Tensor, " n"]
    value: Float[Tensor, " n"]


@runtime_checkable
class CodedSite(Protocol):
    """A layer's site, read by a coder."""

    name: str
    """The coder set's."""
    stream: Stream
    site: Site
    layer: int
    width: int
    """Of the site."""
    n_latents: int
    n_active: int
    """Latents that are reckoned to be active at a token."""

    def active(self, x: Float[Tensor, "token d"]) -> Active:
        """The active latents, without a graph; all latents are never held for all tokens."""
        ...

    def latents(
        self, x: Float[Tensor, "*batch d"], which: Int[Tensor, " n"]
    ) -> Float[Tensor, "*batch n"]:
        """Some latents, with their graph."""
        ...

    def reconstruction(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """u (sum_j z_j D_j) + c, with its graph."""
        ...

    def directions(self, which: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
        """D_j of some latents."""
        ...

    def encoder_row(self, latent: int) -> Float[Tensor, " d"]:
        """The direction whose product with the coder's input raises a latent."""
        ...

    def sums(self, active: Active, n_tokens: int) -> Float[Tensor, "token d"]:
        """sum_j z_j D_j of each token."""
        ...

    def unit(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch 1"]:
        """u."""
        ...

    def offset(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """c: the reconstruction if no latent were active."""
        ...

    def pre_activation(
        self, x: Float[Tensor, "*batch d"], latent: int, hold: Hold
    ) -> Float[Tensor, "*batch"]:
        """What a latent's nonlinearity sees; `hold` meets the scale of the coder's own input norm."""
        ...


@dataclass(frozen=True)
class Bases:
    """The coded sites of a question; where there is none, neurons and heads describe the layer."""

    sites: tuple[CodedSite, ...] = ()

    def find(self, stream: Stream, layer: int) -> CodedSite | None:
        """What codes a stream at a layer, if anything does."""
        return next((s for s in self.sites if (s.stream, s.layer) == (stream, layer)), None)

    def of(self, stream: Stream) -> tuple[CodedSite, ...]:
        """The coded sites of a stream, by layer."""
        return tuple(site for site in self.sites if site.stream == stream)

    def at(self, component: Component) -> CodedSite:
        """What a latent or an error belongs to. Raises LookupError naming what there is."""
        assert component.stream is not None and component.layer is not None
        mine = self.of(component.stream)
        if not mine:
            raise LookupError(f"{component}: no coder of the {component.stream} stream is in use.")
        found = self.find(component.stream, component.layer)
        if found is None:
            layers = ", ".join(str(site.layer) for site in mine)
            raise LookupError(
                f"{component}: {mine[0].name} has no coder for layer {component.layer}; it has layers {layers}."
            )
        if component.index is not None and component.index >= found.n_latents:
            raise LookupError(
                f"{component}: latent {component.index} is out of range: {found.name} has latents "
                f"0-{found.n_latents - 1} at layer {found.layer}."
            )
        return found


PLAIN = Bases()
"""Neurons and heads everywhere."""
