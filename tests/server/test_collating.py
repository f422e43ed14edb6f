"""`tdb collate`: makes a dataset that is served, and goes on or refuses by what is there."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from activation_server import loading
from activation_server.cli import app
from activation_server.datasets import Datasets
from neuron_explainer.exemplars import open_dataset
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.exemplars.small_corpus import small_corpus


@pytest.fixture(autouse=True)
def loaded(model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model stands for every name."""
    monkeypatch.setattr(loading, "load", lambda name, **options: model)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return small_corpus(tmp_path / "small.jsonl", n_documents=12)


def collate(corpus: Path, out: Path | str, *more: str) -> Any:
    arguments = ("collate", "-m", "tiny", "--corpus", str(corpus), "--out", str(out), *more)
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def test_it_makes_a_dataset_that_fits_the_model(
    corpus: Path, tmp_path: Path, model: Transformer
) -> None:
    out = tmp_path / "small"
    result = collate(corpus, out, "--top", "3", "--window", "8", "--precision", "int8")
    assert result.exit_code == 0, result.output
    assert "--dataset" in result.output
    dataset = Datasets.open([str(out)], model).find(Component.parse("mlp_L1_5"))
    assert dataset.card.recipe.window == 8
    assert len(dataset.record(Component.parse("mlp_L1_5")).top_positive) == 3


def test_progress_is_told_as_json_lines(corpus: Path, tmp_path: Path) -> None:
    result = collate(corpus, tmp_path / "small", "--progress", "json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["event"] for event in events[:-1]] == ["progress"] * (len(events) - 1)
    assert events[-1]["event"] == "done"
    card = open_dataset(tmp_path / "small").card
    assert events[-1]["result"]["n_tokens"] == card.n_tokens


def test_the_same_again_is_done_at_once_and_another_is_refused(
    corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "small"
    assert collate(corpus, out).exit_code == 0
    created = (out / "dataset.json").stat().st_mtime_ns
    assert collate(corpus, out).exit_code == 0
    assert (out / "dataset.json").stat().st_mtime_ns == created
    result = collate(corpus, out, "--top", "3")
    assert result.exit_code == 2
    assert "--overwrite" in result.output
    assert collate(corpus, out, "--top", "3", "--overwrite").exit_code == 0
    assert open_dataset(out).card.recipe.n_top == 3


def test_a_model_that_differs_in_one_late_weight_is_another(
    corpus: Path, tmp_path: Path, model: Transformer
) -> None:
    out = tmp_path / "small"
    assert collate(corpus, out, "--tokens", "50").exit_code == 0
    weight = model.block(2).mlp.w_in
    before = weight[-1, -1].item()
    try:
        with torch.no_grad():
            weight[-1, -1] += 1
        assert collate(corpus, out, "--tokens", "50").exit_code == 2
    finally:
        with torch.no_grad():
            weight[-1, -1] = before
    assert collate(corpus, out, "--tokens", "50").exit_code == 0


def test_no_more_is_read_than_asked_for(corpus: Path, tmp_path: Path) -> None:
    assert collate(corpus, tmp_path / "few", "--tokens", "1").exit_code == 0
    assert open_dataset(tmp_path / "few").card.n_windows <= 512


def test_a_dataset_is_made_in_a_local_folder(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = collate(corpus, "gs://bucket/small", "--tokens", "1")
    assert result.exit_code == 2
    assert "on a blob store" in result.output
    assert list(tmp_path.glob("gs*")) == []


def test_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    result = collate(tmp_path / "nothing.jsonl", tmp_path / "x")
    assert result.exit_code == 2
    assert "There is no corpus" in result.output


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_what_is_no_dataset_is_never_replaced(
    corpus: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    folder, file = tmp_path / "photos", tmp_path / "notes.txt"
    folder.mkdir()
    (folder / "cat.jpg").write_text("a cat")
    file.write_text("a note")
    for out, said in ((folder, "a folder of other things"), (file, "is a file")):
        result = collate(corpus, out, *more)
        assert result.exit_code == 2
        assert said in result.output
    assert (folder / "cat.jpg").read_text() == "a cat"
    assert file.read_text() == "a note"
    (tmp_path / "empty").mkdir()
    assert collate(corpus, tmp_path / "empty", *more).exit_code == 0


@pytest.mark.parametrize("content", [b"", b'{"text": ', b"\xff\xfe\x00"])
def test_a_corpus_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.jsonl").write_bytes(content)
    result = collate(tmp_path / "bad.jsonl", tmp_path / "x")
    assert result.exit_code == 2, result.output
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jsonl"]
