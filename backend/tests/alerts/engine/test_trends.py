from collections.abc import Callable

import numpy as np
import pytest

from battery_api.alerts.engine.trends import RESTED_US, StringInstants, Trends, TrendTracker

MINUTE_US = 60_000_000
DAY = 24 * 60
Curve = Callable[[float], float]


def flat(value: float) -> Curve:
    return lambda _: value


COOL, STEADY, ROOM = flat(26.0), flat(0.4), flat(25.0)


def course(
    minutes: range,
    *,
    hottest: Curve = COOL,
    current: Curve = STEADY,
    room: Curve = ROOM,
    present: int = 24,
    resistance_at: frozenset[int] = frozenset(),
    settled: bool = True,
    discharged_minute: float = -1e6,
) -> StringInstants:
    """Return one instant of one string a minute."""
    time_us = np.array(minutes, np.int64) * MINUTE_US
    count = len(time_us)

    def values(curve: Curve) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([curve(float(minute)) for minute in minutes], np.float64)

    return StringInstants(
        string=np.zeros(count, np.int64),
        time_us=time_us,
        valid_us=np.full(count, 5 * MINUTE_US),
        hottest_c=values(hottest),
        present=np.full(count, present),
        room_c=values(room),
        float_current_ma_per_ah=values(current),
        has_resistance=np.array([minute in resistance_at for minute in minutes], np.bool_),
        settled=np.full(count, settled),
        since_discharge_us=time_us - round(discharged_minute * MINUTE_US),
    )


def learned(current: float = 0.4) -> TrendTracker:
    """Return a tracker that has seen a day and an hour of steady float."""
    tracker = TrendTracker([None])
    tracker.follow(course(range(DAY + 60), current=flat(current)))
    return tracker


BEGIN = DAY + 60
RUNAWAY = range(BEGIN, BEGIN + 240)


def growing(minute: float) -> float:
    return 0.4 * 2 ** ((minute - BEGIN) / 60)


def warming(minute: float) -> float:
    return 26.0 + 4.0 * (minute - BEGIN) / 60


