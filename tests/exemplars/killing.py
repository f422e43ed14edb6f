"""Collates while being killed: a program of its own, so that copies of it can be killed freely.

python -m tests.exemplars.killing FOLDER SEED

Each copy is killed with SIGKILL at a moment that is random but counted in what it has done, not in
seconds, so that a busy machine changes nothing: within one of its next steps, or at one of its next
file operations, before it takes effect. The seed draws the steps, the operations and the delays.
"""

import os
import random
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from neuron_explainer.exemplars import Dataset, Recipe
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.progress import OnProgress, ignore_progress
from tests.exemplars.same_dataset import assert_same
from tests.exemplars.small_corpus import small_corpus
from tests.tiny_models import TinyModels

RECIPE = Recipe(window=16, n_top=5, n_random=3, n_per_band=1, shard_windows=16)
N_KILLS = 20
FILE_OPERATIONS = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate")


@dataclass(frozen=True)
class Collation:
    """What is collated, again and again."""

    model: Transformer
    corpus: Path
    out: Path

    def run(self, on_progress: OnProgress = ignore_progress) -> Dataset:
        corpus = open_corpus(str(self.corpus))
        return collate(
            self.model,
            corpus,
            self.out,
            recipe=RECIPE,
            checkpoint_seconds=0.0,
            on_progress=on_progress,
        )


@dataclass(frozen=True)
class Moment:
    """When a copy is to die: so many steps or file operations from its start."""

    steps: int | None
    """Then `delay_seconds` later, from outside."""
    file_operations: int | None
    """At the one after these, from inside."""
    delay_seconds: float = 0.0


def moment(chance: random.Random) -> Moment:
    if chance.random() < 0.5:
        return Moment(None, chance.randrange(40))
    return Moment(chance.randrange(4), None, chance.uniform(0, 0.03))


def killed(collation: Collation, when: Moment) -> bool:
    """Collate in a copy of this process that dies at a moment; False if it was done before."""
    steps, each = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(steps)
        _live(collation, when, each)
    os.close(each)
    for _ in range(when.steps or 0):
        if not os.read(steps, 1):
            break
    if when.steps is not None:
        time.sleep(when.delay_seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(steps)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise AssertionError("a copy failed of itself; see above")
    return os.WIFSIGNALED(status)


def _live(collation: Collation, when: Moment, each: int) -> None:
    """What the copy does: it never returns."""
    left = when.file_operations
    place = str(collation.out.parent)

    def hook(event: str, given: tuple[object, ...]) -> None:
        nonlocal left
        if left is None or event not in FILE_OPERATIONS:
            return
        path = str(given[0])
        if path.startswith("/") and not path.startswith(place):  # else removed with its folder
            return
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    code = 1
    try:
        collation.run(lambda _: os.write(each, b"."))
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)  # no clean-up of what belongs to the parent


def main(folder: Path, seed: int) -> None:
    torch.set_num_threads(1)
    model = TinyModels(folder)("gpt2").ours
    corpus = small_corpus(folder / "small.jsonl", n_documents=100)
    expected = Collation(model, corpus, folder / "uninterrupted").run()
    chance = random.Random(seed)
    collation = Collation(model, corpus, folder / "killed" / "dataset")
    place = collation.out.with_name(".dataset.collating")
    n_killed = n_gone_on = 0
    while n_killed < N_KILLS:
        n_gone_on += (place / "progress.json").exists()
        n_killed += killed(collation, moment(chance))
        if (collation.out / "dataset.json").exists():  # it had come to the end: begin anew
            assert_same(collation.run(), expected)
            shutil.rmtree(collation.out)
    assert_same(collation.run(), expected)
    assert [path.name for path in collation.out.parent.iterdir()] == ["dataset"]
    sys.stdout.write(f"killed {n_killed} times, went on {n_gone_on} times\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
