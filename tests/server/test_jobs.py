"""Jobs as real processes: how they end, in which order they run, what is refused."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from activation_server.app import create_app
from activation_server.job_attempt import Rate
from activation_server.jobs import JobRunner
from activation_server.schemas import JobList
from activation_server.session import ModelSession
from activation_server.settings import Settings
from tests.server.job_client import (
    LONG,
    PROGRAM,
    body,
    events,
    going,
    is_alive,
    over,
    request,
    saved_steps,
    start,
)
from tests.server.sample import BASE_URL

# --- how jobs end -----------------------------------------------------------------------------------


def test_a_job_tells_its_progress_and_its_result(jobs: TestClient, job_settings: Settings) -> None:
    job = start(jobs, "steps:5")
    info = over(jobs, job)
    assert info["state"] == "done"
    assert info["result"] == {"steps": 5}
    assert info["progress"]["done"] == info["progress"]["total"] == 5
    assert info["progress"]["metrics"]["loss"] == pytest.approx(0.2)
    assert info["started"] <= info["ended"]
    assert info["command"].startswith("tdb collate ")
    assert "--model=tiny" in info["command"]
    assert info["output"] == str(job_settings.data_dir / "datasets" / "stories")  # type: ignore[operator]
    assert info["serve_option"] == f"--dataset {info['output']}"
    assert not info["is_resumable"]
    (listed,) = JobList.model_validate(jobs.get("/api/jobs").json()).jobs
    assert listed.id == job


def test_a_mistake_is_told_with_its_hint(jobs: TestClient) -> None:
    info = over(jobs, start(jobs, "steps:5,mistake:2"))
    assert info["state"] == "failed"
    assert info["error"] == {"message": "the corpus has no text", "hint": "Name another."}
    assert info["is_resumable"]


def test_a_bug_fails_the_job(jobs: TestClient) -> None:
    info = over(jobs, start(jobs, "steps:5,crash:2"))
    assert info["state"] == "failed"
    assert "RuntimeError: a bug at this step" in info["error"]["message"]
    assert "by hand" in info["error"]["hint"]


def test_a_command_that_ends_without_a_result_has_failed(jobs: TestClient) -> None:
    info = over(jobs, start(jobs, "steps:5,mute"))
    assert info["state"] == "failed"
    assert "status 0 and no result" in info["error"]["message"]


def test_a_program_that_is_not_there_fails_the_job(job_settings: Settings) -> None:
    runner = JobRunner(job_settings, ("/nonexistent/program",))
    job = runner.submit(request("steps:1")).id
    deadline = time.monotonic() + 60
    while runner.get(job).state != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    error = runner.get(job).error
    assert error is not None
    assert "/nonexistent/program" in error.message
    runner.close()


def test_a_job_that_was_removed_by_hand_holds_up_no_other(
    jobs: TestClient, job_settings: Settings
) -> None:
    assert job_settings.data_dir is not None
    first = start(jobs, LONG)
    going(jobs, first)
    removed = start(jobs, "steps:1", "removed")
    shutil.rmtree(job_settings.data_dir / "jobs" / removed)
    last = start(jobs, "steps:1", "last")
    jobs.post(f"/api/jobs/{first}/cancel")
    assert over(jobs, last)["state"] == "done"


def test_noise_on_stdout_is_no_event(jobs: TestClient) -> None:
    job = start(jobs, "steps:5,noise")
    assert over(jobs, job)["state"] == "done"
    assert {event["name"] for event in events(jobs, job)} == {"state", "progress", "done", "end"}


def test_nothing_of_the_process_group_is_left_behind(
    jobs: TestClient, job_settings: Settings
) -> None:
    job = start(jobs, "steps:5,child")
    assert over(jobs, job)["state"] == "done"
    assert job_settings.data_dir is not None
    child = int((job_settings.data_dir / "datasets/stories/child").read_text())
    deadline = time.monotonic() + 60
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- cancel, kill, resume ---------------------------------------------------------------------------


def test_a_cancelled_job_is_resumed_where_it_was(jobs: TestClient, job_settings: Settings) -> None:
    job = start(jobs, "steps:60")
    going(jobs, job)
    assert jobs.post(f"/api/jobs/{job}/cancel").status_code == 200
    info = over(jobs, job)
    assert (info["state"], info["error"], info["is_resumable"]) == ("cancelled", None, True)
    done_before = len(saved_steps(job_settings))
    assert 0 < done_before < 60
    assert jobs.post(f"/api/jobs/{job}/resume").json()["state"] in {"queued", "running"}
    assert over(jobs, job)["result"] == {"steps": 60}
    processes = saved_steps(job_settings)
    assert len(set(processes)) == 2
    assert len(set(processes[:done_before])) == 1
    states = [event["state"] for event in events(jobs, job) if event["name"] == "state"]
    assert states == ["running", "cancelled", "queued", "running", "done"]


def test_a_job_that_does_not_listen_is_ended(
    jobs: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activation_server.job_process.GRACE", 0.3)
    job = start(jobs, f"{LONG},deaf")
    going(jobs, job)
    jobs.post(f"/api/jobs/{job}/cancel")
    assert over(jobs, job)["state"] == "cancelled"


def test_a_killed_process_is_stopped_and_resumed(jobs: TestClient, job_settings: Settings) -> None:
    job = start(jobs, "steps:8,die:4")
    info = over(jobs, job)
    assert info["state"] == "stopped"
    assert "SIGKILL" in info["error"]["message"]
    assert len(saved_steps(job_settings)) == 4
    jobs.post(f"/api/jobs/{job}/resume")
    assert over(jobs, job)["result"] == {"steps": 8}


def test_only_what_ended_early_can_be_resumed(jobs: TestClient) -> None:
    job = start(jobs, "steps:2")
    over(jobs, job)
    answer = jobs.post(f"/api/jobs/{job}/resume")
    assert answer.status_code == 409
    assert answer.json()["message"] == "The job is done."
    assert jobs.post(f"/api/jobs/{job}/cancel").status_code == 409


def test_two_resumes_at_once_start_one_process(jobs: TestClient, job_settings: Settings) -> None:
    job = start(jobs, "steps:8,die:4")
    over(jobs, job)
    answers = [jobs.post(f"/api/jobs/{job}/resume").status_code for _ in range(2)]
    assert answers == [200, 409]
    over(jobs, job)
    assert len(saved_steps(job_settings)) == 8


# --- order ------------------------------------------------------------------------------------------


def test_one_job_runs_and_the_others_wait_their_turn(jobs: TestClient) -> None:
    first, second, third = (start(jobs, "steps:20", name) for name in "abc")
    going(jobs, first)
    assert jobs.get(f"/api/jobs/{second}").json()["queue_ahead"] == 1
    assert jobs.get(f"/api/jobs/{third}").json()["queue_ahead"] == 2
    jobs.post(f"/api/jobs/{second}/cancel")
    assert jobs.get(f"/api/jobs/{second}").json()["state"] == "cancelled"
    done = [over(jobs, job) for job in (first, third)]
    assert [info["state"] for info in done] == ["done", "done"]
    assert done[0]["ended"] <= done[1]["started"]


def test_two_run_at_once_where_that_is_allowed(
    session: ModelSession, job_settings: Settings, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "data", max_jobs=2)
    runner = JobRunner(settings, PROGRAM)
    with TestClient(create_app(settings, session, runner), base_url=BASE_URL) as jobs:
        both = [start(jobs, LONG, name) for name in "ab"]
        for job in both:
            going(jobs, job)
        for job in both:
            jobs.post(f"/api/jobs/{job}/cancel")
            assert over(jobs, job)["state"] == "cancelled"


def test_two_jobs_do_not_write_one_folder(jobs: TestClient) -> None:
    job = start(jobs, LONG)
    assert jobs.post("/api/jobs", json=body(LONG)).status_code in {409, 422}
    going(jobs, job)
    jobs.post(f"/api/jobs/{job}/cancel")
    over(jobs, job)
    answer = jobs.post("/api/jobs", json=body(LONG))
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("options.name: There is stories already")


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("job", ["20260101-000000-abcdef", "nothing", "..", "%2e%2e%2fetc"])
@pytest.mark.parametrize("call", ["get", "events", "cancel", "resume", "delete"])
def test_an_unknown_job_is_not_found(jobs: TestClient, job: str, call: str) -> None:
    method = {"get": "GET", "events": "GET", "delete": "DELETE"}.get(call, "POST")
    tail = f"/{call}" if call in {"events", "cancel", "resume"} else ""
    answer = jobs.request(method, f"/api/jobs/{job}{tail}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "message", "hint"}


TRAINING = {"name": "x", "corpus": "c", "layers": [0], "latents": 8, "tokens": 100}


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("collate", {"name": "../up", "corpus": "c"}, "options.name"),
        ("collate", {"name": "a/b", "corpus": "c"}, "options.name"),
        ("collate", {"name": ".hidden", "corpus": "c"}, "options.name"),
        ("collate", {"name": "", "corpus": "c"}, "options.name"),
        ("collate", {"name": "x"}, "options.corpus"),
        ("collate", {"name": "x", "corpus": " "}, "options.corpus"),
        ("collate", {"name": "x", "corpus": "c", "top": 0}, "options.top"),
        ("collate", {"name": "x", "corpus": "c", "shell": "rm"}, "options.shell"),
        ("train_sae", {**TRAINING}, "one of the two"),
        ("train_sae", {**TRAINING, "k": 2, "l1": 0.1}, "one of the two"),
        ("train_sae", {**TRAINING, "k": 9}, "more than the 8 latents"),
        ("train_sae", {**TRAINING, "k": 2, "site": "logits"}, "options.site"),
        ("train_sae", {**TRAINING, "k": 2, "layers": []}, "options.layers"),
        ("train_sae", {**TRAINING, "k": 2, "layers": [-1]}, "options.layers[0]"),
        ("dance", {}, "kind"),
    ],
)
def test_bad_options_are_refused_at_the_field(
    jobs: TestClient, kind: str, options: dict[str, Any], says: str
) -> None:
    answer = jobs.post("/api/jobs", json={"kind": kind, "options": options})
    assert answer.status_code == 422
    error = answer.json()
    assert says in f"{error['message']} {error['hint']}"
    assert jobs.get("/api/jobs").json()["jobs"] == []


def test_no_value_passes_for_a_flag(jobs: TestClient) -> None:
    job = jobs.post("/api/jobs", json=body("--out=/tmp/elsewhere")).json()
    assert "'--corpus=--out=/tmp/elsewhere'" in job["command"] or (
        "--corpus=--out=/tmp/elsewhere" in job["command"]
    )
    over(jobs, job["id"])


def test_a_finished_job_is_forgotten_and_its_output_kept(
    jobs: TestClient, job_settings: Settings
) -> None:
    job = start(jobs, LONG)
    going(jobs, job)
    assert jobs.delete(f"/api/jobs/{job}").status_code == 409
    jobs.post(f"/api/jobs/{job}/cancel")
    over(jobs, job)
    assert jobs.delete(f"/api/jobs/{job}").status_code == 204
    assert jobs.get(f"/api/jobs/{job}").status_code == 404
    assert jobs.get("/api/jobs").json()["jobs"] == []
    assert saved_steps(job_settings)


def test_a_server_without_a_data_folder_runs_no_jobs(client: TestClient) -> None:
    listed = client.get("/api/jobs").json()
    assert (listed["jobs"], listed["data_dir"], listed["max_running"]) == ([], None, 1)
    assert client.post("/api/jobs", json=body("steps:1")).status_code == 403


def test_jobs_ask_for_the_token(session: ModelSession, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, token="secret")
    with TestClient(create_app(settings, session), base_url=BASE_URL) as jobs:
        assert jobs.get("/api/jobs").status_code == 401
        assert jobs.post("/api/jobs", json=body("steps:1")).status_code == 401
        headers = {"authorization": "Bearer secret"}
        assert jobs.get("/api/jobs", headers=headers).status_code == 200


def test_a_spoiled_state_file_is_read_as_stopped(jobs: TestClient, job_settings: Settings) -> None:
    job = start(jobs, "steps:2")
    over(jobs, job)
    assert job_settings.data_dir is not None
    (job_settings.data_dir / "jobs" / job / "state.json").write_text('{"sta')
    assert jobs.get(f"/api/jobs/{job}").json()["state"] == "stopped"
    (job_settings.data_dir / "jobs" / job / "request.json").write_text("{}")
    assert jobs.get(f"/api/jobs/{job}").status_code == 404
    assert jobs.get("/api/jobs").json()["jobs"] == []


def test_the_rate_is_that_of_the_last_seconds() -> None:
    now = 0.0
    rate = Rate(lambda: now)
    assert rate(0) is None
    for second in range(1, 101):
        now = float(second)
        told = rate(second * 10 if second <= 50 else 500 + (second - 50) * 100)
    assert told == pytest.approx(100)
