"""The service: estimates of the fleet, forecasts and what-ifs; it keeps no battery's state."""

from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from pydantic import Field

from battery_contracts.enums import StringMode
from battery_contracts.twin import EstimateRequest
from battery_servicekit.application import create_service, serve
from battery_servicekit.health import Check, CheckState, Finding
from battery_servicekit.logging import configure_logging
from battery_servicekit.openapi import declare_bodies
from battery_servicekit.service_token import require_service_token
from battery_servicekit.settings import ServiceSettings
from battery_twin.api import analysis, estimate, rul
from battery_twin.fleet.estimator import Estimator
from battery_twin.fleet.models import Models

VERSION = "0.2.0"
DESCRIPTION = (
    "Equivalent circuit and extended Kalman filter of each battery: SOC, capacity and resistance with intervals and "
    "provenance, runtime, remaining life by the ageing law, and the identification of a circuit from recorded runs."
)


class Settings(ServiceSettings):
    """What the service needs to run."""

    port: int = Field(default=8002, ge=1, le=65535)
    parameters_dir: Path | None = Field(default=None, description="folder of parameter sets, MODEL_ID.json each")


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service; its filter is compiled before it takes calls."""

    async def capability() -> Finding:
        return Finding(CheckState.UP)

    app = create_service(
        service="battery-twin",
        title="Digital twin",
        description=DESCRIPTION,
        version=VERSION,
        checks=(Check("capability", capability, required=True),),
    )
    guards = [] if settings is None else [Depends(require_service_token(settings.service_token))]
    router = APIRouter(prefix="/api/v1", tags=["twin"], dependencies=guards)
    for part in (estimate.router, rul.router, analysis.router):
        router.include_router(part)
    app.include_router(router)
    declare_bodies(app, EstimateRequest)
    app.state.estimator = Estimator(Models(None if settings is None else settings.parameters_dir))
    return app


def warm_up(estimator: Estimator) -> None:
    """Compile the filter, or load it from where an earlier start kept it, before the first caller waits for it."""
    estimator.estimate(
        EstimateRequest(
            battery_id=["none"],
            model_id=["none"],
            dt_s=[None],
            voltage_v=[13.6],
            current_a=[0.0],
            temperature_c=[25.0],
            internal_resistance_mohm=[None],
            float_current_ma=[None],
            mode=[StringMode.FLOAT],
            state=[None],
            rated_ah=[100.0],
        )
    )


def main() -> None:
    """Entry point."""
    settings = Settings()
    configure_logging("twin", level=settings.log_level)
    app = create_app(settings)
    warm_up(app.state.estimator)
    serve(app, settings)
