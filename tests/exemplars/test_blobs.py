"""Files from afar: copied once through blobfile, told clearly when they cannot be had."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import blobfile
import pytest

from neuron_explainer.exemplars import DatasetUnavailable, open_dataset
from neuron_explainer.exemplars.blobs import fetched
from neuron_explainer.nodes import Component
from tests.exemplars.hand_made import hand_made


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """gs://bucket/... is a folder here; gives what was fetched from it."""
    monkeypatch.setenv("TDB_CACHE", str(tmp_path / "cache"))
    asked: list[str] = []

    def copy(source: str, target: str, *, overwrite: bool) -> None:
        assert overwrite
        asked.append(source.removeprefix("gs://bucket/"))
        Path(target).write_bytes((tmp_path / asked[-1]).read_bytes())

    monkeypatch.setattr(blobfile, "create_context", lambda **_: SimpleNamespace(copy=copy))
    hand_made(tmp_path / "made", n_layers=2)
    return asked


def test_a_dataset_on_a_blob_store_is_fetched_file_by_file(store: list[str]) -> None:
    dataset = open_dataset("gs://bucket/made")
    assert store == ["made/dataset.json"]
    assert dataset.record(Component.parse("mlp_L1_2")).top_positive
    assert store[1:] == ["made/mlp_L1.safetensors", "made/text.safetensors"]
    assert open_dataset("gs://bucket/made").record(Component.parse("mlp_L1_0"))
    assert store[3:] == ["made/dataset.json"]  # the card anew, the rest from the cache


def test_what_is_not_there(store: list[str]) -> None:
    with pytest.raises(DatasetUnavailable, match="holds no dataset"):
        open_dataset("gs://bucket/other")


def test_two_that_fetch_the_same_at_once_do_not_write_into_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TDB_CACHE", str(tmp_path / "cache"))
    both = threading.Barrier(2, timeout=10)

    def copy(_: str, target: str, *, overwrite: bool) -> None:
        assert overwrite
        with Path(target).open("w") as file:
            file.write("one half, ")
            both.wait()
            file.write("the other")

    monkeypatch.setattr(blobfile, "create_context", lambda **_: SimpleNamespace(copy=copy))
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: fetched("gs://bucket/1/2.json", version="public"), "ab"))
    assert [path.read_text() for path in paths] == ["one half, the other"] * 2


def test_what_could_not_be_fetched_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TDB_CACHE", str(tmp_path / "cache"))

    def cut_off(_: str, target: str, *, overwrite: bool) -> None:
        assert overwrite
        Path(target).write_text("one half")
        raise blobfile.Error("cut off")

    monkeypatch.setattr(blobfile, "create_context", lambda **_: SimpleNamespace(copy=cut_off))
    with pytest.raises(OSError, match="cut off"):
        fetched("gs://bucket/1/2.json", version="public")
    assert list((tmp_path / "cache" / "blobs").iterdir()) == []


def test_a_store_that_cannot_be_reached(store: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise blobfile.Error("no route")

    monkeypatch.setattr(blobfile, "create_context", lambda **_: SimpleNamespace(copy=fail))
    with pytest.raises(OSError, match="cannot be reached"):
        fetched("gs://bucket/made/dataset.json", version=None)
    with pytest.raises(DatasetUnavailable, match="no route"):
        open_dataset("gs://bucket/made")
