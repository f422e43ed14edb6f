"""One attempt at a job: a thread that starts its process, reads what it tells, and keeps its files.

The state file is final only once the log is complete, and the lock is let go after both: whoever
sees a final state has the whole log, and whoever gets the lock sees a final state.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from signal import Signals

from activation_server.errors import NotFound, as_api_error
from activation_server.job_process import JobProcess, last_words
from activation_server.job_store import JobFile, JobStore, Json, Lock, StateFile
from activation_server.schemas import DoneEvent, ErrorEvent, JobState, ProgressEvent

logger = logging.getLogger(__name__)

RATE_SPAN = 20.0
"""Seconds over which the rate is taken."""
SAVE_INTERVAL = 0.5
"""Seconds between two writes of the state of a running job."""
_RESUME_HINT = "Resume goes on from what it last saved."


class JobAttempt:
    """Runs a job to its end, whatever that is."""

    def __init__(
        self,
        store: JobStore,
        program: Sequence[str],
        job: JobFile,
        lock: Lock,
        on_end: Callable[[str], None],
        serve: Callable[[JobFile], None] | None = None,
    ) -> None:
        self._store = store
        self._program = program
        self._job = job
        self._lock = lock
        self._on_end = on_end
        self._serve = serve
        self._asked: JobState | None = None
        self._thread = threading.Thread(target=self._run, name=f"job {job.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, state: JobState) -> None:
        """End the process soon, and call that `state`."""
        self._asked = self._asked or state

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            conclude(self._store, self._job.id, self._tried())
        except (NotFound, FileNotFoundError):
            logger.warning("the folder of job %s was removed by hand", self._job.id)
        finally:
            self._lock.release()
            self._on_end(self._job.id)

    def _tried(self) -> StateFile:
        """The state it ends in, if need be because it could not be run."""
        state = self._store.state(self._job.id)
        try:
            return self._served(self._work(state))
        except Exception as problem:  # a full disk, a program that is not there
            logger.exception("job %s failed", self._job.id)
            error = {"message": f"The job could not be run: {problem}", "hint": _RESUME_HINT}
            return replace(state, state="failed", error=error)

    def _served(self, state: StateFile) -> StateFile:
        """Serve what came out before anybody is told that the job is done; if not, the state says why."""
        if state.state != "done" or self._serve is None:
            return state
        try:
            self._serve(self._job)
        except Exception as problem:  # the job itself went well
            reason = as_api_error(problem)
            return replace(state, not_served=_error(reason.message, reason.hint))
        return state

    def _work(self, state: StateFile) -> StateFile:
        """Follow the process; the state it ends in."""
        name = self._job.id
        command = (*self._program, *self._job.command, "--progress=json")
        process = JobProcess(command, self._store.stderr_path(name), self._lock.descriptor)
        try:
            state = replace(
                state, state="running", started=time.time(), ended=None, process=process.pid
            )
            self._store.append(name, {"event": "state", "state": "running"})
            self._store.save(name, state)
            state = self._follow(process, state)
        finally:
            process.terminate()
            status = process.wait()
        return self._judge(state, status)

    def _follow(self, process: JobProcess, state: StateFile) -> StateFile:
        rate, saved = Rate(), 0.0
        for event in process.events():
            if self._asked is not None:
                process.terminate()
            if event is None:
                continue
            self._store.append(self._job.id, event.model_dump(exclude_none=True))
            match event:
                case ProgressEvent():
                    state = replace(state, progress=_progress(event, rate))
                case DoneEvent():
                    state = replace(state, result=event.result)
                case ErrorEvent():
                    state = replace(state, error=event.model_dump(exclude={"event"}))
            if time.monotonic() - saved >= SAVE_INTERVAL:
                self._store.save(self._job.id, state)
                saved = time.monotonic()
        return state

    def _judge(self, state: StateFile, status: int) -> StateFile:
        """What became of it, by what it told and how it ended."""
        if status == 0 and state.result is not None:
            return replace(state, state="done", error=None)
        if self._asked is not None:
            error = None if self._asked == "cancelled" else SERVER_STOPPED
            return replace(state, state=self._asked, error=error)
        if state.error is not None:
            return replace(state, state="failed")
        if status < 0:
            memory = " Perhaps memory ran out." if -status == Signals.SIGKILL else ""
            message = f"The process was ended by {Signals(-status).name}.{memory}"
            return replace(state, state="stopped", error=_error(message, _RESUME_HINT))
        words = last_words(self._store.stderr_path(self._job.id))
        message = f"The command ended with status {status} and no result. {words}".strip()
        hint = f"Run it by hand to see more. {_RESUME_HINT}"
        return replace(state, state="failed", error=_error(message, hint))


def conclude(store: JobStore, name: str, state: StateFile) -> None:
    """Tell the end of a job: the log first, so that a final state means a complete log."""
    store.append(name, {"event": "state", "state": state.state})
    store.save(name, replace(state, ended=time.time(), process=None))


class Rate:
    """Units per second over the last seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def __call__(self, done: int) -> float | None:
        """The rate, now that so much is done; None while it is not known."""
        now = self._clock()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # a new phase counts from the start
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - RATE_SPAN:
            self._seen.popleft()
        then, before = self._seen[0]
        return (done - before) / (now - then) if now - then >= 0.5 else None


def _progress(event: ProgressEvent, rate: Rate) -> Json:
    per_second = rate(event.done)
    left = None
    if event.total is not None and per_second:
        left = max(0, event.total - event.done) / per_second
    return event.model_dump(exclude={"event", "time"}) | {"rate": per_second, "seconds_left": left}


def _error(message: str, hint: str) -> Json:
    return {"message": message, "hint": hint}


SERVER_STOPPED = _error("The server was stopped while the job was in hand.", _RESUME_HINT)
