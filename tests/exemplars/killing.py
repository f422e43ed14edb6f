"""Collates while being killed: a program of its own, so that copies of it can be killed freely.

python -m tests.exemplars.killing FOLDER
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from neuron_explainer.exemplars import Dataset, Recipe
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from tests.exemplars.same_dataset import assert_same
from tests.exemplars.small_corpus import small_corpus
from tests.tiny_models import TinyModels

RECIPE = Recipe(window=16, n_top=5, n_random=3, n_per_band=1, shard_windows=16)
N_KILLS = 20


def run(model: Transformer, corpus: Path, out: Path) -> Dataset:
    return collate(model, open_corpus(str(corpus)), out, recipe=RECIPE, checkpoint_seconds=0.0)


def start(model: Transformer, corpus: Path, out: Path) -> int:
    """Collate in a copy of this process; gives its id."""
    child = os.fork()
    if child == 0:
        try:
            run(model, corpus, out)
        finally:
            os._exit(0)  # no clean-up of what belongs to the parent
    return child


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    model = TinyModels(folder)("gpt2").ours
    corpus = small_corpus(folder / "small.jsonl", n_documents=100)
    began = time.monotonic()
    expected = run(model, corpus, folder / "uninterrupted")
    seconds = time.monotonic() - began
    chance = random.Random(0)
    out, place = folder / "killed", folder / ".killed.collating"
    n_killed = n_gone_on = 0
    while n_killed < N_KILLS:
        n_gone_on += (place / "progress.json").exists()
        child = start(model, corpus, out)
        time.sleep(chance.uniform(0, 0.8 * seconds))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        n_killed += os.WIFSIGNALED(status)
        if (out / "dataset.json").exists():  # it was quicker than the signal: begin anew
            assert_same(run(model, corpus, out), expected)
            (out / "dataset.json").unlink()
    assert_same(run(model, corpus, out), expected)
    assert not place.exists()
    sys.stdout.write(f"killed {n_killed} times, went on {n_gone_on} times\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
