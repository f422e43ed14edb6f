"""How long work tells its caller how far it is: a callback, so that the library never prints.

A leaf that every part may import.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """Where a long piece of work stands."""

    done: int
    total: int | None
    """None while it is not known."""
    unit: str
    """What is counted: tokens, steps, components."""
    message: str = ""
    """A short sentence for people; may be empty."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures of the moment, by name: a loss, a rate."""


OnProgress = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """The callback of a caller who does not want to know."""
