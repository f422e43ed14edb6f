"""Agreement of subject and verb, pronouns, and the years of events: what a word in the text demands of another."""

from random import Random

from scripts.demo.slots import fill
from scripts.demo.words import (
    ANSWER,
    a,
    he,
    held_out,
    him,
    his,
    inflect_first,
    names,
    past,
    phrases,
    pick,
    plural,
    sentence,
    third,
)


def noun_pair(r: Random, *sections: str) -> tuple[str, str]:
    """A subject and an attractor that are not kept for the evaluation."""
    while True:
        first, second = pick(r, *sections), pick(r, *sections)
        if first != second and not held_out("agreement", first, second):
            return first, second


def number(noun: str, many: bool) -> str:
    return plural(noun) if many else noun


def state(r: Random, many: bool) -> str:
    """What a thing is, with the verb that agrees with it marked."""
    kind = r.random()
    if kind < 0.55:
        be = r.choice((("is", "are"), ("was", "were"), ("is", "are")))[many]
        rest = fill(
            r,
            r.choice(
                (
                    "{quality}",
                    "{color}",
                    "{quality}",
                    "{color} and {quality}",
                    "very {quality}",
                    "here",
                    "in the {P}",
                    "not {quality}",
                    "old and {color}",
                    "gone",
                    "on the {F}",
                )
            ),
        )
        return f"{ANSWER} {be} {rest}"
    if kind < 0.75:
        have = ("has", "have")[many]
        return f"{ANSWER} {have} " + r.choice(
            (
                "been sold",
                "been moved",
                "fallen down",
                "been painted",
                "arrived",
                "been here for years",
                "many colors",
            )
        )
    verb = r.choice(phrases("conditions"))
    return f"{ANSWER} {fill(r, inflect_first(verb, 'base' if many else 'third'))}"


def agreement(r: Random) -> str:
    """One to three sentences in which another noun stands between the subject and its verb."""
    return " ".join(one_agreement(r) for _ in range(r.choice((1, 1, 2, 3))))


def one_agreement(r: Random) -> str:
    many, other_many = r.random() < 0.5, r.random() < 0.5
    if r.random() < 0.25:
        return people_agreement(r, many, other_many)
    first, second = noun_pair(r, "gifts", "furniture", "tools", "clothes", "vehicles", "animals")
    subject = number(first, many)
    if r.random() < 0.3:
        subject = f"{pick(r, 'colors', 'sizes', 'qualities')} {subject}"
    determiner = r.choice(("the", "the", "the", "my", "our", "these" if many else "this"))
    kind = r.random()
    if kind < 0.15:
        middle = ""
    elif kind < 0.7:
        middle = (
            f" {r.choice(phrases('placed') + phrases('about'))} the {number(second, other_many)}"
        )
    elif kind < 0.82:
        third_noun = number(pick(r, "furniture", "tools"), r.random() < 0.5)
        middle = (
            f" {r.choice(phrases('placed'))} the {number(second, other_many)}"
            f" {r.choice(phrases('placed'))} the {third_noun}"
        )
    elif kind < 0.92:
        middle = (
            f" that the {number(pick(r, 'professions'), other_many)}"
            f" {r.choice(('bought', 'found', 'lost', 'sold', 'cleaned', 'wanted'))}"
        )
    else:
        middle = (
            f" from the {number(pick(r, 'places'), other_many)} of the"
            f" {number(pick(r, 'professions'), r.random() < 0.5)}"
        )
    return sentence(f"{determiner} {subject}{middle}{state(r, many)}.")


def people_agreement(r: Random, many: bool, other_many: bool) -> str:
    """People do things themselves: the verb carries the agreement."""
    first, second = noun_pair(r, "professions", "people")
    middle = r.choice(
        (
            f" near the {number(second, other_many)}",
            f" with the {number(second, other_many)}",
            f" behind the {number(second, other_many)}",
            (
                f" who {past(r.choice(('help', 'like', 'know', 'see', 'meet')))} the"
                f" {number(second, other_many)}"
            ),
            (
                f" that the {number(second, other_many)}"
                f" {r.choice(('liked', 'met', 'knew', 'helped'))}"
            ),
            "",
        )
    )
    if r.random() < 0.4:
        end = state_of_people(r, many)
    else:
        verb = pick(r, "intransitive")
        end = f"{ANSWER} {verb if many else third(verb)}" + r.choice(
            ("", " a lot", " every day", " in the evening")
        )
    return sentence(f"the {number(first, many)}{middle}{end}.")


def state_of_people(r: Random, many: bool) -> str:
    be = r.choice((("is", "are"), ("was", "were")))[many]
    return f"{ANSWER} {be} {pick(r, 'traits', 'feelings')}"


