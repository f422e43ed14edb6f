"""The self-check: each claim about the numbers, tried on the model that is being served."""

from fastapi import APIRouter, Request, Response

from activation_server.routes.access import ERRORS, QUEUED, Session
from activation_server.schemas import SelfCheckResponse

router = APIRouter(tags=["self-check"], responses=ERRORS)


@router.get("/self_check", response_model=SelfCheckResponse, responses=QUEUED)
async def self_check(session: Session, request: Request) -> Response:
    """Check logits, additivity, derivatives and ablation on this model; takes some seconds."""
    return await session.self_check(request)
