"""Alerts about a remaining life that fell, and about a low state of health."""

from datetime import timedelta

import pytest

from battery_api.alerts.engine.predictions import Health
from battery_api.alerts.prediction_drafts import OUTLASTS_AFTER

from .estimates import DAY, active, estimate, predict, watch_of, watch_once
from .test_prediction_watch import override
from .world import FIRST, NOW, World, named

FELL = ("raised", "rul_change", FIRST)


async def steady(world: World, p50: float = 1000.0, days: int = 5, **values: object) -> None:
    """Append predictions that agree, and let the watch see the last."""
    for day in range(days):
        await predict(world, 400.0, p50 - day, day=day, **values)
    assert await watch_once(world) == []


async def test_a_fall_of_the_p50_raises_and_two_days_that_agree_clear(world: World) -> None:
    await steady(world)
    await predict(world, 400.0, 600.0, day=5)
    watch = watch_of(world)
    await watch.run_once(world.published)
    assert world.published.take() == [FELL]
    (alert,) = await world.alerts()
    assert (alert["severity"], alert["threshold"], alert["unit"]) == ("warning", 30.0, "%")
    assert alert["value"] == pytest.approx(100 * 395 / 995)
    assert alert["message_params"]["before_days"] == pytest.approx(995.0)
    assert "fell by 40 % to 600 days" in alert["message"]
    assert await world.open_counts(FIRST) == (0, 1, 0)
    await predict(world, 400.0, 450.0, day=6)
    assert await watch_once(world) == []
    # One of the two may be far from the other; then neither is settled.
    await predict(world, 400.0, 600.0, day=7)
    assert await watch_once(world) == []
    await predict(world, 400.0, 590.0, day=8)
    await watch.run_once(world.published)
    assert world.published.take() == [("cleared", "rul_change", FIRST)]
    # The fall from the days before is known: it is not raised again.
    await predict(world, 400.0, 595.0, day=9)
    assert await watch_once(world) == []
    assert await world.open_counts(FIRST) == (0, 0, 0)
    # A further fall is.
    await predict(world, 400.0, 390.0, day=10)
    assert await watch_once(world) == [FELL]


@pytest.mark.parametrize(
    ("before_days", "after_days"), [(1000.0, 720.0), (250.0, 165.0)], ids=["below 30 %", "below 90 d"]
)
async def test_a_small_fall_raises_nothing(world: World, before_days: float, after_days: float) -> None:
    await steady(world, before_days)
    await predict(world, 400.0, after_days, day=5)
    assert await watch_once(world) == []


async def test_the_passing_of_time_is_no_fall(world: World) -> None:
    await predict(world, 400.0, 60.0)
    await predict(world, 400.0, 31.0, day=29)
    assert await watch_once(world) == []


async def test_the_median_of_thirty_days_counts_not_one_day(world: World) -> None:
    await predict(world, 400.0, 3000.0)
    await steady(world)
    await predict(world, 400.0, 900.0, day=5)
    assert await watch_once(world) == []


async def test_predictions_of_more_than_thirty_days_ago_do_not_count(world: World) -> None:
    await steady(world)
    await predict(world, 400.0, 100.0, day=40)
    assert await watch_once(world) == []


async def test_another_model_version_is_no_fall_until_it_has_days_of_its_own(world: World) -> None:
    await steady(world)
    await predict(world, 400.0, 500.0, day=5, ml_model_version="v2")
    assert await watch_once(world) == []
    await predict(world, 400.0, 300.0, day=6, ml_model_version="v2")
    assert await watch_once(world) == [FELL]
    (alert,) = await world.alerts()
    assert alert["message_params"]["compared_count"] == 1
    assert alert["message_params"]["before_days"] == pytest.approx(499.0)


async def test_a_source_that_is_away_is_no_fall(world: World) -> None:
    await steady(world)
    await predict(world, 400.0, 500.0, day=5, source="twin")
    assert await watch_once(world) == []


async def test_a_withheld_day_and_a_second_run_of_a_day_settle_nothing(world: World) -> None:
    await steady(world)
    await predict(world, 400.0, 500.0, day=5)
    assert await watch_once(world) == [FELL]
    await predict(world, None, day=6)
    await predict(world, 400.0, 498.0, day=7)
    await predict(world, 400.0, 498.0, day=7)
    assert await watch_once(world) == []
    assert await active(world) == [("rul_change", "warning")]


