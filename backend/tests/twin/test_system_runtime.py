from datetime import timedelta
from typing import Any

import httpx
import pytest

from .world import HERE, LOCATIONS, NOW, PER_STRING, RATED_AH, STRINGS, World

SYSTEM, OTHER = f"{LOCATIONS[0]}-UPS-01", STRINGS[1]
MINUTE = timedelta(minutes=1)


async def both(world: World, here_a: float, other_a: float, minute: int = 0) -> None:
    at = NOW + minute * MINUTE
    await world.load(here_a, [at], volts=13.6)
    await world.load(other_a, [at], volts=13.6, string=OTHER)


async def runtime(world: World, **query: Any) -> dict[str, Any]:
    return await world.get(f"systems/{SYSTEM}/runtime", **query)


def loads(found: dict[str, Any]) -> list[float | None]:
    return [string["load"] and string["load"]["current_a"] for string in found["strings"]]


async def test_the_system_has_the_least_quantiles_of_its_strings(world: World) -> None:
    await both(world, -40.0, -80.0)
    found = await runtime(world)
    assert found["load"] == {"basis": "present", "current_a": -120.0, "power_w": None}
    assert loads(found) == [-40.0, -80.0]
    own = {string["string_id"]: string for string in found["strings"]}
    for name in ("runtime_p10_s", "runtime_p50_s", "runtime_p90_s"):
        assert found[name] == own[OTHER][name] < own[HERE][name]
    assert found["runtime_p50_s"] == pytest.approx(3600 * RATED_AH * 0.95 / 80)
    assert (found["limiting_string_id"], found["limiting_battery_id"]) == (OTHER, own[OTHER]["limiting_battery_id"])
    assert (found["reason"], found["withheld_count"], found["reaches_cut_off"]) == (None, 0, True)


async def test_a_given_load_is_shared_by_present_currents_else_by_capacity(world: World) -> None:
    await both(world, 0.1, 0.1)
    assert loads(await runtime(world, current_a=-90)) == [-45.0, -45.0]
    await world.rows(
        "with m as (insert into battery_model (code, manufacturer, name, chemistry, nominal_voltage_v, cell_count, "
        "rated_capacity_ah, float_voltage_low_v, float_voltage_high_v, float_compensation_v_per_c, "
        "nominal_resistance_mohm, max_charge_current_a, mass_kg, design_life_years) select 'HALF', manufacturer, name, "
        "chemistry, nominal_voltage_v, cell_count, 60, float_voltage_low_v, float_voltage_high_v, "
        "float_compensation_v_per_c, nominal_resistance_mohm, max_charge_current_a, mass_kg, design_life_years "
        "from battery_model returning id) "
        "update battery set model_id = m.id from m, string g where g.id = string_id and g.code = $1",
        OTHER,
    )
    assert loads(await runtime(world, current_a=-90)) == [-60.0, -30.0]
    await both(world, -30.0, -60.0, minute=1)
    assert loads(await runtime(world, current_a=-45)) == [-15.0, -30.0]
    by_power = await runtime(world, power_w=6000)
    assert [string["load"]["power_w"] for string in by_power["strings"]] == [2000.0, 4000.0]
    assert by_power["load"] == {"basis": "given", "current_a": None, "power_w": 6000.0}
    asked = [request.profile[0].power_w for request in world.simulator.asked[-2:]]
    assert asked == pytest.approx([2000 / PER_STRING, 4000 / PER_STRING])


async def test_on_float_the_last_loads_together_are_shared_by_capacity(world: World) -> None:
    await world.outage(NOW - 60 * MINUTE, 1)
    await world.load(-20.0, [NOW - 60 * MINUTE + timedelta(seconds=2 * at) for at in range(30)], string=OTHER)
    await world.load(0.1, [NOW - 40 * MINUTE], volts=13.6, string=OTHER)
    await world.record()
    await both(world, 0.1, 0.1)
    found = await runtime(world)
    assert loads(found) == pytest.approx([-40.0, -40.0])
    assert found["load"]["basis"] == "last_discharge"


async def test_of_a_system_that_discharges_in_part_each_string_keeps_its_own_load(world: World) -> None:
    await world.outage(NOW - 60 * MINUTE, 1)
    await world.record()
    await both(world, 0.1, -95.0)
    found = await runtime(world)
    assert loads(found) == [pytest.approx(-60.0), -95.0]
    assert found["load"]["basis"] == "last_discharge"


async def test_a_string_without_a_runtime_leaves_the_system_without_one(world: World) -> None:
    await both(world, -60.0, -60.0)
    await world.rows(
        "update battery_state s set soh_pct = null from battery b join string g on g.id = b.string_id "
        "where b.id = battery_id and g.code = $1",
        OTHER,
    )
    found = await runtime(world)
    assert (found["runtime_p10_s"], found["reason"]) == (None, "fewer_than_half_known")
    assert (found["limiting_string_id"], found["withheld_count"]) == (None, PER_STRING)
    here, other = found["strings"]
    assert here["runtime_p50_s"] is not None
    assert (other["runtime_p50_s"], other["reason"]) == (None, "fewer_than_half_known")
    assert [one["reason"] for one in other["unknown_batteries"]] == ["no_estimate_yet"] * PER_STRING


async def test_without_a_load_on_record_the_reason_says_so(world: World) -> None:
    await both(world, 0.1, 0.1)
    found = await runtime(world)
    assert (found["runtime_p50_s"], found["load"], found["reason"]) == (None, None, "no_load_on_record")


async def test_what_a_system_is_refused_for(world: World) -> None:
    await both(world, -60.0, -60.0)
    for query in ({"current_a": 60}, {"current_a": -60, "power_w": 5000}, {"power_w": 6 * 40_001}):
        refused = await runtime(world, status=422, **query)
        assert refused["code"] == "load_invalid"
    for system in (SYSTEM, "NONE"):
        assert (await world.get(f"systems/{system}/runtime", who="nok", status=404))["code"] == "system_not_found"
    world.simulator.failure = httpx.Response(503, json={"code": "unavailable"})
    assert (await runtime(world, status=503))["code"] == "twin_unavailable"
