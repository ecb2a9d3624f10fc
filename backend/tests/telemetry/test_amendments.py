"""Second messages of one instant: what completes, what corrects, and what merely repeats."""

from typing import Any

import pytest

from battery_api.db.session import Database
from battery_contracts.enums import ReadingQuality
from battery_contracts.telemetry import IngestResult
from tests.telemetry.world import BATTERIES, LOCATIONS, STRINGS, Gateway, ago, gateway_on, iso

BATTERY = BATTERIES[0]
AT = ago(60)
STORED = "select t.* from telemetry t join battery b on b.id = t.battery_id where b.code = $1 order by time"
LIVE = "select s.* from battery_state s join battery b on b.id = s.battery_id where b.code = $1"


@pytest.fixture
async def gateway(database: Database) -> Gateway:
    return await gateway_on(database)


def message(at: Any = AT, **values: Any) -> dict[str, Any]:
    return {"battery_id": BATTERY, "time": iso(at), **values}


def counts(result: IngestResult) -> tuple[int, int, int, int]:
    return result.accepted, result.merged, result.corrected, result.duplicates


@pytest.mark.parametrize("batched", [False, True])
async def test_other_channels_of_the_instant_complete_the_reading(gateway: Gateway, batched: bool) -> None:
    messages = [message(voltage_v=13.6), message(temperature_c=70.0), message(internal_resistance_mohm=3.4)]
    bodies = [{"readings": messages}] if batched else [{"readings": [one]} for one in messages]
    results = [await gateway.post(body) for body in bodies]
    assert tuple(map(sum, zip(*map(counts, results), strict=True))) == (1, 2, 0, 0)
    (row,) = await gateway.rows(STORED, (BATTERY,))
    assert (row["voltage_v"], row["temperature_c"], row["internal_resistance_mohm"]) == pytest.approx((13.6, 70.0, 3.4))
    assert row["quality"] & ReadingQuality.DANGEROUS
    (live,) = await gateway.rows(LIVE, (BATTERY,))
    assert (live["voltage_v"], live["temperature_c"]) == pytest.approx((13.6, 70.0))
    assert (live["internal_resistance_mohm"], live["resistance_at"]) == (pytest.approx(3.4), AT)


@pytest.mark.parametrize("batched", [False, True])
async def test_another_value_of_the_instant_corrects_the_reading_and_keeps_what_it_overwrote(
    gateway: Gateway, batched: bool
) -> None:
    messages = [message(voltage_v=0.0, temperature_c=25.0), message(voltage_v=13.6)]
    bodies = [{"readings": messages}] if batched else [{"readings": [one]} for one in messages]
    results = [await gateway.post(body) for body in bodies]
    assert tuple(map(sum, zip(*map(counts, results), strict=True))) == (1, 0, 1, 0)
    (row,) = await gateway.rows(STORED, (BATTERY,))
    assert (row["voltage_v"], row["temperature_c"]) == pytest.approx((13.6, 25.0))
    assert ReadingQuality(row["quality"]) & (ReadingQuality.DANGEROUS | ReadingQuality.CORRECTED)
    (kept,) = await gateway.rows("select kind, time, values, is_dangerous from overwritten_reading")
    assert (kept["kind"], kept["time"], kept["is_dangerous"]) == ("battery", AT, True)
    assert kept["values"] == {"voltage_v": 0.0, "temperature_c": 25.0}


async def test_only_a_message_that_says_the_same_is_a_repeat(gateway: Gateway) -> None:
    await gateway.post({"readings": [message(voltage_v=13.61, temperature_c=25.4)]})
    same = await gateway.post({"readings": [message(voltage_v=13.61, temperature_c=25.4)]})
    part = await gateway.post({"readings": [message(voltage_v=13.61)]})
    assert counts(same) == counts(part) == (0, 0, 0, 1)
    assert not await gateway.rows("select 1 from overwritten_reading")


