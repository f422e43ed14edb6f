"""Jobs and the servers they belong to: streams, disconnects, servers that stop or are killed."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from activation_server.app import create_app
from activation_server.jobs import JobRunner
from activation_server.serving import listen
from activation_server.session import ModelSession
from activation_server.settings import Settings
from tests.server.job_client import (
    LONG,
    PROGRAM,
    ROOT,
    events,
    going,
    is_alive,
    over,
    request,
    saved_steps,
    start,
)


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[int]:
    """The application on a real socket; its port."""
    socket = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([socket],))
    thread.start()
    yield socket.getsockname()[1]
    server.should_exit = True
    thread.join(timeout=60)
    assert not thread.is_alive()
    socket.close()


def test_the_stream_holds_every_event_in_order(jobs: TestClient) -> None:
    found = events(jobs, start(jobs, "steps:12"))
    names = [event["name"] for event in found]
    assert names[0] == "state"
    assert names[-3:] == ["done", "state", "end"]
    assert found[-1]["state"] == "done"
    steps = [event["done"] for event in found if event["name"] == "progress"]
    assert steps == sorted(steps)
    assert steps[-1] == 12


def test_a_stream_goes_on_after_the_last_event_seen(jobs: TestClient) -> None:
    job = start(jobs, "steps:12")
    everything = events(jobs, job)
    third = everything[2]
    assert events(jobs, job, third["id"]) == everything[3:]
    assert events(jobs, job, "nonsense") == everything
    assert [event["name"] for event in events(jobs, job, "99999999999")] == ["end"]


def test_a_reader_that_goes_away_changes_nothing(
    session: ModelSession, job_settings: Settings, runner: JobRunner
) -> None:
    job = runner.submit(request("steps:40")).id
    with served(create_app(job_settings, session, runner)) as port:
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", f"/api/jobs/{job}/events")
            assert b"event: " in connection.getresponse().read(40)
            connection.close()
        deadline = time.monotonic() + 60
        while runner.get(job).state != "done":
            assert time.monotonic() < deadline
            time.sleep(0.05)


# --- servers that stop ------------------------------------------------------------------------------


def test_a_server_that_stops_stops_its_jobs(job_settings: Settings) -> None:
    runner = JobRunner(job_settings, PROGRAM)
    running, queued = (runner.submit(request(LONG, name)).id for name in "ab")
    deadline = time.monotonic() + 60
    while runner.get(running).progress is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process = runner.store.state(running).process
    assert process is not None
    runner.close()
    assert not is_alive(process)
    again = JobRunner(job_settings, PROGRAM)
    assert [job.state for job in again.list().jobs] == ["stopped", "stopped"]
    assert again.get(queued).is_resumable
    again.close()


SERVER = """
import sys, time
from pathlib import Path
from pydantic import TypeAdapter
from activation_server.jobs import JobRunner
from activation_server.schemas import JobRequest
from activation_server.settings import Settings

runner = JobRunner(Settings(data_dir=Path(sys.argv[1])), sys.argv[2:])
for name in ("a", "b"):
    options = {"name": name, "corpus": "steps:40"}
    request = TypeAdapter(JobRequest).validate_python({"kind": "collate", "options": options})
    print(runner.submit(request).id, flush=True)
time.sleep(600)
"""


def test_a_job_whose_server_was_killed_is_found_stopped_and_resumed(
    jobs: TestClient, job_settings: Settings, runner: JobRunner
) -> None:
    command = [sys.executable, "-c", SERVER, str(job_settings.data_dir), *PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        running, queued = (server.stdout.readline().strip() for _ in range(2))
        going(jobs, running)  # seen through its files
        assert jobs.get(f"/api/jobs/{queued}").json()["state"] == "queued"
        assert jobs.post(f"/api/jobs/{queued}/cancel").status_code == 409
        process = runner.store.state(running).process
        os.kill(server.pid, signal.SIGKILL)
    assert over(jobs, queued)["state"] == "stopped"
    info = over(jobs, running)
    assert info["state"] == "stopped"
    assert info["is_resumable"]
    assert process is not None
    assert not is_alive(process)
    before = len(saved_steps(job_settings, "a"))
    assert before < 40
    assert jobs.post(f"/api/jobs/{running}/resume").status_code == 200
    assert over(jobs, running)["result"] == {"steps": 40}


def test_a_job_of_another_server_can_be_cancelled(jobs: TestClient, job_settings: Settings) -> None:
    command = [sys.executable, "-c", SERVER, str(job_settings.data_dir), *PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        running = server.stdout.readline().strip()
        going(jobs, running)
        assert jobs.post(f"/api/jobs/{running}/cancel").status_code == 200
        assert over(jobs, running)["state"] in {"cancelled", "stopped"}
        server.kill()
