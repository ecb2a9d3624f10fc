"""A small fleet behind the real gateway, for the tests of alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from battery_api.accounts.errors import NotAuthenticated
from battery_api.accounts.principal import Principal, Scope
from battery_api.alerts.stale import StaleWatch
from battery_api.db.session import Database
from battery_api.telemetry.ports import NoPublisher
from battery_contracts.enums import Role
from battery_contracts.events import AlertEvent, BatteryStatusUpdate
from battery_servicekit.clock import FixedClock

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LOCATIONS = ("DC-BKK-01", "DC-CNX-01")
STRINGS = tuple(f"{location}-UPS-01-STR-{at:02d}" for location in LOCATIONS for at in (1, 2))
BLOCKS = 6
BATTERIES = tuple(f"BAT-{string}-{position:03d}" for string in STRINGS for position in range(1, BLOCKS + 1))
FIRST = BATTERIES[0]

FLEET_SQL = (
    (
        "insert into battery_model (code, manufacturer, name, chemistry, nominal_voltage_v, cell_count, "
        "rated_capacity_ah, "
        "float_voltage_low_v, float_voltage_high_v, float_compensation_v_per_c, nominal_resistance_mohm, "
        "max_charge_current_a, mass_kg, design_life_years) "
        "values ('CSB-HX12-120', 'm', 'n', 'VRLA', 12, 6, 120, 13.5, 13.8, -0.02, 3.4, 30, 40, 10)"
    ),
    *(
        "insert into location (code, name, region, latitude, longitude, altitude_m, commissioned_on, utility, "
        f"climate_zone) values ('{code}', '{code}', 'N', 18, 98, 300, '2015-01-01', 'PEA', 'N')"
        for code in LOCATIONS
    ),
    (
        "insert into battery_system (code, location_id, kind, rated_power_kva) "
        "select code || '-UPS-01', id, 'UPS', 100 from location order by id"
    ),
    (
        "insert into string (code, system_id, location_id) select s.code || '-STR-0' || n, s.id, s.location_id "
        "from battery_system s, generate_series(1, 2) n order by s.id, n"
    ),
    (
        "insert into battery (code, string_id, location_id, model_id, position, serial_number, installed_at, "
        "baseline_resistance_mohm, baseline_temperature_c) "
        "select 'BAT-' || s.code || '-00' || p, s.id, s.location_id, 1, "
        f"p, s.code || p, '2020-01-01', 3.4, 25 from string s, generate_series(1, {BLOCKS}) p order by s.id, p"
    ),
    *(f"insert into {kind}_state ({kind}_id) select id from {kind}" for kind in ("location", "string", "battery")),
    (
        'insert into "user" (username, password_hash, role) '
        "values ('somchai', '-', 'engineer'), ('mali', '-', 'viewer'), ('nok', '-', 'engineer')"
    ),
)


@dataclass
class Callers:
    """Stands for the authenticator, whose own tests are elsewhere: the token is the caller's name."""

    known: dict[str, Principal]

    async def authenticate_token(self, token: str) -> Principal:
        if token not in self.known:
            raise NotAuthenticated("unknown")
        return self.known[token]

    authenticate_key = authenticate_token


@dataclass
class Heard(NoPublisher):
    """Keeps what was published."""

    alerts: list[AlertEvent] = field(default_factory=list)
    statuses: list[BatteryStatusUpdate] = field(default_factory=list)

    async def publish_alerts(self, events: Sequence[AlertEvent]) -> None:
        self.alerts.extend(events)

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        self.statuses.extend(updates)

    def take(self) -> list[tuple[str, str, str]]:
        """Return and forget what was said of alerts: event, type and subject."""
        told: list[tuple[str, str, str]] = [
            (one.event, one.alert.type.value, one.alert.battery_id or one.alert.string_id or one.alert.location_id)
            for one in self.alerts
        ]
        self.alerts.clear()
        return told


@dataclass
class World:
    """The gateway, its clock, and what it published."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: FixedClock
    heard: Heard

    @property
    def database(self) -> Database:
        database: Database = self.app.state.context.database
        return database

    async def post(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.client.post("telemetry", json=body, headers=named("feed"))
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        assert result["rejected_count"] == 0, result
        return result

    async def sweep(
        self, at: datetime, changed: dict[str, dict[str, Any]] | None = None, codes: Sequence[str] = BATTERIES
    ) -> None:
        """Post one reading of each battery, healthy unless ``changed`` says otherwise; the clock follows."""
        self.clock.set(max(self.clock.now(), at))
        await self.post({"readings": [reading(code, at, **(changed or {}).get(code, {})) for code in codes]})

    async def alerts(self, *, who: str = "mali", **query: Any) -> list[dict[str, Any]]:
        answer = await self.client.get("alerts", params=query, headers=named(who))
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def detail(self, alert_id: int) -> dict[str, Any]:
        answer = await self.client.get(f"alerts/{alert_id}", headers=named("mali"))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        async with self.database.begin() as connection:
            result = await connection.exec_driver_sql(statement, parameters)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def open_counts(self, code: str) -> tuple[int, int, int]:
        (row,) = await self.rows(
            "select open_info, open_warning, open_critical from battery_state s "
            "join battery b on b.id = s.battery_id where b.code = $1",
            code,
        )
        return row["open_info"], row["open_warning"], row["open_critical"]

    async def rule_state(self, code: str) -> dict[str, Any] | None:
        (row,) = await self.rows(
            "select rule_state from battery_state s join battery b on b.id = s.battery_id where b.code = $1", code
        )
        state: dict[str, Any] | None = row["rule_state"]
        return state

    def watch(self, *, began_at: datetime | None = None) -> StaleWatch:
        return StaleWatch(self.app.state.context, began_at=began_at or NOW - timedelta(hours=1))


def callers(user_ids: dict[str, int]) -> Callers:
    everything = frozenset(Scope)
    return Callers(
        {
            "somchai": Principal("somchai", user_ids["somchai"], Role.ENGINEER, frozenset(), None),
            "mali": Principal("mali", user_ids["mali"], Role.VIEWER, frozenset(), None),
            "nok": Principal("nok", user_ids["nok"], Role.ENGINEER, frozenset(), frozenset({LOCATIONS[1]})),
            "feed": Principal("feed", None, None, frozenset({Scope.TELEMETRY_WRITE}), None),
            "pager": Principal("pager", None, None, everything, None),
        }
    )


def named(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def reading(code: str, at: datetime, **values: Any) -> dict[str, Any]:
    healthy = {"voltage_v": 13.65, "current_a": 0.1, "temperature_c": 25.0}
    return {"battery_id": code, "time": iso(at)} | healthy | values
