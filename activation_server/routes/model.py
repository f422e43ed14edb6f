"""What is being served: whether it is well, what it is, and how it splits text."""

from fastapi import APIRouter, Response

from activation_server.routes.access import ERRORS, Session
from activation_server.schemas import (
    HealthResponse,
    ModelResponse,
    TokenizeRequest,
    TokenizeResponse,
)

router = APIRouter(tags=["model"], responses=ERRORS)


@router.get("/health", response_model=HealthResponse)
async def health(session: Session) -> HealthResponse:
    """Say that the server is up, and how many requests wait for the model."""
    return session.health()


@router.get("/model", response_model=ModelResponse)
async def model(session: Session) -> Response:
    """Describe the model, with ready examples and a sentence for every number shown."""
    return session.model_card()


@router.post("/tokenize", response_model=TokenizeResponse)
async def tokenize(body: TokenizeRequest, session: Session) -> Response:
    """Split a text into tokens, exactly as a prompt would be."""
    return await session.tokenize(body)
