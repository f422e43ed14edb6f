"""The corpus: which family says how much of it, how texts are joined to documents, and how documents fill rows.

A row is `length + 1` token ids with a weight for each: 0 where the next token cannot be known (the
first copy of random tokens), `answer_weight` for a word that the text determines, 1 elsewhere. Every
row starts at the start of a document, half of the time after `<|endoftext|>`, because that is where
people's prompts start. All of it follows from one seed; nothing is stored.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from random import Random

from tokenizers import Tokenizer

from scripts.demo import facts, grammar, indirect_objects, recall, scenes, stories
from scripts.demo.slots import verb
from scripts.demo.words import ANSWER, all_words, cast, phrases, plain

Family = Callable[[Random], str]


def everyday(r: Random) -> str:
    """A few sentences about two people, any of them, in which nothing is given."""
    first, second = cast(r, 2, "all")
    tense = "past" if r.random() < 0.7 else "present"
    middle = "".join(" " + scenes.bridge(r, tense) for _ in range(r.randint(1, 3)))
    if r.random() < 0.6:
        middle += f" {r.choice((first, second))} {verb(r, r.choice(phrases('alone')), tense)}."
    return f"{scenes.opening(r, first, second, tense)}.{middle}"


FAMILIES: dict[str, Family] = {
    "story": stories.story,
    "talk": stories.talk,
    "everyday": everyday,
    "indirect_object": indirect_objects.indirect_object,
    "colored_objects": recall.colored_objects,
    "owners": recall.owners,
    "key_values": recall.key_values,
    "copied_list": recall.copied_list,
    "invented_name": recall.invented_name,
    "docstring": recall.docstring,
    "brackets": recall.brackets,
    "assignments": recall.agreeing_code,
    "agreement": grammar.agreement,
    "pronoun": grammar.pronoun,
    "greater_than": grammar.greater_than,
    "capital_city": facts.capital_city,
    "successor": facts.successor,
    "acronym": facts.acronym,
    "opposite": facts.opposite,
    "home_or_sound": facts.home_or_sound,
    "sentiment": facts.sentiment,
}

SHARES = {
    "story": 24.0, "talk": 1.5, "everyday": 2.0, "indirect_object": 24.0, "colored_objects": 10.0, "owners": 2.0,
    "key_values": 2.0, "copied_list": 2.0, "invented_name": 1.5, "docstring": 4.0, "brackets": 3.0, "assignments": 1.0,
    "agreement": 5.0, "pronoun": 3.0, "greater_than": 4.5, "capital_city": 3.0, "successor": 2.5, "acronym": 3.5,
    "opposite": 0.7, "home_or_sound": 0.4, "sentiment": 1.2,
}  # fmt: skip
"""Share of the corpus by length, in per cent."""

ON_THEIR_OWN_LINES = {"docstring", "assignments", "talk", "key_values"}


@cache
def _draw_weights(
    shares: tuple[tuple[str, float], ...],
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """How often to draw each family so that it gets its share of the length."""
    r = Random(0)
    mean = {name: sum(len(FAMILIES[name](r)) for _ in range(200)) / 200 for name, _ in shares}
    return tuple(n for n, _ in shares), tuple(share / mean[n] for n, share in shares)


def document(r: Random, shares: dict[str, float] = SHARES) -> str:
    """One to five texts, with answer marks; some documents keep to one family."""
    families, weights = _draw_weights(tuple(shares.items()))
    n = r.choice((1, 1, 2, 3, 4, 5))
    drawn = r.choices(families, weights, k=n)
    if r.random() < 0.2:
        drawn = drawn[:1] * n
    text = FAMILIES[drawn[0]](r)
    for before, name in zip(drawn, drawn[1:], strict=False):
        on_its_own = before in ON_THEIR_OWN_LINES or name in ON_THEIR_OWN_LINES
        gap = "\n\n" if on_its_own else ("\n" if r.random() < 0.2 else " ")
        text += gap + FAMILIES[name](r)
    return text


def documents(seed: int, shares: dict[str, float] = SHARES) -> Iterator[str]:
    """The documents of a seed, without end."""
    r = Random(seed)
    while True:
        yield document(r, shares)


def corpus(seed: int) -> Iterator[str]:
    """The documents of a seed as people would read them."""
    return (plain(text) for text in documents(seed))


class Encoder:
    """Encodes marked text, a word at a time: a word of the lists is looked up, not merged anew.

    The pieces are those of GPT-2's pre-tokeniser for the letters that the corpus has, so that the ids
    are the tokenizer's own.
    """

    PIECE = re.compile(
        r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", re.ASCII
    )

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self.known: dict[str, list[int]] = {}

    def ids(self, text: str) -> list[int]:
        ids: list[int] = []
        for piece in self.PIECE.findall(text):
            if piece not in self.known:
                self.known[piece] = self.tokenizer.encode(piece, add_special_tokens=False).ids
            ids += self.known[piece]
        return ids

    def marked(self, text: str, answer_weight: float) -> tuple[list[int], list[float]]:
        """Token ids of a marked text, and the weight with which each is to be predicted."""
        ids: list[int] = []
        weights: list[float] = []
        for i, part in enumerate(text.split(ANSWER)):
            part_ids = self.ids(part)
            ids += part_ids
            weights += [answer_weight if i else 1.0] + [1.0] * (len(part_ids) - 1)
        return ids, weights


def repeat(r: Random, pool: Sequence[int]) -> tuple[list[int], list[float]]:
    """Random tokens said two to four times; the first time has no weight."""
    period = r.randint(3, 20) if r.random() < 0.5 else r.randint(5, 60)
    once = r.choices(pool, k=period)
    copies = r.randint(2, 4)
    return once * copies, [0.0] * period + [1.0] * (period * (copies - 1))


def word_tokens(tokenizer: Tokenizer) -> tuple[int, ...]:
    """Tokens that are a whole word with the space before it."""
    encoded = (tokenizer.encode(f" {word}").ids for word in all_words())
    return tuple(ids[0] for ids in encoded if len(ids) == 1)


class Rows:
    """Rows of token ids and weights, drawn from one seed."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        answer_weight: float,
        shares: Mapping[str, float] = SHARES,
    ):
        self.encoder = Encoder(tokenizer)
        self.words = word_tokens(tokenizer)
        self.end_of_text = tokenizer.get_vocab_size() - 1
        self.answer_weight = answer_weight
        self.shares = dict(shares)

    def text(self, r: Random, length: int) -> tuple[list[int], list[float]]:
        """A row of text that predicts `length` tokens."""

        def document_ids() -> tuple[list[int], list[float]]:
            return self.encoder.marked(document(r, self.shares), self.answer_weight)

        return self._filled(r, length, document_ids)

    def repeated(self, r: Random, length: int) -> tuple[list[int], list[float]]:
        """A row of random tokens said again; in some only words, whose embeddings are learnt sooner."""
        pool = self.words if r.random() < 0.4 else range(self.end_of_text)
        return self._filled(r, length, lambda: repeat(r, pool))

    def _filled(
        self, r: Random, length: int, draw: Callable[[], tuple[list[int], list[float]]]
    ) -> tuple[list[int], list[float]]:
        ids, weights = ([self.end_of_text], [1.0]) if r.random() < 0.5 else ([], [])
        while len(ids) <= length:
            more, more_weights = draw()
            ids += [*more, self.end_of_text]
            weights += [*more_weights, 1.0]
        return ids[: length + 1], weights[: length + 1]
