"""One component: how it responds to given text, and what its weights alone say."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from activation_server.routes.access import ERRORS, QUEUED, Session
from activation_server.schemas import (
    AblationEffectRequest,
    AblationEffectResponse,
    ActivationsRequest,
    ActivationsResponse,
    ComponentResponse,
    ComponentTokensResponse,
    SimilarResponse,
)

router = APIRouter(prefix="/components", tags=["components"], responses=ERRORS)

Component = Annotated[
    str, Path(max_length=64, description="As in attn_L9_9, mlp_L3_117.", examples=["attn_L9_9"])
]
DatasetName = Annotated[
    str | None,
    Query(max_length=200, description="A loaded dataset; by default the first that knows it."),
]
CoderName = Annotated[
    str | None,
    Query(
        max_length=200,
        description="The loaded coder set whose latent is meant; by default the first of its stream.",
    ),
]
SimilarBy = Annotated[
    Literal["output", "input", "coactivation"],
    Query(description="Cosine of what is written or read, or correlation on its own excerpts."),
]
NumberOfTokens = Annotated[int, Query(ge=1, le=100, description="Length of each list.")]


@router.get("/{component}", response_model=ComponentResponse)
async def component(
    component: Component, session: Session, dataset: DatasetName = None, coder: CoderName = None
) -> Response:
    """Show what a component responds to in a dataset: excerpts, statistics, explanations."""
    return await session.components.record(component, dataset, coder)


@router.get("/{component}/similar", response_model=SimilarResponse, responses=QUEUED)
async def similar_components(
    component: Component,
    session: Session,
    request: Request,
    by: SimilarBy = "output",
    limit: NumberOfTokens = 10,
    dataset: DatasetName = None,
    coder: CoderName = None,
) -> Response:
    """List components that write alike, read alike, or fire together."""
    return await session.components.similar(component, by, limit, dataset, coder, request)


@router.post(
    "/{component}/ablation_effect", response_model=AblationEffectResponse, responses=QUEUED
)
async def ablation_effect(
    component: Component,
    body: AblationEffectRequest,
    session: Session,
    request: Request,
    coder: CoderName = None,
) -> Response:
    """Give the change of each next token's probability when a component is ablated there."""
    return await session.components.ablation_effect(component, body.prompt, coder, request)


@router.post("/{component}/activations", response_model=ActivationsResponse, responses=QUEUED)
async def component_activations(
    component: Component,
    body: ActivationsRequest,
    session: Session,
    request: Request,
    coder: CoderName = None,
) -> Response:
    """Give a component's activation at every token, or a head's pattern, on each prompt."""
    return await session.component_activations(component, body, coder, request)


@router.get("/{component}/tokens", response_model=ComponentTokensResponse, responses=QUEUED)
async def component_tokens(
    component: Component,
    session: Session,
    request: Request,
    n: NumberOfTokens = 10,
    coder: CoderName = None,
) -> Response:
    """List what a component's weights alone promote, suppress and respond to."""
    return await session.component_tokens(component, n, coder, request)
