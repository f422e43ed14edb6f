"""The scalar that is explained: what it is, where it is read from the residual stream, and its gradient there.

Let r be the residual stream where the objective J looks ("just above the read-out") and s(r) the norm's scale there.

    direction      G[t] = dJ/dr[t] with s held fixed (mean subtraction and gain still differentiated)
    live gradient  dJ/dr[t] with s differentiated too
    constant       what J holds besides <r, G>: the norm's bias through the read-out, and the unit's own bias

A token objective looks at the final residual stream; a node objective at the one its layer reads:

    neuron             J = pre-activation (the gate's, in a gated MLP)
    head, query        J = scaled score with the key held fixed; key likewise; query_and_key differentiates both
    head, value        J = A <v[k] W_O, g[q]>: its direct effect on a downstream objective of direction g, A fixed
    latent             J = pre-activation, of what its coder reads as a function of the stream (`latent_objectives.py`)
    coder's error      J = <e, g>: its direct effect on a downstream objective of direction g at the site
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import PLAIN, Bases, Hold, live
from neuron_explainer.models.coded_writes import at_site, lands
from neuron_explainer.models.extent import check_position
from neuron_explainer.models.forward_pass import Pass, Place
from neuron_explainer.models.interventions import check_component, check_pair
from neuron_explainer.models.latent_objectives import (
    Score,
    error_score,
    latent_score,
    normed,
    place_read,
)
from neuron_explainer.models.transformer import Attention, Transformer, rotate
from neuron_explainer.nodes import Kind, Node

Through = Literal["query", "key", "query_and_key", "value"]
TokenKind = Literal["logit_diff", "logit_minus_mean", "logprob", "prob"]

THROUGHS: Mapping[Kind, tuple[Through | None, ...]] = {
    "attn": ("query", "key", "query_and_key", "value"),
    "mlp": (None,),
    "latent": (None,),
    "error": ("value",),
}
"""What each kind of node may be traced through; None is its own pre-activation."""


@dataclass(frozen=True)
class TokenObjective:
    """What is asked of the next token.

    logit_diff        mean target logit - mean distractor logit (no distractor: the mean target logit), in logits
    logit_minus_mean  mean target logit - mean logit over the vocabulary, in logits
    logprob           log of the targets' summed probability, in nats
    prob              the targets' summed probability

    Only logit_diff looks at the distractors.
    """

    kind: TokenKind
    target: tuple[int, ...]
    distractor: tuple[int, ...] = ()
    position: int = -1
    """Token after which the prediction is read; -1 is the last."""

    def __post_init__(self) -> None:
        if not self.target:
            raise ValueError("target_tokens is empty: name at least one target token, or a trace.")

    @property
    def unit(self) -> str:
        units = {"logprob": "nats", "prob": "probability"}
        return units.get(self.kind, "logits")

    @property
    def is_linear(self) -> bool:
        return self.kind in ("logit_diff", "logit_minus_mean")

    def value(
        self, normed: Float[Tensor, "*batch d_model"], w_unembed: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch"]:
        """J from the normed residual stream, in float32. Takes only the unembedding rows it needs."""
        target = list(self.target)
        if self.kind == "logit_diff":
            up = _mean_logit(normed, w_unembed[target])
            if not self.distractor:
                return up
            return up - _mean_logit(normed, w_unembed[list(self.distractor)])
        logits = F.linear(normed, w_unembed).float()
        match self.kind:
            case "logit_minus_mean":
                return logits[..., target].mean(-1) - logits.mean(-1)
            case "logprob":
                return logits.log_softmax(-1)[..., target].logsumexp(-1)
            case "prob":
                return logits.softmax(-1)[..., target].sum(-1)


def _mean_logit(normed: Tensor, rows: Tensor) -> Tensor:
    return F.linear(normed, rows).float().mean(-1)


@dataclass(frozen=True)
class NodeObjective:
    """A node's own pre-activation or attention score, or what its write does downstream: tracing."""

    node: Node
    through: Through | None = None
    downstream: "TokenObjective | NodeObjective | None" = None
    """With `value`: what judges the write of the head or the coder's error."""

    def __post_init__(self) -> None:
        kind = self.node.component.kind
        if kind not in THROUGHS:
            raise ValueError(
                f"{self.node}: only heads, neurons, latents and coders' errors can be traced."
            )
        if self.through not in THROUGHS[kind]:
            *most, last = (each or "null" for each in THROUGHS[kind])
            allowed = f"{', '.join(most)} or {last}" if most else last
            raise ValueError(f"{self.node}: trace through must be {allowed}, not {self.through!r}.")
        if (self.through == "value") != (self.downstream is not None):
            raise ValueError(
                f"{self.node}: a trace through value, and only that, needs a downstream objective."
            )


Objective = TokenObjective | NodeObjective


@dataclass(frozen=True)
class ReadOut:
    """An objective's value on a run, and its gradient at the residual stream where it looks."""

    value: float
    unit: str
    place: Place
    position: int
    """Token at which the objective lives."""
    direction: Mapping[int, Float[Tensor, " d_model"]]
    live_gradient: Mapping[int, Float[Tensor, " d_model"]]
    constant: float
    adds_up: bool
    """Whether value = sum of <r[t], direction[t]> + constant exactly: J is affine once the scale is fixed."""


