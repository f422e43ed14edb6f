"""Texts with their tokens' owners: a plain prompt, or messages through the tokenizer's chat template.

Which tokens are a message's and which are the template's is known exactly:
  1. the template is rendered with a unique mark in place of each message, and split at the marks;
  2. the real rendering must be those pieces with the messages between them, else it is refused;
  3. a token belongs to a message only if all of its characters lie in it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from neuron_explainer.models.tokens import PromptTooLong, encode
from neuron_explainer.models.transformer import Transformer

Role = Literal["system", "user", "assistant"]
Owner = Literal["prompt", "template", "system", "user", "assistant", "reply"]

MESSAGE_ROLES: tuple[Role, ...] = ("system", "user", "assistant")


@dataclass(frozen=True)
class Message:
    """One turn of a chat."""

    role: Role
    content: str

    def __post_init__(self) -> None:
        if self.role not in MESSAGE_ROLES:
            raise ValueError(f"role is {self.role!r}: it is one of {', '.join(MESSAGE_ROLES)}.")


@dataclass(frozen=True)
class Text:
    """Tokens, and whose each is."""

    tokens: tuple[int, ...]
    owners: tuple[Owner, ...]
    messages: tuple[int | None, ...]
    """Index of the message a token belongs to; None for the template, a plain prompt, the reply."""
    n_prompt: int
    """Tokens before the reply."""


def plain_text(model: Transformer, prompt: str) -> Text:
    """A prompt as it is. Raises ValueError when it is empty, PromptTooLong past the context."""
    tokens = encode(model, prompt)
    owner: Owner = "prompt"
    n = len(tokens)
    return Text(tokens, (owner,) * n, (None,) * n, n)


def continued(model: Transformer, text: Text, reply: Sequence[int]) -> Text:
    """The text with the ids of a reply after it."""
    n, n_vocab = len(text.tokens) + len(reply), model.config.n_vocab
    for token in reply:
        if not 0 <= token < n_vocab:
            raise ValueError(f"token id {token} is out of range: 0-{n_vocab - 1}.")
    if n > model.config.n_ctx:
        raise PromptTooLong(
            f"The text has {n} tokens; {model.config.name} sees at most {model.config.n_ctx}."
        )
    return followed(text, reply)


def followed(text: Text, reply: Sequence[int]) -> Text:
    """The same, unchecked: for ids that the model itself has written."""
    owner: Owner = "reply"
    return Text(
        (*text.tokens, *reply),
        (*text.owners, *(owner for _ in reply)),
        (*text.messages, *(None for _ in reply)),
        text.n_prompt,
    )


def has_chat_template(model: Transformer) -> bool:
    """Whether messages can be given at all."""
    return bool(getattr(model.tokenizer, "chat_template", None))


def chat_text(model: Transformer, messages: Sequence[Message]) -> Text:
    """Messages through the chat template, up to where the model's reply begins.

    After an assistant's message nothing is added: it stands as the last thing said.

    Raises:
        ValueError: no template, no or an empty message, text that is a special token, or a template that
            changes messages; PromptTooLong past the context.
    """
    _check(model, messages)
    pieces = _template_pieces(model, messages)
    rendered = _rendered(model, messages)
    spans = _spans(pieces, messages, rendered)
    encoded = model.tokenizer(rendered, add_special_tokens=False, return_offsets_mapping=True)
    tokens = tuple(int(token) for token in encoded["input_ids"])
    if len(tokens) > model.config.n_ctx:
        raise PromptTooLong(
            f"The chat has {len(tokens)} tokens, its template's included; {model.config.name} sees "
            f"at most {model.config.n_ctx}."
        )
    owners = [_owner(place, spans) for place in _places(encoded["offset_mapping"], len(rendered))]
    return Text(
        tokens,
        tuple("template" if i is None else messages[i].role for i in owners),
        tuple(owners),
        len(tokens),
    )


def _check(model: Transformer, messages: Sequence[Message]) -> None:
    if not has_chat_template(model):
        raise ValueError(
            f"{model.config.name} has no chat template, so it cannot be given messages: give a "
            "prompt to continue."
        )
    if not getattr(model.tokenizer, "is_fast", False):
        raise ValueError(
            f"The tokenizer of {model.config.name} does not say where its tokens lie in a text, so "
            "that a chat's tokens would have to be guessed: give a prompt to continue."
        )
    if not messages:
        raise ValueError("There are no messages: give at least one.")
    special = [str(token) for token in model.tokenizer.all_special_tokens]
    for number, message in enumerate(messages):
        if not message.content.strip() and message.role != "system":
            raise ValueError(f"Message {number} is empty: write something.")
        for token in special:
            if token and token in message.content:
                raise ValueError(
                    f"Message {number} contains {token!r}, which this model's chat template uses as "
                    "a mark of its own. Take it out, or give the whole text as a prompt."
                )


def _rendered(model: Transformer, messages: Sequence[Message]) -> str:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return str(
            model.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=messages[-1].role != "assistant"
            )
        )
    except Exception as problem:  # jinja2's errors: what a template raises is text for people
        raise ValueError(
            f"The chat template of {model.config.name} refuses these messages: {problem}"
        ) from problem


def _template_pieces(model: Transformer, messages: Sequence[Message]) -> list[str]:
    """What the template puts before, between and after the messages."""
    everything = "".join(message.content for message in messages)
    marks = []
    for number in range(len(messages)):
        mark = f"[message {number}]"
        while mark in everything:
            mark = f"[{mark}]"
        marks.append(mark)
    marked = [Message(message.role, mark) for message, mark in zip(messages, marks, strict=True)]
    rest, pieces = _rendered(model, marked), []
    for mark in marks:
        piece, found, rest = rest.partition(mark)
        if not found:
            raise _rewrites(model.config.name)
        pieces.append(piece)
    return [*pieces, rest]


def _spans(
    pieces: Sequence[str], messages: Sequence[Message], rendered: str
) -> list[tuple[int, int]]:
    """Where each message lies in the rendering, as it is or stripped, as templates do."""
    at, spans = len(pieces[0]), []
    if not rendered.startswith(pieces[0]):
        raise _rewrites("this model")
    for message, piece in zip(messages, pieces[1:], strict=True):
        for content in (message.content, message.content.strip()):
            if rendered.startswith(content + piece, at):
                break
        else:
            raise _rewrites("this model")
        spans.append((at, at + len(content)))
        at += len(content) + len(piece)
    if at != len(rendered):
        raise _rewrites("this model")
    return spans


def _rewrites(name: str) -> ValueError:
    return ValueError(
        f"The chat template of {name} changes what the messages say, so which tokens are whose would "
        "be a guess: give the whole text as a prompt."
    )


def _places(offsets: Sequence[tuple[int, int]], n_characters: int) -> list[tuple[int, int]]:
    """Characters each token may cover: some tokenizers leave spaces out of their offsets, so a token
    reaches from the end of the one before to the start of the next."""
    starts = [0, *(end for _, end in offsets[:-1])]
    ends = [*(start for start, _ in offsets[1:]), n_characters]
    return [
        (min(start, own_start), max(end, own_end))
        for start, end, (own_start, own_end) in zip(starts, ends, offsets, strict=True)
    ]


def _owner(place: tuple[int, int], spans: Sequence[tuple[int, int]]) -> int | None:
    """The message that holds all of a token's characters."""
    for number, (start, end) in enumerate(spans):
        if start <= place[0] and place[1] <= end and place[0] < place[1]:
            return number
    return None


@lru_cache(maxsize=4)
def _configured_ends(folder: str) -> tuple[int, ...]:
    found: set[int] = set()
    for name in ("generation_config.json", "config.json"):
        file = Path(folder) / name
        value = json.loads(file.read_text()).get("eos_token_id") if file.is_file() else None
        found.update(value if isinstance(value, list) else [] if value is None else [value])
    return tuple(sorted(found))


def end_tokens(model: Transformer) -> frozenset[int]:
    """Tokens with which the model ends a text: its tokenizer's, and those its folder configures."""
    own = getattr(model.tokenizer, "eos_token_id", None)
    configured = () if model.folder is None else _configured_ends(str(model.folder))
    ends = {*configured, *(() if own is None else (own,))}
    return frozenset(token for token in ends if 0 <= token < model.config.n_vocab)
