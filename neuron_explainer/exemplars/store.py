"""Reads a dataset: opened in milliseconds whatever its size, one component in a few more.

Files are memory-mapped and opened when first needed, so a damaged one spoils its own group only. A
path may be local or any that `blobfile` reads (`gs://`, `az://`, `https://`): files are then copied
to the cache when they are first needed.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor

from neuron_explainer.exemplars.blobs import fetched, is_remote
from neuron_explainer.exemplars.distribution import LEVELS, TOP, QuantileTable
from neuron_explainer.exemplars.excerpts import Excerpts, WindowText
from neuron_explainer.exemplars.histogram import shown_histogram
from neuron_explainer.exemplars.layout import (
    CARD,
    TEXT,
    DatasetCard,
    DatasetUnavailable,
    Group,
    GroupFile,
)
from neuron_explainer.exemplars.records import (
    ComponentRecord,
    Exemplar,
    QuantileBand,
    Statistics,
)
from neuron_explainer.nodes import Component, Kind, Stream

MAKE_HINT = "Make one with `tdb collate --model MODEL --corpus FILE --out DIR`."


def open_dataset(path: str | Path) -> "Dataset":
    """Open a dataset. Reads its card only. Raises DatasetUnavailable."""
    folder = str(path)
    where = f"{folder.rstrip('/')}/{CARD}"
    try:
        file = fetched(where, version=None) if is_remote(folder) else Path(where)
        text = file.read_text(encoding="utf-8")
    except OSError as problem:
        raise DatasetUnavailable(f"{folder} holds no dataset: {problem}.", MAKE_HINT) from problem
    try:
        card = DatasetCard.from_json(json.loads(text))
    except ValueError as problem:
        raise DatasetUnavailable(
            f"{where} cannot be read: {problem}.", "Collate again, or copy the folder again."
        ) from problem
    return Dataset(folder, card)


class Dataset:
    """Records of many components over one corpus."""

    def __init__(self, folder: str, card: DatasetCard) -> None:
        self.folder = folder
        self.card = card
        self._files: dict[str, Any] = {}  # safetensors' handles have no static type
        self._tensors: dict[tuple[str, str], Tensor] = {}
        self._groups = {
            (entry.group.kind, entry.group.layer, entry.group.stream): entry
            for entry in card.groups
        }

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def groups(self) -> Sequence[Group]:
        return [entry.group for entry in self.card.groups]

    def components(self, kind: Kind, layer: int, stream: Stream | None = None) -> list[Component]:
        """All components of a kind in a layer that the dataset knows; maybe none."""
        entry = self._groups.get((kind, layer, stream))
        if entry is None:
            return []
        return [entry.group.component(index) for index in range(entry.group.n_components)]

    def __contains__(self, component: Component) -> bool:
        entry = self._groups.get((component.kind, component.layer or 0, component.stream))
        return entry is not None and (component.index or 0) < entry.group.n_components

    def record(self, component: Component) -> ComponentRecord:
        """What one component responds to. Raises DatasetUnavailable if it is not here."""
        entry, index = self._entry(component)
        rows = {name: self._row(entry, name, index) for name in ROW_TENSORS}
        rows["activations"] = self._codes(entry, index, len(rows["window"]))
        with self._damage(f"{entry.file} or {TEXT}"):
            return self._assembled(component, entry, rows)

    def _assembled(
        self, component: Component, entry: GroupFile, rows: dict[str, Tensor]
    ) -> ComponentRecord:
        exemplars = Excerpts(self.text, rows, is_pairs=entry.group.kind == "attn")
        found: dict[str, tuple[Exemplar, ...]] = {}
        bands = []
        for name, band, slots in self.card.recipe.slots(entry.group.is_signed):
            some = exemplars.of(slots)
            if band is None:
                found[name] = some
            elif some:
                bands.append(QuantileBand(*band, some))
        return ComponentRecord(
            component=str(component),
            dataset=self.name,
            measure=entry.group.measure,
            statistics=self._statistics(entry, rows),
            histogram=shown_histogram(rows["histogram_counts"], rows["histogram_top"]),
            top_positive=found["top_positive"],
            top_negative=found.get("top_negative", ()),
            random=found["random"],
            quantiles=tuple(bands),
            caveats=self.card.caveats + _caveats(rows),
        )

    def quantiles(self, kind: Kind, layer: int, stream: Stream | None = None) -> QuantileTable:
        """Quantiles of all components of a kind in a layer."""
        entry, _ = self._entry(Component(kind, layer, 0, stream))
        values = self._tensor(entry, "quantiles")
        lowest, highest = (self._tensor(entry, name).float() for name in ("min", "max"))
        levels = torch.tensor(LEVELS, dtype=torch.float64)
        return QuantileTable(levels, values, lowest, highest)

    def means(
        self, kind: Kind, layer: int, stream: Stream | None = None
    ) -> Float[Tensor, " component"]:
        """Mean over every value of the corpus, of all components of a kind in a layer."""
        entry, _ = self._entry(Component(kind, layer, 0, stream))
        return self._tensor(entry, "mean").float()

    def verify(self) -> list[str]:
        """Read every byte and compare with the card's hashes; the names of the files that differ or are missing."""
        expected = {entry.file: entry.sha256 for entry in self.card.groups}
        expected[TEXT] = self.card.text_sha256
        return [name for name, sha in expected.items() if not self._is_whole(name, sha)]

    def _is_whole(self, file: str, sha: str) -> bool:
        try:
            return sha256(self._path(file, sha)) == sha
        except OSError:
            return False

    def unreadable(self) -> list[tuple[str, tuple[str, ...], str]]:
        """Files that are missing or not as they were written, by length and head: cheap enough for a page.

        A file, the groups in it (none: the text that all need), and what is wrong. A byte that changed inside
        a file is found by `verify` only; of a remote folder nothing is said.
        """
        if is_remote(self.folder):
            return []
        files: dict[str, tuple[tuple[str, ...], int | None]] = {TEXT: ((), None)}
        for entry in self.card.groups:
            files[entry.file] = ((entry.group.name,), entry.n_bytes)
        return [
            (file, groups, problem)
            for file, (groups, n_bytes) in files.items()
            if (problem := _wrong_with(Path(self.folder) / file, n_bytes)) is not None
        ]

    def _statistics(self, entry: GroupFile, rows: dict[str, Tensor]) -> Statistics:
        levels = (f"{level:.7f}".rstrip("0") if level > 1e-4 else f"{level:g}" for level in LEVELS)
        numbers = {name: float(rows[name]) for name in ("mean", "std", "min", "max")}
        return Statistics(
            n_tokens=self.card.n_tokens,
            n_values=entry.n_values,
            fraction_active=float(rows["fraction_active"]),
            quantiles=dict(zip(levels, rows["quantiles"].tolist(), strict=True)),
            **numbers,
        )

    def _entry(self, component: Component) -> tuple[GroupFile, int]:
        entry = self._groups.get((component.kind, component.layer or 0, component.stream))
        index = component.index
        if entry is None or component.layer is None or index is None:
            raise DatasetUnavailable(
                f"The dataset {self.name} holds nothing on {component}.",
                f"It holds {', '.join(sorted({group.name for group in self.groups})[:12])} ...",
            )
        if index >= entry.group.n_components:
            raise DatasetUnavailable(
                f"The dataset {self.name} holds nothing on {component}.",
                f"{entry.group.name} has components 0-{entry.group.n_components - 1}.",
            )
        return entry, index

    def _row(self, entry: GroupFile, name: str, index: int) -> Tensor:
        with self._damage(entry.file):
            return self._tensor(entry, name)[index]

    def _codes(self, entry: GroupFile, index: int, n_slots: int) -> Tensor:
        """Codes of a component's activations: "slot position"."""
        dtype = np.int8 if self.card.recipe.precision == "int8" else np.float16
        with self._damage(entry.file):
            file = self._open(entry.file, entry.sha256)
            first, end = file.get_slice("codes_starts")[index : index + 2].tolist()
            packed = file.get_slice("codes_bytes")[first:end].numpy().tobytes()
            raw = bytearray(zlib.decompress(packed))
            return torch.from_numpy(np.frombuffer(raw, dtype).reshape(n_slots, -1))

    def _tensor(self, entry: GroupFile, name: str) -> Tensor:
        """Mapped: kept open, and read where it is looked at."""
        key = (entry.file, name)
        with self._damage(entry.file):
            if key not in self._tensors:
                self._tensors[key] = self._open(entry.file, entry.sha256).get_tensor(name)
            return self._tensors[key]

    def _open(self, file: str, sha: str) -> Any:
        if file not in self._files:
            self._files[file] = safe_open(self._path(file, sha), framework="pt")
        return self._files[file]

    def _damage(self, file: str) -> "_damage":
        return _damage(file, self.name)

    def _path(self, file: str, sha: str) -> Path:
        where = f"{self.folder.rstrip('/')}/{file}"
        return fetched(where, version=sha) if is_remote(self.folder) else Path(where)

    @cached_property
    def text(self) -> "WindowText":
        """The windows that are shown."""
        with self._damage(TEXT):
            return WindowText(self._open(TEXT, self.card.text_sha256))


