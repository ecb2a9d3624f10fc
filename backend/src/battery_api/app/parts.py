"""The parts of the running gateway: built once at start-up, frozen, and the only thing kept on the app's state."""

from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from battery_api.accounts.request_limits import RequestLimits
from battery_api.accounts.sessions import Authenticator
from battery_api.alerts.endings import AlertEndings
from battery_api.alerts.judge import AlertJudge
from battery_api.alerts.not_judged import find_not_judged
from battery_api.app.dependencies import DependencyStates
from battery_api.context import ProcessContext
from battery_api.db.session import Database
from battery_api.db.timescale import detect_engine
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.fleet.not_judged import FindNotJudged
from battery_api.fleet.ports import Endings
from battery_api.predictions.ports import HistoryReader
from battery_api.realtime.publisher import SocketPublisher
from battery_api.realtime.server import RealtimeServer
from battery_api.settings import GatewaySettings
from battery_api.telemetry.days.histories import DailyHistories
from battery_api.telemetry.ingest.pipeline import IngestPipeline
from battery_api.telemetry.ports import Judge, Publisher
from battery_contracts.clients.ml import MlClient
from battery_contracts.clients.simulator import SimulatorClient
from battery_contracts.clients.twin import Estimator, TwinClient
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_servicekit.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class PartOverrides:
    """Parts that tests replace; None means the real one."""

    clock: Clock | None = None
    twin: Estimator | None = None
    twin_analysis: TwinAnalysisClient | None = None
    judge: Judge | None = None
    publisher: Publisher | None = None
    authenticator: Authenticator | None = None
    histories: HistoryReader | None = None
    ml: MlClient | None = None


@dataclass(frozen=True, slots=True)
class GatewayParts:
    """Everything that lives as long as the process.

    Features name what they need of it in protocols of their own, see `context.parts_of`.
    """

    context: ProcessContext
    catalogue: CatalogueCache
    authenticator: Authenticator
    request_limits: RequestLimits
    dependencies: DependencyStates
    judge: Judge
    publisher: Publisher
    endings: Endings
    find_not_judged: FindNotJudged
    histories: HistoryReader
    ingest: IngestPipeline
    realtime: RealtimeServer
    socket_publisher: SocketPublisher
    socket_asgi: Any
    """ASGI app of ``/socket.io``."""


async def build_parts(
    app: FastAPI, settings: GatewaySettings, database: Database, http: httpx.AsyncClient, overrides: PartOverrides
) -> GatewayParts:
    """Build the parts of a gateway on an open database."""
    context = await _build_context(settings, database, http, overrides)
    catalogue = CatalogueCache()
    authenticator = overrides.authenticator or Authenticator(context)
    realtime = RealtimeServer(context, catalogue, authenticator)
    socket_publisher = SocketPublisher(realtime)
    judge = overrides.judge or AlertJudge(context)
    publisher = overrides.publisher or socket_publisher
    return GatewayParts(
        context=context,
        catalogue=catalogue,
        authenticator=authenticator,
        request_limits=RequestLimits(settings),
        dependencies=DependencyStates(
            twin=context.twin, ml=context.ml, simulator=context.simulator, clock=context.clock
        ),
        judge=judge,
        publisher=publisher,
        endings=AlertEndings(),
        find_not_judged=find_not_judged,
        histories=overrides.histories or DailyHistories(),
        ingest=IngestPipeline(context, catalogue, judge, publisher),
        realtime=realtime,
        socket_publisher=socket_publisher,
        socket_asgi=realtime.asgi(app),
    )


async def _build_context(
    settings: GatewaySettings, database: Database, http: httpx.AsyncClient, overrides: PartOverrides
) -> ProcessContext:
    token = settings.service_token.get_secret_value()
    twin: Estimator | None = overrides.twin
    if twin is None and settings.twin_url:
        twin = TwinClient(http, settings.twin_url, token=token, timeout_s=settings.twin_timeout_s)
    analysis = overrides.twin_analysis
    if analysis is None and settings.twin_url:
        analysis = TwinAnalysisClient(http, settings.twin_url, token=token, timeout_s=settings.twin_analysis_timeout_s)
    ml = overrides.ml
    if ml is None and settings.ml_url:
        ml = MlClient(http, settings.ml_url, token=token)
    async with database.begin() as connection:
        engine = await detect_engine(connection)
    return ProcessContext(
        settings=settings,
        database=database,
        engine=engine,
        clock=overrides.clock or SystemClock(),
        http=http,
        twin=twin,
        ml=ml,
        simulator=SimulatorClient(http, settings.simulator_url, token=token) if settings.simulator_url else None,
        disk=settings.disk_watch(),
        twin_analysis=analysis,
    )
