"""A resolution that a milder rule undoes: the alert keeps its severity, and nothing is recorded that was not seen."""

from datetime import timedelta
from typing import Any

from .test_api import act
from .test_prediction_watch import override
from .world import FIRST, NOW, World, iso


async def at_second(world: World, second: int, **values: Any) -> None:
    """Post one reading of one battery; a current alone says nothing of its temperature."""
    at = NOW + timedelta(seconds=second)
    world.clock.set(at)
    await world.post({"readings": [{"battery_id": FIRST, "time": iso(at), "current_a": 0.1, **values}]})


async def test_a_milder_rule_undoes_a_resolution_and_leaves_the_severity(world: World) -> None:
    await override(world, "temperature_high.high", scope="battery", scope_id=FIRST, hold_s=60.0)
    await at_second(world, 0, temperature_c=61.0)
    await at_second(world, 60, temperature_c=61.0)
    (alert,) = await world.alerts()
    assert (alert["rule_id"], alert["severity"]) == ("temperature_high.danger", "critical")
    assert (await act(world, alert["alert_id"], "resolve")).status_code == 200
    await at_second(world, 70, temperature_c=36.0)
    await at_second(world, 125, temperature_c=36.0)
    await at_second(world, 127)
    await at_second(world, 129)
    detail = await world.detail(alert["alert_id"])
    assert (detail["is_active"], detail["resolved_at"], detail["severity"]) == (True, None, "critical")
    assert (detail["rule_id"], detail["value"], detail["peak_value"]) == ("temperature_high.danger", 61.0, 61.0)
    assert [entry["kind"] for entry in detail["timeline"]] == ["raised", "resolved", "reopened"]
    shown = detail["timeline"][-1]["data"]
    assert (shown["rule_id"], shown["value"], shown["severity"]) == ("temperature_high.high", 36.0, "warning")


async def test_the_peak_of_an_alert_never_falls(world: World) -> None:
    await override(world, "temperature_high.high", scope="battery", scope_id=FIRST, hold_s=60.0, clear_hold_s=60.0)
    for second, celsius in ((0, 36.0), (60, 45.0), (120, 36.0)):
        await at_second(world, second, temperature_c=celsius)
    (alert,) = await world.alerts()
    assert (await act(world, alert["alert_id"], "resolve")).status_code == 200
    await at_second(world, 150, temperature_c=36.0)
    await at_second(world, 180, temperature_c=36.0)
    detail = await world.detail(alert["alert_id"])
    assert ([entry["kind"] for entry in detail["timeline"]][-1], detail["peak_value"]) == ("reopened", 45.0)


async def test_a_worse_return_moves_the_peak_at_once(world: World) -> None:
    for second, celsius in ((0, 61.0), (60, 50.0), (120, 50.0), (180, 70.0)):
        await at_second(world, second, temperature_c=celsius)
    (alert,) = await world.alerts()
    assert (alert["episode_count"], alert["value"], alert["peak_value"]) == (2, 70.0, 70.0)
