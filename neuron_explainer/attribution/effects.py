"""What every node of a run wrote, and what that did to the objective.

With a the activation, w = a * (unit write) the node's write, G the direction (dJ/d residual at the
read-out, its norm's scale held fixed), and dJ/da the gradient through the whole graph:

    node                 write                         write magnitude      direct effect       total effect (estimate)
    neuron (t, n)        a W_out[n]                    |a| |W_out[n]|       <write, G[t]>       a dJ/da
    head (q, k, h)       A v[k, h] W_O[h]              A |v[k, h] W_O[h]|   <write, G[q]>       A dJ/dA
    embedding (t)        x0[t]                         |x0[t]|              <x0[t], G[t]>       <x0[t], dJ/dx0[t]>
    bias                 sum of b_O and b_out          its norm             sum <., G> + const  sum <., dJ/d.>

Pairs are never expanded over d_model: |v W_O[h]|^2 = v (W_O[h] W_O[h]^T) v, and <v W_O[h], G> = v
(W_O[h] G). Everything is one tensor for each layer; nothing here ranks or names nodes (`table.py`
does).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.metric import Metric, plain
from neuron_explainer.attribution.ranking import Place, extreme_places
from neuron_explainer.models.hooks import Site
from neuron_explainer.models.interventions import replaced_heads
from neuron_explainer.models.run import Run
from neuron_explainer.models.transformer import Transformer

METRICS = ("activation", "write_magnitude", "direct_effect", "total_effect")


@dataclass(frozen=True)
class WriteNorms:
    """Norms that depend on weights alone; computed once for each model."""

    neuron: tuple[Float[Tensor, " d_mlp"], ...]
    """|W_out[n]|, by layer."""
    head_gram: tuple[Float[Tensor, "head d_head d_head"], ...]
    """W_O[h] W_O[h]^T, by layer."""

    @staticmethod
    def of(model: Transformer) -> "WriteNorms":
        blocks = [model.block(layer) for layer in range(model.config.n_layers)]
        w_o = [block.attn.head_w_o().float() for block in blocks]
        return WriteNorms(
            neuron=tuple(block.mlp.w_out.float().norm(dim=0) for block in blocks),
            head_gram=tuple(w @ w.transpose(1, 2) for w in w_o),
        )


class Effects:
    """The metrics of one run, put together when asked for."""

    def __init__(self, run: Run, norms: WriteNorms) -> None:
        self.run = run
        self.norms = norms
        self.n_layers = run.model.config.n_layers
        self.n_tokens = len(run.tokens)
        self._extremes: dict[tuple[str, str, int], list[Place]] = {}

    def kinds(self) -> Mapping[str, Callable[[str], Metric]]:
        """Kinds of node that are ranked, and how to get a metric of each."""
        return {"embed": self.embed, "attn": self.heads, "mlp": self.neurons}

    def neurons(self, metric: str) -> Metric:
        """A metric of all neurons, "token neuron" by layer."""
        return self._neurons[metric]

    def heads(self, metric: str) -> Metric:
        """A metric of all token pairs, "head query key" by layer."""
        return self._heads[metric]

    def embed(self, metric: str) -> Metric:
        """A metric of the embeddings, "token" in a single layer."""
        return self._embed[metric]

    @cached_property
    def _neurons(self) -> Mapping[str, Metric]:
        layers = range(self.n_layers)
        a = tuple(self.run.value("mlp_post_act", layer).float() for layer in layers)
        positions = tuple(self.run.read_out.direction)
        return {
            "activation": plain(a, is_signed=True),
            "write_magnitude": Metric(
                tuple(layer.abs() for layer in a), self.norms.neuron, is_signed=False
            ),
            "direct_effect": Metric(
                a,
                tuple(self._neuron_direct(layer) for layer in layers),
                is_signed=True,
                positions=positions,
            ),
            "total_effect": Metric(a, self._gradients("mlp_post_act", a), is_signed=True),
        }

    @cached_property
    def _heads(self) -> Mapping[str, Metric]:
        layers = range(self.n_layers)
        pattern = tuple(self.run.value("attn_pattern", layer).float() for layer in layers)
        writing = tuple(self._writing(layer, pattern[layer]) for layer in layers)
        positions = tuple(self.run.read_out.direction)
        return {
            "activation": plain(pattern, is_signed=False),
            "write_magnitude": Metric(
                writing, tuple(self._value_norms(layer) for layer in layers), is_signed=False
            ),
            "direct_effect": Metric(
                writing,
                tuple(self._head_direct(layer) for layer in layers),
                is_signed=True,
                positions=positions,
            ),
            "total_effect": Metric(
                writing, self._gradients("attn_pattern", pattern), is_signed=True
            ),
        }

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
        return _effect_map(self)

    @cached_property
    def bias(self) -> "BiasEffect":
        return _bias_effect(self.run)

    @cached_property
    def totals(self) -> "Totals":
        return _totals(self.run, self.bias)

    def _gradients(self, site: Site, values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        grads = (self.run.grad(site, layer) for layer in range(self.n_layers))
        return tuple(
            torch.zeros((), device=value.device) if grad is None else grad.float()
            for value, grad in zip(values, grads, strict=True)
        )

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

    def _writing(
        self, layer: int, pattern: Float[Tensor, "head seq key"]
    ) -> Float[Tensor, "head seq key"]:
        """The pattern, with zeros where an edit of z took over from the pairs."""
        replaced = replaced_heads(self.run.case.interventions, layer, self.n_tokens)
        if not replaced:
            return pattern
        pattern = pattern.clone()
        for head, tokens in replaced.items():
            pattern[head, list(tokens)] = 0.0
        return pattern


@dataclass(frozen=True)
class BiasEffect:
    """The sum of all output biases, as one node."""

    write_magnitude: float
    direct_effect: float
    total_effect: float


def _bias_effect(run: Run) -> BiasEffect:
    """Biases upstream of the read-out; the direct effect holds the read-out's own constant as
    well."""
    write, total = bias_write(run), 0.0
    for bias, site, layer in _upstream_biases(run):
        grad = run.grad(site, layer)
        total += 0.0 if grad is None else float((grad.float() @ bias.float()).sum())
    direct = sum(float(write @ direction.float()) for direction in run.read_out.direction.values())
    return BiasEffect(float(write.norm()), direct + run.read_out.constant, total)


def bias_write(run: Run) -> Float[Tensor, " d_model"]:
    """The sum of all output biases upstream of the read-out; every token gets it."""
    write = torch.zeros(run.model.config.d_model, device=run.embed.device)
    for bias, _, _ in _upstream_biases(run):
        write += bias.float()
    return write


def _upstream_biases(run: Run) -> Iterator[tuple[Tensor, Site, int]]:
    """Each output bias that writes upstream of the read-out, with the site and layer it acts at."""
    place = run.read_out.place
    for layer in range(run.model.config.n_layers):
        block = run.model.block(layer)
        if block.attn.b_o is not None and place.sees_attn(layer):
            yield block.attn.b_o, "resid_delta_attn", layer
        if block.mlp.b_out is not None and place.sees_mlp(layer):
            yield block.mlp.b_out, "resid_delta_mlp", layer


@dataclass(frozen=True)
class Totals:
    """Direct effects of all nodes, listed or not, and total effects summed over the map."""

    by_kind: Mapping[str, float]
    """embed, attn, mlp, bias, error, edit; their sum is the objective when it adds up."""
    attn_by_layer: tuple[float, ...]
    mlp_by_layer: tuple[float, ...]


def _totals(run: Run, bias: BiasEffect) -> Totals:
    """Direct effects by kind and layer, from what each layer really added less its bias; what an
    edit put in place of a head's pairs is `edit`."""
    config, out = run.model.config, run.read_out
    attn, mlp = [0.0] * config.n_layers, [0.0] * config.n_layers
    edit = 0.0
    for layer in range(config.n_layers):
        block = run.model.block(layer)
        if out.place.sees_attn(layer):
            put_in_place = _edited_along(run, layer)
            attn[layer] = _along(run, "resid_delta_attn", layer, block.attn.b_o) - put_in_place
            edit += put_in_place
        if out.place.sees_mlp(layer):
            mlp[layer] = _along(run, "resid_delta_mlp", layer, block.mlp.b_out)
    embed = sum(
        float(run.embed[position].float() @ direction.float())
        for position, direction in out.direction.items()
    )
    by_kind = {
        "embed": embed,
        "attn": sum(attn),
        "mlp": sum(mlp),
        "bias": bias.direct_effect,
        "error": 0.0,
        "edit": edit,
    }
    return Totals(by_kind, tuple(attn), tuple(mlp))


