"""Jobs on disk, one folder each, readable by every server on the machine.

    <jobs>/<id>/request.json    kind, options, command: written once
                state.json      where it stands: replaced as a whole, never half written
                events.jsonl    what it told, one event a line with its number; only ever appended to
                stderr.txt      whatever else it printed
                lock            held by the server while the job is queued, and by the job's own
                                process while it runs

The lock says what no state file can: a job that is queued or running although nobody holds its lock
was left behind by a server or a process that died, and is read as stopped.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from activation_server.errors import NotFound
from activation_server.schemas import JobKind, JobState

ACTIVE: tuple[JobState, ...] = ("queued", "running")
RESUMABLE: tuple[JobState, ...] = ("failed", "cancelled", "stopped")

# Any value that JSON has.
Json = dict[str, Any]


@dataclass(frozen=True)
class JobFile:
    """What a job is to do; never changes."""

    id: str
    kind: JobKind
    options: Mapping[str, object]
    command: tuple[str, ...]
    """Subcommand and flags of `tdb`."""
    output: str | None
    serve_option: str | None
    created: float


@dataclass(frozen=True)
class StateFile:
    """Where a job stands."""

    state: JobState
    order: float = field(default_factory=time.time)
    """When it was last queued; queued jobs start in this order."""
    started: float | None = None
    ended: float | None = None
    process: int | None = None
    """The running process, leader of its own group."""
    progress: Json | None = None
    """The last progress event, with its rate."""
    error: Json | None = None
    result: Json | None = None
    not_served: Json | None = None
    """Why this server does not serve what came out, as an error."""


class Lock:
    """A held lock. The process that inherits `descriptor` holds it too."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @property
    def descriptor(self) -> int:
        return self._file.fileno()

    def release(self) -> None:
        """Let go, unless the job's process still holds it."""
        self._file.close()


class JobStore:
    """The folder of all jobs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(
        self,
        kind: JobKind,
        options: Mapping[str, object],
        command: tuple[str, ...],
        output: str | None,
        serve_option: str | None,
    ) -> tuple[JobFile, Lock]:
        """Write a new, queued job; its lock is held."""
        now = time.time()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        name = f"{stamp}-{secrets.token_hex(3)}"
        job = JobFile(name, kind, options, command, output, serve_option, now)
        folder = self._folder / name
        folder.mkdir(parents=True)
        lock = self.lock(name)
        assert lock is not None, "the folder is new"
        _write_json(folder / "request.json", asdict(job))
        self.save(name, StateFile("queued", order=now))
        return job, lock

    def ids(self) -> list[str]:
        """Every job, the newest first."""
        if not self._folder.is_dir():
            return []
        found = (path.parent.name for path in self._folder.glob("*/state.json"))
        return sorted((name for name in found if _ID.fullmatch(name)), reverse=True)

    def job(self, name: str) -> JobFile:
        """What a job is to do."""
        try:
            stored = _read_json(self._existing(name) / "request.json")
            return JobFile(**{**stored, "command": tuple(stored["command"])})
        except (OSError, ValueError, TypeError, KeyError) as problem:
            raise NotFound(
                f"Job {name} cannot be read: {problem}.", f"Delete {self._folder / name}."
            ) from problem

    def state(self, name: str) -> StateFile:
        """Where a job stands, having looked whether anybody still works on it."""
        state = self._stored_state(name)
        if state.state not in ACTIVE:
            return state
        lock = self.lock(name)
        if lock is None:
            return state
        try:
            state = self._stored_state(name)  # it may have ended meanwhile
            if state.state in ACTIVE:
                state = replace(
                    state, state="stopped", ended=time.time(), process=None, error=LEFT_BEHIND
                )
                self.append(name, {"event": "state", "state": "stopped"})
                self.save(name, state)
        finally:
            lock.release()
        return state

    def save(self, name: str, state: StateFile) -> None:
        """Replace the state as a whole."""
        _write_json(self._folder / name / "state.json", asdict(state))

    def lock(self, name: str) -> Lock | None:
        """Take a job; None while somebody has it."""
        file = (self._existing(name) / "lock").open("a", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return Lock(file)

    def remove(self, name: str) -> None:
        """Forget a job; what it wrote elsewhere stays."""
        shutil.rmtree(self._existing(name))

    # --- events -----------------------------------------------------------------------------------

    def append(self, name: str, event: Json) -> None:
        """Add an event. For whoever holds the lock."""
        path = self._folder / name / "events.jsonl"
        line = json.dumps({"time": time.time()} | event)
        with path.open("a+b") as file:
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # the machine went down in the middle of a line
                    file.write(b"\n")
            file.write(line.encode() + b"\n")

    def events(self, name: str, offset: int = 0) -> Iterator[tuple[int, Json]]:
        """Events from a place in the log on, each with the place after it: where to go on from."""
        path = self._existing(name) / "events.jsonl"
        if not path.is_file():
            return
        with path.open("rb") as file:
            offset = file.seek(min(offset, path.stat().st_size))
            for line in file:
                if not line.endswith(b"\n"):
                    return  # being written
                offset += len(line)
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    if isinstance(event, dict):
                        yield offset, event

    def stderr_path(self, name: str) -> Path:
        """Where a job's other words go."""
        return self._existing(name) / "stderr.txt"

    # --- within -----------------------------------------------------------------------------------

    def _existing(self, name: str) -> Path:
        folder = self._folder / name
        if not _ID.fullmatch(name) or not folder.is_dir():
            raise NotFound(f"There is no job {name[:40]!r}.", "GET /api/jobs lists the jobs.")
        return folder

    def _stored_state(self, name: str) -> StateFile:
        path = self._existing(name) / "state.json"
        try:
            return StateFile(**_read_json(path))
        except FileNotFoundError as problem:  # deleted meanwhile
            raise NotFound(
                f"There is no job {name!r}.", "GET /api/jobs lists the jobs."
            ) from problem
        except (ValueError, TypeError):  # another version's, or spoiled
            return StateFile("stopped", error=LEFT_BEHIND)


_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
LEFT_BEHIND = {
    "message": "The job ended without a word: its server or its process was stopped.",
    "hint": "Resume goes on from what it last saved.",
}


def _read_json(path: Path) -> Json:
    content: Json = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write_json(path: Path, content: Json) -> None:
    """Replace a file as a whole."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)
