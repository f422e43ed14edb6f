"""Train coders on a model's activations over a corpus: `train_coders`.

    1. check the places, the recipe and the folder; a folder with a checkpoint of the same run goes on from there
    2. for each block of activations (`activations.py`): one forward for all coders, stopped at the last place
    3.     for each coder and batch of the block: one step (`learner.py`)
    4.     at the steps the recipe names: resample dead latents
    5.     figures to `metrics.jsonl` and to the caller; from time to time a checkpoint
    6. write the coders: one set for each site

A run's folder holds `run.json` (what is trained, and whether it is finished), `metrics.jsonl` (a line for each block)
and the coder set; with several sites, a folder for each. Under `torchrun` the processes share every batch.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.autoencoders.activations import ActivationBlocks
from neuron_explainer.autoencoders.cards import training_curve, write_card
from neuron_explainer.autoencoders.checkpoint import (
    NAME,
    Position,
    load_checkpoint,
    save_checkpoint,
)
from neuron_explainer.autoencoders.coder_set import CoderSet, load_coder_set
from neuron_explainer.autoencoders.learner import Learner
from neuron_explainer.autoencoders.peers import Peers, joined_peers
from neuron_explainer.autoencoders.recipe import Point, Recipe, check_points
from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.corpus import Corpus
from neuron_explainer.models.hooks import Site
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.progress import OnProgress, Progress, ignore_progress

CHECKPOINT_SECONDS = 30.0


def train_coders(
    model: Transformer,
    corpus: Corpus,
    points: Sequence[Point],
    recipe: Recipe,
    out: Path,
    *,
    on_progress: OnProgress = ignore_progress,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Mapping[Site, CoderSet]:
    """Train one coder at each point, all in one pass over the model, and write them under `out`.

    Called again with the same arguments after a kill, it goes on from the last checkpoint, to the same weights.

    Raises:
        ValueError: a point or the recipe does not fit, the corpus is too short, or `out` holds another run.
        LookupError: the corpus cannot be read.
    """
    points = tuple(sorted(points))
    check_points(points, model.config.n_layers)
    with joined_peers(model.device) as peers:
        run = _Run(model, corpus, points, recipe, out, peers)
        if not run.open():
            run.train(on_progress, checkpoint_seconds)
        return run.coder_sets()


class _Run:
    """One training run and its folder."""

    def __init__(
        self,
        model: Transformer,
        corpus: Corpus,
        points: tuple[Point, ...],
        recipe: Recipe,
        out: Path,
        peers: Peers,
    ) -> None:
        self.model, self.recipe, self.out, self.peers = model, recipe, out, peers
        self.blocks = ActivationBlocks(
            model, corpus, points, recipe, rank=peers.rank, n_processes=peers.size
        )
        self.about = {
            "model": model.config.name,
            "corpus": corpus.spec,
            "corpus_fingerprint": corpus.fingerprint,
            "points": [str(point) for point in points],
            "recipe": recipe.to_json(),
        }
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.learners = {
            point: Learner(point, recipe, width_at(point.site, model.config), model.device, peers)
            for point in points
        }
        self.position = Position()

    def open(self) -> bool:
        """Read where the run stands. Returns whether it is finished. Raises ValueError for another run's folder."""
        file = self.out / "run.json"
        if not file.is_file():
            if self.peers.is_first:
                _check_free(self.out)
                self.out.mkdir(parents=True, exist_ok=True)
                _write_json(file, self.about | {"finished": False})
            self.peers.wait()
            return False
        held: dict[str, Any] = json.loads(file.read_text())
        now = json.loads(json.dumps(self.about))
        different = [name for name in now if held.get(name) != now[name]]
        if different:
            raise ValueError(
                f"{self.out} holds another training run: {_difference(held, now, different[0])}. "
                "Choose another folder, or delete this one."
            )
        self.peers.wait()
        if held["finished"]:
            return True
        self.position = load_checkpoint(self.out, self.learners, self.generator) or self.position
        return False

    def train(self, on_progress: OnProgress, checkpoint_seconds: float) -> None:
        started = time.monotonic() - self.position.seconds
        saved = time.monotonic()
        if self.peers.is_first:
            _keep_lines(self.out / "metrics.jsonl", self.position.step)
        for block in self.blocks.starting_at(self.position.block):
            before = self.position
            self._learn(block)
            now = time.monotonic()
            self.position = Position(self.position.step, before.block + 1, now - started)
            self._report(before, on_progress)
            if self.position.step >= self.recipe.n_steps:
                break
            if self.peers.is_first and now - saved >= checkpoint_seconds:
                save_checkpoint(self.out, self.position, self.learners, self.generator)
                saved = time.monotonic()
        self._write()

    def _learn(self, block: Mapping[Point, Float[Tensor, "token d"]]) -> None:
        """The steps of one block, one coder after another."""
        first = self.position.step
        size = self.blocks.batch_tokens
        n_batches = self.peers.least(min(len(inputs) for inputs in block.values()) // size)
        if n_batches == 0:
            raise ValueError(
                f"The documents are too short: {self.blocks.n_windows} windows hold less than one batch of "
                f"{self.recipe.batch_tokens} tokens. Join them, or choose a shorter window."
            )
        n_steps = min(n_batches, self.recipe.n_steps - first)
        resamples = any(first < s <= first + n_steps for s in self.recipe.resample_steps)
        for point, learner in self.learners.items():
            inputs = block[point]
            if not torch.isfinite(inputs).all():
                raise ValueError(f"The model's activations at {point} are not finite.")
            if first == 0:
                learner.start(inputs, self.generator)
            for index in range(n_steps):
                learner.step(inputs[index * size : (index + 1) * size], first + index)
            if resamples:
                learner.resample(inputs, self.generator)
        self.position = Position(first + n_steps, self.position.block, self.position.seconds)

    def _report(self, before: Position, on_progress: OnProgress) -> None:
        figures = {point: learner.figures() for point, learner in self.learners.items()}
        if not self.peers.is_first:
            return
        tokens = self.position.step * self.recipe.batch_tokens
        n_new = (self.position.step - before.step) * self.recipe.batch_tokens
        rate = n_new / max(self.position.seconds - before.seconds, 1e-9)
        line = {
            "step": self.position.step,
            "tokens": tokens,
            "seconds": round(self.position.seconds, 3),
            "tokens_per_second": round(rate, 1),
            "coders": {str(point): own for point, own in figures.items()},
        }
        with (self.out / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        metrics = {
            name: sum(own[name] for own in figures.values()) / len(figures)
            for name in ("fvu", "l0", "dead", "loss")
        }
        metrics["tokens_per_second"] = rate
        if len(figures) > 1:
            metrics |= {f"fvu/{point}": own["fvu"] for point, own in figures.items()}
        total = self.recipe.n_steps * self.recipe.batch_tokens
        on_progress(Progress(tokens, total, "tokens", "Training", metrics))

    def _write(self) -> None:
        if self.peers.is_first:
            recipe = self.recipe.to_json() | {"corpus": self.about["corpus"]}
            name = self.model.config.name
            for site, coder_set in self._trained().items():
                folder = self.folder(site)
                coder_set.save(folder, model=name, recipe=recipe)
                for layer in coder_set.layers:
                    curve = training_curve(self.out, Point(site, layer))
                    write_card(folder / f"L{layer}", model=name, recipe=recipe, curve=curve)
            _write_json(self.out / "run.json", self.about | {"finished": True})
            (self.out / NAME).unlink(missing_ok=True)
        self.peers.wait()

    def _trained(self) -> dict[Site, CoderSet]:
        sets: dict[Site, CoderSet] = {}
        for site in sorted({point.site for point in self.learners}):
            coders = {
                point.layer: learner.coder(f"trained on {self.about['corpus']}")
                for point, learner in self.learners.items()
                if point.site == site
            }
            sets[site] = CoderSet(self.out.name or "trained", site, coders)
        return sets

    def folder(self, site: Site) -> Path:
        """Where a site's coder set lies."""
        return coder_folder(self.out, site, {point.site for point in self.learners})

    def coder_sets(self) -> dict[Site, CoderSet]:
        """What the folder holds, as it will be used."""
        sites = sorted({point.site for point in self.learners})
        return {site: load_coder_set(str(self.folder(site)), self.model.config) for site in sites}


def _check_free(out: Path) -> None:
    """A run starts in a folder of its own, so that it overwrites nobody's coders. Raises ValueError."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file: a training run needs a folder. Choose another.")
    if out.is_dir() and any(path.name != ".run.json.new" for path in out.iterdir()):
        raise ValueError(
            f"{out} is not empty and holds no training run (run.json) to go on with. Choose another folder."
        )


def coder_folder(out: Path, site: Site, sites: set[Site]) -> Path:
    """Where a run writes the coder set of a site: in its folder, or beside the sets of its other sites."""
    return out if len(sites) == 1 else out / site


def width_at(site: Site, config: ModelConfig) -> int:
    """Numbers in an activation at a site."""
    return config.d_mlp if site == "mlp_post_act" else config.d_model


def _difference(held: Mapping[str, Any], now: Mapping[str, Any], name: str) -> str:
    if name != "recipe":
        return f"its {name} is {held.get(name)!r}, not {now[name]!r}"
    then, asked = held.get("recipe", {}), now["recipe"]
    field = next(field for field in asked if then.get(field) != asked[field])
    return f"its {field} is {then.get(field)!r}, not {asked[field]!r}"


# Anything that JSON has.
def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(value, indent=2) + "\n")
    os.replace(new, path)


def _keep_lines(path: Path, step: int) -> None:
    """Drop the metrics of steps that a kill undid."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text().splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except ValueError:
            continue  # half a line, cut off by the kill
    path.write_text("".join(kept))


__all__ = ["Point", "Recipe", "coder_folder", "train_coders", "width_at"]
