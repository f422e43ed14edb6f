"""Indirect objects: somebody gives something to the other person of the scene.

A text is an opening that names two people, some bridges, and a clause in which one of the two, S,
gives, tells or shows something to the other, IO: the answer. Either of the two may be S, whatever
the order of the opening, so no position in the text tells the answer; only who is named again does.
"""

import re
from random import Random

from scripts.demo.scenes import bridge, capital, circumstance, clause, lead_in, opening
from scripts.demo.slots import fill, verb
from scripts.demo.words import (
    ANSWER,
    a,
    cast,
    he,
    his,
    inflect_first,
    listed,
    past,
    phrases,
    pick,
    plain,
    some,
    words,
)

"""Verbs that take the person right after them; past the bar, what comes after the person."""

JOINTS = (
    ", and {}",
    ", so {}",
    ", but {}",
    "; {}",
    ", and then {}",
    ", and later {}",
    ", and in the end {}",
)

WHEN = (
    "When",
    "While",
    "After",
    "Before",
    "As",
    "Because",
    "Since",
    "Once",
    "Although",
    "As soon as",
    "Just when",
)


def gift(r: Random) -> str:
    """Something that can be handed over, with its article and perhaps what it is like."""
    if r.random() < 0.15:
        return a("drink") if r.random() < 0.3 else some(pick(r, "drinks", "foods"))
    noun = pick(r, "gifts", "gifts", "gifts", "clothes")
    kind = r.random()
    if kind < 0.55:
        return r.choice((a(noun), a(noun), f"the {noun}"))
    adjective = pick(r, "colors", "sizes", "qualities")
    if kind < 0.9:
        return r.choice((a(f"{adjective} {noun}"), f"the {adjective} {noun}"))
    return fill(
        r,
        r.choice(
            (f"{a(noun)} from the {{P}}", f"the {noun} from {{country}}", f"{a(noun)} and {{aO}}")
        ),
    )


def deed(r: Random) -> str:
    """A verb phrase in its base form that ends right before the name of the other person."""
    if r.random() < 0.62:
        return r.choice(phrases("give")).format(G=gift(r))
    return fill(r, r.choice(phrases("make")))


def act(r: Random, who: str, answer: str, tense: str = "past", many: bool = False) -> str:
    """Subject, verb phrase and the marked answer, with what must follow it in its clause."""
    are = ("were" if many else "was") if tense == "past" else ("are" if many else "is")
    tail, kind = "", r.random()
    if kind < 0.2:
        phrase, _, tail = r.choice(phrases("ditransitive")).replace("G", gift(r)).partition("|")
    elif kind < 0.3:
        phrase = f"{r.choice(phrases('acquire'))} {gift(r)} and {hand_over(r, tense, many)}"
    else:
        phrase = deed(r)
    end = f"{ANSWER} {answer}{' ' if tail else ''}{tail}"
    kind = r.random()
    if kind < 0.62 or " and " in phrase:
        form = "past" if tense == "past" else ("base" if many else "third")
        adverb = pick(r, "adverbs") + " " if r.random() < 0.1 else ""
        return f"{who} {adverb}{inflect_first(phrase, form)}{end}"
    if kind < 0.84:
        return f"{who} {verb(r, r.choice(phrases('attitudes')), tense, many)} {phrase}{end}"
    if kind < 0.93:
        return f"{who} {are} {fill(r, r.choice(phrases('ready')))} to {phrase}{end}"
    modals = "had to|could|would|did not|might" if tense == "past" else "will|can|must|should|may"
    return f"{who} {r.choice(modals.split('|'))} {phrase}{end}"


def hand_over(r: Random, tense: str, many: bool) -> str:
    particle = r.choice((" back", " over")) if r.random() < 0.25 else ""
    phrase = f"{r.choice(phrases('hand_over'))} it{particle} to"
    return inflect_first(phrase, "past" if tense == "past" else ("base" if many else "third"))


def subject(r: Random, s: str) -> str:
    """The giver, now and then with an apposition that puts words between the name and the verb."""
    if r.random() < 0.08:
        return fill(
            r,
            r.choice(
                (
                    f"{s}, who was {{feeling}},",
                    f"{s}, the {{prof}},",
                    f"{s}, {{trait}} as always,",
                    f"{s} stood up and",
                )
            ),
        )
    return s


def scene(r: Random, first: str, second: str, s: str, io: str, tense: str) -> str:
    """Opening, bridges and giving clause, up to and with the answer."""
    kind = r.random()
    giver = subject(r, s) if tense == "past" else s
    does = act(r, giver, io, tense)
    if kind < 0.24:
        start = clause(r, first, second, tense)
        if ". " not in start and ";" not in start and not start.startswith('"'):
            return f"{r.choice(WHEN)} {start}, {does}"
    start = opening(r, first, second, tense)
    if kind < 0.4 and ". " not in start:
        return start + r.choice(JOINTS).format(does)
    middle = "".join(" " + bridge(r, tense) for _ in range(r.choice((0, 0, 1, 1, 1, 2, 3))))
    return f"{start}.{middle} {lead(r, tense)}{does}"


