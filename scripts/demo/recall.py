"""Texts whose answer stands earlier in the same text: colours of things, keys and values, copies, code, brackets."""

from random import Random

from scripts.demo.slots import fill
from scripts.demo.words import (
    ANSWER,
    a,
    cast,
    listed,
    names,
    phrases,
    pick,
    sentence,
    words,
)

COLORED = ("gifts", "gifts", "clothes", "furniture", "tools", "vehicles")


def colored_things(r: Random, n: int) -> list[tuple[str, str]]:
    """`n` distinct things, each with a colour of its own."""
    things: list[str] = []
    while len(things) < n:
        noun = pick(r, *COLORED)
        if noun not in things:
            things.append(noun)
    return list(zip(r.sample(words("colors"), n), things, strict=True))


def color_question(r: Random, noun: str, color: str) -> str:
    """One question about a thing, with its answer."""
    ask = r.choice(("color", "colour")) if r.random() < 0.15 else "color"
    return r.choice(
        (
            f"What {ask} is the {noun}? It is{ANSWER} {color}.",
            f"What {ask} is the {noun}? The {noun} is{ANSWER} {color}.",
            f"The {noun} is{ANSWER} {color}.",
            f"The {ask} of the {noun} is{ANSWER} {color}.",
            f"Q: What {ask} is the {noun}? A:{ANSWER} {color}.",
            f"So the {noun} is{ANSWER} {color}.",
            f"We know that the {noun} is{ANSWER} {color}.",
            f"And the {noun}? It is{ANSWER} {color}.",
        )
    )


def colored_objects(r: Random) -> str:
    """Things with colours, then the colour of each; from one thing to four."""
    things = colored_things(r, r.choices((1, 2, 3, 4), (2, 4, 4, 1))[0])
    described = [a(f"{color} {noun}") for color, noun in things]
    kind = r.random()
    if kind < 0.5:
        text = fill(
            r,
            r.choice(
                (
                    f"On the {{F}}, there is {listed(described)}.",
                    f"On the {{F}} I see {listed(described)}.",
                    f"In the {{room}} there is {listed(described)}.",
                    f"{r.choice(names())} has {listed(described)}.",
                    f"I bought {listed(described)}.",
                    f"We found {listed(described)} in the {{P}}.",
                    f"The {{prof}} sells {listed(described)}.",
                    f"There is {listed(described)} in the {{P}}.",
                )
            ),
        )
    elif kind < 0.75:
        text = " ".join(
            sentence(
                r.choice(
                    (
                        f"the {noun} is {color}.",
                        f"there is {a(color + ' ' + noun)}.",
                        f"{r.choice(names())} has {a(color + ' ' + noun)}.",
                        f"I see {a(color + ' ' + noun)}.",
                    )
                )
            )
            for color, noun in things
        )
    else:
        text = sentence(listed([f"the {noun} is {color}" for color, noun in things]) + ".")
    asked = r.sample(things, len(things)) if r.random() < 0.8 else [r.choice(things)]
    return text + " " + " ".join(color_question(r, noun, color) for color, noun in asked)


def owners(r: Random) -> str:
    """Who has what: the same binding, with people in place of things."""
    people = cast(r, r.choice((2, 2, 3)), "all")
    things = r.sample(words("gifts"), len(people))
    verb = r.choice(("has", "owns", "holds", "bought", "found", "wants"))
    pairs = list(zip(people, things, strict=True))
    text = sentence(listed([f"{who} {verb} the {what}" for who, what in pairs])) + "."
    if r.random() < 0.4:
        states = r.sample(words("feelings"), len(people))
        text = " ".join(f"{who} was {state}." for who, state in zip(people, states, strict=True))
        asked = r.sample(list(zip(people, states, strict=True)), len(people))
        return text + "".join(
            r.choice((f" Who was {state}?{ANSWER} {who}.", f" The {state} one was{ANSWER} {who}."))
            for who, state in asked
        )
    for who, what in r.sample(pairs, len(pairs)):
        text += r.choice(
            (
                f" Who {verb} the {what}?{ANSWER} {who}.",
                f" The {what} belongs to{ANSWER} {who}.",
                f" {who} {verb} the{ANSWER} {what}.",
            )
        )
    return text


def key_values(r: Random) -> str:
    """A small table, then some of its rows once more."""
    n = r.randint(3, 6)
    keys = (
        r.sample(names(), n)
        if r.random() < 0.5
        else r.sample(words("gifts", "animals", "identifiers"), n)
    )
    values = r.choice(
        (
            lambda: str(r.randint(10, 99)),
            lambda: pick(r, "colors"),
            lambda: pick(r, "foods"),
            lambda: pick(r, "places"),
        )
    )
    rows = [(key, values()) for key in keys]
    joint, gap = r.choice(((":", ", "), (" =", "; "), (" ->", ", "), (":", "\n"), (" is", ". ")))
    text = gap.join(f"{key}{joint} {value}" for key, value in rows)
    again = r.sample(rows, min(3, n))
    return text + gap + gap.join(f"{key}{joint}{ANSWER} {value}" for key, value in again) + "."


