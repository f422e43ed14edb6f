"""The process of one job: a command of ours, in its own process group, told to print JSON lines.

The group is what is signalled, so that workers which the command started end with it. What the
command prints is read until it ends; a worker that keeps the pipe open holds nothing up.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from activation_server.schemas import DoneEvent, ErrorEvent, JobEvent, ProgressEvent

GRACE = 5.0
"""Seconds between asking a process to end and ending it."""
_PAUSE = 0.2
_MAX_LINE = 1_000_000
_MAX_STDERR = 1_000_000
_EVENT: TypeAdapter[ProgressEvent | DoneEvent | ErrorEvent] = TypeAdapter(JobEvent)


class JobProcess:
    """A running command."""

    def __init__(self, command: Sequence[str], stderr: Path, lock: int) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
        with stderr.open("wb") as words:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=words,
                env=environment,
                start_new_session=True,
                pass_fds=(lock,),
            )
        self._kill_at: float | None = None
        self._is_closed = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def terminate(self) -> None:
        """Ask the group to end; `events` ends it if it does not."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + GRACE
            signal_group(self.pid, signal.SIGTERM)

    def events(self) -> Iterator[ProgressEvent | DoneEvent | ErrorEvent | None]:
        """Events as they come, and None now and then while there is none; ends with the process."""
        rest = b""
        while True:
            if self._kill_at is not None and time.monotonic() > self._kill_at:
                signal_group(self.pid, signal.SIGKILL)
            # Looked at before reading: whatever it wrote is in the pipe by now.
            is_over = self._process.poll() is not None
            chunk = self._read(0 if is_over else _PAUSE)
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest if len(rest) <= _MAX_LINE else b""
            yield from (event for event in map(parse_event, lines) if event is not None)
            if is_over and not chunk:
                break
            if not chunk:
                yield None
        yield parse_event(rest)

    def _read(self, timeout: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        if self._is_closed:
            time.sleep(timeout)
            return b""
        if not select.select([descriptor], [], [], timeout)[0]:
            return b""
        chunk = os.read(descriptor, 65536)
        self._is_closed = not chunk
        return chunk

    def wait(self) -> int:
        """The exit status, minus the signal that ended it; nothing of the group stays behind."""
        status = self._process.wait()
        signal_group(self.pid, signal.SIGKILL)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status


def parse_event(line: bytes) -> ProgressEvent | DoneEvent | ErrorEvent | None:
    """A line's event; None where a library printed something else."""
    try:
        return _EVENT.validate_json(line)
    except ValidationError:
        return None


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def last_words(stderr: Path, limit: int = 600) -> str:
    """The end of what a process said before it failed."""
    with contextlib.suppress(OSError), stderr.open("rb") as file:
        file.seek(max(0, stderr.stat().st_size - _MAX_STDERR))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][-limit:] if lines else ""
    return ""
