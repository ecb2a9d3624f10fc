"""Days of readings, and the daily history that the gateway keeps of them."""

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from battery_api.db.bangkok import midnight_of
from battery_api.telemetry.days import job
from battery_api.telemetry.store import rollups
from battery_contracts.ml import DAILY_COLUMNS

from .world import BATTERIES, LOCATIONS, STRINGS, Gateway, iso

DAY = date(2026, 11, 18)
"""A day of Bangkok that is over."""
MIDNIGHT = midnight_of(DAY)
MEMBERS = BATTERIES[:3]
STRING, LOCATION = STRINGS[0], LOCATIONS[0]
Days = dict[tuple[str, date], dict[str, float | None]]


def at(hours: float, seconds: float = 0.0) -> datetime:
    """Return an instant of the day, counted from its midnight."""
    return MIDNIGHT + timedelta(hours=hours, seconds=seconds)


def of_battery(code: str, when: datetime, **values: float | None) -> dict[str, Any]:
    return {"battery_id": code, "time": iso(when), **values}


def of_string(when: datetime, code: str = STRING, **values: Any) -> dict[str, Any]:
    return {"string_id": code, "time": iso(when), **values}


def of_room(when: datetime, ambient_c: float) -> dict[str, Any]:
    return {"location_id": LOCATION, "time": iso(when), "ambient_c": ambient_c}


async def store(
    gateway: Gateway, batteries: Iterable[Any] = (), strings: Iterable[Any] = (), rooms: Iterable[Any] = ()
) -> None:
    body = {"readings": list(batteries), "string_readings": list(strings), "site_readings": list(rooms)}
    result = await gateway.post(body)
    assert result.rejected_count == 0, result.rejected[:3]


async def keep_days(gateway: Gateway) -> int:
    """Run the jobs that keep the daily history; return how many days of strings were computed."""
    await rollups.run_once(gateway.context)
    return await job.run_once(gateway.context)


async def stored_days(gateway: Gateway) -> Days:
    rows = await gateway.rows(
        "select b.code, d.* from battery_day d join battery b on b.id = d.battery_id order by b.code, d.day"
    )
    return {(row["code"], row["day"]): {name: row[name] for name in DAILY_COLUMNS} for row in rows}


def assert_close(found: dict[str, float | None], expected: dict[str, float | None], *, absolute: float = 2e-5) -> None:
    """Compare a day with what it should be; NaN and None both stand for what is not known."""
    for name in DAILY_COLUMNS:
        left, right = found[name], expected[name]
        right = None if right is None or math.isnan(right) else right
        assert (left is None) == (right is None), (name, left, right)
        if left is not None and right is not None:
            assert math.isclose(left, right, rel_tol=2e-6, abs_tol=absolute), (name, left, right)


def floating_hours(hours: Iterable[float], voltage_v: float = 13.6, temperature_c: float = 25.0) -> list[Any]:
    """Return a reading of each battery of the string at each hour; batteries differ by 0.1 V."""
    return [
        of_battery(code, at(hour), voltage_v=voltage_v + 0.1 * number, temperature_c=temperature_c)
        for hour in hours
        for number, code in enumerate(MEMBERS)
    ]


def modes(hours: Iterable[float], mode: str = "float", **values: Any) -> list[Any]:
    return [of_string(at(hour), mode=mode, current_a=0.0, **values) for hour in hours]
