from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_api.twin.discharges import GAP_US, SHORTEST_US, StringReadings, find_discharges, touches_edge

S = 1_000_000
FAR_US = 10**15


def rows(samples: list[tuple[float, float]]) -> StringReadings:
    """Make readings of (seconds, current)."""
    times = np.array([round(at * S) for at, _ in samples], np.int64)
    current = np.array([current for _, current in samples], np.float64)
    return StringReadings(times, current, np.full(len(times), np.nan), np.zeros(len(times), np.bool_))


def steady(start: float, end: float, step: float, current_a: float) -> list[tuple[float, float]]:
    return [(float(at), current_a) for at in np.arange(start, end + step / 2, step)]


def test_charge_of_a_ramp_is_its_area() -> None:
    ramp = [(float(at), -2.5 - at / 10) for at in range(0, 601, 5)]
    (found,) = find_discharges(rows([(-5.0, -1.0), *ramp, (605.0, 5.0)]), FAR_US)
    inside_ah = (2.5 + 62.5) / 2 * 600 / 3600
    edges_ah = (2.5 + 62.5) * 5 / 2 / 3600
    assert found.drawn_ah == pytest.approx(inside_ah + edges_ah, rel=1e-9)


def test_the_mean_current_weighs_time() -> None:
    uneven = [*steady(0, 540, 60, -10.0), *steady(600, 1198, 2, -40.0), (1200.0, 5.0)]
    (found,) = find_discharges(rows([(-60.0, 0.1), *uneven]), FAR_US)
    assert found.mean_current_a == pytest.approx(-25.0)


def test_what_was_not_seen_is_not_counted() -> None:
    (found,) = find_discharges(rows(steady(0, 60, 2, -36.0)), FAR_US)
    assert found.drawn_ah == pytest.approx(36 * 60 / 3600)
    assert not found.complete


def test_a_long_pause_on_float_before_does_not_add_charge() -> None:
    seen = rows([(-7200.0, 0.1), (-3600.0, 0.1), *steady(0, 60, 2, -36.0), (62.0, 10.0)])
    (found,) = find_discharges(seen, FAR_US)
    assert found.drawn_ah == pytest.approx(36 * 62 / 3600)
    assert found.complete


def test_missing_readings_before_or_after_leave_it_incomplete() -> None:
    minutely = [(-180.0 - 1200, 0.1), (-120.0 - 1200, 0.1)]
    late_seen = rows([*minutely, *steady(0, 60, 2, -36.0), (62.0, 10.0)])
    cut = rows([(-120.0, 0.1), (-60.0, 0.1), *steady(0, 60, 2, -36.0), (1000.0, 10.0)])
    assert [one.complete for one in find_discharges(late_seen, FAR_US)] == [False]
    assert [one.complete for one in find_discharges(cut, FAR_US)] == [False]


def test_it_is_open_until_a_reading_beyond_the_longest_pause_or_a_day() -> None:
    burst = steady(0, 60, 2, -36.0)
    gap_s = GAP_US / S
    assert find_discharges(rows([*burst, (60 + gap_s, 0.1)]), 61 * S)[0].is_open
    assert not find_discharges(rows([*burst, (61 + gap_s, 0.1)]), 61 * S)[0].is_open
    assert find_discharges(rows(burst), 3600 * S)[0].is_open
    assert not find_discharges(rows(burst), 100_000 * S)[0].is_open


@pytest.mark.parametrize(("pause_s", "count"), [(300.0, 1), (300.1, 2)])
def test_a_pause_of_more_than_five_minutes_divides(pause_s: float, count: int) -> None:
    seen = rows([*steady(0, 60, 2, -36.0), *steady(60 + pause_s, 160 + pause_s, 2, -36.0)])
    assert len(find_discharges(seen, FAR_US)) == count


@pytest.mark.parametrize(("length_s", "count"), [(9.9, 0), (10.0, 1)])
def test_ten_seconds_are_needed(length_s: float, count: int) -> None:
    assert len(find_discharges(rows([(0.0, -20.0), (length_s, -20.0)]), FAR_US)) == count


@pytest.mark.parametrize(("length_s", "count"), [(6.0, 0), (8.0, 1)])
def test_the_unseen_moments_of_switching_count_for_half_an_interval_each(length_s: float, count: int) -> None:
    seen = rows([(-60.0, 0.1), *steady(0, length_s, 2, -20.0), (length_s + 2, 25.0)])
    assert len(find_discharges(seen, FAR_US)) == count


def test_one_reading_is_no_discharge() -> None:
    assert find_discharges(rows([(-60.0, 0.1), (0.0, -20.0), (60.0, 0.1)]), FAR_US) == []


def test_two_amperes_are_no_discharge() -> None:
    assert find_discharges(rows(steady(0, 600, 2, -2.0)), FAR_US) == []
    assert find_discharges(rows([]), FAR_US) == []


def test_edges_are_touched_only_by_load_close_to_them() -> None:
    seen = rows([(0.0, 0.1), *steady(400, 500, 2, -36.0), (900.0, 0.1)])
    assert touches_edge(seen, 0, 900 * S) == (False, False)
    assert touches_edge(seen, 100 * S, 900 * S) == (True, False)
    assert touches_edge(seen, 0, 800 * S) == (False, True)
    # Load outside what was asked for is context, not a cut discharge.
    assert touches_edge(seen, 600 * S, 900 * S) == (False, False)


samples = st.lists(
    st.tuples(st.sampled_from([1, 2, 60, 200, 299, 301, 3600]), st.sampled_from([-60.0, -2.0, 0.1, 25.0, -3.0])),
    min_size=0,
    max_size=60,
)


@given(samples)
def test_every_reading_under_load_lies_in_one_discharge_or_in_a_blink(steps: list[tuple[int, float]]) -> None:
    at = 0
    series = []
    for step, current_a in steps:
        at += step
        series.append((float(at), current_a))
    seen = rows(series)
    found = find_discharges(seen, FAR_US)
    for one, following in pairwise(found):
        assert following.start_us - one.end_us > GAP_US
    for one in found:
        inside = (seen.time_us >= one.start_us) & (seen.time_us <= one.end_us)
        assert one.end_us > one.start_us
        under_load = np.minimum(seen.current_a[inside], 0.0)
        hours = (one.end_us - one.start_us + 2 * GAP_US) / 3.6e9
        assert 0 < one.drawn_ah <= -under_load.min() * hours
        assert one.mean_current_a < -2.0
    outside = [
        time_us
        for time_us, current_a in zip(seen.time_us.tolist(), seen.current_a.tolist(), strict=True)
        if current_a < -2 and not any(one.start_us <= time_us <= one.end_us for one in found)
    ]
    for one_us, other_us in combinations(outside, 2):
        assert not SHORTEST_US <= other_us - one_us <= GAP_US