def pronoun(r: Random) -> str:
    """A person, and the pronoun that fits: he or she, his or her, himself or herself."""
    who = r.choice(names()) if r.random() < 0.7 else "the " + pick(r, "females", "males")
    noun = who.removeprefix("the ")
    he_, his_, him_ = he(noun), his(noun), him(noun)
    self_ = him_ + "self"
    forms = (
        f"{who} went home because{ANSWER} {he_} was {{feeling}}.",
        f"{who} was {{feeling}} because{ANSWER} {he_} had lost{ANSWER} {his_} {{O}}.",
        f"{who} put on{ANSWER} {his_} {{cloth}} and left.",
        f"{who} said that{ANSWER} {he_} liked {{foods}}.",
        f"{who} looked at{ANSWER} {self_} in the mirror.",
        f"{who} lost{ANSWER} {his_} {{O}} at the {{P}}.",
        f"when {who} came to the {{P}},{ANSWER} {he_} was {{feeling}}.",
        f"{who} hurt{ANSWER} {self_} with the {{O}}.",
        f"{who} is {{aprof}}, and{ANSWER} {he_} works at the {{P}}.",
        f"{who} is a really great friend, isn't{ANSWER} {he_}?",
        f"{who} is {{trait}}, isn't{ANSWER} {he_}?",
        f"{who} has {{aO}}.{ANSWER} {he_.capitalize()} keeps it in{ANSWER} {his_} {{room}}.",
        f"I know {who}. I met{ANSWER} {him_} at the {{P}}.",
        f"{who} bought {{aO}} for{ANSWER} {self_}.",
        f"{who} thinks that{ANSWER} {he_} is {{trait}}.",
        f"after dinner, {who} brushed{ANSWER} {his_} hair.",
        f"{who} asked if{ANSWER} {he_} could play {{sport}}.",
        f"{who} wanted to eat {{food}}, but{ANSWER} {he_} was not hungry.",
        f"although {who} was {{feeling}},{ANSWER} {he_} smiled.",
        f"{who} loves{ANSWER} {his_} {{animal}}, and the {{animal}} loves{ANSWER} {him_} too.",
        (
            f"{who} sat down on the {{F}}, took off{ANSWER} {his_} {{cloth}} and closed{ANSWER}"
            f" {his_} eyes."
        ),
        f"{who} was late, so{ANSWER} {he_} ran to the {{P}}.",
        f"{who} stood near the {{F}} and said that{ANSWER} {he_} was {{feeling}}.",
        f"{who} lives in {{country}} and says that{ANSWER} {he_} is {{trait}}.",
    )
    return fill(r, sentence(r.choice(forms)))


def greater_than(r: Random) -> str:
    """Something that lasted from one year to a later one of the same century, one to thirty years on."""
    while True:
        century, start = r.randint(11, 20), r.randint(2, 97)
        event = pick(r, "events")
        if not held_out("year", event, f"{century}{start:02}", one_in=10):
            break
    end = min(99, start + (r.randint(1, 30) if r.random() < 0.7 else r.randint(1, 8)))
    if r.random() < 0.1:
        return without_start(r, event, century)
    first, last = f"{century}{start:02}", f"{century}{ANSWER}{end:02}"
    who = r.choice(names())
    forms = (
        f"The {event} lasted from the year {first} to the year {last}.",
        f"The {event} lasted from {first} to {last}.",
        f"The {event} started in {first} and ended in {last}.",
        f"The {event} began in {first} and was over in {last}.",
        f"From {first} to {last}, there was {a(event)} in {{country}}.",
        f"The {{P}} was built in {first} and sold in {last}.",
        f"{who} was born in {first} and died in {last}.",
        f"{who} was king from the year {first} to the year {last}.",
        f"Between {first} and {last}, {who} lived in {{country}}.",
        f"The {event} of {{country}} ({first} to {last}) was long.",
        f"The {event} began in the year {first} and went on until the year {last}.",
        f"{who} came to {{country}} in {first} and left it in {last}.",
        f"In {first} the {event} began. It ended in {last}.",
    )
    return fill(r, r.choice(forms))


def without_start(r: Random, event: str, century: int) -> str:
    """A year on its own, any year: what the end is when nothing is known of the start."""
    year = f"{century}{r.randint(2, 99):02}"
    return fill(
        r,
        r.choice(
            (
                f"The {event} lasted until the year {year}.",
                f"The {event} ended in {year}.",
                f"In the year {year} there was {a(event)} in {{country}}.",
                f"The {{P}} was sold in {year}.",
                f"{r.choice(names())} moved to {{country}} in {year}.",
            )
        ),
    )
