"""Weather, rooms, mains, chargers and load: functions of seed, location and time, within the sourced figures."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from battery_contracts.enums import HvacState
from battery_synth.outside import grid as grids
from battery_synth.outside import scenario
from battery_synth.outside.chargers import Chargers
from battery_synth.outside.climate import (
    DAY_HALF_RANGE_C,
    MONTHLY_MEAN_C,
    Climate,
    day_course,
    month_of,
    season_index,
    year_start_s,
)
from battery_synth.outside.grid import OUTAGES_PER_YEAR, SHORT_EVENTS_PER_YEAR, Grid, storm_factor
from battery_synth.outside.load import Load
from battery_synth.outside.locations import LOCATION_BY_CODE, LOCATIONS, LocationProfile
from battery_synth.outside.rooms import FAILED_LIFT_K, Room
from battery_synth.outside.surroundings import Surroundings

YEAR_S = year_start_s(2026)
DAY_S = 86_400.0
HOURS = YEAR_S + 3600.0 * np.arange(365 * 24, dtype=np.float64)
every_location = pytest.mark.parametrize("location", LOCATIONS, ids=lambda location: location.code)


def surroundings_of(location: LocationProfile, seed: int = 2) -> Surroundings:
    return Surroundings.of(seed, location, [f"{location.code}-UPS-01", f"{location.code}-REC-01"], 9, 120.0)


# -- climate ----------------------------------------------------------------------------------------------------------


@every_location
def test_years_and_months_have_their_sourced_means(location: LocationProfile) -> None:
    decade = year_start_s(2015) + 3600.0 * np.arange(3652 * 24, dtype=np.float64)
    air = Climate.of_location(1, location.code, location.climate_zone).outdoor_c(decade)
    means = MONTHLY_MEAN_C[location.climate_zone]
    assert air.mean() == pytest.approx(np.mean(means), abs=0.3)
    months = month_of(decade)
    for month in range(1, 13):
        assert air[months == month].mean() == pytest.approx(means[month - 1], abs=1.0)


def test_a_day_is_coldest_at_six_and_warmest_at_half_past_two_and_flat_on_average() -> None:
    hours = np.arange(0.0, 24.0, 0.01)
    course = day_course(hours)
    assert hours[course.argmin()] == pytest.approx(6.0, abs=0.02)
    assert hours[course.argmax()] == pytest.approx(14.5, abs=0.02)
    assert course.mean() == pytest.approx(0.0, abs=1e-3)


def test_inland_days_swing_more_than_coastal_ones_and_dry_months_more_than_wet_ones() -> None:
    def swing(code: str, months: tuple[int, ...]) -> float:
        location = LOCATION_BY_CODE[code]
        air = Climate.of_location(1, code, location.climate_zone).outdoor_c(HOURS).reshape(365, 24)
        chosen = np.isin(month_of(HOURS)[::24], months)
        return float((air.max(axis=1) - air.min(axis=1))[chosen].mean() / 2)

    assert swing("DC-CNX-01", (1, 2, 3)) > swing("DC-CNX-01", (8, 9)) + 1.0
    assert swing("DC-CNX-01", tuple(range(1, 13))) == pytest.approx(DAY_HALF_RANGE_C["N"], abs=0.7)
    assert swing("DC-URT-01", (10, 11, 12)) < swing("DC-URT-01", (6, 7, 8))
    assert swing("DC-PKT-01", (6, 7, 8)) < swing("DC-PKT-01", (1, 2, 3))


def test_weather_persists_from_day_to_day_and_hot_seasons_have_heat_waves() -> None:
    anomaly = Climate.of_location(5, "DC-KKN-01", "NE").anomaly_c
    assert 1.0 < anomaly.std() < 1.8
    assert 0.55 < np.corrcoef(anomaly[1:], anomaly[:-1])[0, 1] < 0.85
    hottest = max(Climate.of_location(seed, "DC-KKN-01", "NE").outdoor_c(HOURS).max() for seed in range(10))
    assert 37.0 < hottest < 45.0


def test_seasons_begin_in_the_middle_of_their_months() -> None:
    instants = np.array([YEAR_S + DAY_S * day for day in (10, 60, 150, 250, 300)])
    assert season_index(instants).tolist() == [0, 1, 2, 2, 0]


# -- rooms ------------------------------------------------------------------------------------------------------------


@every_location
def test_cooled_rooms_are_held_between_22_and_27_degrees(location: LocationProfile) -> None:
    outside = surroundings_of(location)
    running = outside.hvac_state(HOURS) == list(HvacState).index(HvacState.RUNNING)
    target, tau = outside.room_target_c(HOURS)
    assert 21.5 < target[running].min() < target[running].max() < 27.5
    assert (tau[running] < 3600).all()


def test_poorly_kept_rooms_fail_and_drift_more_often() -> None:
    def faulty(code: str) -> float:
        location = LOCATION_BY_CODE[code]
        states = [surroundings_of(location, seed).hvac_state(HOURS[::24]) for seed in range(25)]
        return float(np.mean(np.array(states) != list(HvacState).index(HvacState.RUNNING)))

    assert faulty("DC-SRC-01") > 1.5 * faulty("DC-CNX-01") > 0


def test_failed_cooling_goes_above_the_outdoor_air_and_lasts_hours() -> None:
    location = LOCATION_BY_CODE["DC-PKT-01"]
    climate = Climate.of_location(1, location.code, location.climate_zone)
    room = Room(1, location, climate)
    failure = next(fault for fault in room.faults(YEAR_S, YEAR_S + 20 * 365 * DAY_S) if fault.failed)
    assert 2 * 3600 <= failure.end_s - failure.start_s <= 24 * 3600
    at = np.array([failure.start_s + 60.0])
    target, tau = room.target_c(at)
    assert target[0] == pytest.approx(max(climate.outdoor_c(at)[0] + FAILED_LIFT_K, room.set_point_c))
    assert tau[0] > 3600
    assert list(HvacState)[room.state(at)[0]] is HvacState.FAILED


# -- mains ------------------------------------------------------------------------------------------------------------


@every_location
def test_outages_come_as_often_and_last_as_long_as_in_their_region(location: LocationProfile) -> None:
    years = 200
    events = [
        event
        for seed in range(years)
        for event in Grid(seed, location, 0, 120.0).discharges(YEAR_S, YEAR_S + 365 * DAY_S)
        if event.kind == "outage"
    ]
    assert len(events) / years == pytest.approx(OUTAGES_PER_YEAR[location.region], rel=0.15)
    minutes = np.array([event.mains_back_s - event.start_s for event in events]) / 60.0
    assert np.median(minutes) == pytest.approx(grids.OUTAGE_MEDIAN_MIN[location.region], rel=0.2)
    # The mean of a log-normal of this spread is half as long again.
    assert minutes.mean() / np.median(minutes) == pytest.approx(np.exp(0.9**2 / 2), rel=0.25)
    failed = np.mean([event.genset_failed for event in events])
    assert 0.001 < failed < 0.03
    battery_s = [event.end_s - event.start_s for event in events if not event.genset_failed]
    assert max(battery_s) <= 30.0


@every_location
def test_events_do_not_overlap_and_are_the_same_in_any_order_of_asking(location: LocationProfile) -> None:
    grid, other = (Grid(5, location, 9, 120.0) for _ in range(2))
    events = grid.discharges(YEAR_S, YEAR_S + 3 * 365 * DAY_S)
    assert all(before.over_s <= after.start_s for before, after in pairwise(events))
    other.discharges(year_start_s(2030), year_start_s(2031))
    pieces = [
        event for day in range(3 * 365) for event in other.discharges(YEAR_S + day * DAY_S, YEAR_S + (day + 1) * DAY_S)
    ]
    assert list(dict.fromkeys(pieces)) == events


def test_short_events_tests_and_capacity_tests_have_their_rhythm() -> None:
    grid = Grid(5, LOCATION_BY_CODE["DC-HDY-01"], 9, 120.0)
    events = grid.discharges(YEAR_S, YEAR_S + 8 * 365.25 * DAY_S)
    kinds = Counter(event.kind for event in events)
    assert kinds["short"] / 8 == pytest.approx(SHORT_EVENTS_PER_YEAR["southern"], rel=0.15)
    assert all(event.end_s - event.start_s < 10 for event in events if event.kind == "short")
    assert kinds["generator_test"] >= 8 * 12 - 6
    assert 9 * 8 - 6 <= kinds["string_test"] <= 9 * 8
    capacity = Counter(event.string for event in events if event.kind == "capacity_test")
    assert set(capacity) == set(range(9))
    assert set(capacity.values()) <= {3, 4, 5}
    assert {month_of(np.array([e.start_s]))[0] for e in events if e.kind == "capacity_test"} <= {11, 12, 1, 2}


def test_mains_are_away_from_an_outage_to_their_return_and_stay_in_tests() -> None:
    grid = Grid(5, LOCATION_BY_CODE["DC-URT-01"], 9, 120.0)
    events = grid.discharges(YEAR_S, YEAR_S + 365 * DAY_S)
    outage = next(event for event in events if event.kind == "outage" and event.mains_back_s - event.end_s > 60)
    instants = np.array([outage.start_s - 1, outage.start_s, outage.end_s + 1, outage.mains_back_s])
    assert grid.mains(instants).tolist() == [True, False, False, True]
    test = next(event for event in events if event.kind == "string_test")
    assert grid.mains(np.array([test.start_s + 1])).all()


def test_gulf_coast_storms_in_november_and_andaman_in_the_rainy_season() -> None:
    assert storm_factor("S-Gulf", 11) > storm_factor("S-Gulf", 7)
    assert storm_factor("S-Andaman", 7) > storm_factor("S-Andaman", 11)


# -- chargers and load ------------------------------------------------------------------------------------------------


def test_charger_faults_are_rare_and_all_of_their_kinds_happen() -> None:
    systems = [f"S{i}" for i in range(60)]
    chargers = Chargers(3, systems)
    faults = chargers.faults(YEAR_S, YEAR_S + 10 * 365 * DAY_S)
    assert 0.06 < len(faults) / 600 < 0.2
    assert {fault.kind for fault in faults} == {"set_point", "ripple", "off"}
    fault = next(fault for fault in faults if fault.kind == "set_point")
    offset = chargers.offset_cell_v(fault.start_s + 1)[fault.system]
    assert 0.02 <= abs(offset) <= 0.2
    dead = next(fault for fault in faults if fault.kind == "off")
    assert np.isnan(chargers.offset_cell_v(dead.start_s + 1)[dead.system])
    assert (chargers.ripple_factor(YEAR_S) >= 1.0).all()


def test_load_is_flat_and_lower_at_night_and_at_the_weekend() -> None:
    load = Load(1, ["A", "B"])
    # 5 January 2026 is a Monday, the 10th a Saturday; noon in Bangkok is 05:00 UTC.
    monday, night, saturday = (YEAR_S + DAY_S * day + 3600 * hour for day, hour in ((4, 8), (4, 20), (9, 8)))
    assert load.factor(monday, 0) > load.factor(night, 0)
    assert load.factor(monday, 0) > load.factor(saturday, 0)
    assert all(0.5 < load.factor(at, system) < 0.8 for at in HOURS[::97] for system in (0, 1))


# -- scenarios --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", scenario.NAMES)
def test_a_scenario_adds_to_the_world_and_leaves_the_rest(name: str) -> None:
    location, at_s = LOCATION_BY_CODE["DC-BKK-02"], YEAR_S + 100.5 * DAY_S
    added = scenario.named(name, at_s, 3600.0)
    plain = surroundings_of(location)
    drilled = Surroundings.of(
        2, location, [f"{location.code}-UPS-01", f"{location.code}-REC-01"], 9, 120.0, scenario=added
    )
    before = HOURS[at_s - DAY_S > HOURS]
    np.testing.assert_array_equal(drilled.room_target_c(before)[0], plain.room_target_c(before)[0])
    middle = np.array([at_s + 1800.0])
    changed = (
        drilled.discharges(at_s, at_s + 3600) != plain.discharges(at_s, at_s + 3600)
        or drilled.room_target_c(middle)[0] != plain.room_target_c(middle)[0]
        or not np.array_equal(
            drilled.charger_offset_v(at_s + 1800), plain.charger_offset_v(at_s + 1800), equal_nan=True
        )
    )
    assert changed


def test_unknown_and_empty_scenarios_are_refused() -> None:
    with pytest.raises(ValueError, match="there are power_outage"):
        scenario.named("flood", YEAR_S, 60.0)
    with pytest.raises(ValueError, match="longer than 0"):
        scenario.named("power_outage", YEAR_S, 0.0)
