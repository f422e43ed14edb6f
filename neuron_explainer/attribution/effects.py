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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.hooks import Site
from neuron_explainer.models.interventions import check_position, edits_z
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


@dataclass(frozen=True)
class Metric:
    """One number for each node of a kind, `[layer]` then the kind's axes (neurons: token,
    neuron)."""

    layers: tuple[Float[Tensor, "*axes"], ...]
    is_signed: bool


class Effects:
    """The metrics of one run, computed when asked for."""

    def __init__(self, run: Run, norms: WriteNorms) -> None:
        self.run = run
        self.norms = norms
        self.n_layers = run.model.config.n_layers
        self.n_tokens = len(run.tokens)

    def kinds(self) -> Mapping[str, Callable[[str], Metric]]:
        """Kinds of node that are ranked, and how to get a metric of each."""
        return {"embed": self.embed, "attn": self.heads, "mlp": self.neurons}

    def neurons(self, metric: str) -> Metric:
        """ "token neuron" by layer."""
        return getattr(self, f"_neuron_{metric}")  # type: ignore[no-any-return]  # cached properties by name

    def heads(self, metric: str) -> Metric:
        """ "head query key" by layer."""
        return getattr(self, f"_head_{metric}")  # type: ignore[no-any-return]

    def embed(self, metric: str) -> Metric:
        """ "token" in a single layer."""
        return getattr(self, f"_embed_{metric}")  # type: ignore[no-any-return]

    @cached_property
    def _neuron_activation(self) -> Metric:
        return Metric(self._values("mlp_post_act"), is_signed=True)

    @cached_property
    def _neuron_write_magnitude(self) -> Metric:
        norms = zip(self._neuron_activation.layers, self.norms.neuron, strict=True)
        return Metric(tuple(a.abs() * norm for a, norm in norms), is_signed=False)

    @cached_property
    def _neuron_direct_effect(self) -> Metric:
        return Metric(tuple(self._neuron_direct(i) for i in range(self.n_layers)), is_signed=True)

    @cached_property
    def _neuron_total_effect(self) -> Metric:
        return Metric(self._times_gradient("mlp_post_act"), is_signed=True)

    def _neuron_direct(self, layer: int) -> Float[Tensor, "seq d_mlp"]:
        a = self._neuron_activation.layers[layer]
        direct = torch.zeros_like(a)
        if self.run.read_out.place.sees_mlp(layer):
            w_out = self.run.model.block(layer).mlp.w_out
            for position, direction in self.run.read_out.direction.items():
                direct[position] = a[position] * (direction.to(w_out.dtype) @ w_out).float()
        return direct

    @cached_property
    def _head_activation(self) -> Metric:
        return Metric(self._values("attn_pattern"), is_signed=False)

    @cached_property
    def _head_write_magnitude(self) -> Metric:
        layers = []
        for layer in range(self.n_layers):
            v = self._values_by_head(layer)
            norm = ((v @ self.norms.head_gram[layer]) * v).sum(-1).clamp(min=0).sqrt()
            layers.append(self._writing_pattern(layer).abs() * norm[:, None, :])
        return Metric(tuple(layers), is_signed=False)

    @cached_property
    def _head_direct_effect(self) -> Metric:
        return Metric(tuple(self._head_direct(i) for i in range(self.n_layers)), is_signed=True)

    @cached_property
    def _head_total_effect(self) -> Metric:
        return Metric(self._times_gradient("attn_pattern"), is_signed=True)

    def _head_direct(self, layer: int) -> Float[Tensor, "head seq key"]:
        pattern = self._writing_pattern(layer)
        direct = torch.zeros_like(pattern)
        if self.run.read_out.place.sees_attn(layer):
            w_o, v = self.run.model.block(layer).attn.head_w_o(), self._values_by_head(layer)
            for position, direction in self.run.read_out.direction.items():
                pulled = (w_o @ direction.to(w_o.dtype)).float()
                direct[:, position] = pattern[:, position] * (v @ pulled[:, :, None]).squeeze(-1)
        return direct

    @cached_property
    def _embed_activation(self) -> Metric:
        return Metric((torch.ones(self.n_tokens, device=self.run.embed.device),), is_signed=False)

    @cached_property
    def _embed_write_magnitude(self) -> Metric:
        return Metric((self.run.embed.float().norm(dim=-1),), is_signed=False)

    @cached_property
    def _embed_direct_effect(self) -> Metric:
        x0 = self.run.embed.float()
        direct = torch.zeros(self.n_tokens, device=x0.device)
        for position, direction in self.run.read_out.direction.items():
            direct[position] = x0[position] @ direction.float()
        return Metric((direct,), is_signed=True)

    @cached_property
    def _embed_total_effect(self) -> Metric:
        return Metric(((self.run.embed * self.run.embed_grad).float().sum(-1),), is_signed=True)

    def _values(self, site: Site) -> tuple[Tensor, ...]:
        return tuple(self.run.value(site, layer).float() for layer in range(self.n_layers))

    def _times_gradient(self, site: Site) -> tuple[Tensor, ...]:
        layers = []
        for layer in range(self.n_layers):
            value, grad = self.run.value(site, layer), self.run.grad(site, layer)
            layers.append(torch.zeros_like(value) if grad is None else value * grad)
        return tuple(layer.float() for layer in layers)

    def _values_by_head(self, layer: int) -> Float[Tensor, "head key d_head"]:
        """attn_v with each key-value head repeated for the query heads that share it."""
        config = self.run.model.config
        v = self.run.value("attn_v", layer).float()
        return v.repeat_interleave(config.n_heads // config.n_kv_heads, dim=0)

    def _writing_pattern(self, layer: int) -> Float[Tensor, "head seq key"]:
        """The pattern, with zeros where an edit of z took over from the pairs."""
        pattern = self._head_activation.layers[layer]
        replaced = [
            edit
            for edit in self.run.case.interventions
            if edits_z(edit) and edit.component.layer == layer
        ]
        if not replaced:
            return pattern
        pattern = pattern.clone()
        for edit in replaced:
            positions = range(self.n_tokens) if edit.positions is None else edit.positions
            at = [check_position(p, self.n_tokens, "position") for p in positions]
            pattern[edit.component.index or 0, at] = 0.0
        return pattern


@dataclass(frozen=True)
class BiasEffect:
    """The sum of all output biases, as one node."""

    write_magnitude: float
    direct_effect: float
    total_effect: float


def bias_effect(run: Run) -> BiasEffect:
    """Biases upstream of the read-out; the direct effect holds the read-out's own constant as
    well."""
    place, total = run.read_out.place, 0.0
    write = torch.zeros(run.model.config.d_model, device=run.embed.device)
    for layer in range(run.model.config.n_layers):
        block = run.model.block(layer)
        for bias, site, seen in (
            (block.attn.b_o, "resid_delta_attn", place.sees_attn(layer)),
            (block.mlp.b_out, "resid_delta_mlp", place.sees_mlp(layer)),
        ):
            if bias is None or not seen:
                continue
            write += bias.float()
            grad = run.grad(site, layer)  # type: ignore[arg-type]  # a literal of the tuple above
            total += 0.0 if grad is None else float((grad.float() @ bias.float()).sum())
    direct = sum(float(write @ direction.float()) for direction in run.read_out.direction.values())
    return BiasEffect(float(write.norm()), direct + run.read_out.constant, total)


@dataclass(frozen=True)
class Totals:
    """Direct effects of all nodes, listed or not, and total effects summed over the map."""

    by_kind: Mapping[str, float]
    """embed, attn, mlp, bias, error, edit; their sum is the objective when it adds up."""
    attn_by_layer: tuple[float, ...]
    mlp_by_layer: tuple[float, ...]


def totals(run: Run, bias: BiasEffect) -> Totals:
    """Direct effects by kind and layer, from what each layer really added (edits included), less
    its bias."""
    config, out = run.model.config, run.read_out
    attn, mlp = [0.0] * config.n_layers, [0.0] * config.n_layers
    for layer in range(config.n_layers):
        block = run.model.block(layer)
        if out.place.sees_attn(layer):
            attn[layer] = _along(run, "resid_delta_attn", layer, block.attn.b_o)
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
        "edit": 0.0,
    }
    return Totals(by_kind, tuple(attn), tuple(mlp))


def _along(run: Run, site: Site, layer: int, bias: Tensor | None) -> float:
    delta = run.value(site, layer)
    own = 0.0 if bias is None else bias.float()
    return sum(
        float((delta[position].float() - own) @ direction.float())
        for position, direction in run.read_out.direction.items()
    )


@dataclass(frozen=True)
class EffectMap:
    """Total effect (estimate) by token and by layer and token."""

    embed: Float[Tensor, " seq"]
    attn_from: Float[Tensor, "layer seq"]
    """By query token."""
    attn_to: Float[Tensor, "layer key"]
    mlp: Float[Tensor, "layer seq"]


def effect_map(effects: Effects) -> EffectMap:
    heads = effects.heads("total_effect").layers
    return EffectMap(
        embed=effects.embed("total_effect").layers[0],
        attn_from=torch.stack([layer.sum(dim=(0, 2)) for layer in heads]),
        attn_to=torch.stack([layer.sum(dim=(0, 1)) for layer in heads]),
        mlp=torch.stack([layer.sum(dim=1) for layer in effects.neurons("total_effect").layers]),
    )
