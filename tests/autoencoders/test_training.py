"""Whole training runs: what they write, that they go on exactly after a kill, and that processes share them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from neuron_explainer.autoencoders.cards import read_card
from neuron_explainer.autoencoders.coder_set import load_coder_set
from neuron_explainer.autoencoders.recipe import Point
from neuron_explainer.autoencoders.training import train_coders
from neuron_explainer.models.corpus import Corpus, open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.progress import Progress
from tests.autoencoders.training_runs import (
    POINTS,
    metrics,
    small_corpus,
    small_recipe,
    write_text,
)
from tests.tiny_models import TinyModels


@pytest.fixture
def model(tiny_models: TinyModels) -> Transformer:
    return tiny_models("gpt2").ours


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return small_corpus(tmp_path)


def weights(out: Path) -> dict[str, Tensor]:
    """Every tensor of every coder under a folder."""
    return {
        f"{file.parent.relative_to(out)}/{name}": value
        for file in sorted(out.rglob("coder.safetensors"))
        for name, value in load_file(file).items()
    }


def assert_equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first and first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_a_run_writes_a_coder_for_every_place(
    model: Transformer, corpus: Corpus, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    seen: list[Progress] = []
    sets = train_coders(model, corpus, POINTS, small_recipe(), out, on_progress=seen.append)
    assert {site: s.layers for site, s in sets.items()} == {
        "resid_delta_mlp": (0, 1),
        "resid_delta_attn": (1,),
    }
    for site in sets:
        loaded = load_coder_set(str(out / site), model.config)
        assert (loaded.site, loaded.layers) == (site, sets[site].layers)
    assert [p.done for p in seen] == [256, 512, 768, 1024, 1280, 1536]
    assert seen[-1].total == 1536
    assert {"fvu", "l0", "dead", "loss", "tokens_per_second"} <= seen[-1].metrics.keys()
    lines = metrics(out)
    assert [line["step"] for line in lines] == [4, 8, 12, 16, 20, 24]
    assert lines[-1]["coders"].keys() == {str(point) for point in POINTS}
    assert lines[-1]["coders"]["resid_delta_mlp/L0"]["l0"] == pytest.approx(8, rel=0.01)
    assert not (out / "checkpoint.safetensors").exists()


def test_one_site_lies_in_the_folder_itself(
    model: Transformer, corpus: Corpus, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    train_coders(model, corpus, POINTS[:1], small_recipe(), out)
    assert json.loads((out / "coders.json").read_text())["layers"] == [0]
    card = read_card(out / "L0")
    assert card is not None
    assert [point["tokens"] for point in card["curve"]] == [256, 512, 768, 1024, 1280, 1536]
    assert card["recipe"]["n_latents"] == 96
    assert card["judgement"] is None


def test_training_explains_more_as_it_goes(
    model: Transformer, corpus: Corpus, tmp_path: Path
) -> None:
    recipe = small_recipe(tokens=200 * 64)
    train_coders(model, corpus, POINTS[:1], recipe, tmp_path / "run")
    curve = [line["coders"]["resid_delta_mlp/L0"]["fvu"] for line in metrics(tmp_path / "run")]
    assert curve[-1] < 0.5 * curve[0]


def test_coders_trained_together_are_those_trained_alone(
    model: Transformer, corpus: Corpus, tmp_path: Path
) -> None:
    """One pass over the model feeds all of them; the first draws from the same generator either way."""
    train_coders(model, corpus, POINTS, small_recipe(), tmp_path / "all")
    first = min(POINTS)
    train_coders(model, corpus, [first], small_recipe(), tmp_path / "one")
    together = load_file(tmp_path / "all" / first.site / f"L{first.layer}" / "coder.safetensors")
    alone = load_file(tmp_path / "one" / f"L{first.layer}" / "coder.safetensors")
    for name, value in alone.items():
        assert torch.allclose(value, together[name], atol=1e-5), name


@pytest.mark.parametrize("revival", ["auxiliary", "both"])
@pytest.mark.parametrize("join_documents", [True, False])
def test_a_run_that_stops_and_goes_on_ends_at_the_same_weights(
    model: Transformer, corpus: Corpus, tmp_path: Path, revival: Any, join_documents: bool
) -> None:
    recipe = small_recipe(revival=revival, dead_after=256, join_documents=join_documents)
    train_coders(model, corpus, POINTS, recipe, tmp_path / "straight")

    def stop(progress: Progress) -> None:
        if progress.done >= 768:
            raise KeyboardInterrupt

    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        train_coders(model, corpus, POINTS, recipe, out, on_progress=stop, checkpoint_seconds=0.0)
    assert (out / "checkpoint.safetensors").is_file()
    assert not list(out.rglob("coder.safetensors"))
    train_coders(model, corpus, POINTS, recipe, out)
    assert_equal(weights(out), weights(tmp_path / "straight"))
    without_times = [
        [{k: v for k, v in line.items() if "second" not in k} for line in metrics(folder)]
        for folder in (out, tmp_path / "straight")
    ]
    assert without_times[0] == without_times[1]


def test_a_finished_run_is_not_trained_again(
    model: Transformer, corpus: Corpus, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    train_coders(model, corpus, POINTS[:1], small_recipe(), out)
    before = (out / "L0/coder.safetensors").stat().st_mtime_ns
    seen: list[Progress] = []
    sets = train_coders(model, corpus, POINTS[:1], small_recipe(), out, on_progress=seen.append)
    assert seen == []
    assert sets["resid_delta_mlp"].layers == (0,)
    assert (out / "L0/coder.safetensors").stat().st_mtime_ns == before


def test_a_folder_of_another_run_is_refused(
    model: Transformer, corpus: Corpus, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    train_coders(model, corpus, POINTS[:1], small_recipe(), out)
    with pytest.raises(ValueError, match="its n_latents is 96, not 128"):
        train_coders(model, corpus, POINTS[:1], small_recipe(n_latents=128), out)
    with pytest.raises(ValueError, match="its points is .'resid_delta_mlp/L0'., not"):
        train_coders(model, corpus, POINTS, small_recipe(), out)
    write_text(tmp_path, n_documents=200)
    with pytest.raises(ValueError, match="its corpus_fingerprint is"):
        changed = open_corpus(str(tmp_path / "text.jsonl"))
        train_coders(model, changed, POINTS[:1], small_recipe(), out)


def test_a_folder_of_other_things_is_left_alone(
    model: Transformer, corpus: Corpus, tmp_path: Path
) -> None:
    out = tmp_path / "others"
    out.mkdir()
    (out / "coders.json").write_text("mine")
    with pytest.raises(ValueError, match="not empty and holds no training run"):
        train_coders(model, corpus, POINTS[:1], small_recipe(), out)
    assert [path.read_text() for path in out.iterdir()] == ["mine"]
    with pytest.raises(ValueError, match="is a file: a training run needs a folder"):
        train_coders(model, corpus, POINTS[:1], small_recipe(), out / "coders.json")


def test_a_bad_run_writes_nothing(model: Transformer, corpus: Corpus, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(ValueError, match="layer 7 is out of range: the model has layers 0-2"):
        train_coders(model, corpus, [Point("resid_post", 7)], small_recipe(), out)
    assert not out.exists()
    (tmp_path / "short.txt").write_text("The cat")
    with pytest.raises(ValueError, match="shorter than one window"):
        short = open_corpus(str(tmp_path / "short.txt"))
        train_coders(model, short, POINTS, small_recipe(), tmp_path / "other")


def test_documents_too_short_for_a_batch_are_an_error(model: Transformer, tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    path.write_text('{"text": "The cat"}\n' * 50)
    recipe = small_recipe(join_documents=False, buffer_batches=1)
    with pytest.raises(ValueError, match="documents are too short"):
        train_coders(model, open_corpus(str(path)), POINTS, recipe, tmp_path / "run")


# --- processes ------------------------------------------------------------------------------------

CHILD = """
import sys, torch
from pathlib import Path
from neuron_explainer import load_model
from neuron_explainer.autoencoders.training import train_coders
from neuron_explainer.models.corpus import open_corpus
from tests.autoencoders.training_runs import POINTS, small_recipe
torch.set_num_threads(1)
folder, corpus, out, changes = sys.argv[1:]
recipe = small_recipe(**eval(changes))
train_coders(load_model(folder), open_corpus(corpus), POINTS, recipe, Path(out), checkpoint_seconds=0.0)
"""


def child(folder: Path, corpus: Corpus, out: Path, changes: str, *launcher: str) -> list[str]:
    script = out.parent / "child.py"
    script.write_text(CHILD)
    return [sys.executable, *launcher, str(script), str(folder), corpus.spec, str(out), changes]


def environment(root: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}


def test_kill_9_and_resume_equal_an_uninterrupted_run(
    tiny_models: TinyModels, corpus: Corpus, tmp_path: Path, root: Path
) -> None:
    folder = tiny_models("gpt2").folder
    changes = "{'tokens': 400 * 64, 'revival': 'both'}"
    straight = child(folder, corpus, tmp_path / "straight", changes)
    subprocess.run(straight, check=True, env=environment(root))

    out = tmp_path / "killed"
    command = child(folder, corpus, out, changes)
    process = subprocess.Popen(command, env=environment(root))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        file = out / "metrics.jsonl"
        if file.is_file() and file.read_text().count("\n") >= 20:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run ended before it could be killed"
    assert not list(out.rglob("coder.safetensors"))

    subprocess.run(command, check=True, env=environment(root))
    assert_equal(weights(out), weights(tmp_path / "straight"))
    assert [line["step"] for line in metrics(out)] == list(range(4, 401, 4))


def test_two_processes_reach_what_one_reaches_with_the_same_batch(
    tiny_models: TinyModels, corpus: Corpus, tmp_path: Path, root: Path
) -> None:
    """Both go on from one checkpoint. In blocks of one batch, each step sees the same tokens either way."""
    tiny = tiny_models("gpt2")
    changes = {"buffer_batches": 1, "revival": "auxiliary", "dead_after": 10**6}

    def stop(progress: Progress) -> None:
        if progress.done >= 4 * 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_coders(
            tiny.ours, corpus, POINTS, small_recipe(**changes), tmp_path / "one",
            on_progress=stop, checkpoint_seconds=0.0,
        )  # fmt: skip
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    torchrun = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone")
    for out, launcher in (("one", ()), ("two", torchrun)):
        command = child(tiny.folder, corpus, tmp_path / out, repr(changes), *launcher)
        subprocess.run(command, check=True, env=environment(root), timeout=300)
    alone, shared = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert alone and alone.keys() == shared.keys()
    for name, value in alone.items():
        assert torch.allclose(value, shared[name], atol=1e-4), name
    assert [line["step"] for line in metrics(tmp_path / "two")] == list(range(1, 25))
