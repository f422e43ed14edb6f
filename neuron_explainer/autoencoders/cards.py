"""A coder's card, `card.json` beside it: how it was trained, how that went, and how good it is.

{"model", "recipe": {...},
 "curve": [{"tokens", "fvu", "l0", "dead", "loss"}, ...]     while it was trained; at most 200 points
 "judgement": {...}, "judged_on"}                            `judging.Judgement`, or null
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neuron_explainer.autoencoders.judging import Judgement
from neuron_explainer.autoencoders.recipe import Point

MAX_CURVE_POINTS = 200


def training_curve(run: Path, point: Point) -> list[dict[str, int | float]]:
    """A coder's figures over its training, from the run's `metrics.jsonl`; empty without one."""
    file = run / "metrics.jsonl"
    if not file.is_file():
        return []
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    curve = [{"tokens": line["tokens"], **line["coders"][str(point)]} for line in lines]
    step = -(-len(curve) // MAX_CURVE_POINTS) if curve else 1
    return curve[::-1][::step][::-1]


# Anything that JSON has.
def read_card(folder: Path) -> dict[str, Any] | None:
    """The card of one coder's folder, if it has one."""
    file = folder / "card.json"
    card: dict[str, Any] | None = json.loads(file.read_text()) if file.is_file() else None
    return card


def write_card(
    folder: Path,
    *,
    model: str,
    recipe: Mapping[str, Any] | None = None,
    curve: list[dict[str, int | float]] | None = None,
    judgement: Judgement | None = None,
    judged_on: str | None = None,
) -> None:
    """Write a coder's card; what is not given stays as an earlier card has it."""
    card = read_card(folder) or {"recipe": {}, "curve": [], "judgement": None, "judged_on": None}
    card["model"] = model
    if recipe is not None:
        card["recipe"] = dict(recipe)
    if curve is not None:
        card["curve"] = curve
    if judgement is not None:
        card |= {"judgement": asdict(judgement), "judged_on": judged_on}
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n")
