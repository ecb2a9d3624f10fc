"""Days and plans: the room's exact course, who feeds the load, and steps that cover a span without gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from battery_synth.engine.day import DAY_S, FLOAT_STEP_S, ROOM_CELL_S, DaySegments, LocationDay, room_course_c
from battery_synth.engine.plan import plan_span, single_sample
from battery_synth.outside.grid import DischargeSpan
from battery_synth.state.arrays import ALL_STRINGS, NO_STRING
from battery_synth.state.readings import Sampling

MIDNIGHT_S = 20_000.0 * DAY_S
STRINGS = 3


def a_day(*discharges: DischargeSpan) -> LocationDay:
    """Return a day of constant air, chargers and load with some discharges."""
    segments = DaySegments(np.array([MIDNIGHT_S]), np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)))
    edges = sorted({edge for each in discharges for edge in (each.start_s, each.end_s)})
    return LocationDay(MIDNIGHT_S, np.full(289, 25.0), list(discharges), segments, np.array(edges, np.float64))


def span(start_s: float, end_s: float, **details: object) -> DischargeSpan:
    kind = details.pop("kind", "outage")
    return DischargeSpan(MIDNIGHT_S + start_s, MIDNIGHT_S + end_s, MIDNIGHT_S + end_s, kind, **details)  # type: ignore[arg-type]  # kinds and details of the tests below


@settings(max_examples=20)
@given(start_c=st.floats(15.0, 45.0), targets=st.lists(st.floats(15.0, 45.0), min_size=1, max_size=4))
def test_room_course_is_the_solution_of_its_differential_equation(start_c: float, targets: list[float]) -> None:
    tau_s = np.full(len(targets), 1800.0)
    course_c = room_course_c(start_c, np.array(targets), tau_s)
    room_c = start_c
    for cell, target_c in enumerate(targets):
        solved = solve_ivp(lambda _t, c, to=target_c: (to - c) / 1800.0, (0.0, ROOM_CELL_S), [room_c], rtol=1e-9)
        room_c = solved.y[0, -1]
        assert course_c[cell + 1] == pytest.approx(room_c, abs=1e-4)


def test_who_feeds_the_load_is_everybody_in_an_outage_and_one_string_in_its_test() -> None:
    day = a_day(span(100.0, 200.0), span(5000.0, 6000.0, kind="capacity_test", string=2, current_a=27.6))
    at_s = MIDNIGHT_S + np.array([99.0, 100.0, 199.9, 200.0, 5500.0])
    feeding, constant_a, is_test = day.who_feeds(at_s)
    assert feeding.tolist() == [NO_STRING, ALL_STRINGS, ALL_STRINGS, NO_STRING, 2]
    assert np.isnan(constant_a[:4]).all()
    assert constant_a[4] == 27.6
    assert is_test.tolist() == [False] * 4 + [True]


def test_a_day_is_quiet_except_for_its_discharges_and_their_recharge() -> None:
    day = a_day(span(40_000.0, 40_060.0))
    assert day.is_quiet(MIDNIGHT_S, MIDNIGHT_S + 39_000.0)
    assert not day.is_quiet(MIDNIGHT_S + 39_000.0, MIDNIGHT_S + 41_000.0)
    # After a minute of discharge the strings settle within six hours.
    assert not day.is_quiet(MIDNIGHT_S + 60_000.0, MIDNIGHT_S + 61_000.0)
    assert day.is_quiet(MIDNIGHT_S + 40_060.0 + 6 * 3600.0, MIDNIGHT_S + DAY_S)


@settings(max_examples=50)
@given(
    # Whole seconds: instants closer together than a microsecond count as one, which the expectation does not model.
    from_s=st.integers(0, 80_000).map(float),
    length_s=st.integers(1, 6_000).map(float),
    start_s=st.integers(0, 80_000).map(float),
    every_s=st.sampled_from([60.0, 900.0, 3600.0]),
    detail=st.booleans(),
)
def test_steps_cover_a_span_and_samples_lie_in_it(
    from_s: float, length_s: float, start_s: float, every_s: float, detail: bool
) -> None:
    day = a_day(span(start_s, start_s + 300.0))
    first_s, last_s = MIDNIGHT_S + from_s, MIDNIGHT_S + from_s + length_s
    plan = plan_span(day, first_s, last_s, STRINGS, Sampling(every_s, detail=detail))
    instants_s = plan.instant_s + MIDNIGHT_S
    assert (instants_s[0], instants_s[-1]) == pytest.approx((first_s, last_s))
    assert (np.diff(instants_s) > 0.0).all()
    assert np.diff(instants_s).max() <= FLOAT_STEP_S + 1e-6
    counts = np.where(plan.sampled == ALL_STRINGS, STRINGS, np.where(plan.sampled == NO_STRING, 0, 1))
    np.testing.assert_array_equal(plan.first_row, np.cumsum(counts) - counts)
    regular = np.arange(np.ceil(from_s / every_s), np.ceil((from_s + length_s) / every_s)) * every_s
    sampled_s = plan.instant_s[plan.sampled == ALL_STRINGS]
    assert all(np.abs(sampled_s - each).min() < 1e-4 for each in regular)
    assert detail or len(sampled_s) == len(regular)


def test_a_single_sample_takes_no_step() -> None:
    plan = single_sample(a_day(), MIDNIGHT_S + 10.0, 1, STRINGS)
    assert plan.instant_s.tolist() == [10.0]
    assert plan.sampled.tolist() == [1]


def test_a_quiet_hour_without_samples_is_one_step() -> None:
    plan = plan_span(a_day(), MIDNIGHT_S + 7200.0, MIDNIGHT_S + 9000.0, STRINGS)
    assert plan.instant_s.tolist() == [7200.0, 9000.0]
    assert (plan.sampled == NO_STRING).all()


@pytest.mark.parametrize("start_s", [3600.0, 5000.0, 5003.5])
def test_a_recorded_discharge_has_the_reading_before_it(start_s: float) -> None:
    day = a_day(span(start_s, start_s + 300.0, string=1, kind="capacity_test", current_a=20.0))
    plan = plan_span(day, MIDNIGHT_S, MIDNIGHT_S + 9000.0, STRINGS, Sampling(3600.0, detail=True))
    sampled_s = plan.instant_s[(plan.sampled == 1) | (plan.sampled == ALL_STRINGS)]
    before_s, at_s = sampled_s[sampled_s < start_s - 1e-4].max(), sampled_s[sampled_s >= start_s - 1e-4].min()
    assert at_s == pytest.approx(start_s)
    assert start_s - before_s == pytest.approx(10.0)
