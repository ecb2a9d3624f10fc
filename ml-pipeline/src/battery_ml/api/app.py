"""The service, honest about what it cannot do yet: alive, not ready, and no made-up answer to any call."""

import re

from fastapi import APIRouter, Depends, FastAPI
from pydantic import Field

from battery_servicekit.application import create_service, serve
from battery_servicekit.health import Check, CheckState, Finding
from battery_servicekit.logging import configure_logging
from battery_servicekit.problems import Unavailable, problems
from battery_servicekit.service_token import require_service_token
from battery_servicekit.settings import ServiceSettings

VERSION = "0.1.0"
REASON = "model_not_available"
DETAIL = "No model is part of this version: no remaining life is predicted."
CALLS = (
    ("POST", "/predict/rul"),
    ("POST", "/predict/rul/batch"),
    ("GET", "/models"),
    ("GET", "/models/{version}"),
    ("POST", "/models/{version}/promote"),
    ("POST", "/train"),
    ("GET", "/train/{job}"),
)


class Settings(ServiceSettings):
    """What the service needs to run."""

    port: int = Field(default=8001, ge=1, le=65535)


class NotAvailable(Unavailable):
    """The call needs a part that this version does not have."""

    code = REASON


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service."""

    async def capability() -> Finding:
        return Finding(CheckState.DOWN, REASON)

    app = create_service(
        service="battery-ml",
        title="Remaining life",
        description=DETAIL,
        version=VERSION,
        checks=(Check("capability", capability, required=True),),
    )
    guards = [] if settings is None else [Depends(require_service_token(settings.service_token))]
    router = APIRouter(prefix="/api/v1", tags=["ml"], dependencies=guards)

    async def refuse() -> None:
        """Say that this version cannot answer."""
        raise NotAvailable(DETAIL)

    for method, path in CALLS:
        name = re.sub(r"\W+", "_", f"{method} {path}").strip("_").lower()
        router.add_api_route(
            path, refuse, methods=[method], name=name, status_code=503, responses=problems(NotAvailable)
        )
    app.include_router(router)
    return app


def main() -> None:
    """Entry point."""
    settings = Settings()
    configure_logging("ml", level=settings.log_level)
    serve(create_app(settings), settings)
