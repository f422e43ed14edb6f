"""Kinds of node that are ranked together, and how a place in their metrics is a node.

family                    place
embed                     0, token
attn                      layer, head, query, key
mlp                       layer, token, neuron
mlp_ae, attn_ae, ...      layer, token, latent
mlp_ae_error, ...         layer, token
"""

from dataclasses import dataclass

from neuron_explainer.attribution.ranking import Place
from neuron_explainer.nodes import Component, Kind, Node, Stream


@dataclass(frozen=True)
class Family:
    """One kind of node, of one stream where its coders are of one."""

    name: str
    kind: Kind
    stream: Stream | None = None
    token_axes: tuple[int, ...] = (1,)
    """Entries of a place that are tokens."""
    index_axis: int | None = None
    """Entry of a place that is the head, neuron or latent."""

    def node(self, place: Place) -> Node:
        """The node at a place."""
        layer = None if self.kind == "embed" else place[0]
        index = None if self.index_axis is None else place[self.index_axis]
        tokens = [place[axis] for axis in self.token_axes]
        return Node(Component(self.kind, layer, index, self.stream), *tokens)

    def shifted(self, place: Place, by: int) -> Place:
        """The same place with its tokens counted from another start."""
        return tuple(at + by if axis in self.token_axes else at for axis, at in enumerate(place))

    def is_inside(self, place: Place, n_tokens: int) -> bool:
        """Whether a prompt of so many tokens has it."""
        return all(0 <= place[axis] < n_tokens for axis in self.token_axes)


_STREAMS: tuple[Stream, ...] = ("mlp", "attn", "resid")
FAMILIES = {
    family.name: family
    for family in (
        Family("embed", "embed"),
        Family("attn", "attn", token_axes=(2, 3), index_axis=1),
        Family("mlp", "mlp", index_axis=2),
        *(Family(f"{stream}_ae", "latent", stream, index_axis=2) for stream in _STREAMS),
        *(Family(f"{stream}_ae_error", "error", stream) for stream in _STREAMS),
    )
}
