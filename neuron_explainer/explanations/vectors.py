"""Vectors of explanations, in a memory-mapped safetensors file beside their store.

`explanations.sqlite` has `explanations.vectors.safetensors`: one row for each explanation, the explanations' numbers,
and the name of the one encoder that made them all. Vectors of different encoders say nothing to each other, so a
mismatch is an error and never a bad ranking.

Vectors have length 1, hence only their direction is kept: a byte for each dimension, 127 at the largest. That turns a
vector by 0.4 degrees or less (`tests/explanations/test_search.py`).
"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from neuron_explainer.explanations.encoders import RETIRED, Encoder, load_encoder
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.progress import OnProgress, Progress, ignore_progress

BATCH = 256


class EncoderMismatch(ValueError):
    """A query was encoded by another encoder than the index."""


@dataclass(frozen=True)
class VectorTable:
    """One vector for each explanation of a store."""

    encoder: str
    numbers: Int[Tensor, " row"]
    """The explanation that each row stands for; ascending."""
    vectors: Float[Tensor, "row d"]
    written: tuple[int, ...] = ()
    """Tells the file that was read from one that took its place: `vectors_written`."""

    def check_encoder(self, encoder: Encoder) -> None:
        """Raise EncoderMismatch unless it is the one that made these vectors."""
        if encoder.name != self.encoder:
            raise EncoderMismatch(
                f"The index was made by the encoder {self.encoder}, the query by {encoder.name}: "
                "use the index's, or build it anew with `tdb search --reindex`."
            )


def vectors_path(store_path: Path) -> Path:
    """Where the vectors of a store lie."""
    return store_path.with_suffix(".vectors.safetensors")


def vectors_written(store_path: Path) -> tuple[int, ...]:
    """Changes whenever the vectors of a store are written; empty if there are none."""
    try:
        found = vectors_path(store_path).stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def recorded_encoder(store_path: Path) -> str | None:
    """Who made the vectors of a store; None if there are none."""
    path = vectors_path(store_path)
    if not path.is_file():
        return None
    with safe_open(path, framework="pt") as file:
        return str((file.metadata() or {}).get("encoder", ""))


def encoder_for(store_path: Path) -> Encoder:
    """Who encodes what is added to a store: as before; the built-in one where nobody did, or one that is no more."""
    name = recorded_encoder(store_path)
    return load_encoder("words" if name is None or name in RETIRED else name)


def load_vectors(store_path: Path) -> VectorTable | None:
    """The vectors of a store; None if there are none."""
    path = vectors_path(store_path)
    written = vectors_written(store_path)  # before it is read: what then takes its place is noticed
    if not path.is_file():
        return None
    with safe_open(path, framework="pt") as file:
        encoder = (file.metadata() or {}).get("encoder", "")
        vectors = F.normalize(file.get_tensor("vectors").float(), dim=-1)
        return VectorTable(encoder, file.get_tensor("numbers").long(), vectors, written)


def save_vectors(store_path: Path, table: VectorTable) -> None:
    """Write the vectors at once: a reader sees the old file or the new one."""
    path = vectors_path(store_path)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    largest = table.vectors.abs().amax(1, keepdim=True).clamp(min=1e-12)
    directions = (127 * table.vectors / largest).round().to(torch.int8)
    tensors = {"numbers": table.numbers.int().contiguous(), "vectors": directions.contiguous()}
    save_file(tensors, fresh, {"encoder": table.encoder})
    fresh.chmod(0o644)  # safetensors makes files that only their owner may read
    fresh.replace(path)


def update_vectors(
    store: ExplanationStore, encoder: Encoder, on_progress: OnProgress = ignore_progress
) -> VectorTable:
    """Encode what has no vector yet, forget what is gone, and keep the result.

    With another encoder than before, everything is encoded anew.
    """
    rows = store.select("SELECT id, text FROM explanations ORDER BY id", ())
    kept = load_vectors(store.path)
    if kept is not None and kept.encoder != encoder.name:
        kept = None
    known = {} if kept is None else {int(n): row for row, n in enumerate(kept.numbers)}
    fresh = [(number, text) for number, text in rows if number not in known]
    table = torch.empty(len(rows), encoder.dimensions)
    place = {number: row for row, (number, _) in enumerate(rows)}
    if kept is not None:
        old = [(row, place[number]) for number, row in known.items() if number in place]
        table[[to for _, to in old]] = kept.vectors[[row for row, _ in old]]
    for first in range(0, len(fresh), BATCH):
        batch = fresh[first : first + BATCH]
        table[[place[number] for number, _ in batch]] = encoder.encode([t for _, t in batch])
        on_progress(Progress(first + len(batch), len(fresh), "explanations", "Encoding"))
    result = VectorTable(encoder.name, torch.tensor([n for n, _ in rows], dtype=torch.int64), table)
    save_vectors(store.path, result)
    return load_vectors(store.path) or result
