import asyncio
import random
from datetime import timedelta

import pytest

from battery_api.telemetry.store.instants import microseconds
from battery_api.twin.discharge_job import Span, merged
from battery_api.twin.discharges import EVIDENCE_FROM_PCT
from battery_contracts.enums import Provenance

from .world import BATTERIES, FIRST, HERE, NOW, PER_STRING, RATED_AH, STRINGS, World, every

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
START = NOW - HOUR


async def test_an_outage_becomes_one_event_with_its_blocks(world: World) -> None:
    await world.outage(START)
    assert await world.record() == 1
    (event,) = await world.events()
    assert (event["string"], event["mode"], event["complete"], event["is_open"]) == (HERE, "discharge", True, False)
    assert (event["started_at"], event["ended_at"]) == (START, START + 10 * MINUTE)
    # 60 A over 10 min, and half of the 2 s steps at both ends.
    drawn_ah = 60.0 * 602 / 3600
    assert event["drawn_ah"] == pytest.approx(drawn_ah, rel=1e-5)
    assert event["depth_pct"] == pytest.approx(100 * drawn_ah / RATED_AH, rel=1e-5)
    assert event["mean_current_a"] == pytest.approx(-60.0)
    assert event["min_voltage_v"] == pytest.approx(12.0 * PER_STRING)
    assert event["mean_temperature_c"] == pytest.approx(25.0)
    assert event["lowest"] == BATTERIES[PER_STRING - 1]
    blocks = await world.rows("select * from discharge_battery order by battery_id")
    assert [row["end_voltage_v"] for row in blocks] == pytest.approx([12.0, 11.9, 11.8])
    # 8 % of rated say nothing of capacity.
    assert {row["soh_pct"] for row in blocks} == {None}


async def test_the_mean_temperature_of_a_discharge_weighs_time_not_readings(world: World) -> None:
    await world.load(0.1, every(60, START - 5 * MINUTE, 240), volts=13.6)
    # Ten minutes every two seconds, then twenty minutes once a minute, when it is warmer.
    await world.load(-60.0, every(2, START, 600), celsius=25.0)
    await world.load(-60.0, every(60, START + 11 * MINUTE, 1140), celsius=34.0)
    await world.load(25.0, every(60, START + 31 * MINUTE, 600), volts=13.0)
    await world.record()
    (event,) = await world.events()
    assert event["ended_at"] - event["started_at"] == 30 * MINUTE
    # The last cool reading holds for the minute until the first warm one.
    assert event["mean_temperature_c"] == pytest.approx((11 * 25 + 19 * 34) / 30, abs=0.01)


async def test_a_run_with_nothing_new_changes_nothing(world: World) -> None:
    await world.outage(START)
    await world.record()
    before = await world.rows("select xmin::text, * from discharge_event")
    assert await world.record() == 0
    assert await world.rows("select xmin::text, * from discharge_event") == before
    assert await world.rows("select * from discharge_mark") == []


async def test_float_alone_leaves_no_mark(world: World) -> None:
    await world.load(0.1, every(60, START, 600), volts=13.6)
    assert await world.rows("select * from discharge_mark") == []
    assert await world.record() == 0


async def test_an_event_grows_while_it_lasts_and_is_completed_afterwards(world: World) -> None:
    await world.load(0.1, every(60, START - 2 * MINUTE, 60), volts=13.6)
    await world.load(-60.0, every(2, START, 120))
    await world.record()
    (running,) = await world.events()
    assert (running["is_open"], running["complete"]) == (True, False)
    assert await world.rows("select * from discharge_battery") == []
    await world.load(-60.0, every(2, START + 122 * SECOND, 178))
    await world.record()
    (longer,) = await world.events()
    assert longer["id"] == running["id"]
    assert longer["drawn_ah"] == pytest.approx(60 * 301 / 3600, rel=1e-5)
    await world.load(20.0, every(60, START + 302 * SECOND, 600), volts=13.2)
    await world.record()
    (over,) = await world.events()
    assert (over["id"], over["is_open"], over["complete"]) == (running["id"], False, True)
    assert len(await world.rows("select * from discharge_battery")) == PER_STRING


