"""What a handful of tokens have in common, in one English noun phrase; or that they have nothing.

Classes come from `word_classes.txt` and, for what no list can hold, from a token's form: years, numbers, closing
brackets, single letters. The class that names a set of tokens covers at least `COVERS` of it; of several, the one
with the fewest other members.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

COVERS = 0.6
MIN_MEMBERS = 3
"""Fewer tokens than this are named one by one."""

_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("years", re.compile(r"1[0-9]{3}|20[0-9]{2}")),
    ("numbers", re.compile(r"[0-9][0-9.,]*")),
    ("opening brackets", re.compile(r"[(\[{<]+")),
    ("closing brackets", re.compile(r"[)\]}>]+[.,;:]?")),
    ("quotation marks", re.compile(r"[.,?!]?[\"'\u201c\u201d\u2018\u2019]+[.,?!]?")),
    ("ends of sentences", re.compile(r"[.?!]+\"?")),
    ("line breaks", re.compile(r"[\n\r]+")),
    ("punctuation", re.compile(r"[^\w\s]+")),
    ("single capital letters", re.compile(r"[A-Z]")),
    ("single letters", re.compile(r"[a-z]")),
    ("words ending in -ing", re.compile(r"[a-z]{2,}ing")),
    ("words ending in -ed", re.compile(r"[a-z]{2,}ed")),
    ("words ending in -ly", re.compile(r"[a-z]{2,}ly")),
    ("capitalised words", re.compile(r"[A-Z][a-z]+")),
)
_FORM_SIZE = 200
"""A form counts as a class of at least so many members, so that a list of words is preferred."""
_FORM_SIZES = {name: _FORM_SIZE + place for place, (name, _) in enumerate(_FORMS)}
"""Forms stand in the order from the narrowest to the widest."""


@dataclass(frozen=True)
class WordClass:
    """A class that names some tokens."""

    name: str
    members: tuple[str, ...]
    """The tokens given that belong to it, in the order given."""


@cache
def _lists() -> tuple[dict[str, frozenset[str]], dict[str, int]]:
    """Classes of each word, lower case, and how many words each class has."""
    of_word: dict[str, set[str]] = {}
    sizes: dict[str, int] = {}
    name = ""
    text = Path(__file__).with_name("word_classes.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            name = line[1:-1]
        elif line and not line.startswith("#"):
            for word in line.split():
                of_word.setdefault(word.lower(), set()).add(name)
                sizes[name] = sizes.get(name, 0) + 1
    return {word: frozenset(names) for word, names in of_word.items()}, sizes


def classes_of(token: str) -> frozenset[str]:
    """Every class that a token's text belongs to."""
    of_word, sizes = _lists()
    word = token.strip() or token
    # A plural is of its singular's class.
    singular = word.lower().removesuffix("s") if len(word) > 3 else word.lower()
    found = of_word.get(word.lower()) or of_word.get(singular) or frozenset()
    forms = {name for name, form in _FORMS if form.fullmatch(word)}
    return frozenset(found | (forms & {name for name in forms if name not in sizes}))


def class_names() -> frozenset[str]:
    """The names of all classes."""
    return frozenset(_lists()[1]) | {name for name, _ in _FORMS}


def common_class(tokens: Sequence[str], covers: float = COVERS) -> WordClass | None:
    """The class that so large a share of the tokens has in common, if there is one."""
    if len(tokens) < MIN_MEMBERS:
        return None
    members: dict[str, list[str]] = {}
    for token in tokens:
        for name in classes_of(token):
            members.setdefault(name, []).append(token)
    sizes = _lists()[1]
    fit = [name for name, found in members.items() if len(found) >= covers * len(tokens)]
    fit = [name for name in fit if len(members[name]) >= MIN_MEMBERS]
    if not fit:
        return None
    # The narrowest of those that cover nearly as much as the best does.
    most = max(len(members[name]) for name in fit)
    close = [name for name in fit if len(members[name]) >= 0.85 * most]
    best = min(close, key=lambda name: (sizes.get(name) or _FORM_SIZES[name], name))
    return WordClass(best, tuple(members[best]))
