"""Takes an explanation at its word, so that a sentence can be scored where no language model is at hand.

    fires   on tokens that the sentence quotes ("' Tuesday'"), names by a class that `word_classes.txt` or a form knows
            ("days of the week", "years"), or mentions as words; on any token, where it only says after what
    only    where one of the last `REACH` tokens is one that stands behind "after", and the token two back is one that
            stands behind "2 tokens after": quoted, of a class, or a word

Semicolons divide it into clauses, any of which may hold. 1 where it fires, else 0. It understands no more than that:
a low score may be the reader's fault. A sentence in which it finds nothing to go by raises UnusableReply, as a
simulator's useless reply would.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from neuron_explainer.explanations.replies import UnusableReply
from neuron_explainer.explanations.word_classes import class_names, classes_of
from neuron_explainer.explanations.wording import QUOTED

REACH = 3
_QUOTED = re.compile(rf"{QUOTED.pattern}|\"([^\"\n]+)\"|\u201c([^\u201d\n]+)\u201d")
_STAND_IN = 0xE000
"""Quoted tokens are taken out before a sentence is divided; a character for private use holds the place of each."""
_MAX_QUOTED = 1000
_AFTER = re.compile(r"(?:\band )?(?:\b(\d{1,3}) tokens? )?\bafter\b", re.IGNORECASE)
_WORD = re.compile(r"(?=[^\W_]['\w]{2})[^\W_]+(?:'[^\W_]+)*")
_SAY_NOTHING = frozenset(
    (
        *("fires", "fire", "responds", "respond", "token", "tokens", "word", "words", "other"),
        *("others", "mostly", "often", "usually", "always", "the", "and", "with", "such", "that"),
        *("this", "from", "into", "most", "all", "any", "some", "more", "after", "before", "when"),
        *("where", "which", "about", "also", "sometimes", "whatever", "text"),
    )
)

Fits = Callable[[str], bool]


@dataclass(frozen=True)
class _Clause:
    fits: Fits | None
    """None: any token."""
    contexts: tuple[tuple[range, Fits], ...]
    """How many tokens back one must be that fits."""

    def holds(self, tokens: Sequence[str], at: int) -> bool:
        return (self.fits is None or self.fits(tokens[at])) and all(
            any(at >= back and fits(tokens[at - back]) for back in distances)
            for distances, fits in self.contexts
        )


def simulate_literally(explanation: str, tokens: Sequence[str]) -> list[float]:
    """1 where the sentence, taken literally, says that it fires. Raises UnusableReply."""
    quoted = ["".join(found) for found in _QUOTED.findall(explanation)][:_MAX_QUOTED]
    places = iter(range(_MAX_QUOTED))
    plain = _QUOTED.sub(
        lambda _: f" {chr(_STAND_IN + next(places))} ", explanation, count=_MAX_QUOTED
    )
    clauses = [_clause(part, quoted) for part in plain.split(";")]
    known = [it for it in clauses if it.fits is not None or it.contexts]
    if not known:
        raise UnusableReply("the sentence names no token and no class of words that is known here")
    return [float(any(it.holds(tokens, at) for it in known)) for at in range(len(tokens))]


def _clause(sentence: str, quoted: Sequence[str]) -> _Clause:
    said, *rest = _AFTER.split(sentence)
    contexts = []
    for distance, after in zip(rest[::2], rest[1::2], strict=True):
        fits = _fits(after, quoted)
        if fits is not None:
            back = int(distance or 0)
            contexts.append((range(back, back + 1) if back else range(1, REACH + 1), fits))
    return _Clause(_fits(said, quoted), tuple(contexts))


def _fits(sentence: str, quoted: Sequence[str]) -> Fits | None:
    """Which tokens a piece of a sentence means; None if it means none."""
    places = [ord(sign) - _STAND_IN for sign in sentence]
    named = {_plain(quoted[place]) for place in places if 0 <= place < len(quoted)}
    rest = sentence.lower().replace("\u2019", "'")
    classes = frozenset(name for name in class_names() if name.removesuffix("s") in rest)
    for name in classes:
        rest = rest.replace(name.removesuffix("s"), " ")
    known = named | {word for word in _WORD.findall(rest) if word not in _SAY_NOTHING}
    if not known and not classes:
        return None
    return lambda token: _plain(token) in known or bool(classes & classes_of(token))


def _plain(token: str) -> str:
    shown = token.replace("\u21b5", "\n").replace("\u21e5", "\t").replace("\u240d", "\r")
    return shown.replace("\u2019", "'").strip(" ").lower()
