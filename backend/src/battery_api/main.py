"""Put the gateway together: the only module that knows every feature."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from battery_api.accounts import routes as accounts_routes
from battery_api.accounts import throttle
from battery_api.accounts.sessions import Authenticator
from battery_api.alerts import routes as alerts_routes
from battery_api.alerts.recorder import AlertRecorder
from battery_api.alerts.stale import StaleWatch
from battery_api.context import ProcessContext
from battery_api.db import migrate
from battery_api.db.session import Database
from battery_api.db.timescale import detect_engine
from battery_api.fleet import routes as fleet_routes
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.jobs import JobRunner, PeriodicJob
from battery_api.neighbours import Neighbours
from battery_api.openapi import serve_description
from battery_api.readiness import gateway_checks
from battery_api.realtime.publisher import SocketPublisher
from battery_api.realtime.server import RealtimeServer
from battery_api.security_headers import SecurityHeadersMiddleware
from battery_api.settings import GatewaySettings
from battery_api.telemetry import rollups
from battery_api.telemetry import routes as telemetry_routes
from battery_api.telemetry.ports import Judge
from battery_api.twin import recorder
from battery_api.twin import routes as twin_routes
from battery_api.unavailable import install_unavailable_handler
from battery_api.webapp import mount_dashboard
from battery_contracts.clients.ml import MlClient
from battery_contracts.clients.simulator import SimulatorClient
from battery_contracts.clients.twin import Estimator, TwinClient
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_servicekit.application import create_service
from battery_servicekit.clock import Clock, SystemClock

VERSION = "0.1.0"
BODY_LIMIT_BYTES = 1024 * 1024
_log = structlog.get_logger(__name__)


class SchemaOutOfDate(RuntimeError):
    """The database is not at the revision that this code expects."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts that tests replace; None means the real one."""

    clock: Clock | None = None
    twin: Estimator | None = None
    twin_analysis: TwinAnalysisClient | None = None
    judge: Judge | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """The REST app, and the ASGI callable that serves it together with Socket.IO."""

    app: FastAPI
    asgi: Any


def create_app(settings: GatewaySettings | None = None, parts: Parts | None = None) -> FastAPI:
    """Build the REST app; without settings only its description works (for the OpenAPI file)."""
    app: FastAPI

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        if settings is None:
            yield
            return
        async with _running(running, settings, parts or Parts()):
            yield

    app = create_service(
        service="battery-api",
        title="Battery fleet gateway",
        description="Health of VRLA batteries in data centres: fleet, telemetry, alerts.",
        version=VERSION,
        checks=gateway_checks(lambda: app),
        lifespan=lifespan,
        body_limit_bytes=BODY_LIMIT_BYTES,
        unlimited_paths=("/api/v1/telemetry", "/api/v1/fleet/import"),
    )
    install_unavailable_handler(app)
    serve_description(app)
    api = APIRouter(prefix="/api/v1")
    for routes in (accounts_routes, fleet_routes, telemetry_routes, twin_routes, alerts_routes):
        api.include_router(routes.router)
    app.include_router(api)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(SecurityHeadersMiddleware)
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


def create_gateway(settings: GatewaySettings, parts: Parts | None = None) -> Gateway:
    """Build the app together with its Socket.IO endpoint."""
    app = create_app(settings, parts)

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        # The Socket.IO server is made in the lifespan, with the process context, so it is looked up here.
        if scope["type"] in {"http", "websocket"} and scope["path"].startswith("/socket.io"):
            await app.state.realtime_asgi(scope, receive, send)
        else:
            await app(scope, receive, send)

    return Gateway(app, asgi)


@asynccontextmanager
async def _running(app: FastAPI, settings: GatewaySettings, parts: Parts) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        database = Database.from_settings(settings)
        stack.push_async_callback(database.close)
        http = await stack.enter_async_context(httpx.AsyncClient())
        await _require_current_schema(database)
        context = await _build_context(settings, database, http, parts)
        _fill_state(app, context, parts)
        server: RealtimeServer = app.state.realtime
        stack.push_async_callback(server.close)
        tasks = [
            asyncio.create_task(app.state.publisher.run(), name="publisher"),
            asyncio.create_task(server.watch_sessions(), name="session-watch"),
        ]
        if settings.run_jobs:
            runner = JobRunner(context, _jobs(context, app))
            tasks.append(asyncio.create_task(runner.run(), name="jobs"))
        stack.push_async_callback(_cancel, tasks)
        _log.info("gateway ready", engine=context.engine.value, version=VERSION)
        yield


async def _build_context(
    settings: GatewaySettings, database: Database, http: httpx.AsyncClient, parts: Parts
) -> ProcessContext:
    token = settings.service_token.get_secret_value()
    twin: Estimator | None = parts.twin
    if twin is None and settings.twin_url:
        twin = TwinClient(http, settings.twin_url, token=token, timeout_s=settings.twin_timeout_s)
    analysis = parts.twin_analysis
    if analysis is None and settings.twin_url:
        analysis = TwinAnalysisClient(http, settings.twin_url, token=token, timeout_s=settings.twin_analysis_timeout_s)
    async with database.begin() as connection:
        engine = await detect_engine(connection)
    return ProcessContext(
        settings=settings,
        database=database,
        engine=engine,
        clock=parts.clock or SystemClock(),
        http=http,
        twin=twin,
        ml=MlClient(http, settings.ml_url, token=token) if settings.ml_url else None,
        simulator=SimulatorClient(http, settings.simulator_url, token=token) if settings.simulator_url else None,
        twin_analysis=analysis,
    )


def _fill_state(app: FastAPI, context: ProcessContext, parts: Parts) -> None:
    app.state.context = context
    app.state.catalogue = CatalogueCache()
    app.state.authenticator = Authenticator(context)
    app.state.neighbours = Neighbours(
        twin=context.twin if isinstance(context.twin, TwinClient) else None,
        ml=context.ml,
        simulator=context.simulator,
        clock=context.clock,
    )
    app.state.realtime = RealtimeServer(context, app.state.catalogue, app.state.authenticator)
    app.state.realtime_asgi = app.state.realtime.asgi(app)
    app.state.publisher = SocketPublisher(app.state.realtime)
    app.state.judge = parts.judge or AlertRecorder(context)


def _jobs(context: ProcessContext, app: FastAPI) -> list[PeriodicJob]:
    settings = context.settings
    watch = StaleWatch(context)
    return [
        PeriodicJob("partitions", 3600.0, lambda: rollups.keep_storage(context)),
        PeriodicJob("rollups", settings.rollup_interval_s, lambda: rollups.run_once(context)),
        PeriodicJob("attempts", 3600.0, lambda: throttle.prune_once(context)),
        PeriodicJob("twin_record", settings.twin_record_interval_s, lambda: recorder.run_once(context)),
        PeriodicJob("stale", settings.stale_check_interval_s, lambda: watch.run_once(app.state.publisher)),
    ]


async def _require_current_schema(database: Database) -> None:
    try:
        revision = await migrate.current_revision(database.engine)
    except (SQLAlchemyError, OSError) as error:
        raise SchemaOutOfDate(f"The database does not answer: {error}") from error
    head = migrate.head_revision()
    if revision != head:
        raise SchemaOutOfDate(f"The database is at revision {revision}, this code needs {head}: battery-api migrate")


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