def highest(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(np.nanmax(values, initial=-1.0))


def test_current_and_heat_that_both_rise_are_a_runaway() -> None:
    trends = learned().follow(course(RUNAWAY, hottest=warming, current=growing))
    breached = np.flatnonzero(trends.runaway_score > 1.0)
    # Three times the current after 95 min, 5 °C over the room after 60.
    assert 95 <= breached[0] <= 97
    assert (np.diff(breached) == 1).all()
    assert trends.float_current_ratio[breached[0]] == pytest.approx(3.0, abs=0.1)
    assert trends.rise_c_per_h[-1] == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(
    ("hottest", "current", "room"),
    [
        (flat(33.0), growing, flat(25.0)),  # a warm tier that does not warm further
        (warming, growing, lambda minute: warming(minute) - 1.0),  # the cooling failed: all is as warm as the room
    ],
)
def test_one_condition_alone_is_none(hottest: Curve, current: Curve, room: Curve) -> None:
    trends = learned().follow(course(RUNAWAY, hottest=hottest, current=current, room=room))
    assert highest(trends.runaway_score) <= 1.0


def test_a_current_that_has_long_been_high_does_not_rise() -> None:
    tracker = learned()
    tracker.follow(course(RUNAWAY, current=flat(1.4)))
    later = range(RUNAWAY.stop, RUNAWAY.stop + 240)
    trends = tracker.follow(course(later, current=flat(1.4), hottest=lambda minute: warming(minute) - 16))
    assert highest(trends.float_current_ratio) > 3.0
    assert highest(trends.runaway_score) <= 1.0


def test_a_hot_day_raises_the_steady_current_with_the_room() -> None:
    def room(minute: float) -> float:
        return 25.0 + 3.0 * (minute - BEGIN) / 60

    trends = learned().follow(
        course(RUNAWAY, room=room, hottest=room, current=lambda minute: 0.4 * 2 ** ((room(minute) - 25) / 10))
    )
    assert highest(trends.float_current_ratio) == pytest.approx(1.0, abs=0.01)


def test_what_stopped_rising_neither_raises_nor_clears() -> None:
    tracker = learned()
    tracker.follow(course(RUNAWAY, hottest=warming, current=growing))
    later = range(RUNAWAY.stop, RUNAWAY.stop + 300)
    trends = tracker.follow(course(later, hottest=flat(42.0), current=flat(6.4)))
    assert trends.runaway_score[-1] == 0.9
    cold = tracker.follow(course(range(later.stop, later.stop + 60)))
    assert cold.runaway_score[-1] <= 0.8


def test_the_steady_current_follows_no_runaway_and_survives_a_restart() -> None:
    tracker = learned()
    tracker.follow(course(RUNAWAY, current=growing))
    again = TrendTracker(tracker.stored())
    trends = again.follow(course(range(RUNAWAY.stop, RUNAWAY.stop + 3 * DAY), current=flat(2.0)))
    assert trends.float_current_ratio[-1] == pytest.approx(5.0, rel=0.06)
    assert again.stored() != tracker.stored()


def test_a_steady_current_counts_after_a_day_of_settled_float() -> None:
    young = TrendTracker([None])
    assert np.isnan(young.follow(course(range(DAY - 5))).float_current_ratio).all()
    unsettled = TrendTracker([None])
    assert np.isnan(unsettled.follow(course(range(2 * DAY), settled=False)).float_current_ratio).all()


@pytest.mark.parametrize("missing", ["hottest", "current", "room"])
def test_a_missing_part_leaves_the_composite_undecided(missing: str) -> None:
    values: dict[str, Curve] = {"hottest": warming, "current": growing, "room": flat(25.0)}
    trends = learned().follow(course(RUNAWAY, **(values | {missing: flat(np.nan)})))  # type: ignore[arg-type]
    assert np.isnan(trends.runaway_score[20:]).all()


@pytest.mark.parametrize(("current", "is_found"), [(flat(np.nan), True), (flat(0.4), False), (flat(0.7), True)])
def test_heat_alone_counts_unless_the_float_current_speaks_against_it(current: Curve, is_found: bool) -> None:
    trends = learned().follow(course(RUNAWAY, hottest=lambda minute: warming(minute) + 4, current=current))
    assert (highest(trends.runaway_heat_score) > 1.0) is is_found


def test_the_heat_of_a_discharge_is_no_runaway() -> None:
    trends = TrendTracker([None]).follow(
        course(RUNAWAY, hottest=lambda minute: warming(minute) + 10, discharged_minute=BEGIN)
    )
    rested = RESTED_US // MINUTE_US
    assert np.isnan(trends.runaway_heat_score[:rested]).all()


def test_a_sensor_that_fails_in_a_breach_does_not_clear_it() -> None:
    tracker = learned()
    hot = course(RUNAWAY, hottest=lambda minute: warming(minute) + 4, current=flat(np.nan))
    assert tracker.follow(hot).runaway_heat_score[-1] > 1.0
    later = range(RUNAWAY.stop, RUNAWAY.stop + 120)
    assert np.isnan(tracker.follow(course(later, present=23)).runaway_heat_score).all()
    back = tracker.follow(course(range(later.stop, later.stop + 120)))
    assert back.runaway_heat_score[-1] <= 0.8


def test_a_hot_battery_that_reports_again_does_not_look_like_a_rise() -> None:
    tracker = TrendTracker([None])
    tracker.follow(course(range(60), hottest=flat(37.0)))
    tracker.follow(course(range(60, 80), hottest=flat(26.0)))
    trends = tracker.follow(course(range(80, 200), hottest=flat(37.0)))
    assert highest(trends.runaway_heat_score) <= 1.0


def test_an_ohmic_test_disturbs_for_half_an_hour_after_its_last_resistance() -> None:
    trends = TrendTracker([None]).follow(course(range(120), resistance_at=frozenset({10, 12, 35})))
    assert np.flatnonzero(trends.is_disturbed).tolist() == list(range(10, 66))


def test_resistances_without_end_disturb_for_two_hours_only() -> None:
    always = frozenset(range(2 * DAY))
    trends = TrendTracker([None]).follow(course(range(DAY), resistance_at=always))
    assert np.flatnonzero(trends.is_disturbed).tolist() == list(range(121))


def test_cutting_changes_nothing() -> None:
    whole, cut = TrendTracker([None]), [None]
    minutes = range(DAY + 240)
    options = {"hottest": warming, "current": growing, "resistance_at": frozenset({50, 70})}
    expected = whole.follow(course(minutes, **options))  # type: ignore[arg-type]
    parts: list[Trends] = []
    stored: list[bytes | None] = list(cut)
    for begin in range(0, minutes.stop, 97):
        tracker = TrendTracker(stored)
        parts.append(tracker.follow(course(range(begin, min(begin + 97, minutes.stop)), **options)))  # type: ignore[arg-type]
        stored = tracker.stored()
    for name in ("runaway_score", "runaway_heat_score", "rise_c_per_h", "is_disturbed"):
        np.testing.assert_allclose(
            np.concatenate([getattr(part, name) for part in parts]).astype(float),
            getattr(expected, name).astype(float),
        )


def test_what_another_version_stored_is_left_aside() -> None:
    assert TrendTracker([b"short", None]).stored() == [None, None]
