"""Capacity tests of a history: enough of them at every location and time of year, and none where it would harm."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_synth.outside.campaign import Campaign
from battery_synth.outside.grid import CAPACITY_TEST_S, DischargeSpan, Grid
from battery_synth.outside.locations import LOCATION_BY_CODE, LOCATIONS, LocationProfile

DAY_S = 86_400.0
STRINGS = 9
END = datetime(2026, 8, 1, 17, tzinfo=UTC)
every_location = pytest.mark.parametrize("location", LOCATIONS, ids=lambda location: location.code)
ends = st.integers(0, 4 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def campaign_of(end: datetime, days: float) -> Campaign:
    campaign = Campaign.at_the_end_of(end.timestamp() - days * DAY_S, end.timestamp())
    assert campaign is not None
    return campaign


def capacity_tests(seed: int, location: LocationProfile, campaign: Campaign | None, end: datetime) -> Iterator[float]:
    """Yield the starts of the capacity tests that are seen in the 90 days before an instant."""
    grid = Grid(seed, location, STRINGS, 120.0, campaign=campaign)
    for event in grid.discharges(end.timestamp() - 90 * DAY_S, end.timestamp()):
        if event.kind == "capacity_test":
            yield event.start_s


@every_location
def test_ninety_days_have_tests_at_every_location_wherever_in_the_year_they_end(location: LocationProfile) -> None:
    for week in range(53):
        end = datetime(2026, 1, 1, 7, 30, tzinfo=UTC) + timedelta(weeks=week)
        # Those of the cool season's plan are not added to them.
        assert len(list(capacity_tests(week, location, campaign_of(end, 90.0), end))) == STRINGS / 3


@given(
    seed=st.integers(0, 2**31),
    end=ends,
    days=st.floats(14.0, 400.0),
    strings=st.integers(1, 40),
    code=st.sampled_from(sorted(LOCATION_BY_CODE)),
)
def test_tests_are_of_different_strings_at_working_hours_and_off_the_margins(
    seed: int, end: datetime, days: float, strings: int, code: str
) -> None:
    tests = campaign_of(end, days).tests(seed, code, strings, CAPACITY_TEST_S)
    assert tests
    tested = [string for string, _ in tests]
    assert len(set(tested)) == len(tested) <= max(1, strings / 2)
    assert set(tested) <= set(range(strings))
    for _, start_s in tests:
        begins, over = (
            datetime.fromtimestamp(at_s, ZoneInfo("Asia/Bangkok")) for at_s in (start_s, start_s + CAPACITY_TEST_S)
        )
        assert begins.weekday() < 5
        assert 8 <= begins.hour < over.hour < 17
        assert start_s >= end.timestamp() - (min(days, 90.0) - 3.0) * DAY_S
        assert start_s + CAPACITY_TEST_S <= end.timestamp() - 4.0 * DAY_S
    starts = sorted(start_s for _, start_s in tests)
    assert all(after - before >= DAY_S for before, after in pairwise(starts))


def test_seed_location_and_span_decide_and_nothing_else() -> None:
    one = campaign_of(END, 90.0)
    tests = one.tests(1, "DC-CNX-01", STRINGS, CAPACITY_TEST_S)
    assert tests == campaign_of(END, 90.0).tests(1, "DC-CNX-01", STRINGS, CAPACITY_TEST_S)
    others = [
        one.tests(2, "DC-CNX-01", STRINGS, CAPACITY_TEST_S),
        one.tests(1, "DC-HDY-01", STRINGS, CAPACITY_TEST_S),
        campaign_of(END + timedelta(days=1), 90.0).tests(1, "DC-CNX-01", STRINGS, CAPACITY_TEST_S),
    ]
    assert tests not in others


def test_a_short_history_has_none() -> None:
    assert Campaign.at_the_end_of(END.timestamp() - 13.9 * DAY_S, END.timestamp()) is None


def test_the_yearly_plan_goes_on_outside_a_campaign() -> None:
    location, end = LOCATION_BY_CODE["DC-CNX-01"], datetime(2026, 12, 10, tzinfo=UTC)
    campaign = campaign_of(end, 90.0)
    later = end + timedelta(days=90)
    assert list(capacity_tests(1, location, campaign, later)) == list(capacity_tests(1, location, None, later))
    earlier = end - timedelta(days=90)
    assert list(capacity_tests(1, location, campaign, earlier)) == list(capacity_tests(1, location, None, earlier))


@every_location
def test_a_campaign_displaces_only_what_happens_at_the_same_time(location: LocationProfile) -> None:
    def events(campaign: Campaign | None) -> set[DischargeSpan]:
        grid = Grid(3, location, STRINGS, 120.0, campaign=campaign)
        every = grid.discharges(END.timestamp() - 400 * DAY_S, END.timestamp() + 400 * DAY_S)
        assert all(before.over_s <= after.start_s for before, after in pairwise(every))
        return set(every)

    # In the last months of the year many events lie before those of the campaign.
    for end in (END, datetime(2026, 12, 28, tzinfo=UTC)):
        campaign = campaign_of(end, 90.0)
        plain, planned = events(None), events(campaign)
        assert all(campaign.covers(event.start_s) for event in plain ^ planned)
        tests = [event for event in planned - plain if event.kind == "capacity_test"]
        for lost in plain - planned:
            displaced = any(lost.start_s < test.over_s and lost.over_s > test.start_s for test in tests)
            assert displaced or lost.current_a is not None
