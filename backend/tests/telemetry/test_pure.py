"""The parts of telemetry that need no database, against plain references."""

import bisect
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_api.telemetry.ingest.intervals import learn_intervals
from battery_api.telemetry.ingest.parsing import parse_batch
from battery_api.telemetry.queries.resolution import GRAINS, choose_grain
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.instants import NEVER, day_floor, instant, microseconds, newest_at_or_before
from battery_api.telemetry.store.string_modes import SETTLING_US, ModeState, is_settled, next_mode
from battery_contracts.enums import StringMode

from .world import NOW, columns, reading

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), max_size=40)


@given(known=pairs, wanted=pairs)
def test_newest_at_or_before_equals_a_search_one_by_one(
    known: list[tuple[int, int]], wanted: list[tuple[int, int]]
) -> None:
    known = sorted(known)
    table, asked = np.array(known, np.int64).reshape(-1, 2), np.array(wanted, np.int64).reshape(-1, 2)
    found = newest_at_or_before(table[:, 0], table[:, 1], asked[:, 0], asked[:, 1])
    for (group, at), row in zip(wanted, found.tolist(), strict=True):
        expected = bisect.bisect_right(known, (group, at)) - 1
        assert row == (expected if expected >= 0 and known[expected][0] == group else -1)


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1 < at.year < 9999))
def test_days_begin_at_midnight_in_bangkok(at: datetime) -> None:
    begins = instant(int(day_floor(np.array([microseconds(at)]))[0]))
    assert (begins.hour, begins.minute, begins.second, begins.microsecond) == (17, 0, 0, 0)
    assert timedelta(0) <= at - begins < timedelta(days=1)


@given(
    minutes=st.integers(1, 3 * 365 * 1440),
    offset_s=st.integers(0, 86_400),
    max_points=st.integers(1, 1000),
)
def test_a_series_never_has_more_points_than_asked_for(minutes: int, offset_s: int, max_points: int) -> None:
    end = NOW - timedelta(seconds=offset_s)
    start = end - timedelta(minutes=minutes)
    grain = choose_grain(start, end, max_points, raw_available_from=NOW - timedelta(days=100))
    if grain is not GRAINS[-1]:
        assert grain.count(start, end) <= max_points
        finer = GRAINS[: GRAINS.index(grain)]
        allowed = [one for one in finer if one.source != "telemetry" or start >= NOW - timedelta(days=100)]
        assert all(one.count(start, end) > max_points for one in allowed)


def learned_s(gaps_s: Sequence[float], *, cut: int = 1) -> list[float]:
    """Interval after each gap, learned in batches of ``cut`` readings."""
    known, last = np.array([np.nan]), np.array([NEVER])
    times = np.cumsum(np.round(np.array([0.0, *gaps_s]) * 1e6)).astype(np.int64)
    after: list[float] = []
    for begin in range(0, len(times), cut):
        batch = times[begin : begin + cut]
        learned = learn_intervals(known, last, BatchSlots(np.zeros(len(batch), np.int64)), batch)
        # The store keeps single precision.
        known, last = learned.final_s.astype(np.float32).astype(np.float64), batch[-1:]
        after += learned.after_s.tolist()
    return after[1:]


def test_an_even_rhythm_is_learned_and_an_outage_hardly_moves_it() -> None:
    assert learned_s([60] * 20) == pytest.approx([60.0] * 20)
    after = learned_s([60] * 20 + [36_000] + [60] * 30)
    assert max(after) < 180
    assert after[-1] == pytest.approx(60, rel=0.5)


def test_another_rate_is_learned_within_the_hour() -> None:
    assert learned_s([60] * 60 + [600] * 6)[-1] == pytest.approx(600, rel=0.05)
    assert learned_s([600] * 60 + [60] * 60)[-1] < 100
    # A first gap that was an outage is forgotten as well.
    assert learned_s([36_000] + [60] * 120)[-1] < 100


@pytest.mark.parametrize(("burst", "between_s", "pause_s"), [(30, 2, 600), (60, 1, 900), (10, 5, 1800)])
def test_the_pause_between_bursts_is_the_usual_gap(burst: int, between_s: float, pause_s: float) -> None:
    after = learned_s(([between_s] * (burst - 1) + [pause_s]) * 12)
    assert 3 * min(after[-burst:]) > pause_s, "each pause would look like silence"
    assert max(after[-burst:]) <= pause_s * 1.01


def test_irregular_readings_are_rarely_silence() -> None:
    dice = np.random.default_rng(5)
    gaps_s = np.exp(dice.normal(np.log(60), 1.2, 3000))
    before = np.array(learned_s(gaps_s.tolist()))[:-1]
    assert np.mean(gaps_s[1:] > np.maximum(300, 3 * before)) < 0.03


@given(st.lists(st.floats(0.001, 90_000), min_size=2, max_size=40), st.integers(1, 7))
def test_the_cut_into_batches_does_not_change_what_is_learned(gaps_s: list[float], cut: int) -> None:
    assert learned_s(gaps_s, cut=cut) == learned_s(gaps_s)


HOUR_US = 3_600_000_000


def test_a_derived_recharge_lasts_72_hours_and_a_sender_outranks_the_current() -> None:
    state = ModeState(None)
    modes = []
    for hour, current in ((0, 0.1), (1, -60.0), (2, 12.0), (10, 0.4), (70, 0.1), (75, 0.1)):
        state = next_mode(state, hour * HOUR_US, current, None)
        modes.append(state.mode)
    recharge = [StringMode.RECHARGE] * 3
    assert modes == [StringMode.FLOAT, StringMode.DISCHARGE, *recharge, StringMode.FLOAT]
    assert next_mode(state, 80 * HOUR_US, -60.0, StringMode.TEST).mode is StringMode.TEST
    assert next_mode(state, 80 * HOUR_US, float("nan"), None).mode is StringMode.FLOAT


def test_a_float_declared_right_after_the_recharge_has_to_settle() -> None:
    discharged, declared = 10 * HOUR_US, 20 * HOUR_US
    hours = np.array([21, 60, 91, 93])
    result = is_settled(np.ones(4, bool), np.full(4, declared), np.full(4, discharged), hours * HOUR_US)
    assert result.tolist() == [False, False, False, True]
    later = np.array([discharged + SETTLING_US])
    assert is_settled(np.ones(1, bool), later, np.array([discharged]), later).tolist() == [True]


def test_the_lenient_way_reads_what_the_fast_way_reads() -> None:
    dice = random.Random(11)
    made = [
        reading(f"BAT-{at}", NOW + timedelta(seconds=dice.random()), voltage_v=dice.choice([None, 13, 13.25]))
        for at in range(200)
    ]
    fast = parse_batch(json.dumps(columns(made)).encode())
    rows = parse_batch(json.dumps({"readings": made}).encode())
    lenient = parse_batch(json.dumps({"readings": [*made, 5]}).encode())
    assert [rejection.index for rejection in lenient.rejected] == [200]
    for other in (rows, lenient):
        assert list(other.batteries.code) == list(fast.batteries.code)
        assert other.batteries.time_us.tolist() == fast.batteries.time_us.tolist()
        for name, values in fast.batteries.values.items():
            np.testing.assert_array_equal(other.batteries.values[name], values)
    assert fast.batteries.time_us[0] == microseconds(datetime.fromisoformat(made[0]["time"]))
