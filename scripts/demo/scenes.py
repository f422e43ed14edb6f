"""Ways to put two people into a scene: openings and bridges for gifts and stories.

The point is variety of syntax. A model that has seen a handful of openings learns that the answer is
"the first of the two names"; it has to learn who was named twice, so the openings here place the two
names in coordinations, subject and object, relative clauses, apposition, dialogue and separate
sentences, at many distances. `tests` and the model card use other openings, listed in `frames.py`.
"""

from random import Random

from scripts.demo.slots import be, fill, verb
from scripts.demo.words import cast, he, him, inflect_first, phrases, pick


def lead_in(r: Random, tense: str = "past") -> str:
    """A time or circumstance in front of a sentence; often nothing."""
    if r.random() < 0.4:
        return ""
    pause = "" if r.random() < 0.35 else ","
    if r.random() < 0.15:
        return circumstance(r, tense)
    if tense == "present":
        kind = r.random()
        return fill(r, r.choice(phrases("nowadays")) if kind < 0.7 else "In the {P}") + f"{pause} "
    kind = r.random()
    if kind < 0.6:
        return f"{r.choice(phrases('times'))}{pause} "
    if kind < 0.7:
        return f"On {pick(r, 'days')}{pause} "
    if kind < 0.8:
        return f"In {pick(r, 'months')}{pause} "
    return fill(
        r,
        r.choice(
            (
                "During the {weather} morning, ",
                "Near the {P}, ",
                "In the {room}, ",
                "Outside the {P}, ",
                "On a {weather} day in {country}, ",
                "At {number} o'clock, ",
                "Behind the {P}, ",
                "Before the trip to {country}, ",
                "For the first time, ",
                "In a {placeword} {P}, ",
                "One day in {season}, ",
                "After {aidea}, ",
            )
        ),
    )


def circumstance(r: Random, tense: str) -> str:
    """A clause about the weather, the day or a place, and the word that joins the next one to it."""
    is_ = be(tense, False)
    forms = (
        f"it {is_} {{weather}}",
        f"it {is_} {{day}}",
        f"it {is_} {{month}}",
        f"it {is_} {{number}} o'clock",
        f"it {is_} late",
        f"it {is_} a {{weather}} {{day}}",
        f"the {{P}} {is_} {{placeword}}",
        f"the {{P}} {is_} closed",
        f"there {is_} no {{foodname}} left",
        f"the {{vehicle}} {is_} late",
        f"the {{prof}} {is_} ill",
        f"the sun {verb(r, 'shine', tense)}",
        "{season} had come" if tense == "past" else "{season} has come",
    )
    link = r.choice(
        (", and ", ", and ", ", so ", ", but ", "; ", " when " if tense == "past" else ", and ")
    )
    return fill(r, r.choice(forms)) + link


def together(r: Random, first: str, second: str, tense: str = "past") -> str:
    """A clause whose subject is both people."""
    both = f"{first} and {second}"
    kind = r.random()
    if kind < 0.12:
        both = fill(
            r,
            r.choice(
                (
                    "the two {prof}s, {{}},",
                    "my friends {{}}",
                    "our friends {{}}",
                    "the twins {{}}",
                    "both {{}}",
                    "the {prof}s {{}}",
                    "two {trait} people, {{}},",
                    "a {trait} pair, {{}},",
                    "{{}}, both {feeling},",
                    "{{}}, the two {prof}s,",
                )
            ),
        ).format(both)
    elif kind < 0.2:
        both = fill(r, f"{first}, the {{prof}}, and {second}, the {pick(r, 'professions')},")
    elif kind < 0.24:
        both = f"{first}, together with {second},"
        return f"{both} {verb(r, r.choice(phrases('together')), tense)}"
    phrase = r.choice(phrases("together"))
    if r.random() < 0.15 and not phrase.startswith("be "):
        return f"{both} {be(tense, True)} {inflect_first(fill(r, phrase), 'ing')}"
    extra = fill(
        r,
        r.choice(
            (
                "",
                "",
                "",
                "",
                " together",
                " again",
                " on {day}",
                " with the {animal}",
                " after breakfast",
            )
        ),
    )
    return f"{both} {verb(r, phrase, tense, many=True)}{extra}"


def one_with_other(r: Random, first: str, second: str, tense: str = "past") -> str:
    """A clause in which the first person acts on the second."""
    who = first
    if r.random() < 0.2:
        about = ("who BE {trait}", "the {prof}", "{aprof}", "who BE from {country}")
        who = f"{first}, {fill(r, r.choice(about).replace('BE', be(tense, False)))},"
    extra = fill(
        r,
        r.choice(
            (
                "",
                "",
                " in the {P}",
                " at the {P}",
                " near the {F}",
                " on {day}",
                " by chance",
                " every day" if tense != "past" else "",
            )
        ),
    )
    return f"{who} {verb(r, r.choice(phrases('one_with_other')), tense)} {second}{extra}"


