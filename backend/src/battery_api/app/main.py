"""Put the gateway together: routes, middleware, parts and background tasks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import httpx
import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from battery_api.accounts import routes as accounts_routes
from battery_api.accounts import throttle
from battery_api.alerts import override_expiry
from battery_api.alerts import routes as alerts_routes
from battery_api.alerts.clock_watch import ClockWatch
from battery_api.alerts.judge import AlertJudge
from battery_api.alerts.prediction_watch import PredictionWatch
from battery_api.alerts.staleness_watch import StalenessWatch
from battery_api.app.jobs import JobRunner, PeriodicJob
from battery_api.app.openapi import serve_description
from battery_api.app.parts import GatewayParts, PartOverrides, build_parts
from battery_api.app.readiness import gateway_checks
from battery_api.app.security_headers import SecurityHeadersMiddleware
from battery_api.app.unavailable import install_unavailable_handler
from battery_api.app.unknown_paths import refuse_unknown_paths
from battery_api.app.webapp import mount_dashboard
from battery_api.db import migrate
from battery_api.db.session import Database
from battery_api.fleet import retirement_routes
from battery_api.fleet import routes as fleet_routes
from battery_api.incidents import idempotency
from battery_api.incidents import job as incident_job
from battery_api.incidents import routes as incident_routes
from battery_api.predictions import job as prediction_job
from battery_api.predictions import model_routes
from battery_api.predictions import routes as prediction_routes
from battery_api.settings import GatewaySettings
from battery_api.silences import job as silence_job
from battery_api.silences import routes as silence_routes
from battery_api.silences import window_routes
from battery_api.telemetry import routes as telemetry_routes
from battery_api.telemetry.days import job as days_job
from battery_api.telemetry.store import rollups
from battery_api.twin import discharge_job
from battery_api.twin import routes as twin_routes
from battery_api.twin.replay import job as replay_job
from battery_api.twin.runtime_job import RuntimeJob
from battery_servicekit.application import create_service
from battery_servicekit.middleware import pass_request_id

VERSION: Final = version("battery-api")
BODY_LIMIT_BYTES: Final = 1024 * 1024
STRANGER_LIMIT_BYTES: Final = 16 * 1024
"""Without credentials; a login needs no more."""
_log = structlog.get_logger(__name__)


class SchemaOutOfDate(RuntimeError):
    """The database is not at the revision that this code expects."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The REST app, and the ASGI callable that serves it together with Socket.IO."""

    app: FastAPI
    asgi: Any


def create_app(settings: GatewaySettings | None = None, overrides: PartOverrides | None = None) -> FastAPI:
    """Build the REST app; without settings only its description works (for the OpenAPI file)."""
    app: FastAPI

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        if settings is None:
            yield
            return
        async with _running(running, settings, overrides or PartOverrides()):
            yield

    def parts() -> GatewayParts:
        running: GatewayParts = app.state.parts
        return running

    app = create_service(
        service="battery-api",
        title="Battery fleet gateway",
        description="Health of VRLA batteries in data centres: fleet, telemetry, alerts.",
        version=VERSION,
        checks=gateway_checks(parts),
        lifespan=lifespan,
        body_limit_bytes=BODY_LIMIT_BYTES,
        stranger_limit_bytes=STRANGER_LIMIT_BYTES,
        metrics_token=None if settings is None else settings.metrics_token,
        unlimited_paths=("/api/v1/telemetry", "/api/v1/fleet/import"),
    )
    install_unavailable_handler(app)
    serve_description(app)
    api = APIRouter(prefix="/api/v1")
    for routes in (
        accounts_routes,
        fleet_routes,
        retirement_routes,
        telemetry_routes,
        twin_routes,
        prediction_routes,
        model_routes,
        alerts_routes,
        incident_routes,
        silence_routes,
        window_routes,
    ):
        api.include_router(routes.router)
    app.include_router(api)
    refuse_unknown_paths(app)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(SecurityHeadersMiddleware, hsts_max_age_s=_hsts_of(settings))
    if settings is not None:
        if settings.cors_origins:
            app.add_middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_credentials="*" not in settings.cors_origins,
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=["X-Request-Id", "ETag", "Retry-After"],
            )
        if settings.frontend_dist is not None:
            mount_dashboard(app, settings.frontend_dist)
    return app


