"""Short stories: a plot of `stories.txt` told about two people who keep their names, pronouns and belongings."""

import re
from functools import cache
from pathlib import Path
from random import Random

from scripts.demo.scenes import bridge
from scripts.demo.slots import PHRASES, SLOTS
from scripts.demo.words import a, cast, he, him, his, phrases, pick, sentence, some

GIVING = re.compile(
    r"\b(give|gives|gave|given|lent|sold|shared|showed|brought|present|took|for \{f|for \{h)"
)
"""What a line says when something may pass from one person to the other."""


@cache
def plots() -> tuple[tuple[str, ...], ...]:
    """The plots, each a tuple of lines: one line for each step."""
    text = (Path(__file__).parent / "stories.txt").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(tuple(block.splitlines()) for block in lines.strip().split("\n\n"))


class _Tale(dict[str, str]):
    """The words of one story: a slot keeps the word it was first given."""

    def __init__(self, r: Random, kind: str = "giver"):
        h, f = cast(r, 2, kind)
        super().__init__(
            h=h, f=f, he=he(h), his=his(h), him=him(h), fhe=he(f), fhis=his(f), fhim=him(f)
        )
        self.r = r

    def __missing__(self, slot: str) -> str:
        word = self._word(slot)
        self[slot] = word
        return word

    def _word(self, slot: str) -> str:
        r = self.r
        match slot:
            case "aO" | "aT" | "aO2" | "aT2" | "aprof" | "aanimal" | "aN" | "astranger":
                return a(self[slot[1:]])
            case "a_animal" | "an":
                return a(self["animal2"])
            case "acolor_O":
                return a(f"{self['color']} {self['O']}")
            case "acolor" | "atrait" | "atrait2" | "atrait3" | "asize":
                return a(self[slot[1:]])
            case "asize_animal":
                return a(f"{self['size']} {self['animal']}")
            case "aweather":
                return f"one {self['weather']}"
            case "food" | "food2":
                return some(self[f"foodname{slot[4:]}"])
            case "foods" | "foods2":
                return PHRASES["foods"](r)
            case "sadly" | "gladly":
                return r.choice(phrases("sad") if slot == "sadly" else phrases("glad"))
            case "female":
                return r.choice(("mother", "sister", "grandmother", "aunt"))
            case "male":
                return r.choice(("father", "brother", "grandfather", "uncle"))
            case "stranger":
                return pick(r, "people")
            case "pot":
                return r.choice(("pot", "pan", "oven", "bowl"))
            case "cloth_a":
                return a(self["cloth"])
            case "a_gold":
                return f"a golden {pick(r, 'gifts')}"
            case "a_sound":
                return r.choice(("a loud noise", "a strange sound", "a quiet voice"))
        section = {
            "size": "sizes",
            "material": "materials",
            "taste": "tastes",
            "body": "body",
            "positive": "positive",
        }
        if slot.rstrip("23") in section:
            return pick(r, section[slot.rstrip("23")])
        base = slot.rstrip("23")
        return PHRASES[base](r) if base in PHRASES else pick(r, *SLOTS[base].split())


def story(r: Random) -> str:
    """One plot, told in one of its many ways; where nothing is given, it may be about anybody."""
    steps = [
        r.choice(step.removeprefix("?").split(" | "))
        for step in r.choice(plots())
        if not step.startswith("?") or r.random() < 0.5
    ]
    tale, told = _Tale(r, "giver" if any(map(GIVING.search, steps)) else "all"), []
    for step in steps:
        text = step.format_map(tale)
        told.append(". ".join(sentence(part) for part in text.split(". ")))
        if r.random() < 0.05:
            told.append(bridge(r))
    return " ".join(told)


def talk(r: Random) -> str:
    """A few lines of dialogue, with speakers named in turn."""
    one, two = cast(r, 2, "all")
    tale = _Tale(r)
    asked = (
        "Do you like {foods}?|Where is the {O}?|Have you seen my {O}?|What is in the {room}?|Who is"
        " the {prof}?|Is it {weather} today?|Can you play {sport}?"
    )
    answers = (
        "Yes, I do.|No, I do not.|It is on the {F}.|I do not know.|I think so.|Maybe on {day}.|Ask"
        " the {prof}.|It is in the {P}.|Of course."
    )
    lines = []
    for _ in range(r.randint(1, 3)):
        lines += [f"{one}: {r.choice(asked.split('|'))}", f"{two}: {r.choice(answers.split('|'))}"]
    return "\n".join(lines).format_map(tale)
