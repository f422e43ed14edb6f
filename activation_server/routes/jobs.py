"""Long work with progress, cancel and resume: collation, training, judging, explaining."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from sse_starlette import EventSourceResponse

from activation_server.job_events import follow
from activation_server.routes.access import ERRORS, Jobs
from activation_server.schemas import JobInfo, JobList, JobRequest

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=ERRORS)

JobId = Annotated[str, Path(max_length=64, examples=["20260102-030405-6a7b8c"])]
LastEventId = Annotated[
    str | None,
    Header(max_length=20, description="The id of the last event that was seen: go on after it."),
]

# FastAPI types `responses` with Any.
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The job's events from its first on, then as they come.",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "string",
                    "description": (
                        "Events `state` {state, time}, `progress` {done, total, unit, message, "
                        "metrics, time}, `done` {result}, `error` {message, hint}; each with an "
                        "id. `end` {state} closes the stream when the job is over."
                    ),
                }
            }
        },
    }
}


@router.get("")
def jobs(jobs: Jobs) -> JobList:
    """List the jobs, the newest first."""
    return jobs.list()


@router.post("", status_code=201)
def start_job(body: JobRequest, jobs: Jobs) -> JobInfo:
    """Queue long work; it starts when those before it are done."""
    return jobs.submit(body)


@router.get("/{job}")
def job(job: JobId, jobs: Jobs) -> JobInfo:
    """Say how a job is."""
    return jobs.get(job)


@router.get("/{job}/events", response_class=EventSourceResponse, responses=_STREAM)
async def job_events(job: JobId, jobs: Jobs, last_event_id: LastEventId = None) -> Response:
    """Stream what a job tells, all of it from the first event on."""
    jobs.get(job)
    seen = last_event_id or ""
    place = int(seen) if re.fullmatch("[0-9]+", seen) else 0
    return EventSourceResponse(follow(jobs.store, job, place))


@router.post("/{job}/cancel")
def cancel_job(job: JobId, jobs: Jobs) -> JobInfo:
    """End a job that waits or runs; what it has saved stays."""
    return jobs.cancel(job)


@router.post("/{job}/resume")
def resume_job(job: JobId, jobs: Jobs) -> JobInfo:
    """Go on with a job that ended early, from what it last saved."""
    return jobs.resume(job)


@router.delete("/{job}", status_code=204)
def delete_job(job: JobId, jobs: Jobs) -> None:
    """Forget a job that is over; what it wrote stays."""
    jobs.delete(job)
