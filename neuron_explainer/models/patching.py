"""Where a patch takes its value from: the other case's activation, at matching tokens."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import CodedSite
from neuron_explainer.models.extent import check_position
from neuron_explainer.models.hooks import Site
from neuron_explainer.nodes import Component


@runtime_checkable
class Source(Protocol):
    """The other case's recorded values, without the batch axis."""

    def __call__(self, site: Site, layer: int) -> Tensor: ...

    def latent(self, coded: CodedSite, latent: int) -> Float[Tensor, " token"]:
        """A latent at each token, as that case's own edits left it."""
        ...

    def error(self, coded: CodedSite) -> Float[Tensor, "token d"]:
        """What the coder missed at each token."""
        ...


def patched_part(
    component: Component,
    from_case: int,
    source: Source | None,
    site: Site,
    layer: int,
    coded: CodedSite | None = None,
) -> Tensor:
    """The other case's activation of this component, "token ..."; `coded`: what its latents belong to."""
    if source is None:
        raise ValueError(
            f"{component}: patch takes its value from case {from_case}, and there is no "
            "such case beside this one. Give two cases."
        )
    if coded is not None:
        return (
            source.error(coded)
            if component.index is None
            else source.latent(coded, component.index)
        )
    value = source(site, layer)
    match component.kind:
        case "embed":
            return value
        case "mlp":
            return value[:, component.index]
        case _:
            return value[component.index or 0]


def patched_positions(
    component: Component,
    wanted: tuple[int, ...] | None,
    positions: tuple[int, ...],
    n_theirs: int,
    n_ours: int,
) -> list[int]:
    """The other prompt's token for each of `positions`: the `wanted` ones, or the same."""
    if wanted is None:
        if n_theirs != n_ours:
            raise ValueError(
                f"{component}: the prompts have {n_ours} and {n_theirs} tokens, so say which "
                "token goes where: give positions and from_positions of equal length."
            )
        wanted = positions
    elif len(wanted) != len(positions):
        raise ValueError(
            f"{component}: {len(positions)} positions but {len(wanted)} from_positions; "
            "they go in pairs."
        )
    return [check_position(p, n_theirs, f"{component}: from_position") for p in wanted]
