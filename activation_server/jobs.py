"""JobRunner: long work as processes of our own commands, a few at a time, the rest in order.

    queued -> running -> done | failed | cancelled | stopped -> (resume) queued -> ...

One thread per running job reads what its command tells, appends it to the log and keeps the state
file. Jobs of another server on this machine are seen, followed and cancelled alike, through their
files (`job_store.py`); only the server that queued a job starts it.
"""

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace
from signal import SIGTERM
from typing import Protocol

from activation_server.assets import demo_dir
from activation_server.errors import ApiError, Conflict, NotAllowed, NotFound
from activation_server.job_attempt import SERVER_STOPPED, JobAttempt, conclude
from activation_server.job_commands import command_of, line_of
from activation_server.job_process import GRACE, signal_group
from activation_server.job_store import ACTIVE, RESUMABLE, JobFile, JobStore, Json, Lock, StateFile
from activation_server.schemas import JobError, JobInfo, JobList, JobProgress, JobRequest
from activation_server.settings import Settings

PROGRAM = (sys.executable, "-m", "activation_server.cli")


class Serving(Protocol):
    """What serves the datasets that jobs make."""

    def names(self) -> Collection[str]: ...

    def serve(self, job: JobFile) -> None: ...


class JobRunner:
    """Starts jobs, follows them, and says how they are. Any thread may call it."""

    def __init__(self, settings: Settings, program: Sequence[str] = PROGRAM) -> None:
        self._settings = settings
        self._program = program
        data_dir = settings.data_dir
        jobs_dir = settings.jobs_dir or (data_dir and data_dir / "jobs")
        self._store = None if jobs_dir is None else JobStore(jobs_dir)
        self._changed = threading.RLock()
        self._waiting: deque[tuple[JobFile, Lock]] = deque()
        self._running: dict[str, JobAttempt] = {}
        self.serving: Serving | None = None
        """Given what came out of a job before the job is told to be done."""

    def close(self) -> None:
        """Stop everything; what was stopped can be resumed by the next server."""
        with self._changed:
            waiting, attempts = list(self._waiting), list(self._running.values())
            self._waiting.clear()
        for attempt in attempts:
            attempt.stop("stopped")
        for job, lock in waiting:
            state = self.store.state(job.id)
            conclude(self.store, job.id, replace(state, state="stopped", error=SERVER_STOPPED))
            lock.release()
        for attempt in attempts:
            attempt.join(GRACE + 5)

    @property
    def store(self) -> JobStore:
        """Where jobs are kept; refuses when this server keeps none."""
        if self._store is None:
            raise NotAllowed("This server runs no jobs.", "`tdb serve` runs them; see --data.")
        return self._store

    # --- what can be asked ------------------------------------------------------------------------

    def list(self) -> JobList:
        """Every job, the newest first."""
        jobs = []
        for name in self._store.ids() if self._store is not None else []:
            with contextlib.suppress(ApiError):  # deleted meanwhile, or unreadable
                jobs.append(self.get(name))
        data_dir, demo = self._settings.data_dir, demo_dir()
        return JobList(
            jobs=jobs,
            data_dir=None if data_dir is None else str(data_dir),
            max_running=self._settings.max_jobs,
            corpora=[] if demo is None else [str(path) for path in sorted(demo.glob("*.jsonl"))],
        )

    def get(self, name: str) -> JobInfo:
        """One job."""
        job, state = self.store.job(name), self.store.state(name)
        with self._changed:
            waiting = [queued.id for queued, _ in self._waiting]
        ahead = waiting.index(name) + len(self._running) if name in waiting else None
        return _info(job, state, ahead)

    def submit(self, request: JobRequest) -> JobInfo:
        """Queue a new job."""
        store, data_dir = self.store, self._settings.data_dir
        assert data_dir is not None, "a store has a data folder"
        served = () if self.serving is None else self.serving.names()
        command = command_of(request, data_dir, self._settings.model, served, self._settings.coders)
        output = None if command.output is None else str(command.output)
        with self._changed:
            self._refuse_shared_output(output)
            job, lock = store.create(
                request.kind,
                request.options.model_dump(mode="json"),
                command.arguments,
                output,
                command.serve_option,
            )
            self._waiting.append((job, lock))
            self._start_next()
        return self.get(job.id)

    def resume(self, name: str) -> JobInfo:
        """Run the same command again; it goes on from what it last saved."""
        job = self.store.job(name)
        with self._changed:
            self._refuse_shared_output(job.output)
            lock = self._taken(name)
            state = self.store.state(name)
            if state.state not in RESUMABLE:
                lock.release()
                raise Conflict(
                    f"The job is {state.state}.", "Only what ended early can be resumed."
                )
            self.store.append(name, {"event": "state", "state": "queued"})
            queued = StateFile("queued", progress=_without_rate(state.progress))
            self.store.save(name, queued)
            self._waiting.append((job, lock))
            self._start_next()
        return self.get(name)

    def cancel(self, name: str) -> JobInfo:
        """Leave the queue, or end the process: asked first, ended after some seconds."""
        state = self.store.state(name)
        if state.state not in ACTIVE:
            raise Conflict(f"The job is {state.state}.", "Only a job that waits or runs can be.")
        with self._changed:
            attempt = self._running.get(name)
            queued = next((entry for entry in self._waiting if entry[0].id == name), None)
            if queued is not None:
                self._waiting.remove(queued)
                conclude(self.store, name, replace(state, state="cancelled"))
                queued[1].release()
        if attempt is not None:
            attempt.stop("cancelled")
        elif queued is None and state.process is not None:
            signal_group(state.process, SIGTERM)  # of another server, which will tell its end
        elif queued is None:
            raise Conflict("The job waits in another server.", "Cancel it there.")
        return self.get(name)

    def delete(self, name: str) -> None:
        """Forget a job that is over; what it wrote stays."""
        state = self.store.state(name).state
        if state in ACTIVE:
            raise Conflict(f"The job is {state}.", "Cancel it first.")
        lock = self._taken(name)
        self.store.remove(name)
        lock.release()

    # --- within -----------------------------------------------------------------------------------

    def _taken(self, name: str) -> Lock:
        """The lock of a job that is over; others only ever hold it for a moment."""
        for _ in range(20):
            state = self.store.state(name).state
            lock = None if state in ACTIVE else self.store.lock(name)
            if lock is not None:
                return lock
            if state in ACTIVE:
                raise Conflict(f"The job is {state}.", "Cancel it first.")
            time.sleep(0.05)
        raise Conflict("The job is being changed.", "Try again in a moment.")

    def _refuse_shared_output(self, output: str | None) -> None:
        """Two jobs that write the same folder would spoil it."""
        if output is None:
            return
        for name in self.store.ids():
            with contextlib.suppress(NotFound):
                if self.store.job(name).output == output and self.store.state(name).state in ACTIVE:
                    raise Conflict(f"Job {name} writes {output} already.", "Choose another name.")

    def _start_next(self) -> None:
        with self._changed:
            while self._waiting and len(self._running) < self._settings.max_jobs:
                job, lock = self._waiting.popleft()
                serve = None if self.serving is None else self.serving.serve
                attempt = JobAttempt(self.store, self._program, job, lock, self._ended, serve)
                self._running[job.id] = attempt
                attempt.start()

    def _ended(self, name: str) -> None:
        with self._changed:
            self._running.pop(name, None)
            self._start_next()


def _info(job: JobFile, state: StateFile, ahead: int | None) -> JobInfo:
    return JobInfo(
        id=job.id,
        kind=job.kind,
        options=dict(job.options),
        state=state.state,
        is_resumable=state.state in RESUMABLE,
        created=job.created,
        started=state.started,
        ended=state.ended,
        progress=None if state.progress is None else JobProgress(**state.progress),
        error=None if state.error is None else JobError(**state.error),
        result=state.result,
        not_served=None if state.not_served is None else JobError(**state.not_served),
        command=line_of(job.command),
        output=job.output,
        serve_option=job.serve_option,
        queue_ahead=ahead,
    )


def _without_rate(progress: Json | None) -> Json | None:
    return None if progress is None else progress | {"rate": None, "seconds_left": None}
