"""Answers which components led to a token of a conversation.

1. read      the token and what is asked of it become an objective at the token before
2. rank      attribution or activation, one list over all kinds (`attribution/influence.py`)
3. describe  each item's rank in its own distribution, its explanation, its measured effect
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from activation_server import wire
from activation_server.conversations import ReadConversation, read_conversation
from activation_server.datasets import MAKE_HINT
from activation_server.errors import BadRequest
from activation_server.extremes import EXTREME_TAIL, Extremes
from activation_server.generation import conversation_tokens
from activation_server.meanings import Meanings
from activation_server.questions import (
    NAME_HINT,
    POSITION_HINT,
    TARGET_HINT,
    field,
    read_bases,
)
from activation_server.schemas import ClustersRequest, InfluenceRequest
from neuron_explainer.attribution.influence import (
    Asked,
    Influence,
    Influencer,
    UnknownQuantiles,
    influence,
)
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.attribution.joint import joint_effects
from neuron_explainer.exemplars.distribution import rank_in_own_distribution
from neuron_explainer.explanations.explanation import Explanation
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.interventions import Ablate
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.models.tokens import encode_one, token_text
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Kind, Stream


@dataclass(frozen=True)
class Question:
    """Why a token, read and checked."""

    conversation: ReadConversation
    case: Case
    position: int
    token: int
    distractor: int | None
    of: str
    asked: Asked

    @property
    def coders(self) -> frozenset[str]:
        """The names of those whose latents are among the components."""
        return frozenset(site.name for site in self.case.bases.sites)


def read_question(
    investigation: Investigation, body: InfluenceRequest | ClustersRequest, extremes: Extremes
) -> Question:
    """Read a request. Raises what it has wrong, before anything runs."""
    model = investigation.model
    named = read_bases(investigation, body.mlp_basis, body.attention_basis, body.resid_basis)
    conversation = read_conversation(model, body, extremes, named)
    tokens = conversation.text.tokens
    position = len(tokens) - 1 if body.position == -1 else body.position
    if not 1 <= position <= len(tokens):
        raise BadRequest(
            f"{body.position} was given; the conversation has tokens 0-{len(tokens) - 1}, and the "
            "first is predicted from nothing.",
            f"{POSITION_HINT} {len(tokens)} is the token to come.",
            where="position",
        )
    if body.token is None and position == len(tokens):
        raise BadRequest(
            "The token to come is not known yet.", "Say which one is meant.", where="token"
        )
    token = tokens[position] if body.token is None else read_token(model, body.token, "token")
    distractor = _distractor(model, body, token)
    kind = "logit_diff" if body.of in ("logit", "logit_diff") else body.of
    against = () if distractor is None else (distractor,)
    objective = TokenObjective(kind, (token,), against, position - 1)  # type: ignore[arg-type]  # checked by the schema
    _refuse_prompt_means(conversation)
    case = Case(tokens, objective, conversation.located, _bases(investigation, body, conversation))
    return Question(
        conversation, case, position, token, distractor, body.of, _asked(model, body, position)
    )


def _bases(
    investigation: Investigation,
    body: InfluenceRequest | ClustersRequest,
    conversation: ReadConversation,
) -> Bases:
    """Neurons and heads unless a coder set is named, latents alone are listed, or one is edited."""
    coded = {edit.component.stream for edit in conversation.interventions}
    wants_latents = body.kinds is not None and "latent" in body.kinds
    if set(body.kinds or ()) == {"latent"} and not (
        body.mlp_basis or body.attention_basis or body.resid_basis
    ):
        coded |= {"mlp", "attn", "resid"}
    bases = read_bases(
        investigation,
        mlp=body.mlp_basis or (None if "mlp" in coded else "neuron"),
        attention=body.attention_basis or (None if "attn" in coded else "head"),
        resid=body.resid_basis or (None if "resid" in coded else ""),
    )
    if wants_latents and not bases.sites:
        named = ", ".join(investigation.coder_sets) or "none is served"
        raise BadRequest(
            f"Latents are asked for, and no coder is in use (there: {named}).",
            "Name one in mlp_basis, attention_basis or resid_basis; `tdb serve --coder` loads more.",
            where="kinds",
        )
    return bases


def read_token(model: Transformer, given: int | str, where: str) -> int:
    """A token by its id or its text."""
    with field(where, TARGET_HINT):
        if isinstance(given, str):
            return encode_one(model, given)
        if given >= model.config.n_vocab:
            raise ValueError(f"token id {given} is out of range: 0-{model.config.n_vocab - 1}.")
        return given


def _distractor(
    model: Transformer, body: InfluenceRequest | ClustersRequest, token: int
) -> int | None:
    if (body.of == "logit_diff") != (body.distractor_token is not None):
        raise BadRequest(
            f"`of` is {body.of!r}.",
            "A distractor goes with `logit_diff`, and only with it.",
            where="distractor_token",
        )
    if body.distractor_token is None:
        return None
    distractor = read_token(model, body.distractor_token, "distractor_token")
    if distractor == token:
        raise BadRequest("It is the token itself.", "Name another one.", where="distractor_token")
    return distractor


def _refuse_prompt_means(conversation: ReadConversation) -> None:
    text = conversation.text
    if len(text.tokens) == text.n_prompt:
        return
    for number, edit in enumerate(conversation.interventions):
        if isinstance(edit, Ablate) and edit.value == "mean":
            raise BadRequest(
                "A mean is taken over the prompt, and here a reply follows it.",
                "Ablate to zero.",
                where=f"interventions[{number}].value",
            )


def refuse_layers(model: Transformer, layers: Sequence[int]) -> None:
    """Raises BadRequest for the first that the model has not."""
    n_layers = model.config.n_layers
    for number, layer in enumerate(layers):
        if layer >= n_layers:
            raise BadRequest(
                f"{layer} was given; {model.config.name} has layers 0-{n_layers - 1}.",
                NAME_HINT,
                where=f"layers[{number}]",
            )


def _asked(model: Transformer, body: InfluenceRequest | ClustersRequest, position: int) -> Asked:
    refuse_layers(model, body.layers or ())
    at = tuple(range(position))
    if body.positions is not None:
        at = tuple(position - 1 if p == -1 else p for p in body.positions)
    for number, place in enumerate(at):
        if place >= position:
            raise BadRequest(
                f"{place} was given; the token at {position} is predicted from 0-{position - 1}.",
                POSITION_HINT,
                where=f"positions[{number}]",
            )
    return Asked(body.kinds, body.layers, body.side, at)


class Ranking:
    """Computes influence on the worker's thread."""

    def __init__(
        self, investigation: Investigation, extremes: Extremes, meanings: Meanings
    ) -> None:
        self._investigation = investigation
        self._extremes = extremes
        self._meanings = meanings

    def influence(
        self, question: Question, body: InfluenceRequest | ClustersRequest, top_k: int, per: str
    ) -> Influence:
        """The ranked items. Raises BadRequest where activations have no quantiles."""
        effects = self._investigation.effects(question.case, body.read_out_norm)
        try:
            return influence(
                effects,
                by=body.by,
                top_k=top_k,
                per="node" if per == "node" else "component",
                asked=question.asked,
                extremes=self._pairs(body.dataset, question.case.bases),
            )
        except UnknownQuantiles as problem:
            raise BadRequest(
                str(problem),
                f"{MAKE_HINT} Or rank by attribution, which needs none.",
                where="by",
            ) from problem

    def answer(self, question: Question, body: InfluenceRequest) -> bytes:
        """The whole answer."""
        found = self.influence(question, body, body.top_k, body.per)
        measured = self._measured(question, found.items[: body.measure], body.per)
        explained = self._meanings.best(
            [(item.component, item.side) for item in found.items], question.coders
        )
        totals = found.totals
        listed = sum(item.attribution for item in found.items)
        return wire.to_bytes(
            {
                **self.opening(question, body),
                "items": [
                    self._item(
                        item,
                        measured.get(number),
                        explained.get((item.component, item.side)),
                        self._rank(question, item, body.dataset),
                    )
                    for number, item in enumerate(found.items)
                ],
                "by_token": totals.by_token.tolist(),
                "by_key_token": totals.by_key_token.tolist(),
                "totals": {
                    "all": totals.all,
                    **totals.by_side,
                    "listed": listed,
                    **totals.by_kind,
                },
                "extreme_level": self._level(body.dataset),
            }
        )

    def opening(
        self, question: Question, body: InfluenceRequest | ClustersRequest
    ) -> dict[str, Any]:
        """The conversation's tokens, and the objective with its value."""
        model = self._investigation.model
        value = self._investigation.effects(question.case, body.read_out_norm).run.read_out
        return {
            "tokens": conversation_tokens(model, question.conversation.text),
            "objective": {
                "value": wire.finite(value.value),
                "unit": value.unit,
                "of": question.of,
                "position": question.position,
                "token": _named(model, question.token),
                "distractor": None
                if question.distractor is None
                else _named(model, question.distractor),
            },
        }

    def _item(
        self,
        item: Influencer,
        measured: float | None,
        explanation: Explanation | None,
        quantile: float | None,
    ) -> dict[str, Any]:
        component = item.component
        return {
            "node": str(item.node),
            "component": str(component),
            "kind": component.kind,
            "layer": component.layer,
            "index": component.index,
            "position": item.node.position,
            "key_position": item.node.key_position,
            "side": item.side,
            "value": item.value,
            "activation": item.activation,
            "attribution": item.attribution,
            "quantile": quantile,
            "relative_activation": item.relative_activation,
            "measured_effect": measured,
            "n_tokens": item.n_tokens,
            "explanation": None if explanation is None else explanation.text,
            "explanation_score": None if explanation is None else explanation.score,
        }

    def _rank(self, question: Question, item: Influencer, dataset: str | None) -> float | None:
        table = self._extremes.table(item.component, dataset, question.case.bases)
        if table is None or item.component.index is None:
            return None
        index = torch.tensor([item.component.index])
        return float(rank_in_own_distribution(torch.tensor([item.gauge]), table, index)[0])

    def _measured(
        self, question: Question, items: Sequence[Influencer], per: str
    ) -> dict[int, float]:
        """The effect of each: a node's own, or a component's side at all tokens that were asked about."""
        if not items:
            return {}
        if per == "component":
            sets = [[(item.component, item.side)] for item in items]
            run = self._investigation.read([question.case])
            hooks = self._investigation.hooks(question.case)
            joint = joint_effects(run, sets, question.asked.positions or (), hooks)
            effects = [effect for batch in joint for effect in batch]
        else:
            _, batches = self._investigation.measure([question.case], [item.node for item in items])
            effects = [effect for batch in batches for _, effect in batch]
        return {number: wire.finite(effect) for number, effect in enumerate(effects)}

    def _pairs(
        self, dataset: str | None, bases: Bases
    ) -> Callable[[Kind, int, Stream | None], tuple[torch.Tensor, torch.Tensor] | None]:
        def extremes(
            kind: Kind, layer: int, stream: Stream | None
        ) -> tuple[torch.Tensor, torch.Tensor] | None:
            return self._extremes.both_sides(kind, layer, stream, dataset, bases)

        return extremes

    def _level(self, dataset: str | None) -> float | None:
        known = self._extremes.table(Component("mlp", 0, 0), dataset)
        return None if known is None else EXTREME_TAIL


def _named(model: Transformer, token: int) -> dict[str, Any]:
    return {"id": token, "text": token_text(model, token)}
