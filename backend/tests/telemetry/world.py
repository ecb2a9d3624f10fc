"""A small fleet and readings of it, for the tests of telemetry."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from battery_api.accounts.principal import Principal, Scope
from battery_api.accounts.request_limits import RequestLimits
from battery_api.context import ProcessContext
from battery_api.db.session import Database
from battery_api.db.timescale import Engine, detect_engine
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.settings import GatewaySettings
from battery_api.telemetry.ingest.parsing import parse_batch
from battery_api.telemetry.ingest.pipeline import IngestPipeline
from battery_api.telemetry.ports import (
    AgainVerdict,
    BatchVerdict,
    DueAgain,
    Judge,
    JudgedBatch,
    NoJudge,
    NoPublisher,
)
from battery_api.telemetry.routes import router
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_contracts.clients.twin import Estimator
from battery_contracts.telemetry import IngestResult
from battery_servicekit.clock import FixedClock
from battery_servicekit.problems import install_problem_handlers
from tests.support.fleet import LOCATIONS, NOW, STRINGS, battery_codes
from tests.support.times import iso

__all__ = ["BATTERIES", "LOCATIONS", "NOW", "PER_STRING", "STRINGS", "iso"]

PER_STRING = 3
BATTERIES = battery_codes(PER_STRING)
WRITER = Principal("writer", None, None, frozenset(Scope), None)


class WatchfulJudge(NoJudge):
    """Decides nothing and keeps what it was shown."""

    def __init__(self) -> None:
        self.batches: list[JudgedBatch] = []
        self.due_again: list[DueAgain] = []

    async def judge(self, connection: Any, batch: JudgedBatch) -> BatchVerdict:
        self.batches.append(batch)
        return await super().judge(connection, batch)

    async def judge_again(self, fleet: FleetIndex, due: DueAgain) -> AgainVerdict:
        self.due_again.append(due)
        return await super().judge_again(fleet, due)


@dataclass
class Gateway:
    """Ingest on a real database."""

    context: ProcessContext
    judge: Judge
    ingest: IngestPipeline
    catalogue: CatalogueCache
    clock: FixedClock

    @property
    def database(self) -> Database:
        return self.context.database

    async def post(self, body: dict[str, Any], principal: Principal = WRITER) -> IngestResult:
        outcome = await self.ingest.ingest(parse_batch(json.dumps(body).encode()), principal)
        return outcome.result

    async def rows(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        async with self.database.begin() as connection:
            found = await connection.exec_driver_sql(statement, parameters)
            return [dict(row) for row in found.mappings()]

    def client(self, principal: Principal = WRITER) -> httpx.AsyncClient:
        """Serve the real routes; only who is calling is given, not asked."""
        app = FastAPI()
        install_problem_handlers(app)
        app.include_router(router, prefix="/api/v1")
        app.state.parts = Parts(self.context, self.ingest, KnownCaller(principal), RequestLimits(self.context.settings))
        transport = httpx.ASGITransport(app)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway/api/v1", headers={"X-API-Key": "k"})


@dataclass
class Parts:
    """The parts that the routes of telemetry use."""

    context: ProcessContext
    ingest: IngestPipeline
    authenticator: "KnownCaller"
    request_limits: RequestLimits


@dataclass
class KnownCaller:
    """Stands for the authenticator, whose own tests are elsewhere."""

    principal: Principal

    async def authenticate_key(self, _: str) -> Principal:
        return self.principal


async def gateway_on(
    database: Database, *, judge: Judge | None = None, twin: Estimator | None = None, **settings: Any
) -> Gateway:
    clock = FixedClock(NOW)
    async with database.begin() as connection:
        engine: Engine = await detect_engine(connection)
    gateway_settings = GatewaySettings(_env_file=None, **settings)
    context = ProcessContext(
        settings=gateway_settings,
        disk=gateway_settings.disk_watch(),
        database=database,
        engine=engine,
        clock=clock,
        http=httpx.AsyncClient(),
        twin=twin,
        ml=None,
        simulator=None,
    )
    judge = judge or NoJudge()
    catalogue = CatalogueCache()
    return Gateway(context, judge, IngestPipeline(context, catalogue, judge, NoPublisher()), catalogue, clock)


def with_twin(gateway: Gateway, twin: Estimator) -> Gateway:
    context = replace(gateway.context, twin=twin)
    ingest = IngestPipeline(context, gateway.catalogue, gateway.judge, NoPublisher())
    return Gateway(context, gateway.judge, ingest, gateway.catalogue, gateway.clock)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def reading(battery_id: str = BATTERIES[0], at: datetime | None = None, **values: Any) -> dict[str, Any]:
    return {"battery_id": battery_id, "time": iso(at or ago(60)), "voltage_v": 13.65, "current_a": 0.1} | values


def columns(readings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = sorted({name for one in readings for name in one})
    return {"columns": {name: [one.get(name) for one in readings] for name in names}}


def packed(body: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(body).encode())