def read_out(batch: Pass, row: int, objective: Objective, bases: Bases = PLAIN) -> ReadOut:
    """Read an objective off one row of a pass; `bases` are those that its latents belong to.

    Raises LookupError or ValueError when the row's prompt or the model lacks what it names.
    """
    with torch.enable_grad():
        if isinstance(objective, TokenObjective):
            return _read_tokens(batch, row, objective)
        return _read_node(batch, row, objective, bases)


def place_of(objective: Objective, model: Transformer, bases: Bases = PLAIN) -> Place:
    """Where an objective looks at the residual stream."""
    if isinstance(objective, TokenObjective):
        return Place(model.config.n_layers)
    component = objective.node.component
    if component.kind in ("latent", "error"):
        return place_read(model, bases.at(component))
    is_mid = component.kind == "mlp" and not model.config.parallel_residual
    return Place(component.layer or 0, is_mid)


def _read_tokens(batch: Pass, row: int, objective: TokenObjective) -> ReadOut:
    model = batch.model
    position = check_position(objective.position, batch.lengths[row], "position")
    for token in (*objective.target, *objective.distractor):
        if not 0 <= token < model.config.n_vocab:
            raise ValueError(f"token id {token} is out of range: 0-{model.config.n_vocab - 1}.")
    r = batch.final[row, position].detach().requires_grad_()
    norm = model.final_norm
    scale = norm.scale(r)
    normed = norm.apply(r, scale)
    value = objective.value(normed, model.w_unembed)
    (u,) = torch.autograd.grad(value, normed)  # through the unembedding, which is large, once
    (live,) = torch.autograd.grad(normed, r, u)
    (direction,) = torch.autograd.grad(norm.apply(r, scale.detach()), r, u)
    constant = 0.0 if norm.bias is None else float(u.double() @ norm.bias.detach().double())
    return ReadOut(
        value=float(value.detach()),
        unit=objective.unit,
        place=place_of(objective, model),
        position=position,
        direction={position: direction},
        live_gradient={position: live},
        constant=constant,
        adds_up=objective.is_linear,
    )


def _score(batch: Pass, row: int, objective: NodeObjective, bases: Bases) -> Score:
    component = objective.node.component
    check_component(component, batch.model.config, bases)
    if component.kind == "latent":
        position = check_position(objective.node.position or 0, batch.lengths[row], "position")
        return latent_score(batch, row, bases.at(component), component.index or 0, position)
    if component.kind == "error":
        return _error_write(batch, row, objective, bases)
    if component.kind == "mlp":
        return _pre_activation(batch, row, objective)
    if objective.through == "value":
        return _value_write(batch, row, objective, bases)
    return _attention_score(batch, row, objective)


def _read_node(batch: Pass, row: int, objective: NodeObjective, bases: Bases) -> ReadOut:
    """Value, direction and live gradient of J(r[t] for the tokens t it reads)."""
    score = _score(batch, row, objective, bases)
    place = place_of(objective, batch.model, bases)
    resid = batch.resid(place)[row].detach()
    value, direction = _gradient(score, resid, torch.Tensor.detach)
    _, live_gradient = _gradient(score, resid, live)
    linear = sum(float(resid[p].double() @ g.double()) for p, g in direction.items())
    return ReadOut(
        value=float(value),
        unit=score.unit,
        place=place,
        position=score.position,
        direction=direction,
        live_gradient=live_gradient,
        constant=float(value) - linear if score.adds_up else 0.0,
        adds_up=score.adds_up,
    )


def _gradient(
    score: Score, resid: Float[Tensor, "seq d_model"], hold: Hold
) -> tuple[Tensor, dict[int, Tensor]]:
    """J, and its gradient at each token it reads; a token read twice gets the sum."""
    leaves = [resid[p].clone().requires_grad_() for p in score.reads]
    value = score.of(leaves, hold)
    grads: dict[int, Tensor] = {}
    for p, g in zip(score.reads, torch.autograd.grad(value, leaves), strict=True):
        grads[p] = grads[p] + g if p in grads else g
    return value.detach(), grads


@torch.no_grad()
def read_out_values(
    batch: Pass,
    row: int,
    objective: Objective,
    x: Float[Tensor, "batch seq d_model"],
    start: int,
    bases: Bases = PLAIN,
) -> list[float]:
    """J, norm live, of other residual streams at the same place: `x` holds tokens from `start` on.

    What a node objective holds fixed (the other side of a score, the pattern, the downstream direction) is the
    given row's.
    """
    base = batch.resid(place_of(objective, batch.model, bases))[row].detach()

    def at(position: int) -> Tensor:
        if position < start:
            return base[position].expand(x.shape[0], -1)
        return x[:, position - start]

    if isinstance(objective, TokenObjective):
        norm = batch.model.final_norm
        r = at(check_position(objective.position, batch.lengths[row], "position"))
        values = objective.value(norm.apply(r, norm.scale(r)), batch.model.w_unembed)
    else:
        score = _score(batch, row, objective, bases)
        values = score.of([at(position) for position in score.reads], live)
    return values.tolist()


