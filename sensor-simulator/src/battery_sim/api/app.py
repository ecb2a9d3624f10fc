"""The simulator as a service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

import httpx
from fastapi import Depends, FastAPI

from battery_servicekit.application import create_service, serve
from battery_servicekit.clock import Clock, SystemClock
from battery_servicekit.health import Check, CheckState, Finding
from battery_servicekit.logging import configure_logging
from battery_servicekit.openapi.description import serve_description
from battery_servicekit.service_token import service_guard
from battery_servicekit.startup import load_settings, require_writable
from battery_sim.api.examples import EXAMPLES
from battery_sim.api.routes import router
from battery_sim.runner import FeedState, Runner
from battery_sim.settings import SimulatorSettings

VERSION: Final = version("battery-sim")
LATE_AFTER_BATCHES: Final = 5
"""A batch is made every second and acknowledged within a fraction of one."""


def create_app(settings: SimulatorSettings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """Build the service; without settings only its OpenAPI description works."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings is None:
            yield
            return
        # The gateway's address is direct; a proxy meant for outside traffic must not intercept it.
        async with httpx.AsyncClient(trust_env=False) as http:
            runner = Runner(settings, clock or SystemClock(), http)
            app.state.runner = runner
            # Not awaited: the service answers while the world is loaded.
            feeding = asyncio.create_task(runner.run(), name="feed")
            try:
                yield
            finally:
                runner.stop()
                await feeding

    app = create_service(
        service="battery-sim",
        title="Sensor simulator",
        description="Live telemetry of the fleet from the synthetic world.",
        version=VERSION,
        checks=_checks(lambda: app.state.runner),
        disk=None if settings is None else settings.disk_watch(),
        metrics_token=None if settings is None else settings.metrics_token,
        lifespan=lifespan,
    )
    guard = Depends(service_guard(None if settings is None else settings.service_token))
    app.include_router(router, dependencies=[guard])
    serve_description(app, examples=EXAMPLES)
    return app


def main() -> None:
    """Entry point."""
    settings = load_settings(SimulatorSettings)
    configure_logging("simulator", level=settings.log_level)
    # What the gateway has not acknowledged must outlive this process.
    require_writable(settings.folder, "DATA_DIR")
    serve(create_app(settings), settings, shutdown_timeout_s=1)


def _checks(runner: Callable[[], Runner]) -> tuple[Check, ...]:
    async def feed() -> Finding:
        state = runner().status().state
        if state in {FeedState.FEEDING, FeedState.PAUSED}:
            return Finding(CheckState.UP)
        return Finding(CheckState.DOWN, state.value)

    async def gateway() -> Finding:
        status = runner().status()
        if not status.sender.is_connected:
            return Finding(CheckState.DOWN, "not_acknowledging")
        # A hanging gateway looks connected until its time-out; the queue shows it earlier.
        if status.waiting_batches > LATE_AFTER_BATCHES:
            return Finding(CheckState.DOWN, "backlog")
        return Finding(CheckState.UP)

    return Check("feed", feed, required=True), Check("gateway", gateway, required=False)
