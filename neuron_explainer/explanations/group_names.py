"""Names groups of explanations: by their own words, or by a language model where there is one.

By words, the same explanations always give the same name. What an explanation says first counts: up to a semicolon,
or to the first percentage. Tokens stand in quotation marks there, all else is words.

    class      what most quoted tokens of the group have in common (`word_classes.py`): "verbs in the past tense"
    phrases    those that tell the group's explanations from all others, in order of
                   members that hold it * log(explanations / explanations that hold it) * length bonus
               (tf-idf: Sparck Jones 1972)
    tokens     quoted tokens, in the same order; they are the name where there is neither class nor phrase

A group whose members share no class, phrase or token has a name that begins with "mixed".

A language model names the group in its own words and judges how coherent it is, 1 to 7.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import TypeVar

from neuron_explainer.explanations.word_classes import common_class

MAX_WORDS = 4
"""Words of one phrase."""
MIN_SHARE = 0.12
"""A phrase that fewer members hold, or only one, does not name a group."""
LEADS = 0.25
"""A phrase or token that so many members hold is what the group is about; a class, with so many of the tokens."""
CLASS = 0.45
PIECES = 0.5
"""Share of the tokens that continue a word, for a group to be called pieces of words."""
COMMON = 0.5
"""A word that a larger share of explanations holds says nothing about one of them."""
N_PHRASES = 2
N_TOKENS = 3
"""Phrases, and tokens, in a name."""
MIN_COHERENCE, MAX_COHERENCE = 1, 7
"""1: one topic, 7: nothing in common."""

_LEADING = re.compile(r";| \(\d+ %")
_QUOTED = re.compile(r"'([^\n]+?)'(?=[,;.) ]|$)")
_SEGMENT = re.compile(r"[^\w' -]+|(?<!\w)'|'(?!\w)|\s-\s")
_COUNT = re.compile(r"\b\d+ (?:others?|more|other tokens?)\b")
_WORD = re.compile(r"[\w]+(?:['-]\w+)*")
_WEAK_WORDS = """
    a an and any are as at be by for from in into is it its no not of off on or other others such
    than that the their these this those to too was were when where which while with also more
    fires fire tokens after before sometimes whatever like most all mostly only both
    attends attend writes write
