"""The Monitor page: token statistics, influence, concepts, steering."""

from fastapi import APIRouter, Request, Response

from activation_server.routes.access import ERRORS, QUEUED, Session
from activation_server.routes.generation import event_stream
from activation_server.schemas import (
    ClustersRequest,
    ClustersResponse,
    InfluenceRequest,
    InfluenceResponse,
    MonitorTokensRequest,
    MonitorTokensResponse,
    SteerPreviewRequest,
    SteerPreviewResponse,
    SweepRequest,
    SweepResponse,
)

router = APIRouter(prefix="/monitor", tags=["monitor"], responses=ERRORS)

_CLUSTERS = event_stream(
    "With `Accept: text/event-stream`: `clusters` (the answer, unmeasured), a `cluster` for each "
    "as it is measured, then `done` (the answer, in order of measured effect)."
)
_CELLS = event_stream(
    "With `Accept: text/event-stream`: `baseline` {baseline, baseline_repetition, token, "
    "position}, a `cell` for each as it is computed, then `done` (the answer)."
)


def _wants_events(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("accept", "")


@router.post("/tokens", response_model=MonitorTokensResponse, responses=QUEUED)
async def monitor_tokens(
    body: MonitorTokensRequest, session: Session, request: Request
) -> Response:
    """Give every token's probability, rank and alternatives, and say whose token it is."""
    return await session.monitor.tokens(body, request)


@router.post("/influence", response_model=InfluenceResponse, responses=QUEUED)
async def influence(body: InfluenceRequest, session: Session, request: Request) -> Response:
    """Rank the components that led to a token, by activation or by attribution."""
    return await session.monitor.influence(body, request)


@router.post("/clusters", response_model=ClustersResponse, responses=_CLUSTERS)
async def clusters(body: ClustersRequest, session: Session, request: Request) -> Response:
    """Group the influential components by meaning, measure each group, compare with chance."""
    return await session.monitor.clusters(body, request, in_events=_wants_events(request))


@router.post("/steer_preview", response_model=SteerPreviewResponse)
async def steer_preview(body: SteerPreviewRequest, session: Session) -> Response:
    """List the components that a concept means, before anything is steered."""
    return await session.monitor.steer_preview(body)


@router.post("/sweep", response_model=SweepResponse, responses=_CELLS)
async def sweep(body: SweepRequest, session: Session, request: Request) -> Response:
    """Try strengths and numbers of components; mark where the rest of the model still works."""
    return await session.monitor.sweep(body, request, in_events=_wants_events(request))
