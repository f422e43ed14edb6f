"""Writes a dataset: into a folder beside its own, which takes its name when everything is there."""

import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from jaxtyping import Int
from safetensors.torch import save_file
from torch import Tensor

from neuron_explainer.exemplars.layout import CARD, TEXT, DatasetCard, Group, GroupFile
from neuron_explainer.exemplars.store import sha256


class NoDatasetThere(ValueError):
    """A dataset would replace something that is none."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.hint = "Choose another --out: a new folder, an empty one, or a dataset to overwrite."


def check_replaceable(target: Path) -> None:
    """Raises NoDatasetThere for a file, a folder that holds anything but a dataset, and a blob path."""
    scheme = target.parts[0] if target.parts else ""
    if (
        scheme.endswith(":") and len(scheme) > 2
    ):  # a Path has one slash of gs:// left; C: is a drive
        raise NoDatasetThere(f"{target} is on a blob store: a dataset is made in a local folder.")
    if target.is_dir():
        if (target / CARD).is_file() or not any(target.iterdir()):
            return
        raise NoDatasetThere(f"{target} is a folder of other things: it has no {CARD}.")
    if target.exists() or target.is_symlink():
        raise NoDatasetThere(f"{target} is a file, not the folder of a dataset.")


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """An empty folder to fill, that becomes `target` at once when all went well.

    Raises NoDatasetThere where `target` is something else, then and there.
    """
    sweep_replaced(target)
    partial, old = _beside(target)
    partial.mkdir(parents=True)
    try:
        yield partial
        check_replaceable(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    if target.exists():
        target.rename(old)
    partial.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def sweep_replaced(target: Path) -> None:
    """Remove what a killed `replacing_folder` left beside a dataset."""
    for folder in _beside(target):
        shutil.rmtree(folder, ignore_errors=True)


def _beside(target: Path) -> tuple[Path, Path]:
    """Where the new one is made, and where the old one waits to be removed."""
    return target.with_name(f".{target.name}.partial"), target.with_name(f".{target.name}.old")


def write_group(
    folder: Path, group: Group, n_values: int, tensors: Mapping[str, Tensor]
) -> GroupFile:
    """One file of a dataset; says what the card must know of it.

    `tensors` are those of `layout`, with the codes uncompressed as `activations`.
    """
    path = folder / f"{group.name}.safetensors"
    rest = {name: tensor for name, tensor in tensors.items() if name != "activations"}
    blobs = [zlib.compress(codes.numpy().tobytes()) for codes in tensors["activations"]]
    save_atomically({**rest, **_joined("codes", blobs)}, path)
    return GroupFile(group, path.name, n_values, path.stat().st_size, sha256(path))


def write_text(
    folder: Path,
    tokens: Int[Tensor, "window token"],
    lengths: Int[Tensor, " window"],
    sources: Sequence[str],
    vocabulary: Sequence[str],
) -> str:
    """The windows that are shown, and the text of every token; gives the file's hash."""
    path = folder / TEXT
    strings = {**_packed("source", sources), **_packed("vocabulary", vocabulary)}
    save_atomically({"tokens": tokens.int(), "lengths": lengths.int(), **strings}, path)
    return sha256(path)


def write_card(folder: Path, card: DatasetCard) -> None:
    """The card, last: a folder without one is no dataset."""
    write_json_atomically(card.to_json(), folder / CARD)


def write_json_atomically(data: object, path: Path) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    flush_to_disk(partial)
    os.replace(partial, path)


def save_atomically(tensors: Mapping[str, Tensor], path: Path) -> None:
    """A safetensors file that is there whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial)
    partial.chmod(0o644)  # safetensors lets nobody else read
    flush_to_disk(partial)
    os.replace(partial, path)


def flush_to_disk(path: Path) -> None:
    """So that not even a power cut leaves a file that is named but not written."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _packed(name: str, strings: Sequence[str]) -> dict[str, Tensor]:
    return _joined(name, [text.encode("utf-8", "replace") for text in strings])


def _joined(name: str, blobs: Sequence[bytes]) -> dict[str, Tensor]:
    """Many byte strings as one tensor, and where each begins."""
    lengths = torch.tensor([0, *map(len, blobs)])
    joined = bytearray(b"".join(blobs) or b"\0")
    return {
        f"{name}_bytes": torch.frombuffer(joined, dtype=torch.uint8),
        f"{name}_starts": lengths.cumsum(0),
    }