def create_gateway(settings: GatewaySettings, overrides: PartOverrides | None = None) -> Gateway:
    """Build the app together with its Socket.IO endpoint."""
    app = create_app(settings, overrides)

    async def live(scope: Any, receive: Any, send: Any) -> None:
        # The Socket.IO server is created in the lifespan, with the other parts, so it is looked up here.
        await app.state.parts.socket_asgi(scope, receive, send)

    secured = SecurityHeadersMiddleware(live, hsts_max_age_s=_hsts_of(settings))

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in {"http", "websocket"} and scope["path"].startswith("/socket.io"):
            await secured(scope, receive, send)
        else:
            await app(scope, receive, send)

    return Gateway(app, asgi)


def _hsts_of(settings: GatewaySettings | None) -> int:
    return 0 if settings is None else settings.hsts_max_age_s


@asynccontextmanager
async def _running(app: FastAPI, settings: GatewaySettings, overrides: PartOverrides) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        database = Database.from_settings(settings)
        stack.push_async_callback(database.close)
        # The services are on our own network: a proxy to the outside, as companies set one, does not reach them.
        services = httpx.AsyncClient(trust_env=False, event_hooks={"request": [pass_request_id]})
        http = await stack.enter_async_context(services)
        await require_current_schema(database)
        parts = await build_parts(app, settings, database, http, overrides)
        app.state.parts = parts
        stack.push_async_callback(parts.realtime.close)
        stack.push_async_callback(parts.dependencies.close)
        tasks = [
            asyncio.create_task(parts.socket_publisher.run(), name="publisher"),
            asyncio.create_task(parts.realtime.watch_sessions(), name="session-watch"),
        ]
        if settings.run_jobs:
            runner = JobRunner(parts.context, _jobs(parts))
            tasks.append(asyncio.create_task(runner.run(), name="jobs"))
        stack.push_async_callback(_cancel, tasks)
        _log.info("gateway ready", engine=parts.context.engine.value, version=VERSION)
        yield


def _jobs(parts: GatewayParts) -> list[PeriodicJob]:
    context, settings = parts.context, parts.context.settings
    watch, clocks, runtimes = StalenessWatch(context), ClockWatch(context), RuntimeJob(context)
    predictions = prediction_job.PredictionJob(context, parts.histories, parts.publisher)
    estimates = PredictionWatch(context, parts.catalogue)
    return [
        PeriodicJob("partitions", 3600.0, lambda: rollups.maintain_storage(context)),
        PeriodicJob("rollups", settings.rollup_interval_s, lambda: rollups.run_once(context)),
        PeriodicJob("battery_days", settings.battery_days_interval_s, lambda: days_job.run_once(context)),
        PeriodicJob("attempts", 3600.0, lambda: throttle.prune_once(context)),
        PeriodicJob("overrides", 60.0, lambda: override_expiry.run_once(context)),
        PeriodicJob("twin_record", settings.twin_record_interval_s, lambda: discharge_job.run_once(context)),
        PeriodicJob("runtime", 5.0, runtimes.run_once),
        PeriodicJob("twin_backlog", 5.0, lambda: replay_job.run_once(context, parts.catalogue)),
        PeriodicJob("twin_snapshots", 3600.0, lambda: replay_job.thin_once(context)),
        PeriodicJob("predictions", 10.0, predictions.run_once),
        PeriodicJob("outcomes", 300.0, lambda: prediction_job.record_outcomes(context)),
        PeriodicJob("incidents", 2.0, lambda: incident_job.run_once(context, parts.publisher)),
        PeriodicJob("silences", 2.0, lambda: silence_job.run_once(context, parts.publisher)),
        PeriodicJob("request_keys", 3600.0, lambda: idempotency.prune_once(context)),
        PeriodicJob("judge_again", 5.0, lambda: _judge_again(parts)),
        PeriodicJob("stale", settings.stale_check_interval_s, lambda: watch.run_once(parts.publisher)),
        PeriodicJob("estimates", 60.0, lambda: estimates.run_once(parts.publisher)),
        PeriodicJob("clocks", settings.stale_check_interval_s, lambda: clocks.run_once(parts.publisher)),
    ]


async def _judge_again(parts: GatewayParts) -> None:
    """Judge again what a replica left due when it died between a commit and the replay."""
    if isinstance(parts.judge, AlertJudge):
        await parts.judge.run_once(parts.catalogue, parts.publisher)


async def require_current_schema(database: Database) -> None:
    """Raise `SchemaOutOfDate` unless the database is at the revision of this code."""
    try:
        revision = await migrate.current_revision(database.engine)
    except (SQLAlchemyError, OSError) as error:
        raise SchemaOutOfDate(f"The database does not answer: {error}") from error
    head = migrate.head_revision()
    if revision != head:
        found = "has no tables of the platform yet" if revision is None else f"is at revision {revision}"
        raise SchemaOutOfDate(f"The database {found}, and this version needs {head}; run `battery-api migrate`.")


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
