"""Groups explanations that mean the same, and names each group.

1. average linkage on cosine distance of vectors of what each explanation says beyond what most of
   them say, cut at a distance; groups of a few members or more are kept (the settings of
   Transluce's Monitor: 0.6 and 3)
2. a group's words are the phrases that tell its explanations from all others:
       members that hold the phrase * log(explanations / explanations that hold it) * length bonus
   (tf-idf: Sparck Jones 1972), so that the same explanations always give the same name
3. a language model, where there is one, names the group instead and judges how coherent it is
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import fcluster, linkage
from torch import Tensor

CUT = 0.6
"""Cosine distance at which groups are kept apart."""
MIN_MEMBERS = 3
MAX_WORDS = 4
"""Words of one phrase."""
MIN_SHARE = 0.12
"""A phrase that fewer members hold, or only one, does not name a group."""
COMMON = 0.5
"""A word that a larger share of explanations holds says nothing about one of them."""
N_PHRASES = 3
"""Phrases in a name."""
MIN_COHERENCE, MAX_COHERENCE = 1, 7
"""1: one topic, 7: nothing in common."""

_SEGMENT = re.compile(r"[^\w' -]+|(?<!\w)'|'(?!\w)|\s-\s")
_COUNT = re.compile(r"\b\d+ (?:others?|more|tokens?)\b(?: tokens?\b)?")
_WORD = re.compile(r"[\w]+(?:['-]\w+)*")
_WEAK_WORDS = """
    a an and any are as at be by for from in into is it its no not of off on or other others such
    than that the their these this those to too was were when where which while with also more
    fires fire token tokens after before sometimes whatever like most all mostly only both
    attends attend writes write itself previous
"""
_WEAK = frozenset(_WEAK_WORDS.split())
"""Words that neither begin nor end a phrase."""


@dataclass(frozen=True)
class Group:
    """Explanations that mean the same: their numbers in the given order, the most typical first."""

    members: tuple[int, ...]
    similarities: tuple[float, ...]
    """Cosine of each member with the group's mean."""


def grouped(
    vectors: Float[Tensor, "text d"], *, cut: float = CUT, min_members: int = MIN_MEMBERS
) -> list[Group]:
    """The groups, largest first. A text whose vector is zero means nothing known and is in none."""
    lengths = vectors.double().norm(dim=1)
    known = (lengths > 0).nonzero()[:, 0].tolist()
    if len(known) < max(min_members, 1):
        return []
    unit = (vectors[known].double() / lengths[known, None]).numpy()
    labels = _labels(unit, cut)
    groups = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) < min_members:
            continue
        similarity = _similarities(unit[rows])
        order = np.lexsort((rows, -similarity))
        groups.append(
            Group(tuple(known[rows[i]] for i in order), tuple(float(similarity[i]) for i in order))
        )
    return sorted(groups, key=lambda group: (-len(group.members), min(group.members)))


def _labels(unit: Float[np.ndarray, "text d"], cut: float) -> np.ndarray:
    if len(unit) == 1:
        return np.ones(1, dtype=int)
    distance = np.clip(1 - unit @ unit.T, 0, 2)
    condensed = distance[np.triu_indices(len(unit), 1)]
    labels: np.ndarray = fcluster(linkage(condensed, "average"), cut, "distance")
    return labels


def _similarities(unit: Float[np.ndarray, "member d"]) -> Float[np.ndarray, " member"]:
    mean = unit.mean(0)
    length = float(np.linalg.norm(mean))
    similarity: np.ndarray = unit @ mean / (length if length > 0 else 1.0)
    return similarity


class Phrases:
    """How many explanations of a store hold each phrase."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.n_texts = len(texts)
        self._holding: Counter[tuple[str, ...]] = Counter()
        for text in texts:
            self._holding.update(set(phrases(text)))

    def rarity(self, phrase: tuple[str, ...]) -> float:
        """log(explanations / explanations that hold it): 0 for what all of them say."""
        return log(max(self.n_texts, 1) / max(self._holding[phrase], 1))

    def essence(self, text: str) -> str:
        """The text without its weak words and those that most explanations hold.

        Explanations from one template ("fires on ...") are alike in the template alone; what should
        decide whether they belong together is the rest.
        """
        segments = _SEGMENT.split(_uncounted(text))
        words = (word for segment in segments for word in _WORD.findall(segment))
        common = log(1 / COMMON)
        kept = [w for w in words if w.lower() not in _WEAK and self.rarity((w.lower(),)) >= common]
        return " ".join(kept)

    def telling(self, texts: Sequence[str], n: int = N_PHRASES) -> list[str]:
        """The phrases that tell some explanations from all others, the most telling first."""
        held: Counter[tuple[str, ...]] = Counter()
        for text in texts:
            held.update(set(phrases(text)))
        wanted = max(2, round(MIN_SHARE * len(texts)))
        least = min(wanted, max(held.values(), default=1))
        scored = sorted(
            (
                (count * self.rarity(phrase) * (1 + 0.25 * (len(phrase) - 1)), phrase)
                for phrase, count in held.items()
                if count >= least
            ),
            key=lambda pair: (-pair[0], pair[1]),
        )
        chosen: list[tuple[str, ...]] = []
        for score, phrase in scored:
            if len(chosen) == n or (chosen and score <= 0):
                break
            if not any(set(phrase) & set(other) for other in chosen):
                chosen.append(phrase)
        return [" ".join(phrase) for phrase in chosen]


def phrases(text: str) -> Iterator[tuple[str, ...]]:
    """One to four words in a row, none across punctuation, neither end a weak word."""
    for segment in _SEGMENT.split(_uncounted(text.lower())):
        words = _WORD.findall(segment)
        for first in range(len(words)):
            for last in range(first, min(first + MAX_WORDS, len(words))):
                if words[first] not in _WEAK and words[last] not in _WEAK:
                    yield tuple(words[first : last + 1])


def _uncounted(text: str) -> str:
    """Without counts of tokens, as in "and 13 other tokens", "2 tokens after"."""
    return _COUNT.sub(" , ", text)


@dataclass(frozen=True)
class Name:
    """What a group is called."""

    name: str
    words: tuple[str, ...]
    named_by: str
    """`words`, or the language model."""
    coherence: int | None = None
    """1 (one topic) to 7 (nothing in common); None where no language model judged."""


Complete = Callable[[str], str]
"""A prompt to a language model, and what it answers."""


def named_by_words(texts: Sequence[str], store: Phrases) -> Name:
    """The name made of the most telling phrases."""
    words = store.telling(texts)
    return Name(", ".join(words) or "unnamed", tuple(words), "words")


def named_by_model(texts: Sequence[str], store: Phrases, complete: Complete, model: str) -> Name:
    """The name and coherence that a language model gives; by words if its answer cannot be read."""
    plain = named_by_words(texts, store)
    answer = complete(naming_prompt(texts))
    found = _read_answer(answer)
    if found is None:
        return plain
    return Name(found[0], plain.words, model, found[1])


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
