"""An explanation: a sentence about what one side of a component responds to, and how good it is.

A leaf: everything else in this package speaks in these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from neuron_explainer.nodes import Component

Side = Literal["positive", "negative"]
"""Which sign of the activation is meant; a latent or a head has only the positive one."""

SIDES: tuple[Side, ...] = ("positive", "negative")

PREFERRED_SCORE = "correlation"
"""The score that `Explanation.score` is: calibrated simulation against top and random excerpts."""

RIVAL_SCORE = "lookup_correlation"
"""What the token lookup scores on the same excerpts: the rival that an explanation must beat."""


@dataclass(frozen=True)
class Score:
    """One measure of an explanation, and what it rests on."""

    value: float | None
    """None where it is undefined, and then `reason` says why."""
    low: float | None = None
    """Lower end of the 95 % confidence interval, by bootstrap over excerpts."""
    high: float | None = None
    n: int = 0
    """Tokens (for heads: token pairs; for detection and fuzzing: excerpts) that it rests on."""
    reason: str = ""


@dataclass(frozen=True)
class Explanation:
    """A sentence about one side of a component."""

    component: Component
    text: str
    side: Side
    explainer: str
    """Who made it: `lookup`, `trigger_graph`, `human`, or a method and the name of its model."""
    created: str
    """When, as in 2026-01-31T12:00:00Z."""
    measures: Mapping[str, Score] = field(default_factory=dict)
    """Every score by its name, with interval and count."""
    density: float | None = None
    """Share of tokens at which the component is active, from the dataset it was explained on."""
    rule: Mapping[str, Any] | None = None
    """For explanations made without a language model: the exact rule that the text puts in words."""
    prompt_hash: str = ""
    """SHA-256 of the prompt that made it; empty without a language model."""
    id: int | None = None
    """Number within its store; None until stored."""

    @property
    def scores(self) -> Mapping[str, float | None]:
        """Value of each score by its name."""
        return {name: measure.value for name, measure in self.measures.items()}

    @property
    def score(self) -> float | None:
        """The preferred score; None when undefined or never measured."""
        measure = self.measures.get(PREFERRED_SCORE)
        return None if measure is None else measure.value


@dataclass(frozen=True)
class SimulatedExcerpt:
    """True and simulated activations of one excerpt, side by side; simulated values are calibrated."""

    tokens: tuple[str, ...]
    true: Sequence[float]
    simulated: Sequence[float]
    sample: str
    """Which part of the dataset it is from: `top` or `random`."""


def now() -> str:
    """The time in the form that stores keep."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