async def test_a_long_discharge_is_read_again_when_it_has_grown_not_each_minute(world: World) -> None:
    await world.load(-3.0, every(60, NOW - 10 * HOUR, 10 * 3600))
    assert await world.record() == 1
    await world.load(-3.0, every(60, NOW + MINUTE, 9 * 60))
    assert await world.record() == 0
    assert len(await world.rows("select * from discharge_mark")) > 0
    # A late reading inside it is not kept waiting.
    await world.load(-3.0, [NOW - 5 * HOUR + SECOND])
    assert await world.record() == 1
    await world.load(-3.0, every(60, NOW + 10 * MINUTE, 5 * 60))
    assert await world.record() == 0
    await world.load(-3.0, every(60, NOW + 16 * MINUTE, 10 * 60))
    assert await world.record() == 1
    (event,) = await world.events()
    assert event["ended_at"] == NOW + 26 * MINUTE
    assert event["drawn_ah"] == pytest.approx(3 * (10 + 26 / 60), rel=1e-4)
    assert await world.rows("select * from discharge_mark") == []


async def test_mains_back_for_a_moment_do_not_split_an_outage_but_six_minutes_do(world: World) -> None:
    await world.load(-60.0, every(2, START, 60))
    await world.load(30.0, every(10, START + 70 * SECOND, 200), volts=13.0)
    await world.load(-60.0, every(2, START + 280 * SECOND, 60))
    await world.load(30.0, every(10, START + 350 * SECOND, 360), volts=13.0)
    await world.load(-60.0, every(2, START + 720 * SECOND, 60))
    await world.load(30.0, every(10, START + 800 * SECOND, 400), volts=13.0)
    await world.record()
    first, second = await world.events()
    assert (first["started_at"], first["ended_at"]) == (START, START + 340 * SECOND)
    assert first["mean_current_a"] == pytest.approx(-60.0)
    # The recharge between the two parts draws nothing.
    assert 60 * 120 / 3600 < first["drawn_ah"] < 60 * 135 / 3600
    assert second["started_at"] == START + 720 * SECOND


async def test_a_blink_is_no_discharge(world: World) -> None:
    await world.load(0.1, every(60, START - 5 * MINUTE, 240), volts=13.6)
    await world.load(-60.0, every(2, START, 6))
    await world.load(0.1, every(60, START + 8 * SECOND, 600), volts=13.6)
    assert await world.record() == 0
    assert await world.events() == []


async def test_a_test_is_distinguished_from_an_outage(world: World) -> None:
    await world.load(-12.0, every(10, START, 600), mode="test")
    await world.load(10.0, every(60, START + 610 * SECOND, 600), mode="recharge")
    await world.record()
    assert [event["mode"] for event in await world.events()] == ["test"]


async def test_late_rows_join_two_events_into_one(world: World) -> None:
    await world.load(-60.0, every(2, START, 120))
    await world.load(-60.0, every(2, START + 600 * SECOND, 120))
    await world.load(20.0, every(60, START + 730 * SECOND, 600), volts=13.2)
    await world.record()
    assert len(await world.events()) == 2
    await world.load(-60.0, every(2, START + 122 * SECOND, 476))
    await world.record()
    (event,) = await world.events()
    assert (event["started_at"], event["ended_at"]) == (START, START + 720 * SECOND)
    assert event["drawn_ah"] == pytest.approx(60 * 720 / 3600, rel=1e-2)
    assert len(await world.rows("select * from discharge_battery")) == PER_STRING


async def test_a_late_beginning_moves_the_start_and_leaves_no_second_event(world: World) -> None:
    await world.load(-60.0, every(2, START, 120))
    await world.load(20.0, every(60, START + 130 * SECOND, 600), volts=13.2)
    await world.record()
    await world.load(-60.0, every(2, START - 2 * HOUR, 2 * 3600 - 2))
    await world.record()
    (event,) = await world.events()
    assert (event["started_at"], event["ended_at"]) == (START - 2 * HOUR, START + 120 * SECOND)


async def test_order_and_cutting_of_batches_do_not_matter(world: World) -> None:
    whole = every(2, START, 400)
    await world.load(0.1, every(60, START - 5 * MINUTE, 240), volts=13.6)
    await world.load(20.0, every(60, START + 402 * SECOND, 600), volts=13.2)
    dice = random.Random(7)
    dice.shuffle(whole)
    for start in range(0, len(whole), 40):
        await world.load(-60.0, sorted(whole[start : start + 40]))
        await world.record()
    await world.load(-60.0, every(2, START, 400), string=STRINGS[1])
    await world.load(0.1, every(60, START - 5 * MINUTE, 240), string=STRINGS[1], volts=13.6)
    await world.load(20.0, every(60, START + 402 * SECOND, 600), string=STRINGS[1], volts=13.2)
    await world.record()
    one, other = ({key: value for key, value in event.items() if key in SAME} for event in await world.events())
    assert one == other
    assert one["complete"]


