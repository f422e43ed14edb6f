"""The questions that the demo model is asked: a set of prompts for each behaviour, from a seed.

Prompts hold what training held back, wherever something was: pairs of names, names, frames, noun
pairs, years, acronyms, country with phrasing. Where nothing was (a colour, a bracket, a docstring),
the prompt is a fresh draw from a space far larger than the corpus.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from random import Random

from scripts.demo import frames, recall
from scripts.demo.indirect_objects import gift, scene, three_people
from scripts.demo.words import (
    ANSWER,
    a,
    he,
    held_out,
    his,
    listed,
    names,
    new_names,
    pair_held_out,
    phrases,
    pick,
    plain,
    plural,
    table,
    words,
)  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """A prompt and the word that should follow; a distractor where the two are compared."""

    prompt: str
    target: str
    distractor: str | None = None


Maker = Callable[[Random], Probe]


@cache
def held_out_pairs() -> list[tuple[str, str]]:
    """Every pair of givers that never meet in training."""
    return [p for p in combinations(sorted(names("giver")), 2) if pair_held_out(*p)]


def test_pair(r: Random) -> list[str]:
    """Two names that never met in training."""
    return r.sample(r.choice(held_out_pairs()), 2)


def new_pair(r: Random) -> list[str]:
    return r.sample(sorted(new_names()), 2)


def split_at_answer(text: str, at: int = 0) -> tuple[str, str]:
    """The text before its answer number `at`, and the answer with the space before it."""
    pieces = text.split(ANSWER)
    answer = pieces[at + 1]
    end = next((i for i, c in enumerate(answer) if i and not c.isalnum()), len(answer))
    return plain(ANSWER.join(pieces[: at + 1])), answer[:end]


def indirect(order: str, pair: Callable[[Random], list[str]]) -> Maker:
    """A fresh scene of the grammar with names from `pair`; in order `abba` the second name gives."""

    def make(r: Random) -> Probe:
        first, second = pair(r)
        s, io = (second, first) if order == "abba" else (first, second)
        prompt, _ = split_at_answer(scene(r, first, second, s, io, "past"))
        return Probe(prompt, f" {io}", f" {s}")

    return make


def framed(frame: str, order: str) -> Maker:
    """One frame with a held-out pair."""

    def make(r: Random) -> Probe:
        first, second = test_pair(r)
        s, io = (second, first) if order == "abba" else (first, second)
        prompt = frame.format(A=first, B=second, S=s, O=gift(r), P=pick(r, "places"))
        return Probe(prompt, f" {io}", f" {s}")

    return make


def three(r: Random) -> Probe:
    people = r.sample(names("giver"), 3)
    prompt, _ = split_at_answer(three_people(r, people))
    return Probe(prompt, f" {people[2]}", f" {r.choice(people[:2])}")


def three_framed(r: Random) -> Probe:
    people = r.sample(names("giver"), 3)
    s, t, io = r.sample(people, 3)
    slots = dict(zip("ABCST", [*people, s, t], strict=True))
    prompt = r.choice(frames.UNSEEN_THREE).format(**slots, O=gift(r), P=pick(r, "places"))
    return Probe(prompt, f" {io}", f" {t}")


def agreement(r: Random) -> Probe:
    """A noun pair of the test, the two differing in number."""
    sections = ("gifts", "furniture", "tools", "clothes", "vehicles")
    while True:
        first, second = pick(r, *sections), pick(r, *sections)
        if first != second and held_out("agreement", first, second):
            break
    many = r.random() < 0.5
    middle = r.choice(phrases("placed") + phrases("about"))
    prompt = (
        f"The {plural(first) if many else first} {middle} the {second if many else plural(second)}"
    )
    return Probe(prompt, *((" are", " is") if many else (" is", " are")))


def agreement_in_clause(r: Random) -> Probe:
    """The attractor inside a relative clause."""
    first, second = pick(r, "gifts", "clothes"), pick(r, "professions")
    many = r.random() < 0.5
    who = second if many else plural(second)
    prompt = (
        f"The {plural(first) if many else first} that the {who}"
        f" {r.choice(('bought', 'found', 'lost'))}"
    )
    return Probe(prompt, *((" are", " is") if many else (" is", " are")))


def person(r: Random) -> tuple[str, str, str]:
    """A name of either gender, and one of the other gender for comparison."""
    female = r.random() < 0.5
    mine, theirs = ("female", "male") if female else ("male", "female")
    return pick(r, mine), pick(r, mine), pick(r, theirs)


def subject_pronoun(r: Random) -> Probe:
    who, _, other = person(r)
    prompt = r.choice((
        f"{who} went home because", f"{who} is a really great friend, isn't",
        f"{who} was in the {pick(r, 'places')} and said that",
        f"{who} stayed in bed because", f"When {who} came to the {pick(r, 'places')},",
    ))  # fmt: skip
    return Probe(prompt, f" {he(who)}", f" {he(other)}")


def other_pronoun(r: Random) -> Probe:
    who, _, other = person(r)
    if r.random() < 0.5:
        prompt = f"{who} {r.choice(('lost', 'put on', 'brushed', 'took off', 'forgot'))}"
        return Probe(prompt, f" {his(who)}", f" {his(other)}")
    prompt = f"{who} {r.choice(('looked at', 'hurt', 'laughed at'))}"
    own, others = ("herself", "himself") if he(who) == "she" else ("himself", "herself")
    return Probe(prompt, f" {own}", f" {others}")


def acronym_letter(position: int) -> Maker:
    def make(r: Random) -> Probe:
        while True:
            parts = r.sample(words("acronym"), 3)
            if held_out(*parts, one_in=10):
                break
        letters = "".join(part[0] for part in parts)
        return Probe(f"The {' '.join(parts)} ({letters[:position]}", letters[position])

    return make


def capital(r: Random) -> Probe:
    while True:
        country, city, _ = r.choice(table("countries"))
        form = r.randrange(len(phrases("capitals")))
        if held_out("capital", country, str(form), one_in=6):
            text = phrases("capitals")[form].format(c=country, k=city, n=pick(r, "female"))
            return Probe(*split_at_answer(text))


def after_run(section: str) -> Maker:
    """The entry after a run of three; days and months go round."""

    def make(r: Random) -> Probe:
        order = words(section)
        cyclic = section in ("days", "months")
        start = r.randrange(len(order) if cyclic else len(order) - 3)
        run = [order[(start + i) % len(order)] for i in range(4)]
        return Probe(", ".join(run[:3]) + ",", f" {run[3]}")

    return make


def docstring(r: Random) -> Probe:
    """The third argument, after two that were documented."""
    args = r.sample(words("identifiers"), r.choice((3, 4, 5)))
    function = f"{pick(r, 'functions')}_{pick(r, 'codewords')}"
    about = [f"{pick(r, 'codewords')} {pick(r, 'codewords')}" for _ in range(2)]
    head = (
        f'def {function}(self, {", ".join(args)}):\n    """{pick(r, "functions").capitalize()} the'
        f" {pick(r, 'codewords')}.\n\n"
    )
    body = "".join(f"    :param {arg}: {text}\n" for arg, text in zip(args, about, strict=False))
    return Probe(f"{head}{body}    :param", f" {args[2]}")


