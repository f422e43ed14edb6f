"""The Debugger page's questions: node table, measured effects, token lists, logit lens."""

from typing import Any

from fastapi import APIRouter, Request, Response

from activation_server.routes.access import ERRORS, QUEUED, Session
from activation_server.schemas import (
    DebugRequest,
    DebugResponse,
    LatentPairsRequest,
    LatentPairsResponse,
    LensRequest,
    LensResponse,
    MeasureRequest,
    MeasureResponse,
    NodeTokensRequest,
    NodeTokensResponse,
)

router = APIRouter(tags=["debugger"], responses=ERRORS)

# FastAPI types `responses` with Any.
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        **QUEUED[200],
        "description": "All effects as JSON, or each as it is computed as an event stream.",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "string",
                    "description": (
                        "Events `objective` {objective}, then `effect` {node, measured_effect} "
                        "for each node in order, then `done` {}. "
                        "An `error` event {error, message, hint} ends the stream early."
                    ),
                }
            }
        },
    }
}


@router.post("/debug", response_model=DebugResponse, responses=QUEUED)
async def debug(body: DebugRequest, session: Session, request: Request) -> Response:
    """Say which components, at which tokens, push the model toward the target."""
    return await session.debug(body, request)


@router.post("/measure", response_model=MeasureResponse, responses=_STREAM)
async def measure(body: MeasureRequest, session: Session, request: Request) -> Response:
    """Measure nodes by running the model again without each; can stream the effects."""
    if "text/event-stream" in request.headers.get("accept", ""):
        return await session.measure_stream(body, request)
    return await session.measure(body, request)


@router.post("/node_tokens", response_model=NodeTokensResponse, responses=QUEUED)
async def node_tokens(body: NodeTokensRequest, session: Session, request: Request) -> Response:
    """List the tokens that each node's write promotes and suppresses."""
    return await session.node_tokens(body, request)


@router.post("/latent_pairs", response_model=LatentPairsResponse, responses=QUEUED)
async def latent_pairs(body: LatentPairsRequest, session: Session, request: Request) -> Response:
    """Share an attention latent's pre-activation out over the token pairs that make it up."""
    return await session.latent_pairs(body, request)


@router.post("/lens", response_model=LensResponse, responses=QUEUED)
async def lens(body: LensRequest, session: Session, request: Request) -> Response:
    """Read out the residual stream after every layer as if it were the last."""
    return await session.lens(body, request)