SAME = ("started_at", "ended_at", "drawn_ah", "depth_pct", "mean_current_a", "min_voltage_v", "complete", "is_open")


async def test_silence_in_a_discharge_leaves_it_incomplete(world: World) -> None:
    await world.load(-60.0, every(2, START, 120))
    await world.record()
    world.clock.set(START + timedelta(days=2))
    await world.record()
    (event,) = await world.events()
    assert (event["complete"], event["is_open"]) == (False, False)
    assert len(await world.rows("select * from discharge_battery")) == PER_STRING


async def test_capacity_evidence_needs_depth_and_a_twin_that_inferred_it(world: World) -> None:
    await world.load(0.1, every(60, START - 5 * MINUTE, 240), volts=13.6)
    world.twin.soh_pct, world.twin.soh_sd_pct = 88.0, 3.0
    world.twin.provenance = Provenance.DISCHARGE_INFERRED
    await outage_deep(world)
    await world.record()
    (event,) = await world.events()
    assert event["depth_pct"] > EVIDENCE_FROM_PCT
    blocks = await world.rows("select soh_pct, soh_sd_pct, soh_provenance from discharge_battery")
    assert blocks == [{"soh_pct": 88.0, "soh_sd_pct": 3.0, "soh_provenance": "discharge_inferred"}] * PER_STRING
    # Judged again when the twin has long moved on: what it said then stands.
    world.twin.soh_pct = 60.0
    await world.load(0.1, every(60, START + HOUR, 60), volts=13.6)
    await world.load(-60.0, [START + SECOND])
    assert await world.record() == 1
    assert {row["soh_pct"] for row in await world.rows("select soh_pct from discharge_battery")} == {88.0}


async def outage_deep(world: World) -> None:
    await world.load(-60.0, every(10, START, 30 * 60), volts=11.9)
    await world.load(25.0, every(60, START + 30 * MINUTE + 10 * SECOND, 600), volts=13.0)


@pytest.mark.parametrize("again", [False, True])
async def test_a_job_that_comes_late_finds_the_evidence_of_the_last_discharge_alone(world: World, again: bool) -> None:
    world.twin.provenance = Provenance.DISCHARGE_INFERRED
    await world.load(0.1, every(60, START - 5 * MINUTE, 240), volts=13.6)
    await outage_deep(world)
    await world.load(25.0, every(600, START + HOUR, 6 * 3600), volts=13.4)
    if again:
        await world.outage(START + 9 * HOUR, 30, step_s=10)
    await world.record()
    has_health = [
        row["soh_pct"] is not None
        for row in await world.rows("select soh_pct from discharge_battery order by event_id, battery_id")
    ]
    assert has_health == ([False] * PER_STRING + [True] * PER_STRING if again else [True] * PER_STRING)


async def test_a_twin_that_was_away_gives_no_evidence_of_a_discharge(world: World) -> None:
    world.twin.provenance = Provenance.DISCHARGE_INFERRED
    await world.load(0.1, every(60, START - 5 * MINUTE, 240), volts=13.6)
    world.twin.is_down = True
    await world.load(-60.0, every(10, START, 30 * 60), volts=11.9)
    world.twin.is_down = False
    await world.load(25.0, every(60, START + 30 * MINUTE + 10 * SECOND, 600), volts=13.0)
    await world.record()
    states = await world.rows("select soh_provenance from battery_state where soh_pct is not null")
    assert {row["soh_provenance"] for row in states} == {"discharge_inferred"}
    assert {row["soh_pct"] for row in await world.rows("select soh_pct from discharge_battery")} == {None}


async def test_prior_alone_is_no_evidence(world: World) -> None:
    await outage_deep(world)
    await world.record()
    assert {row["soh_pct"] for row in await world.rows("select soh_pct from discharge_battery")} == {None}


async def test_a_string_without_readings_is_followed_through_its_batteries(world: World) -> None:
    blocks = [code for code in BATTERIES if HERE in code]
    for at in every(10, START, 300):
        world.clock.set(max(world.clock.now(), at))
        await world.post(
            {
                "readings": [
                    {"battery_id": code, "time": at.isoformat(), "voltage_v": 12.0, "current_a": -40.0}
                    for code in blocks
                ]
            }
        )
    await world.record()
    (event,) = await world.events()
    assert event["mean_current_a"] == pytest.approx(-40.0)
    assert event["min_voltage_v"] is None


