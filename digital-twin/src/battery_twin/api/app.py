"""The service, honest about what it cannot do yet: not ready while it has no estimator, and no made-up answer."""

import re

from fastapi import APIRouter, Depends, FastAPI
from pydantic import Field

from battery_servicekit.application import create_service, serve
from battery_servicekit.health import Check, CheckState, Finding
from battery_servicekit.logging import configure_logging
from battery_servicekit.problems import Unavailable, problems
from battery_servicekit.service_token import require_service_token
from battery_servicekit.settings import ServiceSettings
from battery_twin.api import analysis, rul

VERSION = "0.1.0"
REASON = "estimator_not_available"
DETAIL = "The fleet estimator is not part of this version: no SOC or SOH is computed from live readings."
CALLS = (("POST", "/estimate"),)


class Settings(ServiceSettings):
    """What the service needs to run."""

    port: int = Field(default=8002, ge=1, le=65535)


class NotAvailable(Unavailable):
    """The call needs a part that this version does not have."""

    code = REASON


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service."""

    async def capability() -> Finding:
        return Finding(CheckState.DOWN, REASON)

    app = create_service(
        service="battery-twin",
        title="Digital twin",
        description=DETAIL,
        version=VERSION,
        checks=(Check("capability", capability, required=True),),
    )
    guards = [] if settings is None else [Depends(require_service_token(settings.service_token))]
    router = APIRouter(prefix="/api/v1", tags=["twin"], dependencies=guards)

    async def refuse() -> None:
        """Say that this version cannot answer."""
        raise NotAvailable(DETAIL)

    for method, path in CALLS:
        name = re.sub(r"\W+", "_", f"{method} {path}").strip("_").lower()
        router.add_api_route(
            path, refuse, methods=[method], name=name, status_code=503, responses=problems(NotAvailable)
        )
    for part in (rul.router, analysis.router):
        router.include_router(part)
    app.include_router(router)
    return app


def main() -> None:
    """Entry point."""
    settings = Settings()
    configure_logging("twin", level=settings.log_level)
    serve(create_app(settings), settings)
