"""What every route shares: the session behind it and the errors it may answer with."""

from typing import Annotated, Any

from fastapi import Depends, Request

from activation_server.data_shelf import DataShelf
from activation_server.jobs import JobRunner
from activation_server.schemas import ErrorResponse
from activation_server.session import ModelSession

_WHEN = {
    401: "The server asks for its token and none, or a wrong one, was given.",
    403: "The request comes from another site.",
    404: "There is no such thing.",
    409: "It does not fit the state that the thing is in; the message says which.",
    413: "The prompt or the request is too long; the message says the limit.",
    422: "The request is wrong; the message says where and what is allowed.",
    503: "The queue is full or memory ran out; the hint says what to do.",
}

# FastAPI types `responses` with Any.
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorResponse, "description": when} for status, when in _WHEN.items()
}

QUEUED: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "x-queue-ahead": {
                "description": "Requests that were ahead of this one when it came; 0 if kept.",
                "schema": {"type": "integer"},
            }
        }
    }
}


def _session(request: Request) -> ModelSession:
    session: ModelSession = request.app.state.session
    return session


Session = Annotated[ModelSession, Depends(_session)]


def _jobs(request: Request) -> JobRunner:
    runner: JobRunner = request.app.state.jobs
    return runner


Jobs = Annotated[JobRunner, Depends(_jobs)]
"""Long work beside the model."""


def _shelf(request: Request) -> DataShelf:
    shelf: DataShelf = request.app.state.shelf
    return shelf


Shelf = Annotated[DataShelf, Depends(_shelf)]
"""Datasets and coders on disk."""
