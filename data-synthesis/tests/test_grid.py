from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from battery_synth.grid import OUTAGES_PER_YEAR, SHORT_EVENTS_PER_YEAR, GridSchedule, storm_factor
from battery_synth.sites import SITE_BY_CODE, SITES, Site

STRINGS = tuple(f"STR-{i}" for i in range(9))


def _sustained(schedule: GridSchedule, year: int) -> list[timedelta]:
    events = schedule.events_of(year)
    return [e.mains_back - e.start for e in events if e.string_id is None and e.mains_back > e.end]


@pytest.mark.parametrize("code", ["DC-BKK-01", "DC-KKN-01", "DC-HDY-01"])
def test_outages_come_at_the_rate_of_the_region_with_its_median(code: str) -> None:
    site = SITE_BY_CODE[code]
    lengths = [length for seed in range(120) for length in _sustained(GridSchedule(seed, site, STRINGS), 2026)]
    assert len(lengths) / 120 == pytest.approx(OUTAGES_PER_YEAR[site.region], rel=0.2)
    medians = {"central": 20, "northeastern": 40, "southern": 60}
    assert np.median([length / timedelta(minutes=1) for length in lengths]) == pytest.approx(
        medians[site.region], rel=0.25
    )


def test_short_events_stay_below_ten_seconds() -> None:
    site = SITE_BY_CODE["DC-HDY-01"]
    spans = [
        event.end - event.start
        for seed in range(30)
        for event in GridSchedule(seed, site, ()).events_of(2026)
        if event.mains_back == event.end and event.end - event.start != timedelta(seconds=15)
    ]
    # A few long-outage draws can be shorter than the generator's start: they count as short events too.
    assert len(spans) / 30 == pytest.approx(SHORT_EVENTS_PER_YEAR["southern"], rel=0.15)
    assert sorted(spans)[int(0.99 * len(spans))] < timedelta(seconds=10)


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.code)
def test_events_do_not_overlap_and_stay_in_their_year(site: Site) -> None:
    for year in (2025, 2026):
        events = GridSchedule(5, site, STRINGS).events_of(year)
        assert all(before.over <= after.start for before, after in pairwise(events))
        assert all(event.start.year == event.over.year == year for event in events)


def test_every_string_is_tested_once_and_the_generator_every_month() -> None:
    schedule = GridSchedule(5, SITE_BY_CODE["DC-BKK-02"], STRINGS)
    events = schedule.events_of(2026)
    tested = Counter(event.string_id for event in events if event.string_id)
    assert set(tested.values()) == {1}
    assert len(tested) >= 8  # an outage may take the place of one
    monthly = {e.start.month for e in events if e.string_id is None and e.end - e.start == timedelta(seconds=15)}
    assert len(monthly) >= 11


def test_short_string_tests_leave_the_mains_on() -> None:
    schedule = GridSchedule(5, SITE_BY_CODE["DC-BKK-02"], STRINGS)
    test = next(event for event in schedule.events_of(2026) if event.string_id)
    assert schedule.discharge_at(test.start) == test
    assert schedule.mains_at(test.start)
    assert schedule.discharge_at(test.end) is None


def test_healthy_generators_leave_seconds_on_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("battery_synth.grid.GENSET_FAILURE", 0.0)
    spans = [
        event.end - event.start
        for site in SITES
        for seed in range(20)
        for event in GridSchedule(seed, site, ()).events_of(2026)
    ]
    assert max(spans) <= timedelta(seconds=30)


def test_changes_lie_ahead_and_end_with_the_year() -> None:
    schedule = GridSchedule(5, SITE_BY_CODE["DC-PKT-01"], STRINGS)
    at, seen = datetime(2026, 1, 1, tzinfo=UTC), 0
    while at < datetime(2027, 1, 1, tzinfo=UTC):
        following = schedule.next_change_after(at)
        assert following > at
        at, seen = following, seen + 1
    assert at == datetime(2027, 1, 1, tzinfo=UTC)
    assert seen == 2 * len(schedule.events_of(2026)) + 1


def test_gulf_coast_storms_in_november_and_andaman_in_the_rainy_season() -> None:
    assert storm_factor("S-Gulf", 11) > storm_factor("S-Gulf", 7)
    assert storm_factor("S-Andaman", 7) > storm_factor("S-Andaman", 11)
