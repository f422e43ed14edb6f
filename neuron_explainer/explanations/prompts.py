"""What language models are asked, word for word. Examples of good answers are in `few_shot.json`.

Activations are shown as whole numbers: 0 where a component is silent, 10 at the largest value of the excerpts
shown. A token is written as Python writes a string, so that spaces and line breaks can be seen. Tokens come from
data and are only ever quoted: whatever they say, the instructions around them stand in the system's message.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from neuron_explainer.explanations.evidence import Excerpt
from neuron_explainer.models.chat import Message

Style = Literal["activations", "excerpts"]
"""How excerpts are shown: a list of tokens with activations, or text with what fires in {{ }}."""

LEVELS = 10
HIGHLIGHT = 3
"""Tokens from this level on are highlighted."""
UNKNOWN = "unknown"

_EXPLAIN = (
    "You study one unit of a language model. You are shown excerpts of text and how strongly the unit responds to "
    "each token. Say in one short phrase what the unit responds to: name the tokens or their common meaning, and what "
    "must come before them if that matters. Do not mention the unit, activations or these instructions. "
    "The phrase must be specific enough to predict the response on new text."
)
_EXPLAIN_HEAD = (
    "You study one attention head of a language model. You are shown excerpts in which it attends strongly from one "
    "token, written [[so]], to an earlier one, written **so**. Say in one short phrase from which tokens to which it "
    "attends. Do not mention these instructions."
)
_SIMULATE = (
    "A unit of a language model responds to certain tokens of a text. From a description of what it responds to, "
    "predict its response to every token of an excerpt: a whole number from 0 (none, by far the most common) to {top} "
    "(strongest). Only what stands before a token can matter to it."
)


@dataclass(frozen=True)
class Shot:
    """An example of a good answer."""

    excerpts: tuple[Excerpt, ...]
    explanation: str


def levels(
    values: Float[np.ndarray, " token"], largest: float, top: int = LEVELS
) -> Int[np.ndarray, " token"]:
    """Values as whole numbers, `top` at the largest of the excerpts shown."""
    if largest <= 0:
        return np.zeros(len(values), dtype=np.int64)
    return np.clip(np.floor(top * values / largest), 0, top).astype(np.int64)


@cache
def few_shot() -> tuple[Shot, ...]:
    """Examples from the bundled demo's own neurons, with explanations written by hand."""
    data = json.loads(Path(__file__).with_name("few_shot.json").read_text(encoding="utf-8"))
    return tuple(
        Shot(
            tuple(
                Excerpt(tuple(tokens), (), np.asarray(values, dtype=np.float64), "top")
                for tokens, values in shot["excerpts"]
            ),
            shot["explanation"],
        )
        for shot in data["shots"]
    )


# --- explaining -----------------------------------------------------------------------------------


def explain_messages(excerpts: Sequence[Excerpt], style: Style) -> tuple[Message, ...]:
    """Asks what a neuron or latent responds to."""
    turns = [Message("system", _EXPLAIN)]
    for shot in few_shot():
        turns.append(Message("user", _shown(shot.excerpts, style)))
        turns.append(Message("assistant", shot.explanation))
    turns.append(Message("user", _shown(excerpts, style)))
    return tuple(turns)


def explain_head_messages(excerpts: Sequence[Excerpt]) -> tuple[Message, ...]:
    """Asks from which tokens to which a head attends."""
    shown = [_marked_pair(it) for it in excerpts]
    pairs = [_strongest_pair(it) for it in excerpts]
    listed = [
        f"from {it.tokens[query]!r} to {it.tokens[key]!r}"
        for it, (query, key) in zip(excerpts, pairs, strict=True)
    ]
    content = "\n\n".join(shown) + "\n\nThe pairs:\n" + "\n".join(listed)
    return (Message("system", _EXPLAIN_HEAD), Message("user", content))


def counter_example_messages(explanation: str, n: int) -> tuple[Message, ...]:
    """Asks for sentences that would show where an explanation is wrong."""
    content = (
        f"A unit of a language model is said to respond to: {explanation}\n"
        f"Write {n} short sentences on which it should respond strongly if that is right, and {n} that look alike but "
        "on which it should not respond at all. Answer in JSON: "
        '{"should": ["..."], "should_not": ["..."]}'
    )
    return (Message("user", content),)


def revise_messages(
    excerpts: Sequence[Excerpt], style: Style, explanation: str, tried: Sequence[Excerpt]
) -> tuple[Message, ...]:
    """Asks to mend an explanation, given what the unit really did on the sentences it led to."""
    return (
        *explain_messages(excerpts, style),
        Message("assistant", explanation),
        Message(
            "user",
            "To test this, new sentences were run. This is what the unit did on them:\n\n"
            f"{_shown(tried, style, max(it.largest for it in excerpts))}\n\n"
            "Give a better phrase, or the same one if it still holds. Answer with the phrase alone.",
        ),
    )


# --- simulating -----------------------------------------------------------------------------------


def simulate_messages(explanation: str, tokens: Sequence[str]) -> tuple[Message, ...]:
    """Asks for the response to every token, as JSON."""
    turns = [
        Message(
            "system",
            _SIMULATE.format(top=LEVELS)
            + ' Answer in JSON: {"activations": [...]}, one number for each token in order.',
        )
    ]
    for shot in few_shot()[:2]:
        excerpt = shot.excerpts[0]
        turns.append(Message("user", _asked(shot.explanation, excerpt.tokens)))
        values = levels(excerpt.values, shot_largest(shot)).tolist()
        turns.append(Message("assistant", json.dumps({"activations": values})))
    turns.append(Message("user", _asked(explanation, tokens)))
    return tuple(turns)