async def test_the_ledger_of_the_day_balances(gateway: Gateway) -> None:
    first, repeat = message(voltage_v=13.6), message(voltage_v=13.6)
    for one in (first, repeat, message(temperature_c=25.0), message(voltage_v=13.5), message(voltage_v=99.0)):
        await gateway.post({"readings": [one]})
    (live,) = await gateway.rows(LIVE, (BATTERY,))
    names = ("accepted", "merged", "corrected", "duplicate", "rejected")
    assert [live[f"{name}_count"] for name in names] == [1, 1, 1, 1, 1]
    assert live["received_count"] == 5


async def test_a_current_of_the_battery_outranks_one_filled_in_from_its_string(gateway: Gateway) -> None:
    string = {"string_id": STRINGS[0], "time": iso(AT), "current_a": -20.0}
    await gateway.post({"readings": [message(voltage_v=12.4)], "string_readings": [string]})
    result = await gateway.post({"readings": [message(current_a=-19.5)]})
    assert counts(result) == (0, 1, 0, 0)
    (row,) = await gateway.rows(STORED, (BATTERY,))
    assert row["current_a"] == -19.5
    assert not row["quality"] & ReadingQuality.CURRENT_FROM_STRING


async def test_a_measured_reading_replaces_generated_history(gateway: Gateway) -> None:
    await gateway.rows(
        "insert into telemetry (battery_id, time, voltage_v, temperature_c, soc_pct, quality) "
        "select id, $2, 13.5, 24.0, 99.0, 16 from battery where code = $1 returning 1",
        (BATTERY, AT),
    )
    assert counts(await gateway.post({"readings": [message(voltage_v=0.3)]})) == (1, 0, 0, 0)
    (row,) = await gateway.rows(STORED, (BATTERY,))
    assert (row["voltage_v"], row["temperature_c"], row["soc_pct"]) == (pytest.approx(0.3), None, None)
    assert not row["quality"] & ReadingQuality.BULK_LOADED


async def test_strings_and_locations_are_completed_and_corrected_too(gateway: Gateway) -> None:
    string, location = {"string_id": STRINGS[0], "time": iso(AT)}, {"location_id": LOCATIONS[0], "time": iso(AT)}
    bodies: list[dict[str, Any]] = [
        {"string_readings": [string | {"current_a": 0.1}], "site_readings": [location | {"ambient_c": 24.0}]},
        {"string_readings": [string | {"voltage_v": 40.9}], "site_readings": [location | {"mains": False}]},
        {"string_readings": [string | {"current_a": -40.0}], "site_readings": [location | {"ambient_c": 31.0}]},
        {"string_readings": [string | {"voltage_v": 40.9}], "site_readings": [location | {"mains": False}]},
    ]
    assert [counts(await gateway.post(body)) for body in bodies] == [
        (2, 0, 0, 0),
        (0, 2, 0, 0),
        (0, 0, 2, 0),
        (0, 0, 0, 2),
    ]
    (string_row,) = await gateway.rows("select voltage_v, current_a, mode from string_telemetry")
    assert (string_row["voltage_v"], string_row["current_a"]) == pytest.approx((40.9, -40.0))
    (live,) = await gateway.rows("select ambient_c, mains from location_state where time is not null")
    assert (live["ambient_c"], live["mains"]) == (31.0, False)


async def test_late_messages_complete_and_correct_the_past_without_moving_the_present(gateway: Gateway) -> None:
    await gateway.post({"readings": [message(ago(600), voltage_v=13.6), message(voltage_v=13.62)]})
    result = await gateway.post({"readings": [message(ago(600), voltage_v=12.0, temperature_c=41.0)]})
    assert counts(result) == (0, 0, 1, 0)
    (live,) = await gateway.rows(LIVE, (BATTERY,))
    assert (live["time"], live["voltage_v"]) == (AT, pytest.approx(13.62))
    past, _ = await gateway.rows(STORED, (BATTERY,))
    assert (past["voltage_v"], past["temperature_c"]) == (12.0, 41.0)


async def test_a_batch_with_too_many_readings_of_one_instant_says_what_is_wrong(gateway: Gateway) -> None:
    result = await gateway.post({"readings": [message(voltage_v=13.0 + number / 100) for number in range(10)]})
    assert counts(result) == (1, 0, 7, 0)
    assert [item.code for item in result.rejected] == ["repeated_in_batch"] * 2
    assert "send the time of each measurement" in result.rejected[0].detail
