"""What every component does on a batch of windows, handed over group by group as the model runs.

    neurons   mlp_post_act                                          window place component
    heads     attn_pattern times |v W_O|, pairs with key <= query   window pair component
    latents   the coder's encoding of the value at its site         window place component

Neurons' values are in the model's dtype, the others in float32. Layer after layer, so that no more
than one layer's values are held. The unembedding is not run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.exemplars.layout import Group
from neuron_explainer.models.hooks import Hook, Hooks, Site
from neuron_explainer.models.transformer import Transformer

LATENT_VALUES_AT_ONCE = 1 << 26
"""Latents of one coder times tokens that are held at once."""


@dataclass(frozen=True)
class Batch:
    """Windows that run together, shorter ones padded on the right."""

    tokens: Int[Tensor, "window place"]
    lengths: Int[Tensor, " window"]
    windows: Int[Tensor, " window"]
    """Their numbers in the corpus."""
    prefixes: Int[Tensor, "window place"]
    """A hash of each one's tokens up to each place."""

    def token_of(self, place: Int[Tensor, " n"], n_places: int) -> Int[Tensor, " n"]:
        """The token at which a place writes: itself or, of a token pair, the query."""
        n = self.tokens.shape[1]
        return place if n_places == n else lower_triangle(n, place.device)[0][place]

    def n_text(self, *, pairs: bool) -> Int[Tensor, " window"]:
        """How many places (or token pairs) of each window are text: they come before its others."""
        return self.lengths * (self.lengths + 1) // 2 if pairs else self.lengths

    def valid(self, *, pairs: bool) -> Bool[Tensor, "window place"] | None:
        """Which places (or token pairs) are text; None if all are."""
        n = self.tokens.shape[1]
        if bool((self.lengths == n).all()):
            return None
        n_places = n * (n + 1) // 2 if pairs else n
        return (
            torch.arange(n_places, device=self.lengths.device) < self.n_text(pairs=pairs)[:, None]
        )


Receive = Callable[[Group, Batch, Float[Tensor, "window place component"]], None]


def groups_of(model: Transformer, coder_sets: Sequence[CoderSet]) -> list[Group]:
    """All components that can be collated: heads, neurons, and the coders' latents."""
    config = model.config
    layers = range(config.n_layers)
    found = [Group("attn", layer, config.n_heads) for layer in layers]
    found += [Group("mlp", layer, config.d_mlp) for layer in layers]
    for coders in coder_sets:
        found += [
            Group("latent", layer, coder.config.n_latents, coders.stream, coders.name)
            for layer, coder in sorted(coders.coders.items())
        ]
    return found


class Observer:
    """Runs batches and hands over what each group of components did."""

    def __init__(self, model: Transformer, coder_sets: Sequence[CoderSet]) -> None:
        self.model = model
        self.groups = groups_of(model, coder_sets)
        self._by_place = {(g.kind, g.layer, g.coder): g for g in self.groups}
        self._coder_sets = coder_sets
        blocks = [model.block(layer) for layer in range(model.config.n_layers)]
        w_o = [block.attn.head_w_o().float() for block in blocks]
        self._factors = [_factors(w, model.config.n_kv_heads) for w in w_o]

    @torch.no_grad()
    def run(self, batch: Batch, receive: Receive) -> None:
        """One forward pass; `receive` is called once for each group, in the order of the model."""
        norms: dict[int, Tensor] = {}

        def values(v: Tensor, layer: int) -> Tensor:
            norms[layer] = self._value_norms(v.float(), layer)
            return v

        def pattern(pattern: Tensor, layer: int) -> Tensor:
            written = pattern.float() * norms.pop(layer)[:, :, None, :]
            pairs = torch.cat([written[:, :, q, : q + 1] for q in range(written.shape[2])], dim=2)
            receive(self._by_place["attn", layer, None], batch, pairs.transpose(1, 2))
            return pattern

        def neurons(post_act: Tensor, layer: int) -> Tensor:
            receive(self._by_place["mlp", layer, None], batch, post_act)
            return post_act

        hooks: list[tuple[Site, Hook]]
        hooks = [("attn_v", values), ("attn_pattern", pattern), ("mlp_post_act", neurons)]
        hooks += [
            (coders.site, self._latents(coders, batch, receive)) for coders in self._coder_sets
        ]
        self.model.layers(self.model.embed(batch.tokens), Hooks(hooks))

    def _latents(self, coders: CoderSet, batch: Batch, receive: Receive) -> Hook:
        def latents(value: Tensor, layer: int) -> Tensor:
            coder = coders.coders.get(layer)
            if coder is not None:
                group = self._by_place["latent", layer, coders.name]
                per_window = value.shape[1] * group.n_components
                size = max(1, LATENT_VALUES_AT_ONCE // per_window)
                for first in range(0, value.shape[0], size):
                    some = slice(first, first + size)
                    receive(group, part_of(batch, some), coder.encode(value[some].float()))
            return value

        return latents

    def _value_norms(
        self, v: Float[Tensor, "window kv_head key d_head"], layer: int
    ) -> Float[Tensor, "window head key"]:
        """|v W_O[h]|, for each of the heads that share a value."""
        factors = self._factors[layer]
        rows = v.transpose(0, 1).flatten(1, 2)  # one large product a head, not many small ones
        written = torch.bmm(rows, factors.flatten(2)).view(*rows.shape[:2], *factors.shape[2:])
        norms: Tensor = torch.linalg.vector_norm(written, dim=-1)
        by_window = norms.view(len(norms), v.shape[0], v.shape[2], -1)
        return by_window.permute(1, 0, 3, 2).flatten(1, 2)


def _factors(
    w_o: Float[Tensor, "head d_head d_model"], n_kv_heads: int
) -> Float[Tensor, "kv_head d_head share d_small"]:
    """R^T of W_O[h]^T = Q R, small and square: |v W_O[h]| = |v R^T|, as Q keeps lengths."""
    factors: Tensor = torch.linalg.qr(w_o.transpose(1, 2), mode="r")[1].transpose(1, 2)
    shared = factors.reshape(n_kv_heads, -1, *factors.shape[1:])
    return shared.transpose(1, 2).contiguous()


def part_of(batch: Batch, some: slice) -> Batch:
    """Some windows of a batch."""
    return Batch(batch.tokens[some], batch.lengths[some], batch.windows[some], batch.prefixes[some])


def lower_triangle(n: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Query and key of each pair, row by row: the pair q (q + 1) / 2 + k."""
    query, key = torch.tril_indices(n, n, device=device)
    return query, key
