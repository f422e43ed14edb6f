"""What every node of a run wrote, and what that did to the objective.

With a the activation, w = a * (unit write) the node's write, G the direction (dJ/d residual at the
read-out, its norm's scale held fixed), and dJ/da the gradient through the whole graph:

    node                 write                         write magnitude      direct effect       total effect (estimate)
    neuron (t, n)        a W_out[n]                    |a| |W_out[n]|       <write, G[t]>       a dJ/da
    head (q, k, h)       A v[k, h] W_O[h]              A |v[k, h] W_O[h]|   <write, G[q]>       A dJ/dA
    embedding (t)        x0[t]                         |x0[t]|              <x0[t], G[t]>       <x0[t], dJ/dx0[t]>
    latent, error        `coded_effects.py`
    bias                 `totals.py`: sum of b_O and b_out, and of decoder biases

Where a coder describes a layer's MLP or attention, its latents and error stand in the place of the neurons or heads;
latents of the residual stream come beside them. Pairs are never expanded over d_model: |v W_O[h]|^2 = v (W_O[h]
W_O[h]^T) v, and <v W_O[h], G> = v (W_O[h] G). Everything is one tensor for each layer, or the active latents alone;
nothing here ranks or names nodes (`table.py` does).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.coded_effects import CodedEffects
from neuron_explainer.attribution.metric import Metric, SparseMetric, plain
from neuron_explainer.attribution.ranking import Place, extreme_places
from neuron_explainer.attribution.totals import BiasEffect, Totals, bias_effect, totals_of
from neuron_explainer.attribution.write_norms import WriteNorms
from neuron_explainer.models.hooks import Site
from neuron_explainer.models.interventions import replaced_heads
from neuron_explainer.models.run import Run
from neuron_explainer.nodes import Stream

METRICS = ("activation", "write_magnitude", "direct_effect", "total_effect")


class Effects:
    """The metrics of one run, put together when asked for."""

    def __init__(self, run: Run, norms: WriteNorms) -> None:
        self.run = run
        self.norms = norms
        self.n_layers = run.model.config.n_layers
        self.n_tokens = len(run.tokens)
        self._metrics: dict[tuple[str, str], Metric] = {}
        self._extremes: dict[tuple[str, str, int], list[Place]] = {}

    def kinds(self) -> Mapping[str, Callable[[str], Metric | SparseMetric]]:
        """Families of nodes that are ranked (`families.py`), and how to get a metric of each."""
        found: dict[str, Callable[[str], Metric | SparseMetric]] = {"embed": self.embed}
        found |= {"attn": self.heads} if self._uncoded("attn") else {}
        found |= {"mlp": self.neurons} if self._uncoded("mlp") else {}
        for stream, coded in self.coded.items():
            found |= {f"{stream}_ae": coded.latents, f"{stream}_ae_error": coded.errors}
        return found

    def neurons(self, metric: str) -> Metric:
        """A metric of all neurons, "token neuron" by layer; only of layers that no coder describes."""
        return self._once("mlp", metric, self._neuron_metric)

    def heads(self, metric: str) -> Metric:
        """A metric of all token pairs, "head query key" by layer; only of layers that no coder describes."""
        return self._once("attn", metric, self._head_metric)

    def embed(self, metric: str) -> Metric:
        """A metric of the embeddings, "token" in a single layer."""
        return self._embed[metric]

    def _once(self, kind: str, metric: str, put_together: Callable[[str], Metric]) -> Metric:
        """A metric, put together the first time it is asked for."""
        if metric not in METRICS:
            raise KeyError(metric)
        if (kind, metric) not in self._metrics:
            self._metrics[kind, metric] = put_together(metric)
        return self._metrics[kind, metric]

    @cached_property
    def coded(self) -> Mapping[Stream, CodedEffects]:
        """Latents and errors of each stream that has coders."""
        streams: tuple[Stream, ...] = ("mlp", "attn", "resid")
        bases = self.run.case.bases
        return {s: CodedEffects(self.run, self.norms, s) for s in streams if bases.of(s)}

    def _uncoded(self, stream: Stream) -> tuple[int, ...]:
        """Layers whose neurons or heads are nodes."""
        bases = self.run.case.bases
        return tuple(n for n in range(self.n_layers) if bases.find(stream, n) is None)

    def _neuron_metric(self, metric: str) -> Metric:
        layers = self._uncoded("mlp")
        a = tuple(self.run.value("mlp_post_act", layer).float() for layer in layers)
        match metric:
            case "activation":
                return plain(a, is_signed=True, numbers=layers)
            case "write_magnitude":
                sizes = tuple(each.abs() for each in a)
                return self._product(metric, layers, sizes, self.norms.neuron.__getitem__)
            case "direct_effect":
                return self._product(metric, layers, a, self._neuron_direct)
            case _:
                return self._product(metric, layers, a, partial(self._gradient, "mlp_post_act"))

    def _head_metric(self, metric: str) -> Metric:
        layers = self._uncoded("attn")
        if metric == "activation":
            patterns = tuple(self._pattern(layer) for layer in layers)
            return plain(patterns, is_signed=False, numbers=layers)
        factors: Mapping[str, Callable[[int], Tensor]] = {
            "write_magnitude": self._value_norms,
            "direct_effect": self._head_direct,
            "total_effect": partial(self._gradient, "attn_pattern"),
        }
        writing = tuple(self._writing(layer) for layer in layers)
        return self._product(metric, layers, writing, factors[metric])

    def _product(
        self,
        metric: str,
        layers: tuple[int, ...],
        values: tuple[Tensor, ...],
        factor: Callable[[int], Tensor],
    ) -> Metric:
        """Values times a factor of each layer; of direct effects, where the read-out looks."""
        return Metric(
            values,
            tuple(factor(layer) for layer in layers),
            is_signed=metric != "write_magnitude",
            positions=tuple(self.run.read_out.direction) if metric == "direct_effect" else None,
            numbers=layers,
        )

    @cached_property
    def _embed(self) -> Mapping[str, Metric]:
        x0 = self.run.embed.float()
        direct = torch.zeros(self.n_tokens, device=x0.device)
        for position, direction in self.run.read_out.direction.items():
            direct[position] = x0[position] @ direction.float()
        total = (x0 * self.run.embed_grad.float()).sum(-1)
        return {
            "activation": plain((torch.ones_like(direct),), is_signed=False),
            "write_magnitude": plain((x0.square().sum(-1).sqrt(),), is_signed=False),
            "direct_effect": plain((direct,), is_signed=True),
            "total_effect": plain((total,), is_signed=True),
        }

    def extremes(self, kind: str, metric: str, k: int) -> list[Place]:
        """Where a metric is largest and, if signed, smallest; kept for the next table with this run."""
        key = (kind, metric, k)
        if key not in self._extremes:
            self._extremes[key] = extreme_places(self.kinds()[kind](metric), k)
        return self._extremes[key]

    @cached_property
    def map(self) -> "EffectMap":
        """Total effect by token, and by layer and token."""
        layers = range(self.n_layers)
        pairs = [
            (self._writing(layer) * self._gradient("attn_pattern", layer)).sum(0)
            for layer in layers
        ]
        return EffectMap(
            embed=self.embed("total_effect").rows(0),
            attn_from=torch.stack(
                [self._by_token("attn", layer, pairs[layer].sum(1)) for layer in layers]
            ),
            attn_to=torch.stack([pair.sum(0) for pair in pairs]),
            mlp=torch.stack([self._by_token("mlp", layer) for layer in layers]),
        )

    def _by_token(
        self, stream: Stream, layer: int, of_heads: Float[Tensor, " seq"] | None = None
    ) -> Float[Tensor, " seq"]:
        """Total effect of what describes a layer's MLP or attention."""
        coded = self.coded.get(stream)
        if coded is not None and layer in coded.layers:
            return coded.latents("total_effect").sums(layer) + coded.errors("total_effect").rows(
                layer
            )
        return self.neurons("total_effect").rows(layer).sum(1) if of_heads is None else of_heads

    @cached_property
    def bias(self) -> BiasEffect:
        return bias_effect(self.run)

    @cached_property
    def totals(self) -> Totals:
        return totals_of(self.run, self.bias)

    def _pattern(self, layer: int) -> Float[Tensor, "head seq key"]:
        return self.run.value("attn_pattern", layer).float()

    def _gradient(self, site: Site, layer: int) -> Tensor:
        """dJ/d(value), or a single 0."""
        grad = self.run.grad(site, layer)
        return torch.zeros((), device=self.run.embed.device) if grad is None else grad.float()

    def _neuron_direct(self, layer: int) -> Float[Tensor, "position d_mlp"]:
        """W_out G at each position of the direction; zero where the layer is not upstream."""
        w_out = self.run.model.block(layer).mlp.w_out
        directions = self._directions(self.run.read_out.place.sees_mlp(layer))
        return (directions.to(w_out.dtype) @ w_out).float()

    def _head_direct(self, layer: int) -> Float[Tensor, "head position key"]:
        """v W_O G of each key at each position of the direction."""
        w_o, v = self.run.model.block(layer).attn.head_w_o(), self._values_by_head(layer)
        directions = self._directions(self.run.read_out.place.sees_attn(layer))
        pulled = (w_o @ directions.to(w_o.dtype).T).float()
        return (v @ pulled).transpose(1, 2)

    def _directions(self, is_upstream: bool) -> Float[Tensor, "position d_model"]:
        stacked = torch.stack(list(self.run.read_out.direction.values()))
        return stacked if is_upstream else torch.zeros_like(stacked)

    def _value_norms(self, layer: int) -> Float[Tensor, "head 1 key"]:
        v = self._values_by_head(layer)
        return ((v @ self.norms.head_gram[layer]) * v).sum(-1).clamp(min=0).sqrt()[:, None, :]

    def _values_by_head(self, layer: int) -> Float[Tensor, "head key d_head"]:
        """attn_v with each key-value head repeated for the query heads that share it."""
        config = self.run.model.config
        v = self.run.value("attn_v", layer).float()
        return v.repeat_interleave(config.n_heads // config.n_kv_heads, dim=0)

    def _writing(self, layer: int) -> Float[Tensor, "head seq key"]:
        """The pattern, with zeros where an edit of z took over from the pairs."""
        pattern = self._pattern(layer)
        replaced = replaced_heads(self.run.case.interventions, layer, self.n_tokens)
        if not replaced:
            return pattern
        pattern = pattern.clone()
        for head, tokens in replaced.items():
            pattern[head, list(tokens)] = 0.0
        return pattern


@dataclass(frozen=True)
class EffectMap:
    """Total effect (estimate) by token and by layer and token."""

    embed: Float[Tensor, " seq"]
    attn_from: Float[Tensor, "layer seq"]
    """By query token; of latents and errors where they describe the layer."""
    attn_to: Float[Tensor, "layer key"]
    """By key token; always of pairs, since nothing else has a key."""
    mlp: Float[Tensor, "layer seq"]
