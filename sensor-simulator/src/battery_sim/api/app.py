"""The simulator as a service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import Depends, FastAPI

from battery_servicekit.application import create_service, serve
from battery_servicekit.clock import Clock, SystemClock
from battery_servicekit.health import Check, CheckState, Finding
from battery_servicekit.logging import configure_logging
from battery_servicekit.service_token import require_service_token
from battery_sim.api.routes import router
from battery_sim.runner import Runner
from battery_sim.settings import SimulatorSettings

VERSION = "0.1.0"


def create_app(settings: SimulatorSettings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """Build the service; without settings only its description works."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings is None:
            yield
            return
        async with httpx.AsyncClient() as http:
            runner = Runner(settings, clock or SystemClock(), http)
            app.state.runner = runner
            task = asyncio.create_task(runner.run(), name="feed")
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def feeding() -> Finding:
        runner: Runner = app.state.runner
        if runner.is_full:
            return Finding(CheckState.DOWN, "spool_full")
        return Finding(CheckState.UP)

    app = create_service(
        service="battery-sim",
        title="Sensor simulator",
        description="Live telemetry of the fleet from the synthetic world.",
        version=VERSION,
        checks=(Check("feed", feeding, required=True),),
        lifespan=lifespan,
    )
    guards = [] if settings is None else [Depends(require_service_token(settings.service_token))]
    app.include_router(router, dependencies=guards)
    return app


def main() -> None:
    """Entry point."""
    settings = SimulatorSettings()
    configure_logging("simulator", level=settings.log_level)
    serve(create_app(settings), settings, shutdown_timeout_s=3)