async def test_a_lower_bound_is_no_fall(world: World) -> None:
    await steady(world)
    await predict(world, 400.0, 500.0, day=5, fused_longer_than_days=500.0)
    assert await watch_once(world) == []


async def test_an_alert_about_a_fall_ends_when_its_rule_is_switched_off(world: World) -> None:
    await steady(world)
    await predict(world, 400.0, 500.0, day=5)
    await watch_once(world)
    await override(world, "rul_change.p50", scope="battery", scope_id=FIRST, enabled=False)
    assert await watch_once(world) == [("cleared", "rul_change", FIRST)]


async def test_a_low_state_of_health_is_a_warning_with_its_evidence(world: World) -> None:
    await estimate(world, 78.0, 2.0, "measured")
    assert await watch_once(world) == [("raised", "soh_degraded", FIRST)]
    (alert,) = await world.alerts()
    assert alert["message"] == "State of health 78 %, limit 80 % (measured); plan the replacement"
    assert (alert["message_params"]["source"], alert["message_params"]["soh_sd_pct"]) == ("twin", 2.0)
    assert await active(world) == [("soh_degraded", "warning")]
    await estimate(world, 81.0, 2.0, "measured")
    assert await watch_once(world) == []
    await estimate(world, 82.5, 2.0, "measured")
    assert await watch_once(world) == [("cleared", "soh_degraded", FIRST)]


@pytest.mark.parametrize("provenance", ["prior_only", "ohmic_inferred", None])
async def test_a_state_of_health_without_capacity_evidence_neither_raises_nor_clears(
    world: World, provenance: str | None
) -> None:
    await estimate(world, 40.0 if provenance else None, 1.0 if provenance else None, provenance)
    assert await watch_once(world) == []
    await estimate(world, 70.0, 1.0, "discharge_inferred")
    await watch_once(world)
    await estimate(world, 99.0 if provenance else None, 1.0 if provenance else None, provenance)
    assert await watch_once(world) == []
    assert await active(world) == [("soh_degraded", "warning")]


async def test_a_faulty_sensor_withholds_the_state_of_health(world: World) -> None:
    await world.rows('update battery_state set rule_state = \'{"sensor_fault": {"alert": 1}}\'')
    await estimate(world, 40.0, 1.0, "measured")
    assert await watch_once(world) == []


async def test_a_wide_interval_is_no_critical_alert_and_a_narrow_one_escalates(world: World) -> None:
    await estimate(world, 55.0, 8.0, "discharge_inferred")
    await watch_once(world)
    assert await active(world) == [("soh_degraded", "warning")]
    await estimate(world, 55.0, None, "discharge_inferred")
    assert await watch_once(world) == []
    await estimate(world, 55.0, 2.0, "discharge_inferred")
    assert await watch_once(world) == [("escalated", "soh_degraded", FIRST)]
    assert await active(world) == [("soh_degraded", "critical")]
    assert await world.open_counts(FIRST) == (0, 0, 1)
    (alert,) = await world.alerts()
    assert alert["value"] == pytest.approx(Health(55.0, 2.0, "measured").upper_pct)
    # Evidence that grows old widens the interval; that is no recovery.
    await estimate(world, 55.0, 12.0, "discharge_inferred")
    assert await watch_once(world) == []
    await estimate(world, 90.0, 2.0, "measured")
    assert await watch_once(world) == [("cleared", "soh_degraded", FIRST)]


async def test_a_low_state_of_health_outlasts_its_resolution(world: World) -> None:
    await estimate(world, 70.0, 2.0, "measured")
    await watch_once(world)
    (alert,) = await world.alerts()
    path = f"alerts/{alert['alert_id']}/resolve"
    assert (await world.client.post(path, json={"note": "ordered"}, headers=named("somchai"))).status_code == 200
    world.published.take()
    world.clock.set(NOW + OUTLASTS_AFTER - timedelta(seconds=1))
    assert await watch_once(world) == []
    world.clock.set(NOW + DAY)
    assert await watch_once(world) == [("reopened", "soh_degraded", FIRST)]
