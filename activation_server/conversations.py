"""Turns the conversation of a request into the library's text and edits, without running the model.

1. text       a prompt, or messages through the chat template, then the reply so far
2. edits      interventions, then the members of each concept in force, as one edit each
3. quantiles  what a strength of 1 means for each steered component, from the datasets

The library says what is wrong; this file says where.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from activation_server.errors import BadRequest
from activation_server.extremes import Extremes
from activation_server.questions import EDIT_HINT, NAME_HINT, edit_of, field
from activation_server.schemas import ConceptSpec, Conversation, PatchSpec, SteerSpec
from neuron_explainer.models.bases import Bases
from neuron_explainer.models.chat import Message, Text, chat_text, continued, plain_text
from neuron_explainer.models.extent import Extent
from neuron_explainer.models.interventions import (
    Intervention,
    check_component,
    intervention_hooks,
)
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component

CHAT_HINT = "Give `prompt` instead, or serve a model with a chat template (tdb models)."


@dataclass(frozen=True)
class ReadConversation:
    """A conversation as the library takes it."""

    text: Text
    interventions: tuple[Intervention, ...]

    @property
    def located(self) -> tuple[Intervention, ...]:
        """The edits with every position named: for a text that does not grow."""
        return tuple(_located(self.text, self.interventions))


def read_conversation(
    model: Transformer, body: Conversation, extremes: Extremes, bases: Bases, n_new: int = 0
) -> ReadConversation:
    """The text and the edits; `n_new` tokens may come, and edits may name their positions."""
    text = read_text(model, body)
    limit = min(len(text.tokens) + n_new, model.config.n_ctx)
    extent = Extent(text.n_prompt, 0, len(text.tokens), limit)
    edits = [*_interventions(model, body, extremes, bases, extent)]
    for number, concept in enumerate(body.concepts):
        where = f"concepts[{number}]"
        if concept.enabled:
            edits += steers_of(model, concept, extremes, bases, body.dataset, where)
            with field(where, EDIT_HINT):
                intervention_hooks(edits[-1:], model.config, extent, bases=bases)
    return ReadConversation(text, tuple(edits))


def read_text(model: Transformer, body: Conversation) -> Text:
    """The tokens. Raises TooLong past the context, BadRequest for what is no conversation."""
    if body.messages is not None:
        with field("messages", CHAT_HINT):
            messages = [Message(message.role, message.content) for message in body.messages]
            text = chat_text(model, messages)
    else:
        with field("prompt", "Give at least one token of text."):
            text = plain_text(model, body.prompt or "")
    with field(
        "prefix_tokens", "They are the ids of the reply so far, as /api/generate gave them."
    ):
        return continued(model, text, body.prefix_tokens)


def _interventions(
    model: Transformer, body: Conversation, extremes: Extremes, bases: Bases, extent: Extent
) -> Iterator[Intervention]:
    for number, spec in enumerate(body.interventions):
        where = f"interventions[{number}]"
        if isinstance(spec, PatchSpec):
            raise BadRequest(
                "A patch takes its value from a second case, and a conversation has none.",
                "Use `ablate`, `set`, `scale` or `steer`.",
                where=f"{where}.kind",
            )
        with field(f"{where}.component", NAME_HINT):
            component = Component.parse(spec.component)
            check_component(component, model.config, bases)
        with field(where, EDIT_HINT):
            if isinstance(spec, SteerSpec):
                edit: Intervention = extremes.steer(spec, component, bases, body.dataset)
            else:
                edit = edit_of(spec, component)
            intervention_hooks([edit], model.config, extent, bases=bases)
        yield edit


def steers_of(
    model: Transformer,
    concept: ConceptSpec,
    extremes: Extremes,
    bases: Bases,
    dataset: str | None,
    where: str,
) -> list[Intervention]:
    """The members of a concept, each steered in the concept's manner."""
    edits: list[Intervention] = []
    for number, member in enumerate(concept.members):
        spec = SteerSpec(
            kind="steer",
            component=member.component,
            positions=concept.positions,
            strength=concept.strength,
            method=concept.method,
            side=member.side,
            only_matching_side=concept.only_matching_side,
            where=concept.where,
        )
        with field(f"{where}.members[{number}]".lstrip("."), NAME_HINT):
            component = Component.parse(member.component)
            check_component(component, model.config, bases)
            edits.append(extremes.steer(spec, component, bases, dataset))
    return edits


def _located(text: Text, edits: Sequence[Intervention]) -> Iterator[Intervention]:
    whole = Extent(text.n_prompt, 0, len(text.tokens), len(text.tokens))
    for edit in edits:
        if edit.positions is not None:
            at = tuple(text.n_prompt - 1 if p == -1 else p for p in edit.positions)
            yield replace(edit, positions=at)
        elif edit.where == "everything":
            yield edit
        elif places := tuple(whole.places(edit.where)):  # no reply yet: nothing to edit
            yield replace(edit, positions=places, where="everything")
