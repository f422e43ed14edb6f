"""Where an unfinished collation lies: a folder beside its dataset, from which it can go on.

    progress.json          how far it is, and of what; names the state that belongs to it
    state-N.safetensors    everything known after N windows
    windows.bin            of every window so far its length and tokens, int32
    sources.txt            of every window so far where it is from, one JSON string a line

Each step writes ahead: windows first, then the state, then `progress.json`, which takes the others'
newer ends as not written. So a kill at any moment loses only what came after the last step. It is
removed in the opposite order, so that what is half removed says that nothing was reached.

The folder is locked by the process that works in it, until that ends, however it does: two would
write their windows among one another's.
"""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from safetensors.torch import load_file
from torch import Tensor

from neuron_explainer.exemplars.shards import Shard
from neuron_explainer.exemplars.state import State
from neuron_explainer.exemplars.writing import (
    flush_to_disk,
    save_atomically,
    sweep_replaced,
    write_json_atomically,
)

PROGRESS, WINDOWS, SOURCES = "progress.json", "windows.bin", "sources.txt"


class AnotherAtWork(ValueError):
    """Another process collates into the same folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another process is collating here: it has locked {folder}.")
        self.hint = "Wait for it, or choose another --out."


@dataclass(frozen=True)
class Reached:
    """How far a collation is."""

    task: str
    """Hash of what is collated; another task's leavings are not gone on with."""
    n_windows: int = 0
    n_tokens: int = 0
    sources_bytes: int = 0
    seconds: float = 0.0
    is_complete: bool = False
    """The corpus has been read to its end."""


class Workplace:
    """The folder of one unfinished collation. Close it when done."""

    def __init__(self, target: Path, task: str, window: int) -> None:
        """Begin, or go on. Raises AnotherAtWork."""
        self.folder = folder_of(target)
        self.window = window
        self._lock: int | None = _locked(self.folder)
        self.reached = _read(self.folder) or Reached(task)
        while self.reached.task != task:
            self.discard()
            self._lock = _locked(self.folder)
            self.reached = _read(self.folder) or Reached(task)
        _cut(self.folder / WINDOWS, self.reached.n_windows * (window + 1) * 4)
        _cut(self.folder / SOURCES, self.reached.sources_bytes)

    def load(self, device: torch.device) -> State | None:
        """The state that was reached; None at the beginning."""
        if self.reached.n_windows == 0:
            return None
        return State.of_tensors(load_file(self._state(self.reached)), device)

    def note(self, shard: Shard) -> None:
        """Write down a shard's windows."""
        rows = torch.cat((shard.lengths[:, None], shard.tokens), dim=1).int()
        with (self.folder / WINDOWS).open("ab") as file:
            file.write(rows.numpy().tobytes())
        with (self.folder / SOURCES).open("ab") as file:
            file.writelines(json.dumps(source).encode() + b"\n" for source in shard.sources)

    def keep(self, state: State, reached: Reached) -> None:
        """Make a step: what is known after the windows noted so far."""
        for name in (WINDOWS, SOURCES):
            flush_to_disk(self.folder / name)
        before = self._state(self.reached)
        save_atomically(state.tensors(), self._state(reached))
        self.reached = reached
        write_json_atomically(asdict(reached), self.folder / PROGRESS)
        if before != self._state(reached):
            before.unlink(missing_ok=True)

    def sources_bytes(self) -> int:
        path = self.folder / SOURCES
        return path.stat().st_size if path.exists() else 0

    def windows(self, numbers: Sequence[int]) -> tuple[Int[Tensor, "n token"], Int[Tensor, " n"]]:
        """Tokens and lengths of windows by their numbers."""
        path = self.folder / WINDOWS
        mapped = np.memmap(path, np.int32, "r").reshape(-1, self.window + 1)
        rows = torch.from_numpy(mapped[np.array(numbers, dtype=np.int64)]).long()
        return rows[:, 1:], rows[:, 0]

    def sources(self, numbers: Sequence[int]) -> list[str]:
        """Where windows are from; `numbers` ascend."""
        wanted, found = set(numbers), []
        with (self.folder / SOURCES).open(encoding="utf-8") as file:
            for number, line in enumerate(file):
                if number in wanted:
                    found.append(str(json.loads(line)))
        return found

    def discard(self) -> None:
        """Remove it all."""
        _remove(self.folder)
        self.close()

    def close(self) -> None:
        """Let others go on with what is there."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _state(self, reached: Reached) -> Path:
        end = "-complete" if reached.is_complete else ""
        return self.folder / f"state-{reached.n_windows}{end}.safetensors"


def folder_of(target: Path) -> Path:
    """Where the unfinished collation of a dataset lies."""
    return target.with_name(f".{target.name}.collating")


def sweep(target: Path, task: str) -> None:
    """Remove what is left of a task's work, if it was killed when its dataset was there already."""
    folder = folder_of(target)
    if not folder.is_dir():
        return
    with contextlib.suppress(AnotherAtWork):
        lock = _locked(folder)
        reached = _read(folder)
        if reached is None or reached.task == task:
            sweep_replaced(target)
            _remove(folder)
        os.close(lock)


def _locked(folder: Path) -> int:
    """Make a folder and lock it; gives what holds the lock until it is closed. Raises AnotherAtWork."""
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":  # which has no such locks
        return os.open(os.devnull, os.O_RDONLY)
    import fcntl

    while True:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            os.close(lock)
            raise AnotherAtWork(folder) from problem
        except OSError:  # a file system that has no locks
            return lock
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), folder.stat()):
                return lock
        os.close(lock)  # whoever had it removed the folder meanwhile


def _read(folder: Path) -> Reached | None:
    try:
        return Reached(**json.loads((folder / PROGRESS).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _remove(folder: Path) -> None:
    (folder / PROGRESS).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _cut(path: Path, n_bytes: int) -> None:
    """Forget what was written after the last step."""
    if path.exists():
        os.truncate(path, n_bytes)
