"""Takes an explanation at its word, so that a sentence can be scored where no language model is at hand.

    fires   on tokens that the sentence quotes ("' Tuesday'"), names by a class that `word_classes.txt` or a form knows
            ("days of the week", "years"), or mentions as words
    only    where one of the last `REACH` tokens is one that the sentence quotes or names behind "after", if it has one

1 where it fires, else 0. It understands no more than that: a low score may be the reader's fault. A sentence in which
it finds nothing to go by raises UnusableReply, as a simulator's useless reply would.
"""

import re
from collections.abc import Callable, Sequence

from neuron_explainer.explanations.replies import UnusableReply
from neuron_explainer.explanations.word_classes import class_names, classes_of

REACH = 3
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"|\u201c([^\u201d\n]+)\u201d")
_WORD = re.compile(r"[^\W_]{3,}")
_SAY_NOTHING = frozenset(
    (
        *("fires", "fire", "responds", "respond", "token", "tokens", "word", "words", "other"),
        *("others", "mostly", "often", "usually", "always", "the", "and", "with", "such", "that"),
        *("this", "from", "into", "most", "all", "any", "some", "more", "after", "before", "when"),
        *("where", "which", "about", "also", "sometimes", "whatever", "text"),
    )
)

Fits = Callable[[str], bool]


def simulate_literally(explanation: str, tokens: Sequence[str]) -> list[float]:
    """1 where the sentence, taken literally, says that it fires. Raises UnusableReply."""
    said, _, after = explanation.partition(" after ")
    fits = _fits(said)
    if fits is None:
        raise UnusableReply("the sentence names no token and no class of words that is known here")
    context = _fits(after) if after else None
    return [
        float(
            fits(token)
            and (context is None or any(context(it) for it in tokens[max(0, at - REACH) : at]))
        )
        for at, token in enumerate(tokens)
    ]


def _fits(sentence: str) -> Fits | None:
    """Which tokens a piece of a sentence means; None if it means none."""
    quoted = {_plain(next(filter(None, found.groups()))) for found in _QUOTED.finditer(sentence)}
    rest = _QUOTED.sub(" ", sentence).lower()
    classes = frozenset(name for name in class_names() if name.removesuffix("s") in rest)
    for name in classes:
        rest = rest.replace(name.removesuffix("s"), " ")
    words = {word for word in _WORD.findall(rest) if word not in _SAY_NOTHING}
    known = quoted | words
    if not known and not classes:
        return None
    return lambda token: _plain(token) in known or bool(classes & classes_of(token))


def _plain(token: str) -> str:
    return token.replace("\u21b5", "\n").strip(" ").lower()