def bracket(r: Random) -> Probe:
    """The outer bracket, after an inner pair of another kind was closed."""
    while True:
        text = recall.brackets(r)
        pieces = text.split(ANSWER)
        if len(pieces) == 3 and pieces[1].rstrip(ANSWER)[1:] and '"' not in text:
            return Probe(plain("".join(pieces[:2])), pieces[2][0])


def colored(n: int) -> Maker:
    """The colour of one of `n` things that were named with their colours before."""

    def make(r: Random) -> Probe:
        things = recall.colored_things(r, n)
        described = listed([a(f"{color} {noun}") for color, noun in things])
        color, noun = r.choice(things)
        prompt = (
            f"On the {pick(r, 'furniture')}, there is {described}. What color is the {noun}? It is"
        )
        other = next((c for c, _ in things if c != color), None)
        return Probe(prompt, f" {color}", f" {other}" if other else None)

    return make


def of_family(family: Callable[[Random], str]) -> Maker:
    """The last answer of a text of the corpus."""

    def make(r: Random) -> Probe:
        text = family(r)
        return Probe(*split_at_answer(text, text.count(ANSWER) - 1))

    return make


def probes(make: Maker, n: int, seed: int) -> list[Probe]:
    r = Random(seed)
    return [make(r) for _ in range(n)]
