"""Numbers that registers send for "not available", and what a nameplate allows: refused, while every danger is stored.

The strings of this fleet have three batteries of six cells and 120 Ah.
"""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from battery_api.telemetry.ingest.plausibility import is_register_end
from battery_contracts.telemetry import IngestResult

from .world import BATTERIES, LOCATIONS, STRINGS, Gateway, ago, iso, reading


def readings_of(values: list[float], channel: str) -> dict[str, Any]:
    """Return one reading of one channel per value."""
    times = [iso(ago(60 + row)) for row in range(len(values))]
    if channel.startswith("string."):
        name = channel.removeprefix("string.")
        made = [{"string_id": STRINGS[0], "time": at, name: value} for at, value in zip(times, values, strict=True)]
        return {"string_readings": made}
    if channel.startswith("location."):
        name = channel.removeprefix("location.")
        made = [{"location_id": LOCATIONS[0], "time": at, name: value} for at, value in zip(times, values, strict=True)]
        return {"site_readings": made}
    made = [{"battery_id": BATTERIES[0], "time": at, channel: value} for at, value in zip(times, values, strict=True)]
    return {"readings": made}


async def outcomes(gateway: Gateway, values: list[float], channel: str) -> list[str]:
    result = await gateway.post(readings_of(values, channel))
    rejected = {rejection.index: rejection.code.value for rejection in result.rejected}
    assert result.left_out_count == 0
    return [rejected.get(row, "stored") for row in range(len(values))]


@pytest.mark.parametrize(
    ("channel", "values"),
    [
        ("voltage_v", [65535, 6553.5, 655.35, 65.535, 32767, 3276.7, 327.67, 32.767, -32768, -3276.8, -327.68]),
        ("voltage_v", [-9999, -999.9, -99.99, -127, 4294967295, 429496.7295, 2147483647, -2147483648, 2**64 - 1]),
        ("current_a", [65535, 6553.5, 655.35, 65.535, 32767, 3276.7, 327.67, -32768, -3276.8, -9999]),
        ("temperature_c", [65535, 655.35, 3276.7, 327.67, -3276.8, -327.68, -32.768, -127, -9999, -999.9, -99.99]),
        ("internal_resistance_mohm", [65535, 6553.5, 655.35, 32767, 327.67, -32768, -9999, 4294967295]),
        ("string.voltage_v", [65535, 6553.5, 655.35, 65.535, 327.67, -32768, -327.68, -9999, -999.9]),
        ("string.current_a", [65535, 655.35, 327.67, -32768, -9999]),
        ("string.float_current_ma", [65535, 6553.5, 32767, 3276.7, -32768, -3276.8, -9999, 4294967295]),
        ("string.ripple_voltage_v", [65535, 655.35, 65.535, 32.767, 6.5535, -9999, -32.768]),
        ("string.ripple_current_a", [65535, 6553.5, 655.35, 327.67, 65.535, -9999]),
        ("location.ambient_c", [65535, 3276.7, 655.35, -127, -9999, -32.768]),
        ("location.humidity_pct", [65535, 6553.5, 655.35, 327.67, -9999]),
    ],
)
async def test_the_end_of_a_register_is_not_available(gateway: Gateway, channel: str, values: list[float]) -> None:
    assert await outcomes(gateway, values, channel) == ["not_available"] * len(values)


@pytest.mark.parametrize(
    ("channel", "values"),
    [
        ("voltage_v", [0, -1, -13.6, 3.2767, 6.5535, -3.2768, -9.999, 16.9, 29.9]),
        ("current_a", [-900, -999.9, -327.68, -32.768, 32.767, 900, 655.3, -3000]),
        ("temperature_c", [32.767, 65.535, 85.0, 70, 127, 149, 6.5535, -3.2768]),
        ("internal_resistance_mohm", [32.767, 65.535, 3.2767, 655.34, 999]),
        ("string.voltage_v", [0, -13.6, 13.6, 32.767, 6.5535, -40, 60, 89]),
        ("string.current_a", [-900, 900, -327.68, 32.767]),
        ("string.float_current_ma", [0, -2000, 2000, 327.67, 655.35, 12_000, 35_000]),
        ("string.ripple_voltage_v", [0, 0.65535, 3.2767, 7.2, 35]),
        ("string.ripple_current_a", [0, 32.767, 59, 359]),
        ("location.ambient_c", [32.767, 65.535, 79]),
        ("location.humidity_pct", [65.535, 32.767, 100]),
    ],
)
async def test_what_can_be_a_danger_is_stored(gateway: Gateway, channel: str, values: list[float]) -> None:
    assert await outcomes(gateway, values, channel) == ["stored"] * len(values)


