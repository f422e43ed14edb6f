"""What the vocabulary makes of a vector: logit lens, and the tokens a write promotes or suppresses.

    lens(r)    = W_U Norm(r)                                  nostalgebraist 2020, the logit lens
    tokens(w)  = W_U (gain * (w - mean(w))) / scale, less its mean over the vocabulary, in logits

The mean of w is taken away only where the final norm is a LayerNorm. For a node of a run the scale
is that of the run's own read-out; for weights alone, which have no run, it is 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.attribution.deltas import change_of
from neuron_explainer.attribution.table import NextToken, next_tokens_of
from neuron_explainer.attribution.totals import bias_write
from neuron_explainer.models.forward_pass import Place
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Run
from neuron_explainer.models.tokens import token_text
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Node


@dataclass(frozen=True)
class TokenScore:
    id: int
    text: str
    logit: float


@dataclass(frozen=True)
class NodeTokens:
    node: str
    promotes: tuple[TokenScore, ...]
    suppresses: tuple[TokenScore, ...]


@dataclass(frozen=True)
class LensLayer:
    layer: int
    """-1 is the embeddings."""
    value: float
    tokens: tuple[NextToken, ...]


@torch.no_grad()
def write_logits(
    model: Transformer, writes: Float[Tensor, "n d_model"], scale: float = 1.0
) -> Float[Tensor, "n vocab"]:
    """What writes add to each token's logit at a read-out of this norm scale, centred over the
    vocabulary."""
    norm = model.final_norm
    y = writes.float()
    if norm.centred:
        y = y - y.mean(-1, keepdim=True)
    logits = F.linear((y * norm.weight.float() / scale).to(model.dtype), model.w_unembed).float()
    return logits - logits.mean(-1, keepdim=True)


def top_tokens(
    model: Transformer, logits: Float[Tensor, " vocab"], n: int, *, largest: bool = True
) -> tuple[TokenScore, ...]:
    """The n tokens with the largest (or smallest) logits."""
    found = logits.topk(min(n, logits.numel()), largest=largest)
    return tuple(
        TokenScore(token, token_text(model, token), value)
        for value, token in zip(found.values.tolist(), found.indices.tolist(), strict=True)
    )


@torch.no_grad()
def node_tokens(run: Run, nodes: Sequence[Node], n: int) -> list[NodeTokens]:
    """Tokens that each node's write promotes and suppresses, at the scale of the run's own final
    norm.

    Raises LookupError or ValueError for a node the model or the prompt does not have.
    """
    writes = torch.stack([_write(run, node) for node in nodes])
    final = run.batch.final[run.row, run.read_out.position].detach()
    scale = float(run.model.final_norm.scale(final))
    logits = write_logits(run.model, writes, scale)
    return [
        NodeTokens(
            str(node),
            top_tokens(run.model, row, n),
            top_tokens(run.model, row, n, largest=False),
        )
        for node, row in zip(nodes, logits, strict=True)
    ]


def _write(run: Run, node: Node) -> Float[Tensor, " d_model"]:
    """What a node adds to the residual stream."""
    if node.component.kind == "bias":
        return bias_write(run)[run.read_out.position]
    change = change_of(run, node)
    assert change.position is not None  # a node is at a token
    return -change.vectors[change.position].float()


@torch.no_grad()
def logit_lens(run: Run, n: int) -> tuple[LensLayer, ...]:
    """The case's objective and likeliest tokens, read out after every layer at the objective's
    token.

    For a traced node, which has no tokens of its own, the value is the logit of the likeliest next
    token.
    """
    model, position = run.model, run.read_out.position
    resid = torch.stack(
        [
            run.batch.resid(Place(layer))[run.row, position].detach()
            for layer in range(model.config.n_layers + 1)
        ]
    )
    normed = model.final_norm.apply(resid, model.final_norm.scale(resid))
    logits = F.linear(normed, model.w_unembed).float()
    objective = run.case.objective
    if not isinstance(objective, TokenObjective):
        objective = TokenObjective("logit_diff", (int(logits[-1].argmax()),))
    values = objective.value(normed, model.w_unembed).tolist()
    roles = dict.fromkeys(objective.distractor, "distractor")
    roles |= dict.fromkeys(objective.target, "target")
    return tuple(
        LensLayer(
            layer - 1,
            value,
            next_tokens_of(model, row, _with_top(row, n, roles)),
        )
        for layer, (value, row) in enumerate(zip(values, logits, strict=True))
    )


def _with_top(logits: Tensor, n: int, roles: dict[int, str]) -> dict[int, str | None]:
    top = logits.topk(min(n, logits.numel())).indices.tolist()
    return {**dict.fromkeys(top, None), **roles}
