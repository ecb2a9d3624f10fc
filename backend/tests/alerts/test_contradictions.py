"""Currents, sums and channels that what else is measured contradicts."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from .test_claims import MEMBERS, live, rules, string_reading
from .world import BATTERIES, FIRST, NOW, PER_STRING, STRINGS, World, reading

MINUTE = timedelta(minutes=1)
START = NOW - timedelta(hours=4)


async def post_minutes(world: World, minutes: range, **values: Any) -> None:
    """Post sweeps of the first string, one a minute; ``string`` holds the values of the string itself."""
    of_string = values.pop("string", None)
    readings, strings = [], []
    for minute in minutes:
        at = START + minute * MINUTE
        readings += [reading(code, at, **values) for code in MEMBERS]
        if of_string is not None:
            strings.append(string_reading(at, **of_string))
    await world.post({"readings": readings, "string_readings": strings})


@pytest.mark.parametrize("sends_string", [True, False])
async def test_a_discharge_reported_with_the_wrong_sign_is_named_and_judged_as_one(
    world: World, sends_string: bool
) -> None:
    await post_minutes(world, range(10), current_a=0.1, string={"current_a": 0.1} if sends_string else None)
    current = {"current_a": None, "string": {"current_a": 45.0}} if sends_string else {"current_a": 45.0}
    for minute in range(10, 40):
        await post_minutes(world, range(minute, minute + 1), voltage_v=12.0 - 0.06 * (minute - 10), **current)
    found = await world.alerts(active="true")
    assert {(one["string_id"], one["rule_id"]) for one in found if one["battery_id"] is None} >= {
        (STRINGS[0], "data_quality.current")
    }
    of_batteries = {(one["battery_id"], one["rule_id"]) for one in found if one["type"] == "voltage_low"}
    assert of_batteries == {(code, "voltage_low.empty") for code in MEMBERS}


async def test_a_current_that_stays_in_discharge_does_not_switch_the_float_rules_off(world: World) -> None:
    # The sensor froze at the end of a discharge: the charger holds the string, and one battery is far too low.
    for minute in range(60):
        low = {"voltage_v": 12.4} if minute >= 10 else {}
        at = START + minute * MINUTE
        body = {"string_readings": [string_reading(at, current_a=-60.0)]}
        readings = [reading(code, at, current_a=None, **(low if code == FIRST else {})) for code in MEMBERS]
        await world.post(body | {"readings": readings})
    assert {"data_quality.current", "voltage_low.float_critical"} <= await rules(world)


async def test_a_true_discharge_and_its_recharge_contradict_nothing(world: World) -> None:
    for minute in range(60):
        current = -60.0 if minute < 20 else 15.0
        voltage = 13.6 if minute == 0 else 12.3 - 0.03 * minute if minute < 20 else 12.2 + 0.02 * minute
        await post_minutes(world, range(minute, minute + 1), voltage_v=voltage, current_a=current)
    assert await rules(world) == set()


async def test_a_string_voltage_that_is_not_the_sum_of_its_batteries_is_named(world: World) -> None:
    total_v = PER_STRING * 13.65
    await post_minutes(world, range(30), string={"current_a": 0.1, "voltage_v": total_v * 1.01})
    assert await rules(world) == set()
    await post_minutes(world, range(30, 60), string={"current_a": 0.1, "voltage_v": total_v - 13.65})
    assert await rules(world) == {"data_quality.string_sum"}
    await post_minutes(world, range(60, 90), string={"current_a": 0.1, "voltage_v": total_v})
    assert await rules(world) == set()


async def test_batteries_that_report_alone_are_summed_as_well(world: World) -> None:
    for minute in range(30):
        at = START + minute * MINUTE
        for second, code in enumerate(MEMBERS):
            await world.post({"readings": [reading(code, at + timedelta(seconds=second))]})
        await world.post({"string_readings": [string_reading(at + timedelta(seconds=10), voltage_v=70.0)]})
    assert await rules(world) == {"data_quality.string_sum"}


async def test_a_float_current_in_another_unit_contradicts_the_current(world: World) -> None:
    await post_minutes(world, range(30), string={"current_a": 0.2, "float_current_ma": 50.0})
    assert await rules(world) == set()
    await post_minutes(world, range(30, 60), string={"current_a": 0.2, "float_current_ma": 5000.0})
    assert {"data_quality.float_current", "current_high.float_critical"} == await rules(world)


async def test_a_frozen_battery_is_named_on_float_and_its_estimates_are_withheld(world: World) -> None:
    dice = np.random.default_rng(4)
    for minute in range(100):
        at = START + minute * MINUTE
        noise = np.round(dice.normal(0, 0.02, PER_STRING), 2)
        values = {
            code: 13.62 if code == BATTERIES[2] else 13.6 + move for code, move in zip(MEMBERS, noise, strict=True)
        }
        await world.post({"readings": [reading(code, at, voltage_v=volts) for code, volts in values.items()]})
    found = {(one["battery_id"], one["rule_id"]) for one in await world.alerts(active="true")}
    assert found == {(BATTERIES[2], "sensor_fault.voltage_flat")}
    assert (await live(world, BATTERIES[2]))["soc"]["reason"] == "sensor_fault"
    await world.post({"readings": [reading(BATTERIES[2], START + 100 * MINUTE, voltage_v=13.6)]})
    assert await rules(world) == set()


async def test_heat_with_contrary_readings_raises(world: World) -> None:
    # Every fifth reading is a glitch of the sensor; the battery is above 40 °C for the rest of the time.
    for minute in range(100):
        celsius = 25.0 if minute % 5 == 4 else 46.0
        await world.post({"readings": [reading(FIRST, START + minute * MINUTE, temperature_c=celsius)]})
    assert "temperature_high.critical" in await rules(world)


async def test_bursts_with_long_pauses_add_up_to_a_hold(world: World) -> None:
    # A module that sends five readings and then sleeps for a quarter of an hour, hot throughout.
    at = NOW - timedelta(hours=12)
    while at < NOW:
        burst = [reading(FIRST, at + timedelta(seconds=2 * step), temperature_c=46.0) for step in range(5)]
        await world.post({"readings": burst})
        at += timedelta(minutes=15)
    assert "temperature_high.critical" in await rules(world)
    assert await world.watch(began_at=NOW - timedelta(days=1)).run_once(world.published) == []
