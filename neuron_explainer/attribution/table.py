"""The node table: for each kind of node and each metric its own extremes, and every metric for
every row.

1. Each case's metrics (`effects.py`), ranked per kind and metric (`ranking.py`): top k and bottom
   k, or top k of a metric that is never negative.
2. The union over kinds, metrics and cases; prompts of unequal length are aligned at their ends.
3. All four metrics of each row in each case, the totals, and the next tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.effects import METRICS, Effects
from neuron_explainer.attribution.families import FAMILIES, Family
from neuron_explainer.attribution.ranking import Place
from neuron_explainer.models.extent import check_position
from neuron_explainer.models.interventions import Ablate, Patch, Scale
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Run
from neuron_explainer.models.steering import Steer
from neuron_explainer.models.tokens import token_text
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Kind, Node

if TYPE_CHECKING:
    import pandas as pd

N_NEXT_TOKENS = 10
"""Likeliest next tokens of each case; targets and distractors are added whatever their rank."""

_CONSTANT = {("embed", "activation")}
"""Metrics that are the same for every node of a kind and so rank nothing."""

_ROUNDING = 1e-5
"""Below this the biases' row holds nothing but what is left over when float32 sums are compared."""


@dataclass(frozen=True)
class Token:
    id: int
    text: str


@dataclass(frozen=True)
class NextToken:
    id: int
    text: str
    logit: float
    prob: float
    rank: int
    """0 is the most likely."""
    role: str | None
    """target, distractor or None."""


@dataclass(frozen=True)
class ObjectiveValue:
    value: float
    unit: str
    position: int
    adds_up: bool


@dataclass(frozen=True)
class CaseReport:
    """Everything about one case but its rows. Fields are those of the REST response."""

    tokens: tuple[Token, ...]
    objective: ObjectiveValue
    next_tokens: tuple[NextToken, ...]
    direct_effect_by_kind: Mapping[str, float]
    direct_effect_by_layer: Mapping[str, Sequence[float]]
    listed_direct_effect: float
    by_token: Mapping[str, Sequence[float]]
    by_layer: Mapping[str, Sequence[Sequence[float]]]


@dataclass(frozen=True)
class NodeValues:
    activation: float
    write_magnitude: float
    direct_effect: float
    total_effect: float
    share_above: float | None = None
    """Share of a dataset's values of this component that are larger; the server fills it in."""


@dataclass(frozen=True)
class NodeRow:
    node: str
    case_nodes: tuple[str | None, ...]
    component: str
    kind: Kind
    layer: int | None
    index: int | None
    position: int | None
    key_position: int | None
    values: tuple[NodeValues | None, ...]
    edited: str | None


@dataclass(frozen=True, repr=False)
class NodeTable:
    """What `POST /api/debug` answers, as data."""

    cases: tuple[CaseReport, ...]
    nodes: tuple[NodeRow, ...]
    timing_ms: Mapping[str, float]

    def timed(self, timing_ms: Mapping[str, float]) -> "NodeTable":
        return replace(self, timing_ms=timing_ms)

    def to_pandas(self) -> "pd.DataFrame":
        """One row per node; metrics of a second case get the suffix `_right`."""
        import pandas as pd

        suffixes = ("", "_right")
        rows = []
        for row in self.nodes:
            flat: dict[str, Any] = {
                k: v for k, v in asdict(row).items() if k not in ("values", "case_nodes")
            }
            for suffix, values in zip(suffixes, row.values, strict=False):
                cells = asdict(values) if values else dict.fromkeys(METRICS)
                flat |= {f"{metric}{suffix}": cells[metric] for metric in METRICS}
            rows.append(flat)
        places = dict.fromkeys(("layer", "index", "position", "key_position"), "Int64")
        return pd.DataFrame(rows).astype(places)  # whole numbers, absent for some kinds

    def __repr__(self) -> str:
        """One line; the rows are in `to_pandas` and `nodes`."""
        values = " and ".join(f"{c.objective.value:+.3f} {c.objective.unit}" for c in self.cases)
        return f"NodeTable({values}, {len(self.nodes)} nodes)"

    def _repr_html_(self) -> str:
        """The leading rows by total effect, for notebooks."""
        first = self.cases[0]
        tokens = "".join(token.text for token in first.tokens)
        frame = self.to_pandas().sort_values("total_effect", key=abs, ascending=False).head(20)
        frame = frame[["node", *(column for column in frame if str(column).startswith(METRICS))]]
        head = (
            f"<b>{first.objective.value:+.3f}</b> {first.objective.unit}, {len(self.nodes)} nodes"
        )
        return f"<p>{_escape(tokens)}</p><p>{head}</p>{frame.to_html(index=False, float_format='{:.3f}'.format)}"


