"""Reads JSON out of what a language model wrote: mended where it is plain what was meant, refused where not.

Mended: prose or a code fence around the object, a bare list, a trailing comma, a list of objects with the number in
them, an object with the numbers under 1, 2, 3 and so on, in whatever order. Refused: a wrong count, a number out of
range, no numbers at all, nesting without end. A refusal is a failure with its reason; no number is ever made up.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

MAX_SHOWN = 120
MAX_INTEGER = 10**6


class UnusableReply(ValueError):
    """A reply from which the answer cannot be told."""


def numbers_from(text: str, key: str, count: int, largest: float = 10.0) -> list[float]:
    """`count` numbers from 0 to `largest`, under `key` or as a bare list. Raises UnusableReply."""
    value = _value(text, key)
    if isinstance(value, dict):  # {"1": 0, "2": 3}
        value = [value[name] for name in _in_order(value)]
    if not isinstance(value, list):
        raise UnusableReply(f"no list of numbers in the reply: {_shown(text)}")
    found = [_number(item) for item in value]
    if len(found) != count:
        raise UnusableReply(f"{len(found)} numbers for {count} tokens or excerpts")
    if not all(0 <= number <= largest for number in found):
        wrong = next(number for number in found if not 0 <= number <= largest)
        raise UnusableReply(f"{wrong:g} is not from 0 to {largest:g}")
    return found


def texts_from(text: str, key: str) -> list[str]:
    """The strings under a key. Raises UnusableReply."""
    value = _value(text, key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnusableReply(f"no list {key!r} of texts in the reply: {_shown(text)}")
    return [item for item in value if item.strip()]


def phrase_from(text: str) -> str:
    """An explanation: the first line that says something, without quotes. Raises UnusableReply."""
    # A reply may hold halves of characters, which no file can.
    for line in text.encode("utf-8", "replace").decode().splitlines():
        phrase = line.strip().strip("\"'").strip()
        if phrase:
            return phrase[:1000]
    raise UnusableReply("the reply is empty")


# JSON of any shape.
def _value(text: str, key: str) -> Any:
    for candidate in _candidates(text):
        try:
            value = json.loads(re.sub(r",\s*([\]}])", r"\1", candidate))
        except (ValueError, RecursionError):  # too deep; or an integer of thousands of digits
            continue
        if isinstance(value, dict) and key in value:
            return value[key]
        if isinstance(value, list | dict):
            return value
    raise UnusableReply(f"no JSON in the reply: {_shown(text)}")


def _in_order(names: Iterable[str]) -> list[str]:
    """Keys as numbers go, if all of them are numbers; else as they were written."""
    known = list(names)
    are_numbers = all(re.fullmatch(r"\s*[0-9]{1,6}\s*", name) for name in known)
    return sorted(known, key=int) if are_numbers else known


def _candidates(text: str) -> Iterator[str]:
    """The text itself, then what lies between the first opening and the last closing bracket."""
    yield text
    for opening, closing in ("{}", "[]"):
        first, last = text.find(opening), text.rfind(closing)
        if 0 <= first < last:
            yield text[first : last + 1]


def _number(item: object) -> float:
    if isinstance(item, dict):
        values: Sequence[object] = [
            value for value in item.values() if isinstance(value, int | float)
        ]
        item = values[0] if len(values) == 1 else None
    if isinstance(item, str) and re.fullmatch(r"\s*\d+(\.\d+)?\s*", item):
        item = float(item)
    if isinstance(item, int) and abs(item) > MAX_INTEGER:  # a float could not hold it
        raise UnusableReply(f"an integer beyond {MAX_INTEGER} is no rating")
    if isinstance(item, bool) or not isinstance(item, int | float) or not math.isfinite(item):
        raise UnusableReply(f"{_shown(repr(item))} is not a number")
    return float(item)


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= MAX_SHOWN else flat[:MAX_SHOWN] + " ...")
