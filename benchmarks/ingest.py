"""Ingest side by side with the plain ways: G2, G2b, G3 and G4. Run: python benchmarks/ingest.py."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from math import isnan
from typing import Annotated, Any

import httpx
import numpy as np
from fastapi import Body, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import registry
from telemetry_ground import EVERYONE, Ground, Report, Sweeps, prepared_ground, side_by_side

from battery_api.context import ProcessContext
from battery_api.db.tables.telemetry import telemetry
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.telemetry.history.binary_copy import (
    SIGNATURE,
    TRAILER,
    encode_rows,
    instant_field,
    int_field,
    real_field,
)
from battery_api.telemetry.ingest.parsing import parse_batch
from battery_api.telemetry.ingest.pipeline import IngestPipeline
from battery_api.telemetry.ports import NoJudge, NoPublisher
from battery_api.telemetry.routes import router
from battery_api.telemetry.store.columns import instants, integers, reals
from battery_api.telemetry.store.statements import insert_rows
from battery_contracts.telemetry import BatteryReading
from battery_servicekit.problems import install_problem_handlers

ROUNDS = 15
CHANNELS = ("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm")
COPIED = ["battery_id", "time", *CHANNELS, "quality"]
EXECUTEMANY = (
    "insert into telemetry (battery_id, time, voltage_v, current_a, temperature_c, internal_resistance_mohm) "
    "values ($1, $2, $3, $4, $5, $6) on conflict do nothing"
)
KEEP_LATEST = (
    "update battery_state set time = $2, voltage_v = $3, current_a = $4, temperature_c = $5, "
    "received_count = received_count + 1, seq = seq + 1, received_at = now() "
    "where battery_id = $1 and (time is null or time < $2)"
)


class OrmReading:
    """Mapped onto the table for the comparison only."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


class StoreOnly:
    """The ways to bring one sweep into the table, each time another sweep."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._keys = np.array(ground.keys, np.int64)
        self._at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        self._dice = np.random.default_rng(2)

    def _sweep(self) -> tuple[datetime, dict[str, Any]]:
        self._at += timedelta(seconds=1)
        count = len(self._keys)
        values = {name: 13 + self._dice.random(count) for name in CHANNELS}
        values["internal_resistance_mohm"] = np.full(count, np.nan)
        return self._at, values

    def _times(self, at: datetime) -> Any:
        return np.full(len(self._keys), round(at.timestamp() * 1e6), np.int64)

    async def ours(self) -> None:
        """Insert by unnest, telling repeats apart."""
        at, values = self._sweep()
        columns = [integers("battery_id", self._keys), instants("time", self._times(at))]
        columns += [reals(name, column) for name, column in values.items()]
        columns.append(integers("quality", np.zeros(len(self._keys), np.int64), kind="smallint"))
        async with self._ground.database.begin() as connection:
            await insert_rows(connection, "telemetry", columns)

    async def copy(self) -> None:
        """Copy a binary buffer straight in."""
        at, values = self._sweep()
        fields = [int_field("battery_id", self._keys), instant_field("time", self._times(at))]
        fields += [real_field(name, column) for name, column in values.items()]
        fields.append(int_field("quality", np.zeros(len(self._keys), np.int64), width=2))
        encoded = SIGNATURE + encode_rows(fields) + TRAILER
        async with self._ground.database.begin() as connection:
            await connection.exec_driver_sql("select 1")
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await raw.copy_to_table("telemetry", source=BytesIO(encoded), columns=COPIED, format="binary")

    async def executemany(self) -> None:
        """Insert row by row in one call of the driver."""
        at, values = self._sweep()
        rows = list(zip(self._keys.tolist(), [at] * len(self._keys), *_plain(values), strict=True))
        async with self._ground.database.begin() as connection:
            await connection.exec_driver_sql("select 1")
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await raw.executemany(EXECUTEMANY, rows)

    async def orm(self) -> None:
        """Add objects to a session."""
        at, values = self._sweep()
        rows = zip(self._keys.tolist(), *_plain(values), strict=True)
        async with AsyncSession(self._ground.database.engine) as session:
            session.add_all(
                [
                    OrmReading(battery_id=key, time=at, quality=0, **dict(zip(CHANNELS, row, strict=True)))
                    for key, *row in rows
                ]
            )
            await session.commit()


def _plain(values: dict[str, Any]) -> list[list[float | None]]:
    return [[None if isnan(value) else value for value in column.tolist()] for column in values.values()]


def naive_app(ground: Ground, *, keeps_latest: bool) -> FastAPI:
    """Build what a first version would be: a list of models and executemany, with or without the newest values."""
    app = FastAPI()
    key_of = dict(zip(ground.batteries, ground.keys, strict=True))

    @app.post("/naive")
    async def post(readings: Annotated[list[BatteryReading], Body()]) -> dict[str, int]:
        rows = [(key_of[one.battery_id], one.time, *(getattr(one, name) for name in CHANNELS)) for one in readings]
        async with ground.database.begin() as connection:
            await connection.exec_driver_sql("select 1")
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await raw.executemany(EXECUTEMANY, rows)
            if keeps_latest:
                await raw.executemany(KEEP_LATEST, [row[:5] for row in rows])
        return {"accepted": len(rows)}

    return app


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the gateway that the routes of telemetry use."""

    context: ProcessContext
    ingest: IngestPipeline
    authenticator: "KnownCaller"


