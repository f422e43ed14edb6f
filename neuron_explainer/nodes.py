"""Names of the things a transformer is made of, and the one parser that reads them.

A *component* is weights with a name; a *node* is a component at work at a token.

    attn_L9_9            head 9 of layer 9             attn_L9_9@13:1     from token 13 (query) to token 1 (key)
    mlp_L3_117           neuron 117 of layer 3         mlp_L3_117@5
    mlp_ae_L3_117        latent of a coder             mlp_ae_L3_117@5
    mlp_ae_error_L3      what that coder missed        mlp_ae_error_L3@5
    embed                token plus position embedding embed@4
    bias                 all output biases             bias

The viewer parses the same names in TypeScript; both suites read `tests/node_names.json`.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["embed", "attn", "mlp", "latent", "error", "bias"]
"""What a component is: the letter the viewer prints beside it."""

Stream = Literal["attn", "mlp", "resid"]
"""Where a coder sits: on the attention output, on the MLP, or on the residual stream."""

Side = Literal["positive", "negative"]
"""A component means one thing where its activation is above zero and another where it is below."""

_COMPONENT = re.compile(
    r"(?P<end>embed|bias)"
    r"|(?P<stream>attn|mlp|resid)_ae_error_L(?P<error_layer>\d{1,4})"
    r"|(?P<coder>attn|mlp|resid)_ae_L(?P<latent_layer>\d{1,4})_(?P<latent>\d{1,9})"
    r"|(?P<plain>attn|mlp)_L(?P<layer>\d{1,4})_(?P<index>\d{1,9})",
    re.ASCII,
)
_PLACE = re.compile(r"(?P<position>\d{1,7})(?::(?P<key>\d{1,7}))?", re.ASCII)

NAME_HINT = (
    "Write a head as attn_L9_9, a neuron as mlp_L3_117, a latent as mlp_ae_L3_117, "
    "or embed, bias, mlp_ae_error_L3."
)


def side_of(activation: float) -> Side:
    """The side of a component at a token: the sign of its activation there. The one rule for it."""
    return "negative" if activation < 0 else "positive"


@dataclass(frozen=True, order=True)
class Component:
    """Weights with a name: a head, a neuron, a latent, a coder's error, the embeddings or the
    biases."""

    kind: Kind
    layer: int | None = None
    """Layer it belongs to; None for `embed` and `bias`."""
    index: int | None = None
    """Head, neuron or latent index within the layer; None for `embed`, `bias` and errors."""
    stream: Stream | None = None
    """For latents and errors: the stream their coder sits on."""

    def __str__(self) -> str:
        match self.kind:
            case "embed" | "bias":
                return self.kind
            case "attn" | "mlp":
                return f"{self.kind}_L{self.layer}_{self.index}"
            case "latent":
                return f"{self.stream}_ae_L{self.layer}_{self.index}"
            case "error":
                return f"{self.stream}_ae_error_L{self.layer}"

    @staticmethod
    def parse(name: str) -> "Component":
        """Read a component's name. Raises ValueError that shows the allowed forms."""
        found = _COMPONENT.fullmatch(name)
        if found is None:
            raise ValueError(f"{name[:80]!r} is not the name of a component. {NAME_HINT}")
        part = found.groupdict()
        if part["end"]:
            return Component("embed" if part["end"] == "embed" else "bias")
        if part["stream"]:
            return Component("error", int(part["error_layer"]), stream=_stream(part["stream"]))
        if part["coder"]:
            return Component(
                "latent", int(part["latent_layer"]), int(part["latent"]), _stream(part["coder"])
            )
        return Component(
            "attn" if part["plain"] == "attn" else "mlp", int(part["layer"]), int(part["index"])
        )


@dataclass(frozen=True, order=True)
class Node:
    """A component at work at a token; a head works at a pair, from (query) and to (key)."""

    component: Component
    position: int | None = None
    """Index of the token at which it writes, from 0; None only for `bias`, which writes at all."""
    key_position: int | None = None
    """For heads: index of the token it reads (attends to)."""

    def __str__(self) -> str:
        if self.position is None:
            return str(self.component)
        key = "" if self.key_position is None else f":{self.key_position}"
        return f"{self.component}@{self.position}{key}"

    @staticmethod
    def parse(name: str) -> "Node":
        """Read a node's name. Raises ValueError that says what is missing and shows the form."""
        text, at, place = name.partition("@")
        component = Component.parse(text)
        if component.kind == "bias":
            if at:
                raise ValueError(
                    f"{name[:80]!r}: the biases write at every token; write just bias."
                )
            return Node(component)
        found = _PLACE.fullmatch(place)
        if found is None:
            form = "attn_L9_9@13:1" if component.kind == "attn" else f"{component}@5"
            raise ValueError(f"{name[:80]!r} does not say at which token. Write it as {form}.")
        position, key = int(found["position"]), found["key"]
        if (key is not None) != (component.kind == "attn"):
            raise ValueError(
                f"{name[:80]!r}: heads, and only heads, work at a pair from:to, as in attn_L9_9@13:1."
            )
        if key is None:
            return Node(component, position)
        if int(key) > position:
            raise ValueError(
                f"{name[:80]!r} looks ahead: a head at token {position} sees 0-{position}."
            )
        return Node(component, position, int(key))


def _stream(name: str) -> Stream:
    """The stream of a name that the pattern has already accepted."""
    return "attn" if name == "attn" else "mlp" if name == "mlp" else "resid"
