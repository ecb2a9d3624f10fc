"""Weather, rooms, mains, chargers and load: functions of seed, location and time, within the sourced figures."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from battery_contracts.enums import HvacState
from battery_synth.outside import grid as grids
from battery_synth.outside import scenario
from battery_synth.outside.campaign import Campaign
from battery_synth.outside.chargers import Chargers
from battery_synth.outside.climate import (
    DAY_HALF_RANGE_C,
    MONTHLY_MEAN_C,
    Climate,
    day_course,
    month_of,
    season_index,
    year_of,
    year_start_s,
)
from battery_synth.outside.grid import OUTAGES_PER_YEAR, SHORT_EVENTS_PER_YEAR, DischargeSpan, Grid, storm_factor
from battery_synth.outside.habits import Habits
from battery_synth.outside.load import Load, battery_power_w
from battery_synth.outside.locations import LOCATION_BY_CODE, LOCATIONS, RECTIFIER_KVA_PER_STRING, LocationProfile
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
def test_cooled_rooms_are_held_at_their_set_point_and_follow_the_weather_by_their_share(
    location: LocationProfile,
) -> None:
    outside = surroundings_of(location)
    running = outside.hvac_state(HOURS) == list(HvacState).index(HvacState.RUNNING)
    target, tau = outside.room_target_c(HOURS)
    outdoor = outside.outdoor_c(HOURS)
    assert target[running].mean() == pytest.approx(outside.room.set_point_c, abs=2.0)
    share, offset = np.polyfit(outdoor[running], target[running], 1)
    assert share == pytest.approx(outside.room.weather_share)
    assert share * 28.0 + offset == pytest.approx(outside.room.set_point_c)
    assert (tau[running] < 3600).all()


def _rooms(seeds: int = 60) -> list[Surroundings]:
    return [surroundings_of(location, seed) for seed in range(seeds) for location in LOCATIONS]


def test_rooms_are_kept_at_20_to_30_degrees_and_most_at_22_to_27() -> None:
    held = np.array([outside.room.set_point_c for outside in _rooms()])
    assert 20.0 <= held.min() < 21.0
    assert 28.5 < held.max() <= 30.0
    assert 0.7 < ((held > 22.0) & (held < 27.0)).mean() < 0.9
    # Locations of one world differ by several degrees.
    assert np.median(np.ptp(held.reshape(-1, len(LOCATIONS)), axis=1)) > 4.0


def test_most_rooms_are_steady_and_some_swing_by_several_degrees() -> None:
    share = np.array([outside.room.weather_share for outside in _rooms()])
    assert 0.03 <= share.min() < share.max() < 0.5501
    assert 0.35 < (share < 0.12).mean() < 0.65
    assert 0.15 < (share > 0.25).mean() < 0.4
    worst = surroundings_of(LOCATION_BY_CODE["DC-CNX-01"])
    worst.room.weather_share = 0.55
    target = worst.room_target_c(HOURS)[0].reshape(365, 24)
    quiet = target[(worst.hvac_state(HOURS).reshape(365, 24) == 0).all(axis=1)]
    assert np.median(np.ptp(quiet, axis=1)) > 4.0
    months = [target[month_of(HOURS[::24]) == month].mean() for month in range(1, 13)]
    assert 3.0 < np.ptp(months) < 6.0


@every_location
def test_racks_tiers_and_inner_positions_differ(location: LocationProfile) -> None:
    room = surroundings_of(location).room
    warmer = room.warmer_k(["A", "B", "C"], 24, 4).reshape(3, 4, 6)
    # Racks differ by one number each, and all of them have the same tiers.
    np.testing.assert_allclose(
        warmer - warmer[:, :1, :1], np.broadcast_to(warmer[0] - warmer[0, 0, 0], (3, 4, 6)), atol=1e-12
    )
    tiers = warmer.mean(axis=2)
    assert (np.diff(tiers, axis=1) > 0.0).all()
    assert 1.0 <= tiers[0, -1] - tiers[0, 0] <= 3.0
    assert (warmer[:, :, 2:4] > warmer[:, :, :1]).all()
    assert (warmer[:, :, 2:4] > warmer[:, :, -1:]).all()
    np.testing.assert_allclose(room.warmer_k(["B"], 24, 4), warmer[1].ravel())


def test_strings_shorter_than_the_tiers_stand_somewhere_too() -> None:
    room = surroundings_of(LOCATIONS[0]).room
    for width in (1, 2, 4, 5):
        assert np.isfinite(room.warmer_k(["A", "B"], width, 4)).all()


def test_racks_of_many_strings_scatter_by_half_a_degree() -> None:
    room = surroundings_of(LOCATIONS[0]).room
    warmer = room.warmer_k([f"S{number}" for number in range(600)], 24, 4).reshape(600, 24)
    assert warmer[:, 0].std() == pytest.approx(0.6, rel=0.1)


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


def _eight_years(testing: str) -> tuple[Habits, list[DischargeSpan]]:
    """Return the habits of a location that tests in a way, and its events."""
    location = next(each for each in LOCATIONS if Habits.of(5, each.code).testing == testing)
    events = Grid(5, location, 9, 120.0).discharges(YEAR_S, YEAR_S + 8 * 365.25 * DAY_S)
    return Habits.of(5, location.code), events


@pytest.mark.parametrize("testing", ["never", "full", "partial"])
def test_short_events_and_generator_tests_have_their_rhythm_everywhere(testing: str) -> None:
    habits, events = _eight_years(testing)
    kinds = Counter(event.kind for event in events)
    region = LOCATION_BY_CODE[habits.location].region
    assert kinds["short"] / 8 == pytest.approx(SHORT_EVENTS_PER_YEAR[region], rel=0.25)
    assert all(event.end_s - event.start_s < 10 for event in events if event.kind == "short")
    assert kinds["generator_test"] >= 8 * 12 - 6


def test_a_third_of_the_locations_tests_no_string() -> None:
    _, events = _eight_years("never")
    assert not {event.kind for event in events} & {"string_test", "capacity_test"}
    assert all(event.string is None for event in events)


def test_full_tests_come_to_every_string_in_every_second_or_third_cool_season() -> None:
    habits, events = _eight_years("full")
    tests = [event for event in events if event.kind == "capacity_test"]
    for string in range(9):
        years = [year_of(e.start_s) for e in tests if e.string == string]
        assert len(years) >= 2
        assert all((later - earlier) % habits.full_test_years == 0 for earlier, later in pairwise(years))
    assert {month_of(np.array([event.start_s]))[0] for event in tests} <= {11, 12, 1, 2}
    assert 9 * 8 - 6 <= sum(event.kind == "string_test" for event in events) <= 9 * 8


def test_partial_tests_take_a_third_of_the_capacity_from_each_string_a_year() -> None:
    _, events = _eight_years("partial")
    assert "capacity_test" not in {event.kind for event in events}
    tests = [event for event in events if event.kind == "string_test"]
    assert 9 * 8 - 6 <= len(tests) <= 9 * 8
    for test in tests:
        assert test.current_a is not None
        assert (test.end_s - test.start_s) / 3600.0 * test.current_a / 120.0 == pytest.approx(1.0 / 3.0, abs=0.01)


def test_a_campaign_replaces_the_tests_of_any_habit() -> None:
    for testing in ("never", "full", "partial"):
        habits, _ = _eight_years(testing)
        campaign = Campaign(YEAR_S, YEAR_S + 90.0 * DAY_S)
        grid = Grid(5, LOCATION_BY_CODE[habits.location], 9, 120.0, campaign=campaign)
        deep = [event for event in grid.discharges(YEAR_S, YEAR_S + 90.0 * DAY_S) if event.current_a is not None]
        planned = campaign.tests(5, habits.location, 9, grids.CAPACITY_TEST_S)
        assert sorted((event.string, event.start_s) for event in deep) == sorted(planned)


def test_mains_are_away_from_an_outage_to_their_return_and_stay_in_tests() -> None:
    grid = Grid(5, LOCATION_BY_CODE["DC-URT-01"], 9, 120.0)
    events = grid.discharges(YEAR_S, YEAR_S + 365 * DAY_S)
    outage = next(event for event in events if event.kind == "outage" and event.mains_back_s - event.end_s > 60)
    instants = np.array([outage.start_s - 1, outage.start_s, outage.end_s + 1, outage.mains_back_s])
    assert grid.mains(instants).tolist() == [True, False, False, True]
    test = next(event for event in events if event.kind == "generator_test")
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


def test_rectifiers_work_at_an_eighth_to_a_twentieth_of_the_capacity_per_hour() -> None:
    systems = [f"S{number}" for number in range(400)]
    load = Load(1, systems, frozenset(systems))
    watts = battery_power_w(np.array([RECTIFIER_KVA_PER_STRING]))[0]
    usual = np.array([np.mean([load.factor(at, system) for at in HOURS[:168]]) for system in range(400)])
    rate = usual * watts / (24 * 12.2) / 120.0
    assert 1.0 / 21.0 < rate.min() < 1.0 / 17.0
    assert 1.0 / 9.0 < rate.max() < 1.0 / 7.7
    assert max(load.factor(at, int(usual.argmax())) for at in HOURS[:168]) < 1.0


def test_rectifiers_of_half_the_locations_outlast_the_generator_s_start() -> None:
    outlasting = 0
    for location in LOCATIONS:
        events = Grid(5, location, 9, 120.0).discharges(YEAR_S, YEAR_S + 8 * 365 * DAY_S)
        outages = [event for event in events if event.kind == "outage"]
        rests = [event.rest_of_rectifiers for event in outages]
        off_generator = Habits.of(5, location.code).rectifiers_off_generator
        outlasting += off_generator
        for outage, rest in zip(outages, rests, strict=True):
            if rest is None:
                assert not off_generator or outage.end_s == outage.mains_back_s
            else:
                assert off_generator
                assert (rest.start_s, rest.end_s, rest.rectifiers_only) == (outage.end_s, outage.mains_back_s, True)
    assert outlasting == 4


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