def _caveats(rows: dict[str, Tensor]) -> tuple[str, ...]:
    """What holds of this component's numbers only."""
    if max(float(rows["max"]), -float(rows["min"])) <= TOP:
        return ()
    return (
        f"It has values beyond {TOP:,.0f}, which share one bin of the histogram: quantiles out there "
        "are rough, drawn straight to the extreme.",
    )


ROW_TENSORS = (
    "mean",
    "std",
    "fraction_active",
    "min",
    "max",
    "quantiles",
    "histogram_counts",
    "histogram_top",
    "window",
    "peak",
    "value",
    "scale",
)
"""Tensors of a group, one row for each component."""


class _damage:
    """Says which file is damaged or missing."""

    def __init__(self, file: str, dataset: str) -> None:
        self.file, self.dataset = file, dataset

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        expected = (
            SafetensorError,
            OSError,
            IndexError,
            OverflowError,
            RuntimeError,
            ValueError,
            zlib.error,
        )
        if isinstance(problem, expected):
            raise DatasetUnavailable(
                f"The file {self.file} of the dataset {self.dataset} is missing or damaged: {problem}.",
                "Collate again, or copy the file again; other layers can still be read.",
            ) from problem


def _wrong_with(path: Path, n_bytes: int | None) -> str | None:
    """Why a file cannot be what was written; None if its length and its head are right."""
    try:
        found = path.stat().st_size
        if n_bytes is not None and found != n_bytes:
            return f"{path.name} has {found:,} bytes, {n_bytes:,} were written"
        with safe_open(path, framework="pt"):
            return None
    except FileNotFoundError:
        return f"{path.name} is missing"
    except (SafetensorError, OSError) as problem:
        return f"{path.name} cannot be opened: {problem}"


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
