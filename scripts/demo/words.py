"""The word lists and their inflections: everything that the grammars of the demo corpus say, they say with these.

`words.txt` holds one section for each class of word, so that a grammar can ask for a thing that is
worn or eaten. What is kept out of training (name pairs, noun pairs, ...) is decided here too, by a
hash of the words themselves: the same split for every seed and every grammar.
"""

import zlib
from functools import cache
from pathlib import Path
from random import Random

ANSWER = "^"
"""Stands in a generated text right before a word that the text itself determines."""


@cache
def _sections(file: str) -> dict[str, tuple[str, ...]]:
    """The lines below each `[heading]` of a data file beside this module."""
    sections: dict[str, list[str]] = {}
    current = ""
    for line in (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = line.strip("[]")
            sections[current] = []
        elif line and not line.startswith("#"):
            sections[current].append(line)
    return {name: tuple(lines) for name, lines in sections.items()}


@cache
def phrases(section: str) -> tuple[str, ...]:
    """The phrases of a section of `phrases.txt`, one from each line."""
    return _sections("phrases.txt")[section]


@cache
def _entries(section: str) -> tuple[str, ...]:
    return tuple(" ".join(_sections("words.txt")[section]).split())


def new_names() -> tuple[str, ...]:
    """Names that appear in the corpus, but never where one person gives something to another."""
    return phrases("new_names")


@cache
def words(*sections: str) -> tuple[str, ...]:
    """The words of the named sections of `words.txt`, in the order of the file."""
    return tuple(word for section in sections for word in _entries(section))


@cache
def table(section: str) -> tuple[tuple[str, ...], ...]:
    """A section whose entries have parts, such as `France:Paris:French`."""
    return tuple(tuple(entry.split(":")) for entry in _entries(section))


def all_words() -> list[str]:
    """Every distinct word of the lists, parts taken apart."""
    sections = _sections("words.txt")
    entries = (part for section in sections for e in _entries(section) for part in e.split(":"))
    return sorted(set(entries))


def pick(r: Random, *sections: str) -> str:
    """A word of any of the sections, each word equally likely."""
    return r.choice(words(*sections))


def held_out(*parts: str, one_in: int = 8) -> bool:
    """Whether this combination of words is kept for the evaluation, whatever the seed."""
    return zlib.crc32("|".join(parts).encode()) % one_in == 0


def pair_held_out(first: str, second: str) -> bool:
    """Whether two names never meet in training: one unordered pair in eight, and Mary with John."""
    low, high = sorted((first, second))
    return (low, high) == ("John", "Mary") or held_out(low, high)


@cache
def names(kind: str = "all") -> tuple[str, ...]:
    """First names: `female`, `male` or `all`; `giver` leaves out the names kept for testing."""
    if kind == "giver":
        return tuple(name for name in words("female", "male") if name not in new_names())
    return words("female", "male") if kind == "all" else words(kind)


def cast(r: Random, n: int, kind: str = "giver") -> list[str]:
    """`n` distinct names, no two of which are a held-out pair."""
    while True:
        chosen = r.sample(names(kind), n)
        if not any(pair_held_out(a, b) for i, a in enumerate(chosen) for b in chosen[:i]):
            return chosen


@cache
def is_female(name: str) -> bool:
    return name in words("female", "females")


def he(name: str) -> str:
    return "she" if is_female(name) else "he"


def his(name: str) -> str:
    return "her" if is_female(name) else "his"


def him(name: str) -> str:
    return "her" if is_female(name) else "him"


def a(noun: str) -> str:
    """The noun with its indefinite article."""
    vowel = noun[0] in "aeiouAEIOU" and not noun.startswith(("uni", "use", "one"))
    return f"{'an' if vowel or noun.startswith('honest') else 'a'} {noun}"


def some(noun: str) -> str:
    """A portion of a food or drink: `some bread`, `an apple`."""
    return f"some {noun}" if noun in phrases("mass") else a(noun)


def kinds(noun: str) -> str:
    """A food or drink in general: `bread`, `apples`."""
    return noun if noun in phrases("mass") else plural(noun)


def plural(noun: str) -> str:
    irregular = dict(table("plurals"))
    if noun in irregular:
        return irregular[noun]
    if noun.endswith(("s", "x", "ch", "sh")) or noun in ("potato", "tomato", "hero"):
        return noun + "es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"


def _doubles(verb: str) -> bool:
    return verb in {
        "hug", "swim", "run", "sit", "stop", "slip", "win", "drop", "grab", "get", "put", "cut",
        "let", "plan", "wrap", "begin", "forget", "wag", "chat", "pat", "nod", "jog", "beg",
    }  # fmt: skip


def past(verb: str) -> str:
    irregular = dict(table("irregular"))
    if verb in irregular:
        return irregular[verb]
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + (verb[-1] if _doubles(verb) else "") + "ed"


def third(verb: str) -> str:
    """The present tense of he and she."""
    if verb in ("have", "be", "do", "go"):
        return {"have": "has", "be": "is", "do": "does", "go": "goes"}[verb]
    if verb.endswith(("s", "x", "ch", "sh")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


def ing(verb: str) -> str:
    if verb.endswith("e") and verb not in ("see", "be"):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if _doubles(verb) else "") + "ing"


def inflect_first(phrase: str, form: str) -> str:
    """A verb phrase, such as `look for the ball`, with its verb in the `past`, `third` or `ing` form."""
    verb, _, rest = phrase.partition(" ")
    verb = {"past": past, "third": third, "ing": ing, "base": str}[form](verb)
    return f"{verb} {rest}" if rest else verb


def listed(items: list[str]) -> str:
    """`x, y and z`."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def sentence(text: str) -> str:
    """The text with a capital at its start, past an opening quote or an answer mark."""
    for i, char in enumerate(text):
        if char.isalpha():
            return text[:i] + char.upper() + text[i + 1 :]
    return text


def plain(text: str) -> str:
    """The text without its answer marks."""
    return text.replace(ANSWER, "")