def _along(run: Run, site: Site, layer: int, bias: Tensor | None) -> float:
    delta = run.value(site, layer)
    own = 0.0 if bias is None else bias.float()
    return sum(
        float((delta[position].float() - own) @ direction.float())
        for position, direction in run.read_out.direction.items()
    )


def _edited_along(run: Run, layer: int) -> float:
    """Direct effect of the mixed values that edits put in place of a layer's pairs."""
    replaced = replaced_heads(run.case.interventions, layer, len(run.tokens))
    z, w_o = run.value("attn_z", layer), run.model.block(layer).attn.head_w_o()
    along = (
        float((z[head, position] @ w_o[head]).float() @ direction.float())
        for head, tokens in replaced.items()
        for position, direction in run.read_out.direction.items()
        if position in tokens
    )
    return sum(along, 0.0)


@dataclass(frozen=True)
class EffectMap:
    """Total effect (estimate) by token and by layer and token."""

    embed: Float[Tensor, " seq"]
    attn_from: Float[Tensor, "layer seq"]
    """By query token."""
    attn_to: Float[Tensor, "layer key"]
    mlp: Float[Tensor, "layer seq"]


def _effect_map(effects: Effects) -> EffectMap:
    heads, neurons = effects.heads("total_effect"), effects.neurons("total_effect")
    attn_from, attn_to = [], []
    for layer in range(effects.n_layers):
        pairs = heads.rows(layer).sum(dim=0)
        attn_from.append(pairs.sum(dim=1))
        attn_to.append(pairs.sum(dim=0))
    return EffectMap(
        embed=effects.embed("total_effect").rows(0),
        attn_from=torch.stack(attn_from),
        attn_to=torch.stack(attn_to),
        mlp=torch.stack([neurons.rows(layer).sum(dim=1) for layer in range(effects.n_layers)]),
    )
