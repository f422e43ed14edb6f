"""kill -9 at random moments, twenty times: each time the collation goes on, and the end is the same."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neuron_explainer.exemplars import Recipe
from neuron_explainer.exemplars import collate as collating
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.shards import Shard
from neuron_explainer.exemplars.state import State
from neuron_explainer.exemplars.workplace import AnotherAtWork, Reached, Workplace, folder_of, sweep
from neuron_explainer.models.corpus import Corpus, open_corpus
from neuron_explainer.progress import Progress
from tests.exemplars.small_corpus import small_corpus
from tests.tiny_models import TinyModels

SEED = 0
RECIPE = Recipe(window=16, n_top=2, n_random=1, n_per_band=0)


def three_documents(folder: Path) -> Corpus:
    return open_corpus(str(small_corpus(folder / "small.jsonl", n_documents=3)))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
@pytest.mark.skipif(sys.platform == "darwin", reason="torch does not survive a fork there")
def test_killed_twenty_times_it_ends_the_same(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.exemplars.killing", str(tmp_path), str(SEED)]
    # A forked tokenizer must not wait for threads that were left behind.
    env = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"seed {SEED}:\n{done.stdout}\n{done.stderr}"
    found = re.search(r"killed (\d+) times, went on (\d+) times", done.stdout)
    assert found is not None, done.stdout
    assert int(found[1]) == 20
    assert int(found[2]) >= 10  # of the rest, some were killed before the first step


class Killed(Exception):
    """What a test raises where a process would end."""


def test_work_that_is_half_removed_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Workplace(tmp_path / "data", "task", window=4)
    tokens, lengths = torch.ones(3, 4, dtype=torch.long), torch.full((3,), 3)
    place.note(Shard(0, 0, tokens, lengths, ("a", "b", "c")))
    place.keep(State({}), Reached("task", n_windows=3, n_tokens=9, sources_bytes=12))
    place.close()
    place = Workplace(tmp_path / "data", "task", window=4)
    assert place.reached.n_windows == 3

    def killed(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(Killed):
        place.discard()
    place.close()
    again = Workplace(tmp_path / "data", "task", window=4)
    assert again.reached.n_windows == 0
    assert again.load(torch.device("cpu")) is None


def test_two_processes_never_work_in_one_place(tiny_models: TinyModels, tmp_path: Path) -> None:
    model, corpus, out = tiny_models("gpt2").ours, three_documents(tmp_path), tmp_path / "small"

    def meanwhile(_: Progress) -> None:
        # Neither the same work, nor another's, nor the end of another that is done already.
        for task in ("same", "other"):
            with pytest.raises(AnotherAtWork, match="Another process is collating here"):
                Workplace(out, task, window=16)
        sweep(out, "other")
        sweep(out, "same")

    dataset = collate(model, corpus, out, recipe=RECIPE, on_progress=meanwhile)
    assert dataset.card.n_windows > 0
    assert not folder_of(out).exists()
    place = Workplace(out, "same", window=16)  # free again
    place.close()
    sweep(out, "same")
    assert not folder_of(out).exists()


def test_what_a_finished_collation_left_is_removed(
    tiny_models: TinyModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, corpus, out = tiny_models("gpt2").ours, three_documents(tmp_path), tmp_path / "small"

    def killed(_: Workplace) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Workplace, "discard", killed)
        with pytest.raises(Killed):
            collate(model, corpus, out, recipe=RECIPE)
    assert folder_of(out).exists()
    dataset = collate(model, corpus, out, recipe=RECIPE)
    assert dataset.card.n_windows > 0
    assert not folder_of(out).exists()


def test_a_kill_between_two_datasets_leaves_no_old_one(
    tiny_models: TinyModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, corpus, out = tiny_models("gpt2").ours, three_documents(tmp_path), tmp_path / "small"
    collate(model, corpus, out, recipe=replace(RECIPE, n_top=1))
    remove = shutil.rmtree

    def killed(path: Path, **given: object) -> None:
        if path.name == ".small.old" and path.exists():
            raise Killed
        remove(path, **given)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        with pytest.raises(Killed):
            collate(model, corpus, out, recipe=RECIPE, overwrite=True)
    assert (tmp_path / ".small.old").exists()
    assert collate(model, corpus, out, recipe=RECIPE).card.recipe.n_top == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small", "small.jsonl"]


def test_a_dataset_that_cannot_be_written_leaves_no_part_of_it(
    tiny_models: TinyModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, corpus, out = tiny_models("gpt2").ours, three_documents(tmp_path), tmp_path / "small"

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(collating, "write_card", full)
        with pytest.raises(OSError, match="no space"):
            collate(model, corpus, out, recipe=RECIPE)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"small.jsonl", ".small.collating"}  # from which it can go on
