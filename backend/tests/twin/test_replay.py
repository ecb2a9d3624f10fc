"""What waited for the twin is estimated in its place: late discharges, outages of the twin, replays that break off."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from battery_api.twin.replay import job
from battery_api.twin.replay import run as replay_run
from battery_contracts.clients.errors import ServiceUnavailable
from battery_contracts.enums import Provenance, ReadingQuality
from battery_contracts.twin import EstimateRequest, EstimateResponse

from .world import BATTERIES, HERE, NOW, PER_STRING, ScriptedTwin, World, every

START = NOW - timedelta(hours=30)
MINUTE = timedelta(minutes=1)
WAITS = "select reestimate_from from string_state s join string g on g.id = s.string_id where g.code = $1"
SNAPSHOTS = """
    select n.at, n.is_kept, n.is_first, n.battery_ids from twin_snapshot n join string g on g.id = n.string_id
    where g.code = $1 order by n.at
"""
UNESTIMATED = f"select time from telemetry where quality & {int(ReadingQuality.TWIN_UNAVAILABLE)} <> 0 order by time"
READING_COUNTS = "select convert_from(substring(twin_state from 9), 'utf8')::int as readings from battery_state"


async def on_float(world: World, start: datetime, hours: float) -> None:
    """Report float every ten minutes, in a request each hour."""
    for hour in range(round(hours)):
        await world.load(0.1, every(600, start + timedelta(hours=hour), 3000), volts=13.6)


async def waits_from(world: World) -> datetime | None:
    (row,) = await world.rows(WAITS, HERE)
    found: datetime | None = row["reestimate_from"]
    return found


async def snapshots(world: World) -> list[dict[str, Any]]:
    return await world.rows(SNAPSHOTS, HERE)


async def readings_counted(world: World) -> list[int]:
    """Return how many readings stand behind the state of each battery, as the scripted twin counts them."""
    return [row["readings"] for row in await world.rows(f"{READING_COUNTS} where twin_state is not null")]


async def test_in_order_nothing_waits(world: World) -> None:
    await on_float(world, START, 8)
    assert await waits_from(world) is None
    assert await world.follow_up() == 0


async def test_snapshots_come_every_hour_and_stay_for_each_day_and_discharge(world: World) -> None:
    await on_float(world, START, 26)
    discharged_at = START + timedelta(hours=26, minutes=5)
    await world.load(-60.0, every(10, discharged_at, 300))
    taken = await snapshots(world)
    assert all(len(one["battery_ids"]) == PER_STRING for one in taken)
    gaps = {round((later["at"] - one["at"]).total_seconds() / 3600, 1) for one, later in pairwise(taken)}
    assert max(gaps) <= 1.2
    kept = [one["at"] for one in taken if one["is_kept"]]
    assert len(kept) == 3, "the first, one of the day that began since, and one before the discharge"
    assert kept[-1] == discharged_at - 15 * MINUTE, "the last reading before it"
    world.clock.set(NOW + timedelta(days=3))
    await job.thin_once(world.context)
    assert [one["at"] for one in await snapshots(world)] == kept
    world.clock.set(NOW + timedelta(days=world.context.settings.telemetry_retention_days + 3))
    await job.thin_once(world.context)
    assert await snapshots(world) == []


async def test_a_late_discharge_becomes_evidence(world: World) -> None:
    await on_float(world, START, 20)
    world.twin.soh_pct, world.twin.soh_sd_pct = 71.0, 2.0
    world.twin.provenance = Provenance.DISCHARGE_INFERRED
    late = START + timedelta(hours=9, minutes=1)
    await world.load(-60.0, every(10, late, 30 * 60), volts=11.9)
    await world.record()
    assert await waits_from(world) == late
    assert {row["soh_pct"] for row in await world.rows("select soh_pct from discharge_battery")} == {None}
    before = len(world.twin.requests)
    await world.follow_up()
    asked = sum(len(request.battery_id) for request in world.twin.requests[before:])
    assert asked < 1000, "it starts at the snapshot before the discharge, not at the beginning"
    blocks = await world.rows("select soh_pct, soh_sd_pct from discharge_battery")
    assert blocks == [{"soh_pct": 71.0, "soh_sd_pct": 2.0}] * PER_STRING
    assert await waits_from(world) is None
    assert await world.rows(UNESTIMATED) == []
    states = await world.rows("select soh_pct, soh_provenance from battery_state where twin_state is not null")
    assert states == [{"soh_pct": 71.0, "soh_provenance": "discharge_inferred"}] * PER_STRING
    rows = await world.rows("select count(*) from telemetry")
    assert await readings_counted(world) == [rows[0]["count"] // PER_STRING] * PER_STRING


async def test_what_a_twin_that_was_away_missed_is_made_up_for(world: World) -> None:
    await on_float(world, START, 2)
    world.twin.is_down = True
    await on_float(world, START + timedelta(hours=2), 2)
    assert await world.rows(UNESTIMATED)
    assert await job.run_once(world.context, world.app.state.parts.catalogue) == 0
    world.twin.is_down = False
    await on_float(world, START + timedelta(hours=4), 1)
    await world.follow_up()
    assert await world.rows(UNESTIMATED) == []
    (counted,) = await world.rows("select count(*) from telemetry")
    assert await readings_counted(world) == [counted["count"] // PER_STRING] * PER_STRING


async def test_a_longer_backlog_than_ingest_waits_for_is_estimated_after_it(world: World) -> None:
    times = every(60, START, 199 * 60)
    await world.post(
        {
            "readings": [
                {"battery_id": code, "time": at.isoformat(), "voltage_v": 13.6, "current_a": 0.1}
                for code in BATTERIES[:PER_STRING]
                for at in times
            ]
        }
    )
    assert len(await world.rows(UNESTIMATED)) > 100
    await world.follow_up()
    assert await world.rows(UNESTIMATED) == []
    assert await readings_counted(world) == [len(times)] * PER_STRING


class FailingTwin(ScriptedTwin):
    """Fails with its n-th call."""

    calls = 0
    fails_at = 0

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        self.calls += 1
        if self.calls == self.fails_at:
            raise ServiceUnavailable("digital-twin", "ReadError")
        return await super().estimate(request)


async def test_a_replay_that_breaks_off_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_run, "_ROWS_OF_SPAN", 40)
    await on_float(world, START, 10)
    await world.load(-60.0, [START + timedelta(minutes=35)])
    twin = FailingTwin()
    twin.fails_at = 4
    done = await job.run_once(replace(world.context, twin=twin), world.app.state.parts.catalogue)
    assert done == 3
    reached = await waits_from(world)
    assert reached is not None
    assert reached > START + timedelta(minutes=35)
    await world.follow_up()
    (counted,) = await world.rows("select count(*) from telemetry")
    assert await readings_counted(world) == [counted["count"] // PER_STRING] * PER_STRING


async def test_what_comes_even_later_meanwhile_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_run, "_ROWS_OF_SPAN", 40)
    await on_float(world, START, 10)
    await world.load(-60.0, [START + timedelta(hours=5, minutes=1)])
    catalogue = world.app.state.parts.catalogue

    class Interrupting(ScriptedTwin):
        """While it is asked for the first time, an even older reading comes, and a new one."""

        has_posted = False

        async def estimate(self, request: EstimateRequest) -> EstimateResponse:
            if not self.has_posted:
                self.has_posted = True
                await world.load(-60.0, [START + timedelta(hours=2, minutes=1)])
                await world.load(0.1, [START + timedelta(hours=11)], volts=13.6)
            return await super().estimate(request)

    await job.run_once(replace(world.context, twin=Interrupting()), catalogue)
    await world.follow_up()
    (counted,) = await world.rows("select count(*) from telemetry")
    assert await readings_counted(world) == [counted["count"] // PER_STRING] * PER_STRING
    assert await world.rows(UNESTIMATED) == []


async def test_before_the_first_snapshot_nothing_is_replayed(world: World) -> None:
    await on_float(world, START, 4)
    newest = "(select max(at) from twin_snapshot)"
    await world.rows(f"update twin_snapshot set is_first = true where at = {newest}")
    await world.rows("delete from twin_snapshot where not is_first")
    (first,) = await snapshots(world)
    await world.load(-60.0, [START + timedelta(minutes=1)])
    await world.follow_up()
    assert [row["time"] for row in await world.rows(UNESTIMATED)] == [START + timedelta(minutes=1)] * PER_STRING
    assert first["at"] > START + timedelta(minutes=1)


async def test_both_engines_replay_the_same(world: World, timescale_world: World) -> None:
    results = []
    for one in (world, timescale_world):
        await on_float(one, START, 6)
        await one.load(-60.0, every(30, START + timedelta(hours=2, minutes=1), 600), volts=11.9)
        await one.follow_up()
        results.append(await readings_counted(one))
        assert await one.rows(UNESTIMATED) == []
    assert results[0] == results[1]


async def test_a_swap_meanwhile_is_left_to_the_next_run(world: World) -> None:
    await on_float(world, START, 3)
    await world.load(-60.0, [START + timedelta(minutes=5)])
    catalogue = world.app.state.parts.catalogue

    class Swapping(ScriptedTwin):
        """While it is asked, the fleet changes."""

        async def estimate(self, request: EstimateRequest) -> EstimateResponse:
            await world.rows("update battery set serial_number = serial_number || 'x' where code = $1", BATTERIES[-1])
            return await super().estimate(request)

    twin = Swapping()
    assert await job.run_once(replace(world.context, twin=twin), catalogue) == 1
    assert len(twin.requests) <= 2
    assert await waits_from(world) is not None
    catalogue.forget()
    await world.follow_up()
    assert await world.rows(UNESTIMATED) == []