def _asked(explanation: str, tokens: Sequence[str]) -> str:
    listed = "\n".join(f"{number}: {token!r}" for number, token in enumerate(tokens, start=1))
    return f"Responds to: {explanation}\n\n{len(tokens)} tokens:\n{listed}"


def all_at_once_prompt(explanation: str, tokens: Sequence[str], top: int = LEVELS) -> str:
    """One text in which every activation, 0 to `top`, is unknown: what a model expects there is its prediction."""
    parts = [_SIMULATE.format(top=top)]
    for shot in few_shot():
        excerpt = shot.excerpts[0]
        values = levels(excerpt.values, shot_largest(shot), top).tolist()
        parts.append(_listing(shot.explanation, excerpt.tokens, list(map(str, values))))
    parts.append(_listing(explanation, tokens, [UNKNOWN] * len(tokens)))
    return "\n\n".join(parts)


def one_token_prompt(explanation: str, tokens: Sequence[str], top: int = LEVELS) -> str:
    """A text that ends where the activation of the last token, 0 to `top`, would stand."""
    parts = [_SIMULATE.format(top=top)]
    for shot in few_shot():
        excerpt = shot.excerpts[0]
        values = levels(excerpt.values, shot_largest(shot), top)
        at = int(values.argmax())
        parts.append(_one(shot.explanation, excerpt.tokens[: at + 1]) + str(values[at]))
        quiet = int(np.flatnonzero(values == 0)[-1]) if (values == 0).any() else 0
        parts.append(_one(shot.explanation, excerpt.tokens[: quiet + 1]) + str(values[quiet]))
    parts.append(_one(explanation, tokens))
    return "\n\n".join(parts)


def _one(explanation: str, tokens: Sequence[str]) -> str:
    text = "".join(tokens)
    return f"Responds to: {explanation}\nText: {text!r}\nLast token: {tokens[-1]!r}\nResponse:\t"


def _listing(explanation: str, tokens: Sequence[str], values: Sequence[str]) -> str:
    rows = "\n".join(f"{token!r}\t{value}" for token, value in zip(tokens, values, strict=True))
    return f"Responds to: {explanation}\n<start>\n{rows}\n<end>"


# --- judging --------------------------------------------------------------------------------------


def rate_messages(explanation: str, texts: Sequence[str], *, marked: bool) -> tuple[Message, ...]:
    """Asks how likely it is that each text (or each marking) fits an explanation."""
    what = (
        "In each excerpt below some tokens are marked {{so}}. Rate how well the marks fit the tokens to which the unit "
        "responds"
        if marked
        else "Rate how likely it is that the unit responds strongly somewhere in each excerpt below"
    )
    listed = "\n".join(f"{number}. {text!r}" for number, text in enumerate(texts, start=1))
    content = (
        f"A unit of a language model responds to: {explanation}\n\n{what}: a whole number from 0 (certainly not) to 10 "
        f'(certainly). Answer in JSON: {{"ratings": [...]}}, {len(texts)} numbers in order.\n\n{listed}'
    )
    return (Message("user", content),)


def head_pair_messages(explanation: str, excerpts: Sequence[str]) -> tuple[Message, ...]:
    """Asks of marked token pairs whether a head attends so."""
    listed = "\n".join(f"{number}. {text!r}" for number, text in enumerate(excerpts, start=1))
    content = (
        f"An attention head of a language model {explanation}\n\nIn each excerpt below, rate how likely it is that the "
        "head attends strongly from the token [[so]] to the token **so**: a whole number from 0 to 10. "
        f'Answer in JSON: {{"ratings": [...]}}, {len(excerpts)} numbers in order.\n\n{listed}'
    )
    return (Message("user", content),)


# --- excerpts as text -----------------------------------------------------------------------------


def highlighted(tokens: Sequence[str], marks: Sequence[bool]) -> str:
    """Text with marked tokens in {{ }}; neighbours share one pair."""
    return "".join(_with_marks(tokens, marks))


def _with_marks(tokens: Sequence[str], marks: Sequence[bool]) -> Iterator[str]:
    was = False
    for token, is_marked in zip(tokens, marks, strict=True):
        if is_marked and not was:
            yield "{{"
        if was and not is_marked:
            yield "}}"
        yield token
        was = is_marked
    if was:
        yield "}}"


def marked_pair(tokens: Sequence[str], query: int, key: int) -> str:
    """Text with [[from]] and **to**; a token that attends to itself is both."""
    parts = list(tokens)
    parts[key] = f"**{parts[key]}**"
    parts[query] = f"[[{parts[query]}]]"
    return "".join(parts)


def shot_largest(shot: Shot) -> float:
    """The largest value of an example."""
    return max(it.largest for it in shot.excerpts)


def _shown(excerpts: Sequence[Excerpt], style: Style, largest: float | None = None) -> str:
    most = max((it.largest for it in excerpts), default=0.0) if largest is None else largest
    if style == "activations":
        return "\n".join(_rows(it, most) for it in excerpts)
    return "\n".join(
        f"- {highlighted(it.tokens, (levels(it.values, most) >= HIGHLIGHT).tolist())!r}"
        for it in excerpts
    )


def _rows(excerpt: Excerpt, largest: float) -> str:
    values = levels(excerpt.values, largest).tolist()
    rows = "\n".join(f"{t!r}\t{v}" for t, v in zip(excerpt.tokens, values, strict=True))
    return f"<start>\n{rows}\n<end>"


def _strongest_pair(excerpt: Excerpt) -> tuple[int, int]:
    query, key = np.unravel_index(int(excerpt.values.argmax()), excerpt.values.shape)
    return int(query), int(key)


def _marked_pair(excerpt: Excerpt) -> str:
    return marked_pair(excerpt.tokens, *_strongest_pair(excerpt))
