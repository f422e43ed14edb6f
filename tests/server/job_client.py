"""Starts jobs of `fake_command.py` through the REST interface and waits for what becomes of them."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from activation_server.schemas import JobInfo, JobRequest
from activation_server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, str(Path(__file__).with_name("fake_command.py")))
LONG = "steps:2000"
_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)


def body(corpus: str, name: str = "stories") -> dict[str, Any]:
    return {"kind": "collate", "options": {"name": name, "corpus": corpus}}


def request(corpus: str, name: str = "stories") -> JobRequest:
    return _REQUEST.validate_python(body(corpus, name))


def start(jobs: TestClient, corpus: str, name: str = "stories") -> str:
    answer = jobs.post("/api/jobs", json=body(corpus, name))
    assert answer.status_code == 201, answer.text
    job: str = answer.json()["id"]
    return job


def until(jobs: TestClient, job: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The job once something holds of it."""
    deadline = time.monotonic() + 60
    while True:
        answer = jobs.get(f"/api/jobs/{job}")
        info: dict[str, Any] = JobInfo.model_validate(answer.json()).model_dump()
        if holds(info):
            return info
        assert time.monotonic() < deadline, info
        time.sleep(0.05)


def over(jobs: TestClient, job: str) -> dict[str, Any]:
    return until(jobs, job, lambda info: info["state"] not in {"queued", "running"})


def going(jobs: TestClient, job: str) -> dict[str, Any]:
    """The job once it has told how far it is."""
    return until(jobs, job, lambda info: info["state"] == "running" and info["progress"])


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0]


def events(jobs: TestClient, job: str, last: str | None = None) -> list[dict[str, Any]]:
    """The stream of a job to its end."""
    headers = {} if last is None else {"last-event-id": last}
    text = jobs.get(f"/api/jobs/{job}/events", headers=headers).text
    found = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line[1:])
        if "event" in fields:
            found.append(
                {"name": fields["event"], "id": fields.get("id"), **json.loads(fields["data"])}
            )
    return found


def saved_steps(job_settings: Settings, name: str = "stories") -> list[int]:
    """The processes that did the steps."""
    assert job_settings.data_dir is not None
    steps: list[int] = json.loads(
        (job_settings.data_dir / "datasets" / name / "saved.json").read_text()
    )
    return steps