def apart(r: Random, first: str, second: str, tense: str = "past") -> str:
    """Each person in a clause of their own."""
    one, two = (verb(r, r.choice(phrases("alone")), tense) for _ in range(2))
    link = r.choice(
        (
            ". {} ",
            ", and {} ",
            ", but {} ",
            " while {} ",
            ", whereas {} ",
            ". In the meantime, {} ",
            "; {} ",
        )
    )
    return f"{first} {one}{link.format(second)}{two}"


def around(r: Random, first: str, second: str, tense: str = "past") -> str:
    """Both people inside a sentence about something else."""
    are, is_ = be(tense, True), be(tense, False)
    forms = (
        f"the {{O}} that {first} and {second} {verb(r, 'buy', tense, True)} {is_} {{quality}}",
        f"the {{animal}} that {first} saw with {second} {is_} {{color}}",
        f"the room where {first} and {second} {verb(r, 'sit', tense, True)} {is_} {{placeword}}",
        (
            f"the {{P}} where {first} {verb(r, r.choice(phrases('one_verb')), tense)} {second}"
            f" {is_} {{placeword}}"
        ),
        f"there {are} two people in the {{P}}: {first} and {second}",
        f"there {is_} {{aO}} on the {{F}} between {first} and {second}",
        (
            f"the {{prof}} {verb(r, r.choice(phrases('one_verb')), tense)} {first} and {second} at"
            " the {P}"
        ),
        (
            f"we {verb(r, r.choice(phrases('one_verb')), tense, True)} {first} and {second} in the"
            " {P}"
        ),
        f"{{atrait}} {{prof}} {verb(r, 'tell', tense)} {first} and {second} about the {{O}}",
        f"{first}'s house {is_} next to {second}'s house",
        (
            f"{first} {is_} {r.choice(('older', 'taller', 'younger', 'richer', 'faster'))} than"
            f" {second}"
        ),
        (
            f"{first} {is_} {second}'s"
            f" {r.choice(('friend', 'partner', 'boss', 'guest', 'cousin', 'boyfriend', 'best friend'))}"
        ),
        f"{first} {is_} {{aprof}} and {second} {is_} {{aprof2}}",
        f'"let us go to the {{P}}," {first} {verb(r, "say", tense)} to {second}',
        f'"where is the {{O}}?" {first} asked {second}',
        f'{first} asked {second}, "Do you like {{foods}}?"',
        f"not only {first} but also {second} {verb(r, 'like', tense)} {{hobby}}",
        f"for {first} and {second}, it {is_} a {{weather}} day",
        f"the {{vehicle}} {verb(r, 'bring', tense)} {first} and {second} to the {{P}}",
        f"a letter for {first} and {second} {verb(r, 'arrive', tense)} at the {{P}}",
        (f"{first} and {second} {are} {r.choice(phrases('ties'))}"),
        f"{first} {verb(r, 'think', tense)} that {second} {is_} {{trait}}",
        (
            f"it {is_} {first} who {verb(r, r.choice(phrases('one_verb')), tense)} {second} at the"
            " {P}"
        ),
        f"first came {first}, and soon {second} came too",
        f"with the {{animal}} at the door, {first} and {second} {are} {{feeling}}",
    )
    return fill(r, r.choice(forms))


def in_other_words(r: Random, first: str, second: str, tense: str = "past") -> str:
    """Conjunctions, possessives and prepositions that the other shapes do not use."""
    are, is_ = be(tense, True), be(tense, False)
    both, one = (
        verb(r, r.choice(phrases("together")), tense, True),
        verb(r, r.choice(phrases("alone")), tense),
    )
    forms = (
        f"either {first} or {second} {one}",
        f"nobody knew whether {first} or {second} {one}",
        f"{first}, as well as {second}, {one}",
        f"{first} as well as {second} {one}",
        f"{first}, but not {second}, {one}",
        f"{first} or {second} {verb(r, 'have', tense)} {{aO}}",
        f"without {first}, {second} {one}",
        f"like {first}, {second} {one}",
        f"instead of {first}, {second} {one}",
        f"thanks to {first}, {second} {one}",
        f"it {is_} not {first} but {second} who {one}",
        f"what {first} and {second} {verb(r, 'want', tense, True)} {is_} {{aO}}",
        f"whenever {first} and {second} {both}, they {are} {{feeling}}",
        f"no {{prof}} {is_} as {{trait}} as {first} and {second}",
        f"everyone in the {{P}} {verb(r, 'know', tense)} {first} and {second}",
        f"in front of {first} {verb(r, 'stand', tense)} {second}",
        f"{first} and {second} had never {r.choice(('eaten', 'tasted'))} {{food}}",
        f"never before had {first} and {second} been so {{feeling}}",
        f"hardly had {first} and {second} come home",
        f"the {{prof}} of {first} and {second} {is_} {{feeling}}",
        f"{first}'s {{animal}} and {second}'s {{animal}} {are} asleep",
        f"{first} {is_} from {{country}} and {second} {is_} not",
        f"{first} {verb(r, 'like', tense)} {{foods}} more than {second}",
        f"{first} {both if tense == 'past' else one} until {second} came",
        f"as long as {first} {is_} here, {second} {is_} {{feeling}}",
        f"the {{O}} {verb(r, 'belong', tense)} to {first} and {second}",
        f"this {is_} the {{P}} of {first} and {second}",
        f"here {verb(r, 'come', tense, True)} {first} and {second}",
        f"people {verb(r, 'say', tense, True)} that {first} and {second} {are} {{trait}}",
        f"{first} {is_} at the {{P}} because {second} {is_} ill",
        f"{first} {verb(r, 'call', tense)} from the {{P}}, and {second} came at once",
        f"only {first} and {second} {are} still awake",
        f"all but {first} and {second} {are} {{feeling}}",
        f"{first} {verb(r, 'have', tense)} {{aO}} in the {{room}} that {second} {verb(r, 'like', tense)}",
    )
    return fill(r, r.choice(forms))


