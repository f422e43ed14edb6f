"""Fill the slots of a phrase with words of the right class, and put its verb in a tense.

A slot such as `{P}` stands for a place, `{aO}` for a gift with its article; each asks for a fresh word.
"""

from random import Random

from scripts.demo.words import a, inflect_first, kinds, pick, plural, some, table

SLOTS = {
    "P": "places",
    "O": "gifts",
    "T": "tools furniture",
    "F": "furniture",
    "sport": "sports",
    "subject": "subjects",
    "vehicle": "vehicles",
    "room": "rooms",
    "hobby": "hobbies",
    "instrument": "instruments",
    "trait": "traits",
    "feeling": "feelings",
    "prof": "professions",
    "quality": "qualities sizes",
    "placeword": "placewords",
    "color": "colors",
    "weather": "weather",
    "N": "gifts tools furniture nature vehicles",
    "animal": "animals",
    "number": "numbers",
    "day": "days",
    "month": "months",
    "foodname": "foods",
    "cloth": "clothes",
    "person": "female male",
    "surname": "surnames",
    "season": "seasons",
    "idea": "abstract",
}
"""Which sections of the word lists a slot such as `{P}` may be filled from."""

PHRASES = {
    "drink": lambda r: some(pick(r, "drinks")),
    "food": lambda r: some(pick(r, "foods")),
    "foods": lambda r: kinds(pick(r, "foods")),
    "country": lambda r: r.choice(table("countries"))[0],
    "animals": lambda r: plural(pick(r, "animals")),
    "flowers": lambda r: plural(pick(r, "flowers")),
    "aO": lambda r: a(pick(r, "gifts")),
    "aT": lambda r: a(pick(r, "tools", "furniture")),
    "aTree": lambda r: a(pick(r, "trees")),
    "aN": lambda r: a(pick(r, "gifts", "tools", "furniture", "nature", "vehicles")),
    "an": lambda r: a(pick(r, "animals")),
    "aprof": lambda r: a(pick(r, "professions")),
    "aprof2": lambda r: a(pick(r, "professions")),
    "acloth": lambda r: a(pick(r, "clothes")),
    "atrait": lambda r: a(pick(r, "traits")),
    "aidea": lambda r: a(pick(r, "abstract")),
    "a2": lambda r: a(f"{pick(r, 'colors')} {pick(r, 'vehicles', 'animals')}"),
}
"""Slots that are filled with more than one bare word."""


class _Draws(dict[str, str]):
    """Draws a word for a slot when a template asks for it."""

    def __init__(self, r: Random):
        super().__init__()
        self.r = r

    def __missing__(self, slot: str) -> str:
        return PHRASES[slot](self.r) if slot in PHRASES else pick(self.r, *SLOTS[slot].split())


def fill(r: Random, phrase: str) -> str:
    """The phrase with each slot filled by a fresh word of the slot's class."""
    return phrase.format_map(_Draws(r)) if "{" in phrase else phrase


def be(tense: str, many: bool) -> str:
    return ("were" if many else "was") if tense == "past" else ("are" if many else "is")


def verb(r: Random, phrase: str, tense: str, many: bool = False) -> str:
    """A filled verb phrase in a tense, agreeing with its subject."""
    phrase = fill(r, phrase)
    if phrase.startswith("be "):
        return be(tense, many) + phrase[2:]
    if tense == "past":
        return inflect_first(phrase, "past")
    return phrase if many else inflect_first(phrase, "third")
