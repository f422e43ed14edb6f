"""A training run on disk, from which it can go on exactly where it was.

One safetensors file holds every learner's state (weights, Adam's moments, dead-latent counters) and, as text, the
step, the next block and the generator's state. Activations are not in it: the blocks before it are not needed, the
next is computed from the corpus. It is written beside and moved into place, so a kill leaves the old or the new.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from neuron_explainer.autoencoders.learner import Learner
from neuron_explainer.autoencoders.recipe import Point

NAME = "checkpoint.safetensors"


@dataclass(frozen=True)
class Position:
    """How far a run is."""

    step: int = 0
    block: int = 0
    """The next block."""
    seconds: float = 0.0
    """Time trained so far, over all sittings."""


def save_checkpoint(
    folder: Path,
    position: Position,
    learners: Mapping[Point, Learner],
    generator: torch.Generator,
) -> None:
    tensors = {
        f"{point}/{name}": value.contiguous()
        for point, learner in learners.items()
        for name, value in learner.state().items()
    }
    tensors["generator"] = generator.get_state()
    about = {"step": position.step, "block": position.block, "seconds": position.seconds}
    new = folder / f".{NAME}.new"
    save_file(tensors, new, metadata={"position": json.dumps(about)})
    os.replace(new, folder / NAME)


def load_checkpoint(
    folder: Path, learners: Mapping[Point, Learner], generator: torch.Generator
) -> Position | None:
    """Bring learners and generator back to where they were; None where nothing was saved yet."""
    path = folder / NAME
    if not path.is_file():
        return None
    with safe_open(path, framework="pt") as file:
        position = Position(**json.loads(file.metadata()["position"]))
        names = list(file.keys())
        for point, learner in learners.items():
            own = [name for name in names if name.startswith(f"{point}/")]
            learner.load_state({n.removeprefix(f"{point}/"): file.get_tensor(n) for n in own})
        generator.set_state(file.get_tensor("generator"))
    return position
