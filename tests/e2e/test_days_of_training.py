"""A day that a running platform keeps of live readings is the day that the training data have of the same readings."""

import asyncio
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import numpy as np
import pytest

from battery_contracts.ids import battery_id_at
from battery_contracts.ml import DAILY_COLUMNS
from battery_servicekit.testing.process import free_port
from battery_synth.datasets.daily import Daily, daily_of
from battery_synth.state.readings import MODES, SimulatedReadings
from tests.platform_process import RunningPlatform, running_platform

LOCATION = "DC-CNX-01"
STRINGS = (f"{LOCATION}-UPS-01-STR-01", f"{LOCATION}-UPS-01-STR-02")
PER_STRING = 24
# Fed by nobody else, so that every reading of the day is one of this test.
FED_STRING = "DC-BKK-01-UPS-01-STR-01"
BATTERIES = [battery_id_at(string, position) for string in STRINGS for position in range(1, PER_STRING + 1)]


def instants(string: int) -> list[tuple[int, str]]:
    """Return the seconds of the day at which a string is read, and its mode; the first one works for 20 minutes."""
    hours = [(3600 * hour, "float") for hour in range(24)]
    if string == 1:
        return hours
    working = [(36_000 + second, "discharge") for second in range(300, 1500, 10)]
    return sorted([*((s, "recharge" if 39_600 <= s < 57_600 else mode) for s, mode in hours), *working])


