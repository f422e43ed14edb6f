"""The shelf: datasets and coder sets in the server's data folder, and those that came with the demo.

    DATA/datasets/NAME/dataset.json
    DATA/coders/NAME/coders.json, L<layer>/config.json, L<layer>/card.json

Coder folders that are served from elsewhere are listed too, so that their cards can be read. Only cards
are read, and how long a dataset's files are. A folder that cannot be read is told as such and spoils no
other. What is served already is told by `GET /api/model`.
"""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from activation_server.assets import demo_dir
from activation_server.datasets import Datasets
from activation_server.errors import NotFound
from activation_server.schemas import (
    CoderCard,
    CoderJudgement,
    CoderSetInfo,
    CodersResponse,
    Damaged,
    DatasetsResponse,
    StoredDataset,
    UnreadableFile,
)
from neuron_explainer.autoencoders.coder_set import folder_of
from neuron_explainer.exemplars import Dataset, DatasetUnavailable, open_dataset


class DataShelf:
    """Reads the cards anew each time: jobs write while the server runs."""

    def __init__(
        self, data_dir: Path | None, coders: Sequence[str] = (), served: Datasets | None = None
    ) -> None:
        """`coders`: what the server was told to serve; `served`: the datasets that it serves, wherever they lie."""
        self._data_dir = data_dir
        self._elsewhere = [found for spec in coders if (found := folder_of(spec)) is not None]
        self._served = served

    def datasets(self) -> DatasetsResponse:
        """Every dataset, by name."""
        found: list[StoredDataset] = []
        damaged: list[Damaged] = []
        served = [] if self._served is None else self._served.all()
        opened = {dataset.folder: dataset for dataset in served}
        for folder, is_bundled in self._folders("datasets", "dataset.json"):
            try:
                dataset = open_dataset(folder)
                (card,) = Datasets([dataset]).cards()
            except (DatasetUnavailable, TypeError, KeyError) as problem:
                damaged.append(_damaged(folder, problem))
                continue
            opened[dataset.folder] = dataset
            option = shlex.join(("--dataset", str(folder)))
            found.append(
                StoredDataset(**card.model_dump(), serve_option=option, is_bundled=is_bundled)
            )
        unreadable = [file for dataset in opened.values() for file in _unreadable(dataset)]
        return DatasetsResponse(datasets=found, damaged=damaged, unreadable=unreadable)

    def coder_sets(self) -> CodersResponse:
        """Every coder set, by name, without the curves of their training."""
        found: list[CoderSetInfo] = []
        damaged: list[Damaged] = []
        for folder, is_bundled, name in self._coder_folders():
            try:
                found.append(_coder_set(folder, is_bundled, name, with_curves=False))
            except (OSError, ValueError, TypeError, KeyError) as problem:
                damaged.append(_damaged(folder, problem))
        return CodersResponse(coder_sets=found, damaged=damaged)

    def coder_set(self, name: str) -> CoderSetInfo:
        """One coder set with all that is known of it."""
        for folder, is_bundled, served_as in self._coder_folders():
            try:
                coder_set = _coder_set(folder, is_bundled, served_as, with_curves=True)
            except (OSError, ValueError, TypeError, KeyError) as problem:
                if folder.name == name:
                    damaged = _damaged(folder, problem)
                    raise NotFound(damaged.message, f"Train again, or repair {folder}.") from None
                continue
            if coder_set.name == name:
                return coder_set
        raise NotFound(f"There is no coder set {name[:80]!r}.", "GET /api/coders lists them.")

    def path_of(self, kind: Literal["datasets", "coders"], name: str) -> str:
        """Where a dataset or coder set of that name lies; what is no name here is a path already."""
        stored: Sequence[StoredDataset | CoderSetInfo]
        stored = self.datasets().datasets if kind == "datasets" else self.coder_sets().coder_sets
        path = next((one.path for one in stored if one.name == name), name)
        is_renamed = kind == "coders" and any(given == name for _, given in self._elsewhere)
        return f"{name}={path}" if is_renamed else path

    def _coder_folders(self) -> Iterator[tuple[Path, bool, str | None]]:
        """Folders of coders, whether they are the demo's, and the name they are served by, if another than their own.

        Those served from elsewhere come first: theirs is the name where a folder of jobs has the same.
        """
        shelved = dict(self._folders("coders", "coders.json"))
        renamed = {folder.resolve(): name for folder, name in self._elsewhere}
        lie_here = {folder.resolve() for folder in shelved}
        for folder, name in self._elsewhere:
            if folder.resolve() not in lie_here:
                yield folder, False, name
        for folder, is_bundled in shelved.items():
            yield folder, is_bundled, renamed.get(folder.resolve())

    def _folders(self, kind: str, card: str) -> Iterator[tuple[Path, bool]]:
        """Folders that hold a card, and whether they are the demo's; a name comes once."""
        demo = demo_dir()
        bundled = [] if demo is None else [demo / "exemplars", *sorted(demo.glob(f"{kind}/*"))]
        own = [] if self._data_dir is None else sorted((self._data_dir / kind).glob("*"))
        for folder in bundled + own:
            if (folder / card).is_file():
                yield folder, folder in bundled


def _coder_set(
    folder: Path, is_bundled: bool, served_as: str | None, *, with_curves: bool
) -> CoderSetInfo:
    about = _read(folder / "coders.json")
    name, site = served_as or str(about["name"]), about["site"]
    return CoderSetInfo(
        name=name,
        site=site,
        model=str(about.get("model", "")),
        path=str(folder),
        recipe=about.get("recipe") or {},
        n_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        created=(folder / "coders.json").stat().st_mtime,
        serve_option=shlex.join(("--coder", f"{name}:{site}={folder}")),
        is_bundled=is_bundled,
        coders=[_coder(folder / f"L{layer}", layer, with_curves) for layer in about["layers"]],
    )


def _coder(folder: Path, layer: int, with_curve: bool) -> CoderCard:
    config = _read(folder / "config.json")
    path = folder / "card.json"
    card = _read(path) if path.is_file() else {}
    judgement = card.get("judgement")
    return CoderCard(
        layer=layer,
        n_latents=config["n_latents"],
        nonlinearity=config.get("nonlinearity", "relu"),
        k=config.get("k"),
        recipe=card.get("recipe") or {},
        curve=card.get("curve") or [] if with_curve else [],
        judgement=None if judgement is None else CoderJudgement.model_validate(judgement),
        judged_on=card.get("judged_on"),
    )


def _unreadable(dataset: Dataset) -> list[UnreadableFile]:
    return [
        UnreadableFile(path=dataset.folder, file=file, groups=list(groups), message=problem)
        for file, groups, problem in dataset.unreadable()
    ]


# Whatever a card holds.
def _read(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} is no JSON object")
    return content


def _damaged(folder: Path, problem: Exception) -> Damaged:
    text = str(problem)
    if isinstance(problem, ValidationError):
        first = problem.errors()[0]
        text = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    elif isinstance(problem, KeyError):
        text = f"{problem} is missing"
    elif isinstance(problem, DatasetUnavailable):
        return Damaged(name=folder.name, path=str(folder), message=problem.message)
    return Damaged(
        name=folder.name, path=str(folder), message=f"{folder.name} cannot be read: {text}."
    )
