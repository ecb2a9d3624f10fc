"""A small fleet behind the real gateway, for the tests of alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from battery_api.accounts.principal import Principal, Scope
from battery_api.alerts.staleness_watch import StalenessWatch
from battery_api.db.session import Database
from battery_api.telemetry.ports import NoPublisher
from battery_contracts.enums import Role
from battery_contracts.events import AlertEvent, AlertMessage, BatteryStatusUpdate
from battery_contracts.incidents import IncidentEvent
from battery_servicekit.clock import FixedClock
from tests.support.callers import named
from tests.support.fleet import LOCATIONS, NOW, STRINGS, battery_codes
from tests.support.times import iso

__all__ = ["BATTERIES", "FIRST", "LOCATIONS", "NOW", "PER_STRING", "STRINGS", "iso", "named"]

PER_STRING = 6
BATTERIES = battery_codes(PER_STRING)
FIRST = BATTERIES[0]
USERS_SQL = (
    'insert into "user" (username, password_hash, role) '
    "values ('somchai', '-', 'engineer'), ('mali', '-', 'viewer'), ('nok', '-', 'engineer'), "
    "('root', '-', 'admin')"
)


@dataclass
class PublishedEvents(NoPublisher):
    """Records what is published."""

    alerts: list[AlertEvent] = field(default_factory=list)
    statuses: list[BatteryStatusUpdate] = field(default_factory=list)
    incidents: list[IncidentEvent] = field(default_factory=list)

    async def publish_alerts(self, events: Sequence[AlertMessage]) -> None:
        self.alerts.extend(alerts_among(events))
        self.incidents.extend(event for event in events if isinstance(event, IncidentEvent))

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        self.statuses.extend(updates)

    def take(self) -> list[tuple[str, str, str]]:
        """Return and drop the published alert events: event, type and subject."""
        events: list[tuple[str, str, str]] = [
            (one.event, one.alert.type.value, one.alert.battery_id or one.alert.string_id or one.alert.location_id)
            for one in self.alerts
        ]
        self.alerts.clear()
        return events


def alerts_among(events: Sequence[AlertMessage]) -> list[AlertEvent]:
    """Return the changes of alerts among what was published of alerts and incidents."""
    return [event for event in events if isinstance(event, AlertEvent)]


@dataclass
class World:
    """The gateway, its clock, and what it published."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: FixedClock
    published: PublishedEvents

    @property
    def database(self) -> Database:
        database: Database = self.app.state.parts.context.database
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

    def watch(self, *, began_at: datetime | None = None) -> StalenessWatch:
        return StalenessWatch(self.app.state.parts.context, began_at=began_at or NOW - timedelta(hours=1))


def principals(user_ids: dict[str, int]) -> dict[str, Principal]:
    return {
        "somchai": Principal("somchai", user_ids["somchai"], Role.ENGINEER, frozenset(), None),
        "mali": Principal("mali", user_ids["mali"], Role.VIEWER, frozenset(), None),
        "nok": Principal("nok", user_ids["nok"], Role.ENGINEER, frozenset(), frozenset({LOCATIONS[1]})),
        "root": Principal("root", user_ids["root"], Role.ADMIN, frozenset(), None),
        "feed": Principal("feed", None, None, frozenset({Scope.TELEMETRY_WRITE}), None),
        "pager": Principal("pager", None, None, frozenset(Scope), None),
    }


def reading(code: str, at: datetime, **values: Any) -> dict[str, Any]:
    healthy = {"voltage_v": 13.65, "current_a": 0.1, "temperature_c": 25.0}
    return {"battery_id": code, "time": iso(at)} | healthy | values