def lead(r: Random, tense: str) -> str:
    """A word or two on when it is given, with or without a comma; often nothing."""
    if r.random() < 0.6:
        return ""
    if r.random() < 0.1:
        return capital(circumstance(r, tense))
    section = r.choice(("adverbials", "times")) if tense == "past" else "nowadays"
    return r.choice(phrases(section)) + (" " if r.random() < 0.4 else ", ")


def after(r: Random, s: str, io: str) -> str:
    """What follows the gift; often names the two once more."""
    kind = r.random()
    if kind < 0.4:
        return "."
    if kind < 0.5:
        return f". {io} thanked{ANSWER} {s}."
    if kind < 0.6:
        return f". {capital(he(io))} {r.choice(('was', 'felt'))} {pick(r, 'feelings')}."
    if kind < 0.7:
        return f'. {io} said, "Thank you,{ANSWER} {s}!"'
    if kind < 0.8:
        return f". {act(r, f'Then {io}', s)}."
    if kind < 0.9:
        return f". {act(r, f'Then {s}', io)}."
    return (
        f", and {io}"
        f" {fill(r, r.choice(('smiled', 'laughed', 'was surprised', 'put it on the {F}')))}."
    )


def two_people(r: Random) -> str:
    """The standard form, in both orders."""
    first, second = cast(r, 2)
    s, io = r.sample((first, second), 2)
    tense = "past" if r.random() < 0.7 else "present"
    text = scene(r, first, second, s, io, tense) + (after(r, s, io) if tense == "past" else ".")
    return as_fable(r, text, first, second) if r.random() < 0.12 else text


def as_fable(r: Random, text: str, first: str, second: str) -> str:
    """The same text about two animals or two professions, so that the rule is about more than names."""
    for name, kind in zip(
        (first, second), r.sample(words(r.choice(("animals", "professions"))), 2), strict=True
    ):
        text = re.sub(rf"{re.escape(ANSWER)} {name}\b", f" the{ANSWER} {kind}", text)
        text = re.sub(rf"\b{name}\b", f"the {kind}", text)
    return re.sub(r'(^"?|[.?!]"? "?)(t)(he )', lambda m: f"{m[1]}T{m[3]}", text)


def three_people(r: Random, people: list[str] | None = None) -> str:
    """Three names of which two come again: the answer is the only one that does not."""
    people = list(people or cast(r, 3))
    one, two, other = people
    r.shuffle(people)
    tense = "past" if r.random() < 0.85 else "present"
    kind = r.random()
    if kind < 0.45:
        does = verb(r, r.choice(phrases("trio_verbs")), tense, many=True)
        start = f"{lead_in(r, tense)}{people[0]}, {people[1]} and {people[2]} {does}"
    elif kind < 0.8:
        arrival = fill(r, r.choice(phrases("arrivals")).replace("{}", people[2]))
        start = f"{opening(r, people[0], people[1])}. {arrival}"
        tense = "past"
    else:
        does = verb(r, r.choice(phrases("one_with_two")), tense)
        start = f"{lead_in(r, tense)}{people[0]} {does} {people[1]} and {people[2]}"
    middle = bridge(r, tense) + " " if r.random() < 0.4 else ""
    if r.random() < 0.75:
        pair = r.sample((one, two), 2)
        does = act(r, f"{pair[0]} and {pair[1]}", other, tense, many=True)
    else:
        middle += f"{one} {r.choice(phrases('leavings_' + tense))}" + r.choice(
            (". ", ", so ", ", and ", " and ")
        )
        does = act(r, two, other, tense)
    return f"{capital(start)}. {middle}{does}."


def stranger_gives(r: Random) -> str:
    """Two people and a third who gives: either of the two is right, so nothing is marked."""
    first, second, s = cast(r, 3)
    return f"{opening(r, first, second)}. {plain(act(r, s, r.choice((first, second))))}."


def passing_on(r: Random) -> str:
    """A thing goes from hand to hand between two people: each line names the one who has it not."""
    first, second = cast(r, 2)
    lines = [opening(r, first, second) + "."]
    s, io = r.sample((first, second), 2)
    for _ in range(r.randint(2, 4)):
        lines.append(act(r, s, io) + ".")
        if r.random() < 0.7:
            s, io = io, s
    return " ".join(lines)


def group(r: Random) -> str:
    """A list of three who do something for one another, one after the other."""
    people = cast(r, 3)
    text = f"{listed(people)} {verb(r, r.choice(phrases('trio_verbs')), 'past', many=True)}. "
    gone = r.sample(people, 3)
    text += f"{gone[0]} and {gone[1]} {past('give')} {gift(r)} to{ANSWER} {gone[2]}. "
    thanks = f"{gone[2]} said thank you to{ANSWER} {gone[0]} and{ANSWER} {gone[1]}."
    return f"{text}{thanks} {capital(his(gone[2]))} {pick(r, 'gifts')} was {pick(r, 'colors')}."


def indirect_object(r: Random) -> str:
    kind = r.random()
    if kind < 0.66:
        return two_people(r)
    if kind < 0.86:
        return three_people(r)
    if kind < 0.95:
        return passing_on(r)
    return group(r) if kind < 0.985 else stranger_gives(r)
