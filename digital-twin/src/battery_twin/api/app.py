"""The service: estimates of the fleet, forecasts and simulations; it keeps no battery's state."""

from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from battery_contracts.twin import EstimateRequest
from battery_servicekit.application import create_service, serve
from battery_servicekit.health import Check, Finding
from battery_servicekit.logging import configure_logging
from battery_servicekit.openapi.description import serve_description
from battery_servicekit.service_token import service_guard
from battery_servicekit.settings import ServiceSettings
from battery_servicekit.startup import load_settings
from battery_twin.api import analysis, estimate, rul
from battery_twin.api.computing import Computing
from battery_twin.api.examples import EXAMPLES
from battery_twin.api.readiness import check_estimator
from battery_twin.fleet.estimator import FleetEstimator
from battery_twin.fleet.models import BatteryModels

VERSION = version("battery-twin")
DESCRIPTION = (
    "Equivalent circuit and extended Kalman filter of each battery: SOC, capacity and resistance with standard "
    "deviations and provenance, runtime of a string, remaining life by the ageing law, and identification of a circuit "
    "from recorded runs."
)


class TwinSettings(ServiceSettings):
    """Settings of the service."""

    port: int = Field(default=8002, ge=1, le=65535)
    parameters_dir: Path | None = Field(default=None, description="folder of parameter sets, one MODEL_ID.json each")


def create_app(settings: TwinSettings | None = None) -> FastAPI:
    """Build the service; without settings it asks for no token and has no parameter sets of its own."""
    estimator = FleetEstimator(BatteryModels(None if settings is None else settings.parameters_dir))

    async def capability() -> Finding:
        # In a thread: if this is the first estimate, it compiles the filter for seconds.
        return await run_in_threadpool(check_estimator, estimator)

    app = create_service(
        service="battery-twin",
        title="Digital twin",
        description=DESCRIPTION,
        version=VERSION,
        checks=(Check("capability", capability, required=True),),
        disk=None if settings is None else settings.disk_watch(),
        metrics_token=None if settings is None else settings.metrics_token,
    )
    guard = Depends(service_guard(None if settings is None else settings.service_token))
    router = APIRouter(prefix="/api/v1", tags=["twin"], dependencies=[guard])
    for part in (estimate.router, rul.router, analysis.router):
        router.include_router(part)
    app.include_router(router)
    serve_description(app, bodies=[EstimateRequest], examples=EXAMPLES)
    app.state.estimator = estimator
    app.state.computing = Computing()
    return app


def main() -> None:
    """Run the service; its filter is compiled before it accepts calls."""
    settings = load_settings(TwinSettings)
    configure_logging("twin", level=settings.log_level)
    app = create_app(settings)
    check_estimator(app.state.estimator)
    serve(app, settings)
