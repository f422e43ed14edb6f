"""Datasets and coder sets on the server's disk, with their cards."""

from typing import Annotated

from fastapi import APIRouter, Path

from activation_server.routes.access import ERRORS, Shelf
from activation_server.schemas import CoderSetInfo, CodersResponse, DatasetsResponse

router = APIRouter(tags=["data"], responses=ERRORS)


@router.get("/datasets")
def datasets(shelf: Shelf) -> DatasetsResponse:
    """List the datasets on the server's disk; GET /api/model says which are served."""
    return shelf.datasets()


@router.get("/coders")
def coders(shelf: Shelf) -> CodersResponse:
    """List the coder sets on the server's disk, with how good they are."""
    return shelf.coder_sets()


@router.get("/coders/{name}")
def coder_set(name: Annotated[str, Path(max_length=200)], shelf: Shelf) -> CoderSetInfo:
    """Show the training card of a coder set: recipe, curves, judgement."""
    return shelf.coder_set(name)
