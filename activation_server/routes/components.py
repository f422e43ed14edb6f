"""One component: how it responds to given text, and what its weights alone say."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from activation_server.routes.access import ERRORS, QUEUED, Session
from activation_server.schemas import (
    ActivationsRequest,
    ActivationsResponse,
    ComponentResponse,
    ComponentTokensResponse,
)

router = APIRouter(prefix="/components", tags=["components"], responses=ERRORS)

Component = Annotated[
    str, Path(max_length=64, description="As in attn_L9_9, mlp_L3_117.", examples=["attn_L9_9"])
]
DatasetName = Annotated[
    str | None,
    Query(max_length=200, description="A loaded dataset; by default the first that knows it."),
]
NumberOfTokens = Annotated[int, Query(ge=1, le=100, description="Length of each list.")]


@router.get("/{component}", response_model=ComponentResponse)
async def component(
    component: Component, session: Session, dataset: DatasetName = None
) -> Response:
    """Show what a component responds to in a dataset: excerpts, statistics, explanations."""
    return await session.components.record(component, dataset)


@router.post("/{component}/activations", response_model=ActivationsResponse, responses=QUEUED)
async def component_activations(
    component: Component, body: ActivationsRequest, session: Session, request: Request
) -> Response:
    """Give a component's activation at every token, or a head's pattern, on each prompt."""
    return await session.component_activations(component, body, request)


@router.get("/{component}/tokens", response_model=ComponentTokensResponse, responses=QUEUED)
async def component_tokens(
    component: Component, session: Session, request: Request, n: NumberOfTokens = 10
) -> Response:
    """List what a component's weights alone promote, suppress and respond to."""
    return await session.component_tokens(component, n, request)