def a_day(midnight: datetime, seed: int) -> SimulatedReadings:
    """Return a day of two strings; per row at most one battery lacks its voltage, another one its temperature."""
    dice = np.random.default_rng(seed)
    rows = sorted((second, string, mode) for string in range(len(STRINGS)) for second, mode in instants(string))
    count, midnight_us = len(rows), round(midnight.timestamp() * 1e6)
    mode = [row[2] for row in rows]
    works = np.array([name == "discharge" for name in mode])
    # While a string works its temperatures are those of the hour: the training data take the regular reading alone.
    warmth = dice.normal(31.0, 4.0, (24, len(STRINGS), PER_STRING))
    volts = np.where(works[:, None], 12.1, 13.6) + dice.normal(0.0, 0.05, (count, PER_STRING))
    volts[dice.random(count) < 0.3, dice.integers(PER_STRING)] = np.nan
    ohms = np.where(dice.random((count, PER_STRING)) < 0.05, dice.uniform(3.2, 3.9, (count, PER_STRING)), np.nan)
    probe = np.where(np.array(mode) == "float", dice.normal(40.0, 5.0, count), np.nan)
    zero = np.zeros(count, np.float32)
    return SimulatedReadings(
        at_us=np.array([midnight_us + row[0] * 1_000_000 for row in rows], np.int64),
        string=np.array([row[1] for row in rows], np.int32),
        mode=np.array([MODES.index(name) for name in mode], np.int8),
        voltage_v=volts.round(3).astype(np.float32),
        temperature_c=np.array([warmth[row[0] // 3600, row[1]] for row in rows]).round(2).astype(np.float32),
        internal_resistance_mohm=ohms.round(3).astype(np.float32),
        string_voltage_v=zero,
        current_a=np.select([works, np.array(mode) == "recharge"], [-70.3, 6.0], 0.0).astype(np.float32),
        float_current_ma=probe.round(1).astype(np.float32),
        ripple_voltage_v=zero,
        ripple_current_a=zero,
        soc=np.ones((count, PER_STRING), np.float32),
        location_at_us=midnight_us + np.arange(24) * 3_600_000_000,
        ambient_c=dice.normal(25.0, 1.0, 24).round(1).astype(np.float32),
        humidity_pct=np.full(24, 45.0, np.float32),
        hvac=np.zeros(24, np.int8),
        mains=np.ones(24, bool),
    )


def sent(readings: SimulatedReadings) -> dict[str, list[Any]]:
    """Return the same readings as a monitoring system sends them."""
    batteries: list[Any] = []
    strings: list[Any] = []
    for row in range(len(readings)):
        string, when = int(readings.string[row]), instant(readings.at_us[row])
        strings.append(
            {
                "string_id": STRINGS[string],
                "time": when,
                "mode": str(MODES[readings.mode[row]]),
                "current_a": number(readings.current_a[row]),
                "float_current_ma": number(readings.float_current_ma[row]),
            }
        )
        batteries += [
            {
                "battery_id": BATTERIES[string * PER_STRING + member],
                "time": when,
                "voltage_v": number(readings.voltage_v[row, member]),
                "temperature_c": number(readings.temperature_c[row, member]),
                "internal_resistance_mohm": number(readings.internal_resistance_mohm[row, member]),
            }
            for member in range(PER_STRING)
        ]
    rooms = [
        {"location_id": LOCATION, "time": instant(when), "ambient_c": float(celsius)}
        for when, celsius in zip(readings.location_at_us, readings.ambient_c, strict=True)
    ]
    return {"readings": batteries, "string_readings": strings, "site_readings": rooms}


def instant(time_us: Any) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(time_us))).isoformat()


def number(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)


async def stored_days(platform: RunningPlatform, day: date) -> dict[str, dict[str, float | None]]:
    """Return the stored columns of the day by battery."""
    connection = await asyncpg.connect(platform.database_url.replace("+asyncpg", ""))
    try:
        rows = await connection.fetch(
            "select b.code, d.* from battery_day d join battery b on b.id = d.battery_id where d.day = $1", day
        )
    finally:
        await connection.close()
    return {row["code"]: {name: row[name] for name in DAILY_COLUMNS} for row in rows}


def expected_of(daily: Daily, readings: SimulatedReadings, slot: int) -> dict[str, float]:
    """Return the columns of a battery in the training data."""
    expected = {name: float(getattr(daily, name)[slot]) for name in DAILY_COLUMNS}
    # The probe is the string's: it counts where the battery's own voltage is missing, too.
    of_string_ma = readings.float_current_ma[readings.string == slot // PER_STRING]
    expected["float_current_ma"] = float(np.nanmean(of_string_ma, dtype=np.float64))
    return expected


async def test_live_days_equal_those_of_the_training_data(data_dir: Path, tmp_path: Path) -> None:
    bangkok = ZoneInfo("Asia/Bangkok")
    # Two days ago: whole, whatever the time of the day.
    day = datetime.now(bangkok).date() - timedelta(days=2)
    readings = a_day(datetime(day.year, day.month, day.day, tzinfo=bangkok), seed=1)
    settings = {"SIMULATOR_STRINGS": FED_STRING, "ROLLUP_INTERVAL_S": "1", "BATTERY_DAYS_INTERVAL_S": "1"}
    with running_platform(data_dir, tmp_path / "out.txt", free_port(), **settings) as platform:
        platform.wait_until_up()
        async with httpx.AsyncClient(base_url=platform.url, timeout=60) as client:
            headers = {"X-API-Key": platform.simulator_key}
            answer = await client.post("/api/v1/telemetry", headers=headers, json=sent(readings))
        result = answer.raise_for_status().json()
        assert result["rejected"] == [], answer.text[:500]
        stored: dict[str, dict[str, float | None]] = {}
        for _ in range(120):
            stored = await stored_days(platform, day)
            if len(stored) == len(BATTERIES):
                break
            await asyncio.sleep(1.0)
    assert set(stored) == set(BATTERIES)
    room_c = float(np.mean(readings.ambient_c, dtype=np.float64))
    daily = daily_of(readings, strings=len(STRINGS), every_s=3600.0, room_c=room_c)
    for slot, code in enumerate(BATTERIES):
        for name, expected in expected_of(daily, readings, slot).items():
            value = stored[code][name]
            if math.isnan(expected):
                assert value is None, (code, name)
                continue
            # `mean_and_sd` squares in single precision, which costs a spread of 40 mV some 0.1 mV.
            absolute = 3e-4 if name == "string_spread_v" else 2e-5
            assert value == pytest.approx(expected, rel=2e-6, abs=absolute), (code, name)
    assert {stored[code]["discharge_count"] for code in BATTERIES[:PER_STRING]} == {1}
    assert {stored[code]["discharge_count"] for code in BATTERIES[PER_STRING:]} == {0}
