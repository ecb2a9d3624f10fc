"""Histories as the ML service takes them: who is in them, from when on, and how what is not known looks."""

import math
from datetime import datetime, timedelta

import numpy as np
import pytest

from battery_api.fleet.importer import import_catalogue
from battery_api.fleet.ports import FleetChange, NoEndings
from battery_api.telemetry.days.histories import read_histories
from battery_contracts.ids import battery_id_at
from battery_contracts.ml import DAILY_COLUMNS, RulBatchRequest
from tests.fleet.test_importer import STRING, catalogue, line

from .days_world import DAY, MEMBERS, at, floating_hours, keep_days, modes, of_battery, store
from .world import NOW, PER_STRING, STRINGS, Gateway

HERE = 1
"""Key of the first location, which has two strings."""


async def read(gateway: Gateway, as_of: datetime = NOW, days: int = 800, location: int = HERE) -> RulBatchRequest:
    async with gateway.database.begin() as connection:
        request = await read_histories(connection, location, as_of, days)
    assert request is not None
    return request


def rectangle(request: RulBatchRequest, name: str) -> np.ndarray:
    return np.frombuffer(request.daily[name], "<f4").reshape(len(request.battery_id), request.days)


async def week(gateway: Gateway) -> None:
    """Store the seven days up to DAY; the n-th before it is n degrees warmer."""
    for back in range(6, -1, -1):
        hours = [hour - 24 * back for hour in range(0, 24, 3)]
        await store(gateway, floating_hours(hours, temperature_c=25.0 + back), modes(hours))
    await keep_days(gateway)


async def test_days_stand_in_order_up_to_the_last_whole_one(gateway: Gateway) -> None:
    await week(gateway)
    request = await read(gateway)
    # NOW is two days after DAY in Bangkok: the last whole day is the one between, of which there is nothing.
    assert request.days == 8
    assert request.battery_id[:PER_STRING] == list(MEMBERS)
    assert request.string_id == [STRINGS[0]] * PER_STRING
    warmth = rectangle(request, "temperature_mean_c")
    assert warmth[0, :7].tolist() == [31.0, 30.0, 29.0, 28.0, 27.0, 26.0, 25.0]
    assert np.isnan(warmth[:, 7]).all()
    assert set(request.daily) == set(DAILY_COLUMNS)
    assert RulBatchRequest.model_validate_json(request.model_dump_json()) == request


async def test_a_history_goes_back_no_further_than_asked(gateway: Gateway) -> None:
    await week(gateway)
    request = await read(gateway, days=3)
    assert request.days == 3
    assert rectangle(request, "temperature_mean_c")[0, :2].tolist() == [26.0, 25.0]
    earlier = await read(gateway, as_of=at(1))
    assert (earlier.days, rectangle(earlier, "temperature_mean_c")[0, -1]) == (6, 26.0)


async def test_a_battery_without_any_day_is_left_out(gateway: Gateway) -> None:
    async with gateway.database.begin() as connection:
        assert await read_histories(connection, 1, NOW) is None
    await gateway.rows("insert into battery_day (battery_id, day) values (2, $1) returning 1", (DAY,))
    request = await read(gateway)
    assert (request.days, request.battery_id) == (2, [MEMBERS[1]])
    assert all(np.isnan(rectangle(request, name)).all() for name in DAILY_COLUMNS)


async def test_what_stands_beside_the_days(gateway: Gateway) -> None:
    await gateway.rows("insert into battery_day (battery_id, day) select id, $1 from battery returning 1", (DAY,))
    await gateway.rows("update battery set baseline_temperature_c = 35 where id = 2 returning 1")
    await gateway.rows("update battery set baseline_temperature_c = null where id = 3 returning 1")
    await gateway.rows(
        "update battery set retired_at = $1, retired_by = 'x', retired_reason = 'x' where id = 1 returning 1", (NOW,)
    )
    request = await read(gateway)
    assert request.battery_id[0] == MEMBERS[1]
    assert (request.rated_ah[0], request.design_life_years[0]) == (120.0, 10.0)
    assert request.age_days[0] == pytest.approx((NOW - datetime.fromisoformat("2020-01-01T00:00Z")) / timedelta(days=1))
    assert request.baseline_resistance_mohm is not None
    assert request.baseline_resistance_mohm[0] == pytest.approx(3.4 * math.exp(0.08))
    assert request.baseline_resistance_mohm[1] is None


async def install(gateway: Gateway, serial_number: str, installed_on: str) -> None:
    content = catalogue(line(1, serial_number=serial_number, installed_on=installed_on))
    async with gateway.database.begin() as connection:
        change = FleetChange("import", NOW, NoEndings())
        report = await import_catalogue(connection, content, dry_run=False, change=change)
    assert not report.errors
    gateway.catalogue.forget()


async def test_a_new_battery_starts_without_the_days_of_the_old_one(gateway: Gateway) -> None:
    code = battery_id_at(STRING, 1)
    await install(gateway, "SN-OLD", "2022-05-01")
    await store(gateway, [of_battery(code, at(hour), temperature_c=30.0) for hour in range(-48, 0)])
    await install(gateway, "SN-NEW", DAY.isoformat())
    await store(gateway, [of_battery(code, at(hour), temperature_c=20.0) for hour in range(24)])
    await keep_days(gateway)
    rows = await gateway.rows(
        "select b.serial_number as serial, d.day, d.temperature_max_c as warmest_c from battery_day d "
        "join battery b on b.id = d.battery_id order by d.day"
    )
    before = DAY - timedelta(days=2), DAY - timedelta(days=1)
    assert [(row["serial"], row["day"], row["warmest_c"]) for row in rows] == [
        *(("SN-OLD", day, 30.0) for day in before),
        ("SN-NEW", DAY, 20.0),
    ]
    (key,) = await gateway.rows("select location_id from battery where serial_number = 'SN-NEW'")
    request = await read(gateway, location=key["location_id"])
    slot = request.battery_id.index(code)
    assert request.age_days[slot] == pytest.approx((NOW - at(0)) / timedelta(days=1))
    assert rectangle(request, "temperature_max_c")[slot].tolist()[:1] == [20.0]
    assert request.days == 2


async def test_a_day_before_the_installation_is_never_the_batterys(gateway: Gateway) -> None:
    await week(gateway)
    await gateway.rows("update battery set installed_at = $1 where id = 1 returning 1", (at(-24),))
    warmth = rectangle(await read(gateway), "temperature_mean_c")
    assert np.isnan(warmth[0]).tolist() == [True] * 5 + [False] * 2 + [True]
    assert np.isnan(warmth[1]).tolist() == [False] * 7 + [True]