def _pre_activation(batch: Pass, row: int, objective: NodeObjective) -> Score:
    component, model = objective.node.component, batch.model
    position = check_position(objective.node.position or 0, batch.lengths[row], "position")
    block = model.block(component.layer or 0)
    weight = block.mlp.w_in[component.index or 0]
    bias = 0.0 if block.mlp.b_in is None else block.mlp.b_in[component.index or 0]

    def pre_activation(r: Sequence[Tensor], hold: Hold) -> Tensor:
        return (normed(block.norm_mlp, r[0], hold) @ weight + bias).float()

    return Score((position,), position, pre_activation, "pre-activation")


def _head_part(
    attn: Attention, part: Literal["q", "k", "v"], head: int, x: Float[Tensor, "*batch d_model"]
) -> Float[Tensor, "*batch d_head"]:
    """One head's query, key or value of a normed residual vector, before rotary positions."""
    own = head if part == "q" else head * attn.n_kv_heads // attn.n_heads
    start = {"q": 0, "k": attn.sizes[0], "v": attn.sizes[0] + attn.sizes[1]}[part]
    rows = slice(start + own * attn.d_head, start + (own + 1) * attn.d_head)
    return F.linear(x, attn.w_qkv[rows], None if attn.b_qkv is None else attn.b_qkv[rows])


def _turned(
    model: Transformer,
    attn: Attention,
    part: Literal["q", "k"],
    head: int,
    x: Float[Tensor, "*batch d_model"],
    position: int,
) -> Float[Tensor, "*batch d_head"]:
    """One head's query or key of a normed residual vector, with its rotary position."""
    plain = _head_part(attn, part, head, x)
    if model.rotary is None:
        return plain
    cos, sin = model.rotary.angles(position, position + 1, x)
    return rotate(plain, (cos[0], sin[0]))


def _attention_score(batch: Pass, row: int, objective: NodeObjective) -> Score:
    node, model = objective.node, batch.model
    head = node.component.index or 0
    query, key = check_pair(node, batch.lengths[row])
    block = model.block(node.component.layer or 0)
    resid = batch.resid(place_of(objective, model))[row].detach()
    fixed = normed(block.norm_attn, resid, live)
    fixed_q = _turned(model, block.attn, "q", head, fixed[query], query)
    fixed_k = _turned(model, block.attn, "k", head, fixed[key], key)

    def score(r: Sequence[Tensor], hold: Hold) -> Tensor:
        x = [normed(block.norm_attn, each, hold) for each in r]
        q, k = fixed_q, fixed_k
        if objective.through != "key":
            q = _turned(model, block.attn, "q", head, x[0], query)
        if objective.through != "query":
            k = _turned(model, block.attn, "k", head, x[-1], key)
        return (q * k).sum(-1).float() * block.attn.scale

    reads = {"query": (query,), "key": (key,), "query_and_key": (query, key)}
    through = objective.through or "query"
    return Score(reads[through], reads[through][0], score, "score", through != "query_and_key")


def _value_write(batch: Pass, row: int, objective: NodeObjective, bases: Bases) -> Score:
    """What a head's write at a pair is worth downstream, its pattern held fixed."""
    node, model = objective.node, batch.model
    head, layer = node.component.index or 0, node.component.layer or 0
    query, key = check_pair(node, batch.lengths[row])
    below = _judge(batch, row, objective, bases, query, Place(layer, is_mid=True))
    attn = model.block(layer).attn
    weight = batch.value("attn_pattern", layer).detach()[row, head, query, key]
    pulled = attn.head_w_o()[head] @ below.direction[query].to(attn.w_o.dtype)
    norm = model.block(layer).norm_attn

    def value(r: Sequence[Tensor], hold: Hold) -> Tensor:
        v = _head_part(attn, "v", head, normed(norm, r[0], hold))
        return (weight * (v @ pulled)).float()

    return Score((key,), key, value, below.unit)


def _error_write(batch: Pass, row: int, objective: NodeObjective, bases: Bases) -> Score:
    """What a coder's error at a token is worth downstream."""
    coded = bases.at(objective.node.component)
    position = check_position(objective.node.position or 0, batch.lengths[row], "position")
    below = _judge(batch, row, objective, bases, position, lands(coded))
    along = at_site(batch.model, coded, below.direction[position].float())
    return error_score(batch, row, coded, position, along, below.unit)


def _judge(
    batch: Pass, row: int, objective: NodeObjective, bases: Bases, token: int, lands_at: Place
) -> ReadOut:
    """The read-out that judges a write at a token. Raises ValueError where it does not see that write."""
    assert objective.downstream is not None  # checked when the objective was made
    below = read_out(batch, row, objective.downstream, bases)
    if below.place < lands_at or token not in below.direction:
        raise ValueError(
            f"{objective.node} through value: its downstream objective does not read what it writes (it looks "
            f"at token {sorted(below.direction)}, at layer {below.place.layer}). Choose one that lies "
            f"downstream and reads token {token}."
        )
    return below