"""
_WEAK = frozenset(_WEAK_WORDS.split())
"""Words that neither begin nor end a phrase."""
_FREE = ("token",)
"""Alone, as in "whatever the token", it says nothing."""

Unit = TypeVar("Unit", str, tuple[str, ...])


@dataclass(frozen=True)
class Name:
    """What a group is called."""

    name: str
    words: tuple[str, ...]
    """Quoted tokens, or phrases, that tell its explanations from all others."""
    named_by: str
    """`words`, or the language model."""
    coherence: int | None = None
    """1 (one topic) to 7 (nothing in common); None where no language model judged."""


class Phrases:
    """How many explanations of a store hold each phrase and each quoted token."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.n_texts = len(texts)
        self._holding: Counter[Hashable] = Counter()
        for text in texts:
            self._holding.update({*phrases(text), *quoted_tokens(text)})

    def rarity(self, unit: Hashable) -> float:
        """log(explanations / explanations that hold it): 0 for what all of them say."""
        return log(max(self.n_texts, 1) / max(self._holding[unit], 1))

    def essence(self, text: str) -> str:
        """The text's first clause without its weak words and those that most explanations hold.

        Explanations from one template ("fires on ...") are alike in the template alone; what should
        decide whether they belong together is the rest.
        """
        segments = _SEGMENT.split(_COUNT.sub(" , ", leading(text)))
        words = (word for segment in segments for word in _WORD.findall(segment))
        common = log(1 / COMMON)
        kept = [w for w in words if w.lower() not in _WEAK and self.rarity((w.lower(),)) >= common]
        return " ".join(kept)

    def telling(self, texts: Sequence[str], n: int = N_PHRASES) -> list[tuple[str, float]]:
        """The phrases that tell some explanations from all others, each with the share that holds it."""
        chosen: list[tuple[tuple[str, ...], float]] = []
        for phrase, share in self._ranked(texts, phrases, lambda it: 1 + 0.25 * (len(it) - 1)):
            if not any(set(phrase) & set(other) for other, _ in chosen):
                chosen.append((phrase, share))
        return [(" ".join(phrase), share) for phrase, share in chosen[:n]]

    def telling_tokens(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The same of quoted tokens; each word once."""
        found: dict[str, tuple[str, float]] = {}
        for token, share in self._ranked(texts, quoted_tokens, lambda _: 1.0):
            found.setdefault(token.strip().lower() or token, (token, share))
        return list(found.values())

    def _ranked(
        self,
        texts: Sequence[str],
        units: Callable[[str], Iterable[Unit]],
        bonus: Callable[[Unit], float],
    ) -> list[tuple[Unit, float]]:
        held: Counter[Unit] = Counter()
        for text in texts:
            held.update(set(units(text)))
        wanted = max(2, round(MIN_SHARE * len(texts)))
        least = min(wanted, max(held.values(), default=1))
        scores = {
            unit: count * self.rarity(unit) * bonus(unit)
            for unit, count in held.items()
            if count >= least
        }
        order = sorted(scores, key=lambda unit: (-scores[unit], unit))
        return [(unit, held[unit] / len(texts)) for unit in order]


def leading(text: str) -> str:
    """What an explanation says first."""
    return _LEADING.split(text, maxsplit=1)[0]


def quoted_tokens(text: str) -> list[str]:
    """The tokens that an explanation names first."""
    return _QUOTED.findall(leading(text))


def phrases(text: str) -> Iterator[tuple[str, ...]]:
    """One to four words in a row, none across punctuation or a token, neither end a weak word."""
    plain = _COUNT.sub(" , ", _QUOTED.sub(" , ", leading(text).lower()))
    for segment in _SEGMENT.split(plain):
        words = _WORD.findall(segment)
        for first in range(len(words)):
            for last in range(first, min(first + MAX_WORDS, len(words))):
                phrase = tuple(words[first : last + 1])
                ends = {words[first], words[last]}
                if not ends & _WEAK and phrase != _FREE and not phrase[0].isdigit():
                    yield phrase


def named_by_words(texts: Sequence[str], store: Phrases) -> Name:
    """The name that the explanations' own words give."""
    said, telling = store.telling(texts), store.telling_tokens(texts)
    tokens = [f"'{token}'" for token, _ in telling]
    subjects = _subjects(texts, said)
    if subjects:
        rest = [phrase for phrase, _ in said if phrase not in subjects]
        return Name(", ".join(subjects), tuple(tokens[:N_TOKENS] or rest), "words")
    if not telling:
        return Name(", ".join(phrase for phrase, _ in said) or "unnamed", (), "words")
    name = ", ".join(tokens[:N_TOKENS])
    is_mixed = max(share for _, share in telling) < LEADS
    return Name(
        f"mixed: {name}" if is_mixed else name, tuple(tokens[N_TOKENS:][:N_TOKENS]), "words"
    )


def _subjects(texts: Sequence[str], said: Sequence[tuple[str, float]]) -> list[str]:
    """What the group is about, if that can be said in general."""
    leads = [phrase for phrase, share in said if share >= LEADS]
    if leads:
        return leads
    tokens = [token for text in texts for token in quoted_tokens(text)]
    shared = common_class(tokens, CLASS)
    if shared is not None:
        return [shared.name]
    inner = [token for token in tokens if re.fullmatch(r"[a-z]+", token)]
    if tokens and len(inner) >= PIECES * len(tokens):
        return ["pieces of words"]
    return []


def distinct(names: Sequence[Name]) -> list[Name]:
    """The same names, but none twice: a repeated one is told apart by its words, or by a number."""
    taken: set[str] = set()
    found = []
    for name in names:
        text = name.name
        if text in taken and name.words:
            text = f"{text}: {', '.join(name.words)}"
        number = 2
        while text in taken:
            text, number = f"{name.name} ({number})", number + 1
        taken.add(text)
        found.append(replace(name, name=text))
    return found


def name_from_reply(reply: str, plain: Name, model: str) -> Name:
    """The name and coherence that a language model gave; the plain name if its reply cannot be read."""
    found = _read_answer(reply)
    return plain if found is None else Name(found[0], plain.words, model, found[1])


def naming_prompt(texts: Sequence[str], n: int = 30) -> str:
    """What the language model is asked."""
    listed = "\n".join(f"- {text}" for text in texts[:n])
    return (
        "Each line below describes what one unit of a language model responds to.\n"
        f"{listed}\n\n"
        "1. Name what they have in common in 2 to 5 words, as specifically as you can.\n"
        "2. Judge how coherent they are: 1 all about the same topic, 3 one domain with clear "
        "differences, 5 a few loosely related topics, 7 nothing in common.\n"
        "Judge by meaning alone. Answer in exactly two lines:\n"
        "name: ...\ncoherence: ..."
    )


def _read_answer(answer: str) -> tuple[str, int] | None:
    fields: Mapping[str, str] = {
        key.strip().lower(): value.strip()
        for key, found, value in (line.partition(":") for line in answer.splitlines())
        if found
    }
    digits = re.match(r"[1-7]\b", fields.get("coherence", ""))
    name = fields.get("name", "").strip("\"'. ")[:80]
    return (name, int(digits[0])) if name and digits else None
