"""A dataset on disk: what is written is read, and a damaged part spoils only itself."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from neuron_explainer.exemplars import DatasetUnavailable, open_dataset
from neuron_explainer.nodes import Component
from tests.exemplars.hand_made import hand_made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return hand_made(tmp_path / "made", n_layers=2)


def test_a_neurons_record_says_what_was_written(folder: Path) -> None:
    record = open_dataset(folder).record(Component.parse("mlp_L1_2"))
    assert record.component == "mlp_L1_2"
    assert record.measure == "activation"
    assert record.statistics.n_tokens == 6
    assert (record.statistics.mean, record.statistics.max) == (1.5, 3.0)
    assert [e.source for e in record.top_positive] == ["a.txt:1", "b.txt:7"]
    first, second = record.top_positive
    assert first.tokens == (" a", " b", "é", " d")
    assert list(first.activations) == [1, 1, 1, 3]
    assert (first.peak, first.peak_key, first.value) == (3, None, 3.0)
    assert second.token_ids == (2, 3)
    assert len(second.activations) == 2
    assert record.random == ()
    assert record.quantiles == ()


def test_a_heads_excerpt_is_a_lower_triangle(folder: Path) -> None:
    record = open_dataset(folder).record(Component.parse("attn_L0_1"))
    first = record.top_positive[0]
    assert [len(row) for row in first.activations] == [1, 2, 3, 4]
    assert (first.peak, first.peak_key) == (3, 2)  # the pair 8 is q = 3, k = 2
    assert first.activations[3][2] == 2
    assert record.measure == "write_magnitude"
    assert record.statistics.n_values == 20


def test_the_histogram_leaves_out_an_empty_side(folder: Path) -> None:
    histogram = open_dataset(folder).record(Component.parse("mlp_L0_0")).histogram
    assert histogram.edges[0] == 0
    assert len(histogram.edges) == len(histogram.counts) + 1
    assert sum(histogram.counts) == 6
    at = next(i for i, count in enumerate(histogram.counts) if count)
    assert histogram.edges[at] <= 1 < histogram.edges[at + 1]


def test_tables_of_a_layer(folder: Path) -> None:
    dataset = open_dataset(folder)
    assert dataset.means("mlp", 1).tolist() == [1.5, 1.5, 1.5]
    table = dataset.quantiles("attn", 0)
    assert table.values.shape == (2, len(table.levels))
    assert [str(c) for c in dataset.components("attn", 1)] == ["attn_L1_0", "attn_L1_1"]
    assert dataset.components("latent", 0, "mlp") == []
    assert Component.parse("mlp_L0_2") in dataset
    assert Component.parse("mlp_L0_3") not in dataset


@pytest.mark.parametrize("name", ["mlp_L0_3", "mlp_L9_0", "mlp_ae_L0_0", "embed"])
def test_what_is_not_there_is_said(folder: Path, name: str) -> None:
    with pytest.raises(DatasetUnavailable, match="holds nothing") as problem:
        open_dataset(folder).record(Component.parse(name))
    assert problem.value.hint


def test_a_damaged_file_spoils_its_own_group_only(folder: Path) -> None:
    whole = (folder / "mlp_L0.safetensors").read_bytes()
    (folder / "mlp_L0.safetensors").write_bytes(whole[: len(whole) // 2])
    dataset = open_dataset(folder)
    with pytest.raises(DatasetUnavailable, match=r"mlp_L0\.safetensors of .* damaged") as told:
        dataset.record(Component.parse("mlp_L0_0"))
    assert dataset.record(Component.parse("mlp_L1_0")).top_positive
    assert f"the dataset {dataset.name} is" in str(told.value)
    assert dataset.verify() == ["mlp_L0.safetensors"]


def test_files_cut_short_torn_or_gone_are_found_without_reading_them(folder: Path) -> None:
    dataset = open_dataset(folder)
    assert dataset.unreadable() == []
    cut, torn, gone = (folder / f"{name}.safetensors" for name in ("mlp_L0", "attn_L1", "mlp_L1"))
    length = cut.stat().st_size
    os.truncate(cut, length - 1)
    torn.write_bytes(b"\xff" * torn.stat().st_size)
    gone.unlink()
    found = {groups: problem for _, groups, problem in dataset.unreadable()}
    assert set(found) == {("mlp_L0",), ("attn_L1",), ("mlp_L1",)}
    assert (
        found["mlp_L0",] == f"mlp_L0.safetensors has {length - 1:,} bytes, {length:,} were written"
    )
    assert "attn_L1.safetensors cannot be opened" in found["attn_L1",]
    assert found["mlp_L1",] == "mlp_L1.safetensors is missing"


def test_a_text_file_cut_short_is_found(folder: Path) -> None:
    text = folder / "text.safetensors"
    os.truncate(text, text.stat().st_size - 1)
    ((file, groups, _),) = open_dataset(folder).unreadable()
    assert (file, groups) == ("text.safetensors", ())


@pytest.mark.parametrize("name", ["tokens", "vocabulary_bytes"])
def test_texts_that_make_no_sense_are_a_damaged_file(folder: Path, name: str) -> None:
    path = folder / "text.safetensors"
    tensors = load_file(path)
    tensors[name] = torch.full_like(tensors[name], 255)
    if name == "tokens":
        tensors[name] += 1_000_000
    save_file(tensors, path)
    dataset = open_dataset(folder)
    with pytest.raises(DatasetUnavailable, match=r"text\.safetensors .* damaged"):
        dataset.record(Component.parse("mlp_L0_0"))
    assert dataset.means("mlp", 0).shape == (3,)


def test_values_past_the_histogram_are_said_to_be_rough(folder: Path) -> None:
    path = folder / "mlp_L0.safetensors"
    tensors = load_file(path)
    tensors["min"][1] = -5000.0
    save_file(tensors, path)
    caveats = [open_dataset(folder).record(Component("mlp", 0, i)).caveats for i in range(2)]
    assert caveats[0] == ()
    assert "beyond 4,096" in caveats[1][0]


def test_a_flipped_byte_is_found_by_verifying(folder: Path) -> None:
    assert open_dataset(folder).verify() == []
    path = folder / "attn_L1.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert open_dataset(folder).verify() == ["attn_L1.safetensors"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format": 2, "name": "ma', "cannot be read"),
        ("[]", "cannot be read"),
        ('{"format": 99}', "format is 99"),
        ('{"format": 2, "groups": []}', "missing or unknown"),
    ],
)
def test_a_card_that_is_no_card(folder: Path, content: str, said: str) -> None:
    (folder / "dataset.json").write_text(content)
    with pytest.raises(DatasetUnavailable, match=said):
        open_dataset(folder)


def test_a_field_of_a_later_version_is_refused(folder: Path) -> None:
    card = json.loads((folder / "dataset.json").read_text()) | {"colour": "red"}
    (folder / "dataset.json").write_text(json.dumps(card))
    with pytest.raises(DatasetUnavailable, match="colour"):
        open_dataset(folder)


def test_a_folder_without_a_card(tmp_path: Path) -> None:
    with pytest.raises(DatasetUnavailable, match="holds no dataset") as problem:
        open_dataset(tmp_path)
    assert "tdb collate" in problem.value.hint


def test_nothing_is_read_but_the_card_when_opening(folder: Path) -> None:
    for path in folder.glob("*.safetensors"):
        path.unlink()
    assert open_dataset(folder).card.n_components == 10