async def test_both_engines_record_the_same(world: World, timescale_world: World) -> None:
    found = []
    for one in (world, timescale_world):
        one.clock.set(NOW)
        await one.outage(START)
        await one.record()
        events = [{key: event[key] for key in (*SAME, "string", "lowest")} for event in await one.events()]
        daily = await one.rows("select battery_id, day, time, soc_pct, soh_pct, soh_sd_pct from digital_twin_state")
        found.append((events, daily))
    assert found[0] == found[1]
    assert len(found[0][0]) == 1
    assert len(found[0][1]) == PER_STRING


async def test_the_days_newest_estimate_wins_and_past_days_stand(world: World) -> None:
    midnight = NOW.replace(hour=17)
    daily = "select day::text, soh_pct, soc_pct, soc_provenance, soh_sd_pct from digital_twin_state order by day"
    for at, soh_pct in ((midnight - 3 * MINUTE, 95.0), (midnight - 2 * MINUTE, 94.0)):
        world.twin.soh_pct = soh_pct
        await world.load(0.1, [at], volts=13.6)
        await world.record()
    assert {row["soh_pct"] for row in await world.rows(daily)} == {94.0}
    # A reading of the day before that the job sees only today does not rewrite yesterday.
    world.twin.soh_pct = 50.0
    await world.load(0.1, [midnight - MINUTE], volts=13.6)
    world.clock.set(midnight + MINUTE)
    await world.record()
    assert {row["soh_pct"] for row in await world.rows(daily)} == {94.0}
    world.twin.soh_pct = 93.0
    await world.load(0.1, [midnight + MINUTE], volts=13.6)
    await world.record()
    rows = await world.rows(daily)
    assert [(row["day"], row["soh_pct"]) for row in rows] == [("2026-11-20", 94.0)] * 3 + [("2026-11-21", 93.0)] * 3
    assert rows[0]["soc_provenance"] == "prior_only"


async def test_a_day_without_an_estimate_has_no_row(world: World) -> None:
    await world.rows("update battery_state set time = $1", NOW)
    await world.record()
    assert await world.rows("select * from digital_twin_state") == []


async def test_a_failed_run_keeps_its_marks(world: World) -> None:
    await world.outage(START)
    marks = await world.rows("select * from discharge_mark")
    await world.rows("alter table discharge_battery add constraint broken check (battery_id < 0)")
    with pytest.raises(Exception, match="broken"):
        await world.record()
    assert await world.rows("select * from discharge_mark") == marks
    await world.rows("alter table discharge_battery drop constraint broken")
    assert await world.record() == 1
    assert (await world.events())[0]["lowest"] is not None


async def test_a_swapped_block_has_no_part_in_later_discharges(world: World) -> None:
    await world.outage(START)
    await world.rows("update battery set removed_at = $1, removed_reason = 'x' where code = $2", START - HOUR, FIRST)
    await world.record()
    codes = await world.rows("select code from discharge_battery d join battery b on b.id = d.battery_id order by 1")
    assert [row["code"] for row in codes] == list(BATTERIES[1:PER_STRING])


def test_spans_that_touch_are_judged_at_once() -> None:
    minute_us = 60_000_000
    at_us = microseconds(NOW)
    spans = merged(
        [
            Span(at_us + 60 * minute_us, at_us + 61 * minute_us),
            Span(at_us, at_us),
            Span(at_us + minute_us, at_us + 15 * minute_us),
        ]
    )
    assert spans == [
        Span(at_us - 10 * minute_us, at_us + 25 * minute_us),
        Span(at_us + 50 * minute_us, at_us + 71 * minute_us),
    ]


async def test_two_runs_at_once_write_each_discharge_once(world: World) -> None:
    for string in STRINGS:
        await world.outage(START, 1, string=string)
    await asyncio.gather(*(world.record() for _ in range(3)))
    events = await world.events()
    assert [event["string"] for event in events] == sorted(STRINGS)
    assert len(await world.rows("select * from discharge_battery")) == len(BATTERIES)


async def test_rows_that_come_while_the_job_runs_are_judged_by_its_next_run(world: World) -> None:
    await world.load(-60.0, every(2, START, 60))
    for minute in range(1, 6):
        more = every(2, START + minute * MINUTE + 2 * SECOND, 58)
        await asyncio.gather(world.record(), world.load(-60.0, more))
    await world.record()
    (event,) = await world.events()
    assert (event["started_at"], event["ended_at"]) == (START, START + 6 * MINUTE)
    assert event["drawn_ah"] == pytest.approx(60 * 361 / 3600, rel=0.01)
