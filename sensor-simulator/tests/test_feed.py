from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_contracts.fleet import FleetRow
from battery_contracts.telemetry import TelemetryBatch
from battery_sim.batch import Batch
from battery_sim.feed import Feed, FeedPlan, UnknownStrings
from battery_synth.world import World
from tests.conftest import START

SECOND = timedelta(seconds=1)


def quiet_start(world: World, span: timedelta) -> datetime:
    """Return an instant from which no mains change falls into a span."""
    at = world.time
    while (change := world.next_change_after(at)) - at < span:
        at = change + timedelta(minutes=30)
    return at


@pytest.fixture
def world(fleet: tuple[FleetRow, ...]) -> World:
    world = World.create(fleet, seed=7, start=START)
    world.advance(quiet_start(world, timedelta(minutes=20)))
    return world


def run(feed: Feed, seconds: int) -> list[tuple[datetime, Batch | None]]:
    ticks = []
    for _ in range(seconds):
        at = feed.world.time + SECOND
        ticks.append((at, feed.tick(at)))
    return ticks


def strings_of(batch: Batch | None) -> list[str]:
    content = orjson.loads(batch.body) if batch else {}
    return [reading["string_id"] for reading in content.get("string_readings", [])]


def test_first_tick_reports_every_string_with_its_resistance(world: World, fleet: tuple[FleetRow, ...]) -> None:
    ((_, batch),) = run(Feed(world, FeedPlan()), 1)
    assert batch is not None
    columns = orjson.loads(batch.body)["columns"]
    assert sorted(columns["battery_id"]) == sorted(row.battery_id for row in fleet)
    assert all(value is not None and 1.0 < value < 20.0 for value in columns["internal_resistance_mohm"])


def test_each_string_reports_once_a_minute_and_something_moves_all_the_time(world: World) -> None:
    feed = Feed(world, FeedPlan())
    run(feed, 1)
    minute = run(feed, 60)
    counts = Counter(string for _, batch in minute for string in strings_of(batch))
    assert counts == dict.fromkeys(world.string_ids, 1)
    # 18 strings over 60 s: one every 3 or 4 s, never two at once.
    busy = [number for number, (_, batch) in enumerate(minute) if strings_of(batch)]
    assert len(busy) == len(world.string_ids)
    assert {later - earlier for earlier, later in pairwise(busy)} <= {3, 4}


def test_whole_fleet_has_a_report_every_second(whole_fleet: tuple[FleetRow, ...]) -> None:
    world = World.create(whole_fleet, seed=7, start=START)
    world.advance(quiet_start(world, timedelta(minutes=3)))
    feed = Feed(world, FeedPlan())
    run(feed, 1)
    assert all(strings_of(batch) for _, batch in run(feed, 60))


@settings(deadline=None, max_examples=8)
@given(interval_s=st.floats(1.0, 60.0), changed_to_s=st.floats(1.0, 60.0))
def test_any_interval_gives_its_rate_also_after_a_change(
    fleet: tuple[FleetRow, ...], interval_s: float, changed_to_s: float
) -> None:
    world = World.create(fleet, seed=7, start=START)
    world.advance(quiet_start(world, timedelta(minutes=20)))
    feed = Feed(world, FeedPlan(interval_s=interval_s))
    for each_s in (interval_s, changed_to_s):
        feed.change(interval_s=each_s)
        run(feed, 61)
        counts = Counter(string for _, batch in run(feed, 120) for string in strings_of(batch))
        assert counts.keys() == set(world.string_ids)
        assert all(abs(count - 120 / each_s) <= 1.0 for count in counts.values())


def test_discharging_string_reports_every_two_seconds_and_once_when_it_stops(fleet: tuple[FleetRow, ...]) -> None:
    world = World.create(fleet, seed=7, start=START)
    feed = Feed(world, FeedPlan())
    run(feed, 1)
    for _ in range(40):
        feed.pass_over(world.next_change_after(world.time).replace(microsecond=0))
        feed.pass_over(world.time + SECOND)
        if len(world.discharging()) > 1 and world.next_change_after(world.time) - world.time > timedelta(seconds=8):
            break
    working = world.discharging()
    assert working, "no outage in the world of this seed"
    reports: dict[str, list[datetime]] = {string: [] for string in working}
    ended = None
    while ended is None or world.time < ended + timedelta(seconds=3):
        ((at, batch),) = run(feed, 1)
        seen = strings_of(batch)
        if ended is None and not world.discharging(working):
            ended = at
            assert working <= set(seen)
        for string in working & set(seen):
            if ended is None:
                reports[string].append(at)
    for times in reports.values():
        steps = {later - earlier for earlier, later in pairwise(times)}
        assert len(times) >= 4
        assert steps == {timedelta(seconds=2)}