def capital(text: str) -> str:
    """The text with a capital at its start, past an opening quote."""
    at = 1 if text.startswith('"') else 0
    return text[:at] + text[at].upper() + text[at + 1 :]


def clause(r: Random, first: str, second: str, tense: str = "past") -> str:
    """A clause that names both people once in this order."""
    kind = r.random()
    shape = (
        together
        if kind < 0.45
        else one_with_other
        if kind < 0.66
        else apart
        if kind < 0.78
        else around
        if kind < 0.9
        else in_other_words
    )
    return shape(r, first, second, tense)


def opening(r: Random, first: str, second: str, tense: str = "past") -> str:
    """A sentence, without its full stop, that names both people once in this order."""
    return capital(lead_in(r, tense) + clause(r, first, second, tense))


def bridge(r: Random, tense: str = "past") -> str:
    """A sentence between the opening and the gift that names neither person; now and then a third one."""
    is_, are = be(tense, False), be(tense, True)
    if r.random() < 0.12:
        third_name = cast(r, 1)[0]
        return fill(
            r,
            r.choice(
                (
                    f"{third_name} {is_} not there.",
                    f"The {{O}} {is_} from {third_name}.",
                    f"{third_name} had stayed at home.",
                    f"They talked about {third_name}.",
                    f"{third_name}'s {{animal}} {is_} asleep.",
                    f"A letter from {third_name} {is_} on the {{F}}.",
                    f"{third_name} {is_} far away, in {{country}}.",
                    f"{third_name} had gone home because {he(third_name)} {is_} {{feeling}}.",
                    (
                        f"The {{vehicle}} of {third_name} {is_} outside; somebody had lent it to"
                        f" {him(third_name)}."
                    ),
                )
            ),
        )
    forms = (
        f"It {is_} {{weather}}.",
        f"The {{P}} {is_} {{placeword}}.",
        f"They {are} {{feeling}}.",
        f"The {{N}} {is_} {{quality}}.",
        f"There {is_} {{aN}} in the corner.",
        f"The weather {is_} {{weather}}, and the {{P}} {is_} {{placeword}}.",
        f"Everyone {is_} {{feeling}}.",
        f"Nobody else {is_} there.",
        f"The {{animal}} {is_} asleep under the {{F}}.",
        f"They {verb(r, r.choice(phrases('together')), tense, True)}.",
        f"They both {verb(r, r.choice(phrases('together')), tense, True)}.",
        f"{{atrait}} {{prof}} {verb(r, 'walk', tense)} by.",
        f"The {{prof}} {verb(r, 'smile', tense)}.",
        f"Mr {{surname}} {verb(r, 'walk', tense)} by.",
        f"Mrs {{surname}}, the {{prof}}, {is_} {{feeling}}.",
        f"There {are} three {{animals}} near the {{N}}.",
        "It was a good day.",
        "Time went by.",
        "They had a good time.",
        f"The sun {verb(r, 'shine', tense)}.",
        f"It {is_} {{day}}.",
        f"The {{foodname}} {is_} on the {{F}}.",
        f"They {verb(r, 'find', tense, True)} {{aO}} and {{food}} in the {{P}}.",
        f"The {{O}} {is_} {{color}}.",
        f"Nobody {verb(r, 'know', tense)} such a {{O}}.",
        f"There {is_} no other {{P}} like it.",
        f"Then it {verb(r, 'rain', tense)} all day.",
        f"All the {{animals}} {are} {{feeling}}.",
        f"An old {{prof}} {verb(r, 'look', tense)} out of the {{room}}.",
        f"The {{T}} {is_} broken, and the {{prof}} {is_} {{feeling}}.",
        f"In the {{room}} {verb(r, 'stand', tense)} {{aT}}.",
    )
    return capital(fill(r, r.choice(forms)))
