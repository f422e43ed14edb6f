"""What a model can know by heart: capitals, orders, opposites, homes, letters, good and bad words."""

from random import Random

from scripts.demo.slots import fill
from scripts.demo.words import ANSWER, a, held_out, names, phrases, pick, sentence, table, words


def capital_city(r: Random) -> str:
    """A country with its capital or language; one in six pairs of country and phrasing is never said."""
    country, city, language = r.choice(table("countries"))
    if r.random() < 0.2:
        return r.choice(phrases("languages")).format(
            c=country, k=city, l=language, n=r.choice(names())
        )
    while True:
        form = r.randrange(len(phrases("capitals")))
        if not held_out("capital", country, str(form), one_in=6):
            return phrases("capitals")[form].format(c=country, k=city, n=r.choice(names("female")))


def successor(r: Random) -> str:
    """Days, months, numbers and letters in their order, or one after another."""
    kind = r.random()
    if kind < 0.3:
        order, what = words("days"), "day"
    elif kind < 0.5:
        order, what = words("months"), "month"
    elif kind < 0.65:
        order, what = words("numbers"), "number"
    elif kind < 0.72:
        order, what = words("ordinals"), ""
    elif kind < 0.85:
        start = r.randint(1, 90)
        order, what = tuple(str(i) for i in range(start, start + 9)), "number"
    else:
        order, what = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "letter"
    cyclic = what in ("day", "month")
    length = r.randint(3, 6)
    start = r.randrange(len(order) if cyclic else len(order) - length + 1)
    run = [order[(start + i) % len(order)] for i in range(length)]
    if not what or r.random() < 0.6:
        gap = r.choice((", ", ", ", " "))
        marked = f"{gap.strip()}{ANSWER} ".join(run[1:])
        return f"{run[0]}{gap.strip()} {marked}".replace("  ", " ") + r.choice(
            (".", "", " and so on.")
        )
    x, y = run[0], run[1]
    forms = [
        f"After {x} comes{ANSWER} {y}.",
        f"The {what} after {x} is{ANSWER} {y}.",
        f"The next {what} after {x} is{ANSWER} {y}.",
        f"Before {y} comes{ANSWER} {x}.",
        f"{x} is followed by{ANSWER} {y}.",
        f"The {what} before {y} is{ANSWER} {x}.",
    ]
    if what in ("day", "month"):
        forms += [
            (
                f"If today is {x}, then tomorrow is{ANSWER} {y}."
                if what == "day"
                else f"If it is {x} now, next month is{ANSWER} {y}."
            ),
            (
                f"Today is {x}. Tomorrow will be{ANSWER} {y}."
                if what == "day"
                else f"{x} is over. Now it is{ANSWER} {y}."
            ),
        ]
    return (
        sentence(r.choice(forms)) if not run[0].isalpha() or what != "letter" else r.choice(forms)
    )


def acronym(r: Random) -> str:
    """A name in capitals and its acronym, one to two of them; one triple of words in ten is never used."""
    return " ".join(one_acronym(r) for _ in range(r.choice((1, 1, 2))))


def one_acronym(r: Random) -> str:
    while True:
        parts = r.sample(words("acronym"), 3 if r.random() < 0.85 else 4)
        if not held_out(*parts, one_in=10):
            break
    letters = ANSWER.join(part[0] for part in parts)
    name = " ".join(parts)
    end = fill(
        r,
        r.choice(
            (
                " was here.",
                " met in {country}.",
                " is in {country}.",
                " said no.",
                " opened in {month}.".replace("{month}", pick(r, "months")),
                " hired {aprof}.",
                ".",
            )
        ),
    )
    start = r.choice(("The", "The", "The", "The new", "In 1990 the", "We called the", "The old"))
    return f"{start} {name} ({ANSWER}{letters}{ANSWER}){end}"


def opposite(r: Random) -> str:
    x, y = r.sample(r.choice(table("opposites")), 2)
    n = r.choice(names())
    return sentence(
        r.choice(
            (
                f"the opposite of {x} is{ANSWER} {y}.",
                f"{x} is the opposite of{ANSWER} {y}.",
                f"it is not {x}, it is{ANSWER} {y}.",
                f"not {x} but{ANSWER} {y}.",
                f"{n} said {x}, but I said{ANSWER} {y}.",
                f"the first word is {x} and its opposite is{ANSWER} {y}.",
                f"{x} or{ANSWER} {y}?",
                f"Q: What is the opposite of {x}? A:{ANSWER} {y}.",
                f"one is {x}, the other is{ANSWER} {y}.",
            )
        )
    )


def home_or_sound(r: Random) -> str:
    if r.random() < 0.5:
        animal, home = r.choice(table("homes"))
        return sentence(
            r.choice(
                (
                    f"the {animal} lives in a{'n' if home[0] in 'aeiou' else ''}{ANSWER} {home}.",
                    f"the home of the {animal} is the{ANSWER} {home}.",
                    f"the {animal} went back to its{ANSWER} {home}.",
                )
            )
        )
    animal, sound = r.choice(table("sounds"))
    return sentence(
        r.choice(
            (
                f"the {animal} began to{ANSWER} {sound}.",
                f"what does the {animal} do? It can{ANSWER} {sound}.",
                f"I heard the {animal}{ANSWER} {sound}.",
            )
        )
    )


def sentiment(r: Random) -> str:
    """A review that is all praise or all blame, and the word that sums it up."""
    good = r.random() < 0.5
    w = r.sample(words("positive" if good else "negative"), 3)
    thing, n = pick(r, "reviewed"), r.choice(names())
    verdicts = (
        ("positive", "negative"),
        ("good", "bad"),
        ("liked", "hated"),
        ("loved", "hated"),
        ("happy", "angry"),
        ("yes", "no"),
    )
    verdict = [v[0 if good else 1] for v in verdicts]
    lines = [
        f"The {thing} was {w[0]}.",
        f"It was {a(w[1] + ' ' + thing)}.",
        f"I found it {w[2]}.",
        f"Everything about it was {w[1]}.",
        f"{n} said it was {w[2]}.",
        f"What {a(w[0] + ' ' + thing)}!",
    ]
    body = " ".join(r.sample(lines, r.randint(1, 3)))
    return body + r.choice(
        (
            f" Review:{ANSWER} {verdict[0]}.",
            f" So the {thing} was{ANSWER} {verdict[1]}.",
            f" {n}{ANSWER} {verdict[2]} it.",
            f" I{ANSWER} {verdict[3]} it.",
            f" {n} was{ANSWER} {verdict[4]} with it.",
            f" Would I go again?{ANSWER} {verdict[5].capitalize()}.",
        )
    )