def node_table(effects: Sequence[Effects], *, top_k: int) -> NodeTable:
    """Rank, gather and sum up the metrics of one or two runs."""
    runs = [e.run for e in effects]
    rows = [*_ranked_rows(effects, top_k), *_bias_rows(effects)]
    logits = [_next_logits(run) for run in runs]
    wanted = _tokens_of_interest(runs, logits)
    reports = tuple(
        _report(e, logits[i], wanted, sum(_direct(row, i) for row in rows))
        for i, e in enumerate(effects)
    )
    return NodeTable(reports, tuple(rows), {})


def _direct(row: NodeRow, case: int) -> float:
    values = row.values[case]
    return 0.0 if values is None else values.direct_effect


def _ranked_rows(effects: Sequence[Effects], top_k: int) -> list[NodeRow]:
    """Rows of every family, in their order; within one by layer and place."""
    shifts = [effects[0].n_tokens - e.n_tokens for e in effects]
    rows: list[NodeRow] = []
    for name in effects[0].kinds():
        family = FAMILIES[name]
        places: set[Place] = set()
        for e, shift in zip(effects, shifts, strict=True):
            for metric in METRICS:
                if (name, metric) not in _CONSTANT:
                    found = e.extremes(name, metric, top_k)
                    places.update(family.shifted(place, shift) for place in found)
        ordered = sorted(places)
        columns = [
            _values(e, family, [family.shifted(place, -shift) for place in ordered])
            for e, shift in zip(effects, shifts, strict=True)
        ]
        for i, place in enumerate(ordered):
            nodes = [family.node(family.shifted(place, -shift)) for shift in shifts]
            values = tuple(column[i] for column in columns)
            rows.append(_row(nodes, values, _edit_of(effects[0].run, nodes[0])))
    return rows


def _values(effects: Effects, family: Family, places: Sequence[Place]) -> list[NodeValues | None]:
    """All four metrics at the given places; None where the prompt has no such token."""
    columns = []
    n_places = len(places)
    inside = [i for i, place in enumerate(places) if family.is_inside(place, effects.n_tokens)]
    for name in METRICS:
        metric = effects.kinds()[family.name](name)
        column = torch.zeros(n_places)
        by_layer: dict[int, list[int]] = {}
        for i in inside:
            by_layer.setdefault(places[i][0], []).append(i)
        for layer, members in by_layer.items():
            index = torch.tensor([places[i][1:] for i in members]).T
            column[members] = metric.at(layer, index).cpu()
        columns.append(column.tolist())
    kept = set(inside)
    return [
        NodeValues(*(column[i] for column in columns)) if i in kept else None
        for i in range(n_places)
    ]


def _row(
    nodes: Sequence[Node], values: tuple[NodeValues | None, ...], edited: str | None
) -> NodeRow:
    names = tuple(
        None if value is None else str(node) for node, value in zip(nodes, values, strict=True)
    )
    node = next(node for node, name in zip(nodes, names, strict=True) if name is not None)
    return NodeRow(
        node=str(node),
        case_nodes=names,
        component=str(node.component),
        kind=node.component.kind,
        layer=node.component.layer,
        index=node.component.index,
        position=node.position,
        key_position=node.key_position,
        values=values,
        edited=edited if names[0] is not None else None,
    )