class KnownCaller:
    """Replaces the authenticator on both sides of the comparison."""

    async def authenticate_key(self, _: str) -> object:
        """Accept everyone."""
        return EVERYONE


def our_app(ground: Ground) -> FastAPI:
    """Build the real routes on the benchmark's database."""
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(router)
    ingest = IngestPipeline(ground.context, CatalogueCache(), NoJudge(), NoPublisher())
    app.state.parts = Parts(ground.context, ingest, KnownCaller())
    return app


async def measure() -> None:
    """Print the ratios."""
    registry().map_imperatively(OrmReading, telemetry)
    report = Report("ingest of one sweep (1,944 readings)")
    async with prepared_ground() as ground:
        store, sweeps = StoreOnly(ground), Sweeps(ground)
        ingest = IngestPipeline(ground.context, CatalogueCache(), NoJudge(), NoPublisher())

        # Bodies are made beforehand: the sender's work is not the gateway's.
        bodies = iter([sweeps.body() for _ in range(ROUNDS + 1)])

        async def whole() -> None:
            await ingest.ingest(parse_batch(next(bodies)), EVERYONE)

        ms = await side_by_side(
            {
                "ours": store.ours,
                "copy": store.copy,
                "executemany": store.executemany,
                "orm": store.orm,
                "whole": whole,
            },
            rounds=ROUNDS,
        )
        own = ms["ours"]
        report.add("G2", "insert, rows/s over plain binary COPY", ms["copy"] / own, at_least=0.4)
        report.add("G2b", "body to commit, ms over insert alone", ms["whole"] / own, at_most=3)
        report.add("G2b", "body to commit, ms", ms["whole"], at_most=100)
        report.add("G3", "insert over executemany", ms["executemany"] / own, at_least=1.7)
        report.add("G3", "insert over ORM add_all", ms["orm"] / own, at_least=8)
        await _over_http(ground, sweeps, report)
    report.show()


def _client(app: FastAPI) -> httpx.AsyncClient:
    headers = {"X-API-Key": "k", "Content-Type": "application/json"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway", headers=headers)


async def _over_http(ground: Ground, sweeps: Sweeps, report: Report) -> None:
    bodies: dict[str, list[bytes]] = {"naive": [], "naive_latest": [], "rows": [], "columns": []}
    # Made in the order of the rounds, so that each is newer than the one before it.
    for _ in range(ROUNDS + 1):
        for name, made in bodies.items():
            body = sweeps.body(as_rows=name != "columns")
            made.append(json.dumps(json.loads(body)["readings"]).encode() if name.startswith("naive") else body)
    async with (
        _client(naive_app(ground, keeps_latest=False)) as naive,
        _client(naive_app(ground, keeps_latest=True)) as naive_latest,
        _client(our_app(ground)) as ours,
    ):
        waiting = {name: iter(made) for name, made in bodies.items()}

        def way(name: str, client: httpx.AsyncClient, path: str) -> Callable[[], Awaitable[object]]:
            async def post() -> None:
                (await client.post(path, content=next(waiting[name]))).raise_for_status()

            return post

        ms = await side_by_side(
            {
                "naive": way("naive", naive, "/naive"),
                "naive_latest": way("naive_latest", naive_latest, "/naive"),
                "rows": way("rows", ours, "/telemetry"),
                "columns": way("columns", ours, "/telemetry"),
            },
            rounds=ROUNDS,
        )
    # Ours checks, locks, counts and keeps the live state too; the first peer only stores, the second keeps the latest.
    for peer, what in (("naive", "that only stores"), ("naive_latest", "that keeps the latest")):
        title = f"over HTTP, over model list + executemany {what}"
        report.add("G4", f"rows {title}", ms[peer] / ms["rows"], at_least=2.2)
        report.add("G4", f"columns {title}", ms[peer] / ms["columns"], at_least=4)


if __name__ == "__main__":
    asyncio.run(measure())