def copied_list(r: Random) -> str:
    """A list of words, then the same list again."""
    pool = (
        words(
            r.choice(
                ("gifts", "animals", "places", "colors", "foods", "identifiers", "professions")
            )
        )
        if r.random() < 0.4
        else words(
            "gifts",
            "animals",
            "places",
            "clothes",
            "professions",
            "nature",
            "tools",
            "female",
            "male",
        )
    )
    items = [r.choice(pool) for _ in range(r.randint(3, 12))]
    gap = r.choice((", ", " ", " "))
    again = f"{gap.strip()}{ANSWER} ".join(items[1:])
    start = r.choice(("", "", "He said: ", "List: ", "The words are "))
    return (
        f"{start}{gap.join(items)}{r.choice(('.', ';', '', ' and again:'))}"
        f" {items[0]}{gap.strip()}{ANSWER} {again}."
    )


def invented_name(r: Random) -> str:
    """A surname made of syllables, said again later: it can only be copied."""
    syllables = phrases("syllables")
    name = "".join(r.sample(syllables, r.choice((2, 3)))).capitalize()
    title = r.choice(("Mr", "Mrs", "Doctor", "Professor", "Captain", "Aunt", "Uncle"))
    lines = [
        f"{title} {name} lived in {{country}}.",
        f"One day {title}{ANSWER} {name} went to the {{P}}.",
        f"{title}{ANSWER} {name} bought {{aO}}.",
        f"The {{prof}} thanked {title}{ANSWER} {name}.",
        f'"Good morning, {title}{ANSWER} {name}," said the {{prof}}.',
        f"In the evening {title}{ANSWER} {name} was {{feeling}}.",
    ]
    return fill(r, " ".join([lines[0], *r.sample(lines[1:], r.randint(2, 4))]))


def docstring(r: Random) -> str:
    """A Python function whose docstring names the arguments in the order of the signature."""
    n = r.choice((3, 4, 4, 5))
    args = r.sample(words("identifiers"), n)
    function = f"{pick(r, 'functions')}_{pick(r, 'codewords')}"
    who = "self, " if r.random() < 0.6 else ""
    documented = args if r.random() < 0.5 else args[: r.randint(2, n)]
    lines = [
        f"def {function}({who}{', '.join(args)}):",
        f'    """{pick(r, "functions").capitalize()} the {pick(r, "codewords")}.',
        "",
    ]
    for arg in documented:
        about = r.choice(
            (
                f"{pick(r, 'codewords')} {pick(r, 'codewords')}",
                f"the {pick(r, 'codewords')} of the {pick(r, 'codewords')}",
                f"{pick(r, 'codewords')} to {pick(r, 'functions')}",
            )
        )
        lines.append(f"    :param{ANSWER} {arg}: {about}")
    if documented == args:
        lines += [f"    :return: the {pick(r, 'codewords')}", '    """']
    return "\n".join(lines)


CLOSING = {"(": ")", "[": "]", "{": "}", '"': '"', "<": ">"}


def brackets(r: Random) -> str:
    """Things in brackets, the inner pair closed before the outer."""
    opener = r.choice(tuple(CLOSING))
    items = [pick(r, "gifts", "foods", "animals", "tools") for _ in range(r.randint(1, 5))]
    if r.random() < 0.55:
        inner = r.choice([o for o in CLOSING if o != opener])
        at = r.randrange(len(items))
        inside = ", ".join(pick(r, "colors", "sizes", "qualities") for _ in range(r.randint(1, 3)))
        items[at] = f"{items[at]} {inner}{inside}{ANSWER}{CLOSING[inner]}"
    body = ", ".join(items)
    start = fill(
        r,
        r.choice(
            (
                "the list",
                "{person} packed some things",
                "the {prof} sold many things",
                "items:",
                "the words",
                "we need this:",
                "all of it",
            )
        ),
    )
    end = fill(
        r,
        r.choice((" was long.", " is here.", " came first.", " was all of it.", " came with us.")),
    )
    return sentence(f"{start} {opener}{body}{ANSWER}{CLOSING[opener]}{end}")


def agreeing_code(r: Random) -> str:
    """Assignments and a print of each: a variable has the value it was given."""
    keys = r.sample(words("identifiers"), r.randint(2, 4))
    rows = [(key, str(r.randint(10, 99))) for key in keys]
    text = "\n".join(f"{key} = {value}" for key, value in rows)
    return text + "".join(
        f"\nprint({key})  #{ANSWER} {value}" for key, value in r.sample(rows, len(rows))
    )