def _bias_rows(effects: Sequence[Effects]) -> list[NodeRow]:
    biases = [e.bias for e in effects]
    sizes = [max(b.write_magnitude, abs(b.direct_effect)) for b in biases]
    if max(sizes) < _ROUNDING:  # a model without biases, but for the last digit of a sum
        return []
    values = tuple(
        NodeValues(1.0, b.write_magnitude, b.direct_effect, b.total_effect) for b in biases
    )
    return [_row([Node(Component("bias"))] * len(effects), values, None)]


def _edit_of(run: Run, node: Node) -> str | None:
    """What the last intervention that acts on this node did to it."""
    words = {Ablate: "ablated", Scale: "scaled", Patch: "patched", Steer: "steered"}
    n_tokens = len(run.tokens)
    for edit in reversed(run.case.interventions):
        is_here = edit.component == node.component and all(
            allowed is None or place in [check_position(p, n_tokens, "position") for p in allowed]
            for place, allowed in (
                (node.position, edit.positions),
                (node.key_position, edit.key_positions),
            )
        )
        if is_here:
            return words.get(type(edit), "set")
    return None


def _report(
    effects: Effects,
    logits: Float[Tensor, " vocab"],
    wanted: Mapping[int, str | None],
    listed: float,
) -> CaseReport:
    run = effects.run
    out = run.read_out
    sums, field = effects.totals, effects.map
    return CaseReport(
        tokens=tuple(Token(token, token_text(run.model, token)) for token in run.tokens),
        objective=ObjectiveValue(out.value, out.unit, out.position, out.adds_up),
        next_tokens=next_tokens_of(run.model, logits, wanted),
        direct_effect_by_kind=sums.by_kind,
        direct_effect_by_layer={
            "attn": sums.attn_by_layer,
            "mlp": sums.mlp_by_layer,
            "error": sums.error_by_layer,
        },
        listed_direct_effect=listed,
        by_token={
            "embed": field.embed.tolist(),
            "mlp": field.mlp.sum(0).tolist(),
            "attn_from": field.attn_from.sum(0).tolist(),
            "attn_to": field.attn_to.sum(0).tolist(),
        },
        by_layer={"attn": field.attn_from.tolist(), "mlp": field.mlp.tolist()},
    )


def _tokens_of_interest(
    runs: Sequence[Run], logits: Sequence[Float[Tensor, " vocab"]]
) -> Mapping[int, str | None]:
    """Tokens that every case's list must hold: targets, distractors, and each case's likeliest."""
    wanted: dict[int, str | None] = {}
    for row in logits:
        top = row.topk(min(N_NEXT_TOKENS, row.numel())).indices
        wanted |= {int(token): wanted.get(int(token)) for token in top}
    for run in runs:
        objective = run.case.objective
        if isinstance(objective, TokenObjective):
            wanted |= dict.fromkeys(objective.distractor, "distractor")
            wanted |= dict.fromkeys(objective.target, "target")
    return wanted


def _next_logits(run: Run) -> Float[Tensor, " vocab"]:
    """Logits after the objective's token, float32."""
    with torch.no_grad():
        final = run.batch.final[run.row, run.read_out.position]
        return run.model.unembed(final[None, None])[0, 0].float()


def next_tokens_of(
    model: Transformer, logits: Float[Tensor, " vocab"], wanted: Mapping[int, str | None]
) -> tuple[NextToken, ...]:
    """The wanted tokens with their roles, likeliest first."""
    probs = logits.softmax(-1)
    ids = torch.tensor(list(wanted), device=logits.device)
    picked = logits[ids]
    ranks = (logits[None, :] > picked[:, None]).sum(-1).tolist()
    found = [
        NextToken(token, token_text(model, token), logit, prob, rank, wanted[token])
        for token, logit, prob, rank in zip(
            ids.tolist(), picked.tolist(), probs[ids].tolist(), ranks, strict=True
        )
    ]
    return tuple(sorted(found, key=lambda token: (token.rank, token.id)))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
