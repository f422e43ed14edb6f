"""The web application: the routes under /api, then the built viewer for every other path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from activation_server.data_shelf import DataShelf
from activation_server.errors import install_error_handlers
from activation_server.jobs import JobRunner
from activation_server.routes import (
    checks,
    components,
    data,
    debugger,
    explanations,
    generation,
    jobs,
    model,
    monitor,
)
from activation_server.security import Guard
from activation_server.session import ModelSession
from activation_server.settings import Settings
from activation_server.static import Viewer


def create_app(
    settings: Settings, session: ModelSession, runner: JobRunner | None = None
) -> FastAPI:
    """The application that serves one model; closes its session and its jobs when it stops."""
    runner = runner or JobRunner(settings)
    runner.serving = session.new_datasets

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(session.warm_up()) if settings.warm_up else None
        yield
        if warming is not None:
            warming.cancel()
        await asyncio.to_thread(runner.close)
        session.close()

    app = describe_api()
    app.router.lifespan_context = lifespan
    app.state.session = session
    app.state.jobs = runner
    app.state.shelf = DataShelf(settings.data_dir, settings.coders, session.components.datasets)
    app.add_middleware(Guard, settings=settings)
    install_error_handlers(app)
    app.router.default = Viewer(settings.viewer_dir)
    return app


def describe_api() -> FastAPI:
    """The routes without a model: enough to write openapi.json."""
    app = FastAPI(
        title="Transformer Debugger",
        version="1",
        summary="Why a transformer language model says what it says.",
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    api = APIRouter(prefix="/api")
    for part in (
        model,
        debugger,
        explanations,
        components,
        generation,
        monitor,
        jobs,
        data,
        checks,
    ):
        api.include_router(part.router)
    app.include_router(api)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
