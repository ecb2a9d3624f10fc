"""What a day of a battery is: against a second implementation, and in the cases in which little is known."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from battery_api.telemetry.days import job

from .day_reference import expected_day
from .days_world import (
    DAY,
    MEMBERS,
    assert_close,
    at,
    floating_hours,
    keep_days,
    modes,
    of_battery,
    of_room,
    of_string,
    store,
    stored_days,
)
from .world import Gateway

CHANNELS = ("voltage_v", "temperature_c", "internal_resistance_mohm")
MODES = ("float", "float", "float", "discharge", "test", "recharge", "boost")
CURRENTS_A = {"float": 0.0, "discharge": -60.0, "test": -20.0, "recharge": 9.0, "boost": 1.0}


def random_day(seed: int) -> tuple[list[Any], list[Any], list[Any]]:
    """Return readings at odd instants with missing values, hours without any, and spells of every mode."""
    dice = random.Random(seed)

    def maybe(value: float, digits: int) -> float | None:
        return None if dice.random() < 0.2 else round(value, digits)

    strings, mode = [], "float"
    spells = sorted(dice.sample(range(86_400), 150))
    for second in spells:
        mode = dice.choice(MODES) if dice.random() < 0.3 else mode
        probe_ma = maybe(dice.uniform(20, 60), 1)
        strings.append(of_string(at(0, second), mode=mode, current_a=CURRENTS_A[mode], float_current_ma=probe_ma))
    batteries: list[Any] = []
    for second in sorted({*dice.sample(spells, 60), *dice.sample(range(86_400), 150), 0, 86_399}):
        batteries += [
            of_battery(
                code,
                at(0, second),
                voltage_v=maybe(dice.uniform(12, 14), 3),
                temperature_c=maybe(dice.uniform(20, 40), 2),
                internal_resistance_mohm=dice.choice([None, None, None, round(dice.uniform(3, 4), 2)]),
            )
            for code in MEMBERS
            if dice.random() < 0.8
        ]
    batteries = [one for one in batteries if any(one[name] is not None for name in CHANNELS)]
    rooms = [of_room(at(0, second), round(dice.uniform(20, 30), 1)) for second in dice.sample(range(86_400), 30)]
    return batteries, strings, rooms


def timed(rows: list[Any]) -> list[Any]:
    return [{**row, "when": datetime.fromisoformat(row["time"])} for row in rows]


async def assert_follows_reference(gateway: Gateway, seed: int) -> None:
    made = random_day(seed)
    await store(gateway, *made)
    await keep_days(gateway)
    stored = await stored_days(gateway)
    batteries, strings, rooms = (timed(rows) for rows in made)
    for code in MEMBERS:
        assert_close(stored[code, DAY], expected_day(batteries, strings, rooms, code))


@pytest.mark.parametrize("seed", range(4))
async def test_random_readings_follow_the_definition(gateway: Gateway, seed: int) -> None:
    await assert_follows_reference(gateway, seed)


async def test_the_same_holds_on_timescale(timescale_gateway: Gateway) -> None:
    await assert_follows_reference(timescale_gateway, 11)


async def test_a_day_is_kept_when_it_is_over(gateway: Gateway) -> None:
    clock = gateway.clock
    clock.set(at(24))
    await store(gateway, floating_hours(range(24)), modes(range(24)))
    assert await keep_days(gateway) == 0
    clock.set(at(24) + job.GRACE - timedelta(seconds=1))
    assert await keep_days(gateway) == 0
    assert await stored_days(gateway) == {}
    clock.set(at(24) + job.GRACE)
    assert await keep_days(gateway) == 1
    assert set(await stored_days(gateway)) == {(code, DAY) for code in MEMBERS}
    assert await keep_days(gateway) == 0


async def test_half_a_day_counts_only_the_hours_that_are_known(gateway: Gateway) -> None:
    hours = [hour for hour in range(12) if hour not in {4, 5}]
    await store(gateway, floating_hours(hours, temperature_c=36.0), modes(hours))
    await keep_days(gateway)
    day = (await stored_days(gateway))[MEMBERS[1], DAY]
    assert (day["hours_above_30c"], day["hours_above_35c"], day["discharge_count"]) == (10, 10, 0)
    assert day["voltage_mean_v"] == pytest.approx(13.7)
    assert day["voltage_deviation_v"] == pytest.approx(0.0, abs=1e-6)
    assert day["string_spread_v"] == pytest.approx(0.1 * (2 / 3) ** 0.5)
    assert (day["temperature_rise_k"], day["resistance_25c_mohm"], day["float_current_ma"]) == (None, None, None)


async def test_frequent_readings_of_an_hour_weigh_as_one_hour(gateway: Gateway) -> None:
    regular = floating_hours(range(24), temperature_c=20.0)
    frequent = [of_battery(MEMBERS[0], at(10, 2 * step), temperature_c=32.0) for step in range(1, 1000)]
    await store(gateway, [*regular, *frequent])
    await keep_days(gateway)
    day = (await stored_days(gateway))[MEMBERS[0], DAY]
    assert day["temperature_mean_c"] == pytest.approx(20.0 + 12.0 * 0.999 / 24, abs=1e-4)
    assert day["hours_above_30c"] == pytest.approx(0.999)


async def test_without_modes_neither_float_nor_discharge_is_known(gateway: Gateway) -> None:
    await store(gateway, floating_hours(range(24)), rooms=[of_room(at(3), 22.0)])
    await keep_days(gateway)
    day = (await stored_days(gateway))[MEMBERS[0], DAY]
    known = {name for name, value in day.items() if value is not None}
    assert known == {
        *(f"temperature_{figure}" for figure in ("mean_c", "min_c", "max_c", "rise_k")),
        "hours_above_30c",
        "hours_above_35c",
    }
    assert day["temperature_rise_k"] == pytest.approx(3.0)


async def test_a_discharge_without_a_current_has_no_charge(gateway: Gateway) -> None:
    strings = [of_string(at(1, second), mode="discharge") for second in range(0, 600, 60)]
    await store(gateway, floating_hours([1], voltage_v=12.0), strings)
    await keep_days(gateway)
    day = (await stored_days(gateway))[MEMBERS[0], DAY]
    assert (day["discharge_count"], day["discharge_s"], day["discharge_ah"]) == (1, 540, None)
    assert day["discharge_min_v"] == 12.0
    assert day["voltage_mean_v"] is None


async def test_a_silent_battery_was_discharged_with_its_string(gateway: Gateway) -> None:
    strings = [of_string(at(1, second), mode="discharge", current_a=-36.0) for second in range(0, 600, 60)]
    speaking = [one for one in floating_hours([1]) if one["battery_id"] != MEMBERS[2]]
    await store(gateway, speaking, strings)
    await keep_days(gateway)
    day = (await stored_days(gateway))[MEMBERS[2], DAY]
    assert {name: value for name, value in day.items() if value is not None} == {
        "discharge_count": 1,
        "discharge_s": 540,
        "discharge_ah": pytest.approx(5.4),
    }


async def test_batteries_that_are_read_in_turn_have_no_common_mean(gateway: Gateway) -> None:
    in_turn = [
        of_battery(code, at(hour, 20 * number), voltage_v=13.5)
        for hour in range(24)
        for number, code in enumerate(MEMBERS)
    ]
    await store(gateway, in_turn, modes(range(24)))
    await keep_days(gateway)
    day = (await stored_days(gateway))[MEMBERS[2], DAY]
    assert (day["voltage_mean_v"], day["voltage_deviation_v"], day["string_spread_v"]) == (13.5, None, None)
