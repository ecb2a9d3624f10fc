"""A day that the gateway keeps of live readings is the day that the training data have of the same readings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from battery_contracts.ml import DAILY_COLUMNS
from battery_synth.datasets.daily import daily_of
from battery_synth.state.readings import MODES, SimulatedReadings

from .days_world import DAY, MIDNIGHT, assert_close, keep_days, of_battery, of_room, of_string, store, stored_days
from .world import BATTERIES, PER_STRING, STRINGS, Gateway

LOCAL_STRINGS = 2
MIDNIGHT_US = round(MIDNIGHT.timestamp() * 1e6)


def instants(string: int) -> list[tuple[int, str]]:
    """Return the seconds of the day at which a string is read, and its mode; the first one works for 20 minutes."""
    hours = [(3600 * hour, "float") for hour in range(24)]
    if string == 1:
        return hours
    working = [(36_000 + second, "discharge") for second in range(300, 1500, 10)]
    return sorted([*((s, "recharge" if 39_600 <= s < 57_600 else mode) for s, mode in hours), *working])


def a_day(seed: int) -> SimulatedReadings:
    """Return a day of two strings; per row at most one battery lacks its voltage, another one its temperature."""
    dice = np.random.default_rng(seed)
    rows = sorted((second, string, mode) for string in range(LOCAL_STRINGS) for second, mode in instants(string))
    count = len(rows)
    mode = [row[2] for row in rows]
    works = np.array([name == "discharge" for name in mode])
    # While a string works its temperatures are those of the hour: the training data take the regular reading alone.
    warmth = dice.normal(31.0, 4.0, (24, LOCAL_STRINGS, PER_STRING))
    volts = np.where(works[:, None], 12.1, 13.6) + dice.normal(0.0, 0.05, (count, PER_STRING))
    volts[dice.random(count) < 0.3, dice.integers(PER_STRING)] = np.nan
    ohms = np.where(dice.random((count, PER_STRING)) < 0.05, dice.uniform(3.2, 3.9, (count, PER_STRING)), np.nan)
    probe = np.where(np.array(mode) == "float", dice.normal(40.0, 5.0, count), np.nan)
    zero = np.zeros(count, np.float32)
    return SimulatedReadings(
        at_us=np.array([MIDNIGHT_US + row[0] * 1_000_000 for row in rows], np.int64),
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
        location_at_us=MIDNIGHT_US + np.arange(24) * 3_600_000_000,
        ambient_c=dice.normal(25.0, 1.0, 24).round(1).astype(np.float32),
        humidity_pct=np.full(24, 45.0, np.float32),
        hvac=np.zeros(24, np.int8),
        mains=np.ones(24, bool),
    )


def sent(readings: SimulatedReadings) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the same readings as a monitoring system sends them."""
    batteries: list[Any] = []
    strings: list[Any] = []
    for row in range(len(readings)):
        string, when = int(readings.string[row]), instant(readings.at_us[row])
        strings.append(
            of_string(
                when,
                STRINGS[string],
                mode=str(MODES[readings.mode[row]]),
                current_a=number(readings.current_a[row]),
                float_current_ma=number(readings.float_current_ma[row]),
            )
        )
        batteries += [
            of_battery(
                BATTERIES[string * PER_STRING + member],
                when,
                voltage_v=number(readings.voltage_v[row, member]),
                temperature_c=number(readings.temperature_c[row, member]),
                internal_resistance_mohm=number(readings.internal_resistance_mohm[row, member]),
            )
            for member in range(PER_STRING)
        ]
    rooms = [
        of_room(instant(when), float(celsius))
        for when, celsius in zip(readings.location_at_us, readings.ambient_c, strict=True)
    ]
    return batteries, strings, rooms


def instant(time_us: Any) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(time_us))


def number(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)


@pytest.mark.parametrize("seed", [1, 2])
async def test_live_days_equal_those_of_the_training_data(gateway: Gateway, seed: int) -> None:
    readings = a_day(seed)
    await store(gateway, *sent(readings))
    assert await keep_days(gateway) == LOCAL_STRINGS
    room_c = float(np.mean(readings.ambient_c, dtype=np.float64))
    daily = daily_of(readings, strings=LOCAL_STRINGS, every_s=3600.0, room_c=room_c)
    stored = await stored_days(gateway)
    assert set(stored) == {(code, DAY) for code in BATTERIES[: LOCAL_STRINGS * PER_STRING]}
    for slot, code in enumerate(BATTERIES[: LOCAL_STRINGS * PER_STRING]):
        expected: dict[str, float | None] = {name: float(getattr(daily, name)[slot]) for name in DAILY_COLUMNS}
        # The probe is the string's: it counts where the battery's own voltage is missing, too.
        of_string_ma = readings.float_current_ma[readings.string == slot // PER_STRING]
        expected["float_current_ma"] = float(np.nanmean(of_string_ma, dtype=np.float64))
        # `mean_and_sd` squares in single precision, which costs a spread of 40 mV some 0.1 mV.
        assert stored[code, DAY]["string_spread_v"] == pytest.approx(expected["string_spread_v"], abs=3e-4)
        expected["string_spread_v"] = stored[code, DAY]["string_spread_v"]
        assert_close(stored[code, DAY], expected)
    assert [stored[code, DAY]["discharge_count"] for code in BATTERIES[: 2 * PER_STRING]] == [1, 1, 1, 0, 0, 0]
