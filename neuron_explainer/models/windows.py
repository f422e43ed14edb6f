"""Documents cut into windows of tokens, as long as a model is to see at once.

    window   = prefix + tokens of a document, from its start or from where the previous window ended
    packed   = prefix + tokens of the documents joined by the end-of-text token; full, but for the last

The prefix is what the tokenizer puts before any text by itself (often nothing, for Llama its begin-of-text), so
that every window looks like a prompt. A document's last window is short: `n_valid` says how much of it counts.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from neuron_explainer.models.corpus import Document

TOKENIZED_AT_ONCE = 256
"""Documents that the tokenizer gets in one call, which it spreads over the cores."""


class TokenWindow(NamedTuple):
    """Consecutive tokens of one document; or, packed, of several."""

    tokens: Int[Tensor, " window"]
    """Filled up with the padding token."""
    n_valid: int
    """How many of them are text (prefix included)."""
    source: str
    """Of the document that the window's first token belongs to."""


def token_windows(
    documents: Iterable[Document],
    tokenizer: Any,  # Hugging Face tokenizers share no useful static type
    window: int,
    *,
    pack: bool = False,
    min_tokens: int = 1,
) -> Iterator[TokenWindow]:
    """Cut documents into windows, in order, in constant memory.

    Args:
        documents: a corpus, or any documents.
        window: tokens in a window.
        pack: join short documents with the end-of-text token, for training; otherwise none shares a window.
        min_tokens: shorter windows are left out (the prefix does not count).

    Raises:
        ValueError: the window has no room for text after the tokenizer's prefix.
    """
    prefix: list[int] = list(tokenizer("")["input_ids"])
    room = window - len(prefix)
    if room < 1:
        raise ValueError(
            f"A window of {window} tokens has no room for text: {len(prefix)} of them are the "
            "tokenizer's own prefix."
        )
    tokenized = _tokenized(documents, tokenizer)
    pieces = _packed(tokenized, room, tokenizer) if pack else _apart(tokenized, room)
    padding = tokenizer.eos_token_id or 0
    for ids, source in pieces:
        if len(ids) < min_tokens:
            continue
        tokens = torch.full((window,), padding)
        tokens[: len(prefix) + len(ids)] = torch.tensor(prefix + ids)
        yield TokenWindow(tokens, len(prefix) + len(ids), source)


def _tokenized(documents: Iterable[Document], tokenizer: Any) -> Iterator[tuple[list[int], str]]:
    left = iter(documents)
    while batch := list(islice(left, TOKENIZED_AT_ONCE)):
        # verbose=False: a document may be longer than the model's context; it is cut here.
        ids = tokenizer([d.text for d in batch], add_special_tokens=False, verbose=False)
        yield from zip(ids["input_ids"], (d.source for d in batch), strict=True)


def _apart(
    tokenized: Iterator[tuple[list[int], str]], room: int
) -> Iterator[tuple[list[int], str]]:
    for ids, source in tokenized:
        for first in range(0, len(ids), room):
            yield ids[first : first + room], source


def _packed(
    tokenized: Iterator[tuple[list[int], str]], room: int, tokenizer: Any
) -> Iterator[tuple[list[int], str]]:
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    held: list[int] = []
    source = ""
    for ids, name in tokenized:
        source = source if held else name
        held += ids + end
        while len(held) >= room:
            yield held[:room], source
            held, source = held[room:], name
    if held:
        yield held, source
