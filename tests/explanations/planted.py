"""Descriptions to be found again by other words, and any number of others to hide them among."""

import random
from collections.abc import Iterator

# Each description, and a query that means it in other words.
PLANTED = (
    ("names of chess pieces such as ' bishop' and ' rook'", "pieces in the game of chess"),
    ("mentions of volcanoes, lava and eruptions", "volcanic eruption"),
    ("medical terms for heart disease", "cardiac illness"),
    ("words about weddings, brides and marriage", "getting married"),
    ("programming errors and stack traces", "software bugs and exceptions"),
    ("references to the Roman Empire and its emperors", "ancient Rome"),
    ("baking terms: ' dough', ' oven', ' flour'", "making bread and cakes"),
    ("planets, moons and other bodies of the solar system", "astronomy and planets"),
    ("legal language about contracts and lawsuits", "law and courts"),
    ("expressions of gratitude such as ' thanks'", "thanking someone"),
)

# Explanations of three groups, and two that belong to none.
DAYS = [
    "fires on ' Monday', ' Tuesday' and other days of the week",
    "fires on days of the week such as ' Friday'",
    "fires after days of the week",
    "fires on ' Sunday' and other days of the week, after ' on'",
]
COLOURS = [
    "fires on ' red', ' blue' and other colours",
    "fires on colours after ' the'",
    "fires on ' green' and other colours, after ' a'",
]
MUSIC = [
    "fires on musical instruments such as ' violin'",
    "fires on ' drum', ' piano' and other musical instruments",
    "fires on musical instruments after ' the'",
]
LONE = ["fires on the closing bracket of a list", "fires on ' yesterday'"]
EVERYTHING = [*DAYS, *COLOURS, *MUSIC, *LONE]

_SUBJECTS = [
    *("days", "months", "cities", "countries", "names", "pronouns", "verbs", "numbers", "years"),
    *("brackets", "quotes", "commas", "colours", "animals", "rooms", "shops", "tools", "vehicles"),
    *("clothes", "furniture", "fruits", "vegetables", "trees", "flowers", "rivers", "mountains"),
    *("streets", "sports", "teams", "songs", "films", "books", "letters", "newspapers", "schools"),
    *("teachers", "students", "doctors", "soldiers", "kings", "farmers", "ships", "trains"),
    *("bridges", "towers", "windows", "doors", "gardens", "insects", "birds", "fish", "metals"),
    *("stones", "weather", "rain", "snow", "wind", "sizes", "shapes", "directions", "emotions"),
    *("sounds", "smells", "prices", "currencies", "banks", "elections", "parties"),
]
_FORMS = (
    "fires on {0} after {1}",
    "{0}, mostly at the end of a sentence",
    "the first token of {0}",
    "plural {0} followed by {1}",
    "{0} in lists with {1}",
    "mentions of {0} and {1} in news",
    "{0} inside quotations about {1}",
    "adjectives that describe {0}",
    "the token before {0}, rarely {1}",
    "fires on {0} and {1} of {2}",
)


def fillers(count: int, seed: int = 0) -> Iterator[str]:
    """Descriptions of other things."""
    draw = random.Random(seed)
    for _ in range(count):
        yield draw.choice(_FORMS).format(*draw.sample(_SUBJECTS, 3))
