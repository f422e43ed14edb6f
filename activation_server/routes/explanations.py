"""Explanations: search, labels for tables, simulated beside true activations, coverage, and one's own."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from activation_server.explanation_cost import explanation_cost
from activation_server.routes.access import ERRORS, QUEUED, Jobs, Session, Shelf
from activation_server.routes.components import CoderName, Component
from activation_server.schemas import (
    CoverageResponse,
    EstimateRequest,
    EstimateResponse,
    LabelsRequest,
    LabelsResponse,
    OwnExplanationRequest,
    OwnExplanationResponse,
    SearchMode,
    SearchResponse,
    ShowStoreRequest,
    ShowStoreResponse,
    SimulationResponse,
)
from neuron_explainer.explanations.search import Filters

router = APIRouter(tags=["explanations"], responses=ERRORS)

SearchText = Annotated[
    str,
    Query(
        min_length=1,
        max_length=20_000,
        description='What to look for: a description, words, one token as in " Paris", or a text to run.',
    ),
]
ExplanationId = Annotated[
    str | None, Query(max_length=40, description="An explanation's id; by default the best one.")
]


@router.get("/search", response_model=SearchResponse, responses=QUEUED)
async def search(
    q: SearchText,
    session: Session,
    request: Request,
    mode: SearchMode = "meaning",
    kind: Annotated[Literal["attn", "mlp", "latent"] | None, Query()] = None,
    stream: Annotated[
        Literal["attn", "mlp", "resid"] | None, Query(description="Latents: of their coder.")
    ] = None,
    layer: Annotated[int | None, Query(ge=0, le=9999)] = None,
    side: Annotated[Literal["positive", "negative"] | None, Query()] = None,
    min_score: Annotated[float | None, Query(ge=-1, le=1)] = None,
    min_density: Annotated[float | None, Query(ge=0, le=1)] = None,
    max_density: Annotated[float | None, Query(ge=0, le=1)] = None,
    explainer: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    dataset: Annotated[
        str | None,
        Query(
            max_length=200,
            description="text: the collated dataset whose quantiles count; by default the first.",
        ),
    ] = None,
) -> Response:
    """Find components by what is said of them, by a token they promote, or by a text that excites them."""
    filters = Filters(kind, stream, layer, side, min_score, min_density, max_density, explainer)
    return await session.explanations.search(mode, q, limit, filters, dataset, request)


@router.post("/components/labels", response_model=LabelsResponse)
async def component_labels(body: LabelsRequest, session: Session) -> Response:
    """Give the best explanation of each side of many components, for the rows of a table."""
    return await session.explanations.labels(body.components, body.coders)


@router.get("/components/{component}/simulation", response_model=SimulationResponse)
async def component_simulation(
    component: Component,
    session: Session,
    explanation: ExplanationId = None,
    coder: CoderName = None,
) -> Response:
    """Show what an explanation predicts beside what is true, on the excerpts it was scored on."""
    return await session.explanations.simulation(component, explanation, coder)


@router.post(
    "/components/{component}/explanations",
    response_model=OwnExplanationResponse,
    responses=QUEUED,
)
async def write_explanation(
    component: Component,
    body: OwnExplanationRequest,
    session: Session,
    request: Request,
    coder: CoderName = None,
) -> Response:
    """Keep a sentence of one's own and score it at once."""
    return await session.explanations.write(component, body, coder, request)


@router.delete("/components/{component}/explanations/{explanation}", status_code=204)
async def delete_explanation(
    component: Component,
    explanation: Annotated[str, Path(max_length=40, description="An explanation's id.")],
    session: Session,
    coder: CoderName = None,
) -> None:
    """Forget a sentence of one's own."""
    await session.explanations.remove(component, explanation, coder)


@router.get("/explanations/coverage", response_model=CoverageResponse)
async def explanation_coverage(session: Session) -> Response:
    """Say how much is explained, and how well, by layer."""
    return await session.explanations.coverage()


@router.post("/explanations/estimate")
def explanation_estimate(body: EstimateRequest, shelf: Shelf) -> EstimateResponse:
    """Say what explaining with a language model would take, and whether there is one to ask."""
    return explanation_cost(body, shelf)


@router.post("/explanations/stores")
async def show_store(body: ShowStoreRequest, jobs: Jobs, session: Session) -> ShowStoreResponse:
    """Serve what a finished explain job made, from now until the server stops."""
    return await session.explanations.show(jobs.get(body.job))