def test_resistance_comes_at_start_and_then_once_a_day(fleet: tuple[FleetRow, ...]) -> None:
    one = fleet[:24]
    feed = Feed(World.create(one, seed=7, start=START), FeedPlan(discharge_interval_s=60.0))
    measured = []
    for _ in range(2 * 24 * 60):
        at = feed.world.time + timedelta(minutes=1)
        batch = feed.tick(at)
        if batch is not None and batch.measured_strings:
            measured.append(at)
    assert measured[0] == START + timedelta(minutes=1)
    assert len(measured) == 3
    assert timedelta(days=1) - timedelta(minutes=2) <= measured[2] - measured[1] <= timedelta(days=1, minutes=2)


def test_measurement_of_a_batch_that_was_not_kept_is_made_again(world: World) -> None:
    feed = Feed(world, FeedPlan())
    ((_, first),) = run(feed, 1)
    assert first is not None
    feed.take_back(first)
    again = [batch.measured_strings for _, batch in run(feed, 60) if batch is not None]
    assert frozenset().union(*again) == frozenset(world.string_ids)


def test_same_seed_gives_the_same_bytes(fleet: tuple[FleetRow, ...]) -> None:
    runs = []
    for _ in range(2):
        feed = Feed(World.create(fleet, seed=11, start=START), FeedPlan(interval_s=5.0))
        runs.append([batch.body for _, batch in run(feed, 60) if batch is not None])
    assert runs[0] == runs[1]
    other = Feed(World.create(fleet, seed=12, start=START), FeedPlan(interval_s=5.0))
    assert [batch.body for _, batch in run(other, 60) if batch is not None] != runs[0]


def test_disabled_feed_moves_on_without_a_word_and_comes_back(world: World) -> None:
    feed = Feed(world, FeedPlan(enabled=False))
    assert [batch for _, batch in run(feed, 90) if batch is not None] == []
    feed.change(enabled=True)
    ((_, batch),) = run(feed, 1)
    assert sorted(strings_of(batch)) == sorted(world.string_ids)


def test_filter_feeds_its_strings_and_their_location_only(world: World) -> None:
    chosen = world.string_ids[3]
    feed = Feed(world, FeedPlan(strings=(chosen,)))
    contents = [orjson.loads(batch.body) for _, batch in run(feed, 120) if batch is not None]
    assert {r["string_id"] for c in contents for r in c.get("string_readings", [])} == {chosen}
    assert {r["location_id"] for c in contents for r in c.get("site_readings", [])} == {chosen[:9]}
    feed.change(strings=None)
    run(feed, 60)
    assert set(feed.modes) == set(world.string_ids)


def test_unknown_string_is_refused_and_changes_nothing(world: World) -> None:
    feed = Feed(world, FeedPlan())
    with pytest.raises(UnknownStrings, match="DC-ZZZ-01"):
        feed.change(strings=("DC-ZZZ-01-UPS-01-STR-01",), interval_s=5.0)
    assert feed.plan == FeedPlan()


def test_locations_report_once_a_minute_and_batches_follow_the_contract(world: World) -> None:
    feed = Feed(world, FeedPlan())
    batches = [TelemetryBatch.model_validate_json(batch.body) for _, batch in run(feed, 180) if batch is not None]
    counts = Counter(reading.location_id for batch in batches for reading in batch.site_readings or ())
    assert counts == dict.fromkeys(world.location_ids, 3)
    assert all(reading.mode is not None for batch in batches for reading in batch.string_readings or ())


def test_silent_time_is_a_gap(world: World) -> None:
    feed = Feed(world, FeedPlan())
    run(feed, 61)
    woke = world.time + timedelta(minutes=10)
    feed.pass_over(woke)
    batches = [batch for _, batch in run(feed, 60) if batch is not None]
    assert all(batch.time > woke for batch in batches)
    assert Counter(s for batch in batches for s in strings_of(batch)).keys() == set(world.string_ids)
