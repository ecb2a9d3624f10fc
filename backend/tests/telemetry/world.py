"""A small fleet and readings of it, for the tests of telemetry."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from battery_api.accounts.principal import Principal, Scope
from battery_api.context import ProcessContext
from battery_api.db.session import Database
from battery_api.db.timescale import Engine, detect_engine
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.settings import GatewaySettings
from battery_api.telemetry.ingest import Ingest
from battery_api.telemetry.parsing import parse_batch
from battery_api.telemetry.ports import BatchVerdict, Judge, JudgedBatch, NoJudge, NoPublisher
from battery_api.telemetry.routes import router
from battery_contracts.clients.twin import Estimator
from battery_contracts.telemetry import IngestResult
from battery_servicekit.clock import FixedClock
from battery_servicekit.problems import install_problem_handlers

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LOCATIONS = ("DC-CNX-01", "DC-BKK-01")
STRINGS = tuple(f"{location}-UPS-01-STR-{at:02d}" for location in LOCATIONS for at in (1, 2))
BATTERIES = tuple(f"BAT-{string}-{position:03d}" for string in STRINGS for position in (1, 2, 3))
WRITER = Principal("writer", None, None, frozenset(Scope), None)

FLEET_SQL = (
    (
        "insert into battery_model (code, manufacturer, name, chemistry, nominal_voltage_v, cell_count, "
        "rated_capacity_ah, float_voltage_low_v, float_voltage_high_v, float_compensation_v_per_c, "
        "nominal_resistance_mohm, max_charge_current_a, mass_kg, design_life_years) "
        "values ('M', 'm', 'n', 'VRLA', 12, 6, 120, 13.5, 13.8, -0.02, 3.4, 30, 40, 10)"
    ),
    *(
        "insert into location (code, name, region, latitude, longitude, altitude_m, commissioned_on, utility, "
        f"climate_zone) values ('{code}', '{code}', 'N', 18, 98, 300, '2015-01-01', 'PEA', 'N')"
        for code in LOCATIONS
    ),
    (
        "insert into battery_system (code, location_id, kind, rated_power_kva) "
        "select code || '-UPS-01', id, 'UPS', 100 from location"
    ),
    (
        "insert into string (code, system_id, location_id) select s.code || '-STR-0' || n, s.id, s.location_id "
        "from battery_system s, generate_series(1, 2) n order by s.id, n"
    ),
    (
        "insert into battery (code, string_id, location_id, model_id, position, serial_number, installed_at, "
        "baseline_resistance_mohm, baseline_temperature_c) "
        "select 'BAT-' || s.code || '-00' || p, s.id, s.location_id, 1, "
        "p, s.code || p, '2020-01-01', 3.4, 25 from string s, generate_series(1, 3) p order by s.id, p"
    ),
    *(f"insert into {kind}_state ({kind}_id) select id from {kind}" for kind in ("location", "string", "battery")),
)


async def plant_fleet(database: Database) -> None:
    """Insert the small fleet."""
    async with database.begin() as connection:
        for statement in FLEET_SQL:
            await connection.exec_driver_sql(statement)


class WatchfulJudge(NoJudge):
    """Decides nothing and keeps what it was shown."""

    def __init__(self) -> None:
        self.batches: list[JudgedBatch] = []

    async def judge(self, connection: Any, batch: JudgedBatch) -> BatchVerdict:
        self.batches.append(batch)
        return await super().judge(connection, batch)


@dataclass
class Gateway:
    """Ingest on a real database."""

    context: ProcessContext
    judge: Judge
    ingest: Ingest
    catalogue: CatalogueCache
    clock: FixedClock

    @property
    def database(self) -> Database:
        return self.context.database

    async def post(self, body: dict[str, Any], principal: Principal = WRITER) -> IngestResult:
        taken = await self.ingest.take(parse_batch(json.dumps(body).encode()), principal)
        return taken.result

    async def rows(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        async with self.database.begin() as connection:
            found = await connection.exec_driver_sql(statement, parameters)
            return [dict(row) for row in found.mappings()]

    def client(self, principal: Principal = WRITER) -> httpx.AsyncClient:
        """Serve the real routes; only who is calling is given, not asked."""
        app = FastAPI()
        install_problem_handlers(app)
        app.include_router(router, prefix="/api/v1")
        app.state.context = self.context
        app.state.catalogue = self.catalogue
        app.state.judge = self.judge
        app.state.publisher = NoPublisher()
        app.state.authenticator = KnownCaller(principal)
        transport = httpx.ASGITransport(app)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway/api/v1", headers={"X-API-Key": "k"})


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
    context = ProcessContext(
        settings=GatewaySettings(_env_file=None, **settings),
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
    return Gateway(context, judge, Ingest(context, catalogue, judge, NoPublisher()), catalogue, clock)


def with_twin(gateway: Gateway, twin: Estimator) -> Gateway:
    context = replace(gateway.context, twin=twin)
    ingest = Ingest(context, gateway.catalogue, gateway.judge, NoPublisher())
    return Gateway(context, gateway.judge, ingest, gateway.catalogue, gateway.clock)


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def reading(battery_id: str = BATTERIES[0], at: datetime | None = None, **values: Any) -> dict[str, Any]:
    return {"battery_id": battery_id, "time": iso(at or ago(60)), "voltage_v": 13.65, "current_a": 0.1} | values


def columns(readings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = sorted({name for one in readings for name in one})
    return {"columns": {name: [one.get(name) for one in readings] for name in names}}


def packed(body: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(body).encode())