@pytest.mark.parametrize(
    ("channel", "value", "detail"),
    [
        ("voltage_v", 91, "voltage_v 91 is outside -90 to 90 V, what 18 cells in series can have"),
        ("float_current_ma", 36_001, "-36000 to 36000 mA, what a rated capacity of 120 Ah can have"),
        ("ripple_voltage_v", 37, "ripple_voltage_v 37 is outside 0 to 36 V, what 18 cells in series can have"),
        (
            "ripple_current_a",
            361,
            "ripple_current_a 361 is outside 0 to 360 A, what a rated capacity of 120 Ah can have",
        ),
    ],
)
async def test_a_string_is_judged_by_its_nameplate(gateway: Gateway, channel: str, value: float, detail: str) -> None:
    result = await gateway.post(readings_of([value], f"string.{channel}"))
    (rejection,) = result.rejected
    assert rejection.code.value == "out_of_range"
    assert detail in rejection.detail


async def test_a_string_without_batteries_has_the_limits_of_the_channel(gateway: Gateway) -> None:
    async with gateway.database.begin() as connection:
        await connection.exec_driver_sql("update battery set removed_at = now() where string_id = 1")
    assert await outcomes(gateway, [700, 65.535, 801], "string.voltage_v") == ["stored", "stored", "out_of_range"]


async def test_the_message_says_what_the_value_is(gateway: Gateway) -> None:
    result = await gateway.post(readings_of([3276.7], "temperature_c"))
    (rejection,) = result.rejected
    assert rejection.detail == "temperature_c 3276.7 is a register's 'not available' value; leave the field out"


async def test_an_unplugged_sensor_leaves_the_watch_over_the_voltage(gateway: Gateway) -> None:
    body = {
        "readings": [
            reading(at=ago(60), voltage_v=0.0, temperature_c=-127, internal_resistance_mohm=655.35),
            reading(at=ago(50), voltage_v=13_650, temperature_c=-127),
            reading(at=ago(40), voltage_v=13.6, temperature_c=31.0),
        ],
        "string_readings": [
            {"string_id": STRINGS[0], "time": iso(ago(60)), "mode": "float", "float_current_ma": 65535}
        ],
    }
    async with gateway.client() as client:
        response = await post(client, body)
    result = IngestResult.model_validate(response.json())
    assert (result.accepted, result.rejected_count, result.left_out_count) == (3, 1, 3)
    assert [(rejection.index, rejection.code.value) for rejection in result.rejected] == [(1, "wrong_scale")]
    assert [(value.list, value.index, value.field, value.code.value) for value in result.left_out] == [
        ("readings", 0, "temperature_c", "not_available"),
        ("readings", 0, "internal_resistance_mohm", "not_available"),
        ("string_readings", 0, "float_current_ma", "not_available"),
    ]
    rows = await gateway.rows("select voltage_v, temperature_c, internal_resistance_mohm from telemetry order by time")
    assert [tuple(row.values()) for row in rows] == [(0.0, None, None), (pytest.approx(13.6), 31.0, None)]


async def post(client: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
    response = await client.post("/telemetry", content=json.dumps(body))
    assert response.status_code == 200, response.text
    return response


def test_a_register_that_holds_a_value_is_no_end_of_it() -> None:
    values = np.array([65534, 65533, 32766, -32767, 655.34, 3276.6, 9999, 127, 85, 0, -1, np.nan])
    assert not is_register_end(values).any()
    single = np.array([3276.7, 655.35, -999.9], np.float32).astype(np.float64)
    assert is_register_end(single).all()
    assert is_register_end(np.array([float(np.finfo(np.float32).max), 4294967295.0])).all()
