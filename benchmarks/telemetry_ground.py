"""What the telemetry measurements share: a durable server of their own, the whole fleet, sweeps, medians."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from battery_api.accounts.principal import Principal, Scope
from battery_api.context import ProcessContext
from battery_api.db import migrate
from battery_api.db.fetching import fetch_all
from battery_api.db.session import Database, create_database_engine
from battery_api.db.timescale import Engine
from battery_api.settings import GatewaySettings
from battery_servicekit.clock import SystemClock
from battery_servicekit.testing.postgres import DURABLE_SETTINGS, embedded_server, new_database

EVERYONE = Principal("benchmark", None, None, frozenset(Scope), None)
_FLEET = (
    (
        "insert into battery_model (code, manufacturer, name, chemistry, nominal_voltage_v, cell_count, "
        "rated_capacity_ah, float_voltage_low_v, float_voltage_high_v, float_compensation_v_per_c, "
        "nominal_resistance_mohm, max_charge_current_a, mass_kg, design_life_years) "
        "values ('M', 'm', 'n', 'VRLA', 12, 6, 120, 13.5, 13.8, -0.02, 3.4, 30, 40, 10)"
    ),
    (
        "insert into location (code, name, region, latitude, longitude, altitude_m, commissioned_on, utility, "
        "climate_zone) select 'DC-AA' || chr(64 + n) || '-01', 'x', 'N', 18, 98, 300, '2015-01-01', 'PEA', 'N' "
        "from generate_series(1, 9) n"
    ),
    (
        "insert into battery_system (code, location_id, kind, rated_power_kva) "
        "select code || '-UPS-01', id, 'UPS', 100 from location"
    ),
    (
        "insert into string (code, system_id, location_id) select s.code || '-STR-0' || n, s.id, s.location_id "
        "from battery_system s, generate_series(1, 9) n order by s.id, n"
    ),
    (
        "insert into battery (code, string_id, location_id, model_id, position, serial_number, installed_at, "
        "baseline_resistance_mohm, baseline_temperature_c) select 'BAT-' || s.code || to_char(p, 'FM-000'), s.id, "
        "s.location_id, 1, p, s.code || p, '2020-01-01', 3.4, 25 from string s, generate_series(1, 24) p"
    ),
    *(f"insert into {kind}_state ({kind}_id) select id from {kind}" for kind in ("location", "string", "battery")),
)


@dataclass(frozen=True)
class Ground:
    """A migrated database with 1,944 batteries on a server that keeps what it acknowledges."""

    database: Database
    context: ProcessContext
    batteries: Sequence[str]
    keys: Sequence[int]


@asynccontextmanager
async def prepared_ground() -> AsyncIterator[Ground]:
    """Set everything up and take it down again."""
    server_settings = {**DURABLE_SETTINGS, "shared_buffers": "1GB", "max_wal_size": "4GB"}
    with embedded_server(server_settings) as server:
        async with new_database(server.url) as url, httpx.AsyncClient() as http:
            database = Database(create_database_engine(url, statement_timeout_s=300))
            await migrate.upgrade(database.engine)
            async with database.begin() as connection:
                for statement in _FLEET:
                    await connection.exec_driver_sql(statement)
                rows = await fetch_all(connection, "select id, code from battery order by id")
            settings = GatewaySettings(_env_file=None)
            context = ProcessContext(
                settings=settings,
                disk=settings.disk_watch(),
                database=database,
                engine=Engine.PLAIN,
                clock=SystemClock(),
                http=http,
                twin=None,
                ml=None,
                simulator=None,
            )
            names = [row[1] for row in rows]
            yield Ground(database, context, names, [row[0] for row in rows])
            await database.close()


class Sweeps:
    """Sweeps of the fleet a minute apart, each new."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
        self._dice = np.random.default_rng(1)

    def columns(self) -> dict[str, list[Any]]:
        """Return the next sweep as columns."""
        self._at += timedelta(minutes=1)
        count = len(self._ground.batteries)
        return {
            "battery_id": list(self._ground.batteries),
            "time": [self._at.isoformat().replace("+00:00", "Z")] * count,
            "voltage_v": np.round(13.65 + self._dice.normal(0, 0.05, count), 3).tolist(),
            "current_a": np.round(self._dice.normal(0, 0.1, count), 1).tolist(),
            "temperature_c": np.round(25 + self._dice.normal(0, 1, count), 1).tolist(),
            "internal_resistance_mohm": [None] * count,
        }

    def body(self, *, as_rows: bool = False) -> bytes:
        """Return the next sweep as JSON in either shape."""
        columns = self.columns()
        if not as_rows:
            return json.dumps({"columns": columns}).encode()
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return json.dumps({"readings": rows}).encode()


async def side_by_side(ways: dict[str, Callable[[], Awaitable[object]]], *, rounds: int) -> dict[str, float]:
    """Run the ways in turns and return the median milliseconds of each; the first round only warms up."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            await way()
            if turn:
                spent[name].append((time.perf_counter() - began) * 1e3)
    return {name: median(values) for name, values in spent.items()}


class Report:
    """Ratios against their goals, as a table."""

    def __init__(self, title: str) -> None:
        self._table = Table("goal", "what", "measured", "wanted", "met", title=title)

    def add(
        self, goal: str, what: str, measured: float, *, at_least: float | None = None, at_most: float | None = None
    ) -> None:
        """Add one figure and the bound it should keep."""
        met = (at_least is None or measured >= at_least) and (at_most is None or measured <= at_most)
        wanted = f">= {at_least:g}" if at_least is not None else f"<= {at_most:g}"
        self._table.add_row(goal, what, f"{measured:.3g}", wanted, "yes" if met else "NO")

    def show(self) -> None:
        """Print it."""
        Console(width=150).print(self._table)
