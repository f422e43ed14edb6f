"""One batched forward kept with its graph, and backward passes that can start anywhere along it.

    forward     embeddings (a leaf that wants gradients) -> layers, with interventions and recorders
                as hooks
    backward    gradients at points of the residual stream -> recorded sites; parameters are frozen,
                so nothing else

Rows are padded on the right. A pass that edits another one's prompt starts from that pass's
residual stream at the first edited layer; its gradients flow on into the other's graph below that
layer, which is unchanged there. The final norm and the unembedding are not in the graph: read-outs
(`objectives.py`) differentiate them on their own.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.hooks import Hooks, Recorder, Site
from neuron_explainer.models.precision import products_for
from neuron_explainer.models.transformer import Transformer

RECORDED: tuple[Site, ...] = (
    "resid_pre",
    "resid_mid",
    "attn_v",
    "attn_pattern",
    "attn_z",
    "mlp_post_act",
    "resid_delta_attn",
    "resid_delta_mlp",
    "resid_post",
)
DIFFERENTIATED: tuple[Site, ...] = (
    "attn_pattern",
    "mlp_post_act",
    "resid_delta_attn",
    "resid_delta_mlp",
)


@dataclass(frozen=True, order=True)
class Place:
    """A point of the residual stream: before a layer's attention, or (is_mid) before its MLP."""

    layer: int
    """n_layers means after the last layer."""
    is_mid: bool = False

    @property
    def upstream_of_mlp(self) -> int:
        """Layers whose attention lies upstream of here."""
        return self.layer + self.is_mid

    def sees_attn(self, layer: int) -> bool:
        """Whether attention of that layer writes strictly upstream of here."""
        return layer < self.layer + self.is_mid

    def sees_mlp(self, layer: int) -> bool:
        return layer < self.layer


class RecordedKeys:
    """Key-value store of a plain pass: starts empty, keeps each layer's rotated keys and values."""

    start = 0

    def __init__(self) -> None:
        self.layers: dict[int, tuple[Tensor, Tensor]] = {}

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        self.layers[layer] = (k, v)
        return k, v


class Pass:
    """One batched forward: recorded values with their graph, and gradients from read-outs."""

    def __init__(
        self,
        model: Transformer,
        prompts: Sequence[tuple[int, ...]],
        hooks: Hooks,
        base: "Pass | None" = None,
        first_layer: int = -1,
    ) -> None:
        """Run it.

        Args:
            prompts: token ids of each row.
            hooks: interventions; recorders are added here.
            base: an unedited pass over the same prompts, reused below `first_layer`.
            first_layer: first layer that the hooks change; -1 for the embeddings.
        """
        self.model = model
        self.hooks = hooks
        self.readings: dict[Hashable, object] = {}
        """What coders made of it (`readings.py`), kept as long as it is."""
        self.embed: Tensor
        self.lengths = [len(prompt) for prompt in prompts]
        self.first_layer = first_layer if base is not None else -1
        self.base = base if self.first_layer > 0 else None
        self.recorder = Recorder(RECORDED)
        self.keys = RecordedKeys()
        n_rows = len(prompts) * max(self.lengths, default=0)
        with torch.enable_grad(), products_for(n_rows):
            self.start = self._leaf(prompts, hooks)
            self.embed = self.start if self.base is None else self.base.embed
            self.final = model.layers(
                self.start,
                hooks + self.recorder.hooks(),
                first=max(self.first_layer, 0) if self.base is not None else 0,
                store=self.keys,
            )

    def _leaf(self, prompts: Sequence[tuple[int, ...]], hooks: Hooks) -> Tensor:
        if self.base is not None:
            return self.base.value("resid_pre", self.first_layer).detach().requires_grad_()
        width = max(self.lengths)
        n_vocab = self.model.config.n_vocab
        if not all(prompts) or not all(0 <= t < n_vocab for prompt in prompts for t in prompt):
            raise ValueError(f"A prompt is one token id or more, each from 0 to {n_vocab - 1}.")
        rows = [list(prompt) + [0] * (width - len(prompt)) for prompt in prompts]
        tokens = torch.tensor(rows, device=self.model.device)
        return self.model.embed(tokens, hooks).detach().requires_grad_()

    def value(self, site: Site, layer: int) -> Float[Tensor, "batch ..."]:
        """A recorded tensor, from this pass or, below its first layer, from its base."""
        if self.base is not None and layer < self.first_layer:
            return self.base.value(site, layer)
        return self.recorder.values[site][layer]

    def resid(self, place: Place) -> Float[Tensor, "batch seq d_model"]:
        """The residual stream where a read-out looks; a layer past the last means the final one."""
        if place.layer == self.model.config.n_layers:
            return self.final
        return self.value("resid_mid" if place.is_mid else "resid_pre", place.layer)

    def rotated_keys(self, layer: int) -> tuple[Tensor, Tensor]:
        """Keys after rotary positions, and values: "batch kv_head key d_head" each."""
        if self.base is not None and layer < self.first_layer:
            return self.base.rotated_keys(layer)
        return self.keys.layers[layer]

    def gradients(
        self, incoming: Mapping[Place, Tensor], also: Collection[tuple[Site, int]] = ()
    ) -> "Gradients":
        """Gradients at recorded sites, given those at the residual stream where read-outs look.

        `also` names recorded sites beyond `DIFFERENTIATED`.
        """
        layers = range(self.first_layer if self.base is not None else 0, self.model.config.n_layers)
        own = {
            p: g for p, g in incoming.items() if self.base is None or p.layer >= self.first_layer
        }
        below = {p: g for p, g in incoming.items() if p not in own}
        top = max((p.upstream_of_mlp for p in own), default=0)
        wanted = [(site, layer) for layer in layers if layer < top for site in DIFFERENTIATED]
        wanted += [(site, layer) for site, layer in also if layer in layers]
        inputs = [self.recorder.values[site][layer] for site, layer in wanted]
        grads: Sequence[Tensor | None] = ()
        if own:
            with products_for(self.final.shape[0] * self.final.shape[1]):
                grads = torch.autograd.grad(
                    [self.resid(place) for place in own],
                    [*inputs, self.start],
                    list(own.values()),
                    retain_graph=True,
                    allow_unused=True,
                )
        found = dict(zip(wanted, grads[:-1], strict=True)) if own else {}
        at_start = grads[-1] if own else None
        if self.base is None:
            return Gradients(found, at_start)
        if at_start is not None:
            start = Place(self.first_layer)
            below[start] = at_start + below[start] if start in below else at_start
        lower = self.base.gradients(below, also)
        return Gradients({**lower.by_site, **found}, lower.embed)


@dataclass(frozen=True)
class Gradients:
    """dJ / d(recorded value), batch axis included; None where J does not depend on it."""

    by_site: Mapping[tuple[Site, int], Tensor | None]
    embed: Float[Tensor, "batch seq d_model"] | None
