"""Faults of chargers and cooling, the load and the scenarios: what is added applies within its span and only there."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_contracts.enums import HvacState, SystemKind
from battery_synth.outside import scenario
from battery_synth.outside.chargers import ChargerFault, Chargers
from battery_synth.outside.climate import Climate, year_start_s
from battery_synth.outside.load import Load, battery_power_w
from battery_synth.outside.locations import LOCATION_BY_CODE, LOCATIONS, LocationProfile, layout_of
from battery_synth.outside.rooms import FAILED_LIFT_K, ROOM_TAU_COOLED_S, ROOM_TAU_FAILED_S, HvacFault, Room
from battery_synth.outside.surroundings import Surroundings

YEAR_S = year_start_s(2026)
DAY_S = 86_400.0
SYSTEMS = ["DC-CNX-01-REC-01", "DC-CNX-01-UPS-01"]
CNX = LOCATION_BY_CODE["DC-CNX-01"]
CLIMATE = Climate.of_location(1, CNX.code, CNX.climate_zone)
instants = st.floats(YEAR_S, YEAR_S + 360 * DAY_S)
lengths = st.floats(10.0, 30 * DAY_S)
every_location = pytest.mark.parametrize("location", LOCATIONS, ids=lambda location: location.code)


# -- chargers ---------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(start_s=instants, length_s=lengths, offset_v=st.floats(-0.1, 0.1), system=st.integers(0, 1))
def test_a_set_point_fault_adds_its_offset_to_its_own_system(
    start_s: float, length_s: float, offset_v: float, system: int
) -> None:
    fault = ChargerFault(start_s, start_s + length_s, system, "set_point", offset_v)
    plain, faulty = Chargers(3, SYSTEMS), Chargers(3, SYSTEMS, (fault,))
    middle_s = start_s + 0.5 * length_s
    change = faulty.offset_cell_v(middle_s) - plain.offset_cell_v(middle_s)
    expected = np.where(np.arange(2) == system, offset_v, 0.0)
    with_output = np.isfinite(plain.offset_cell_v(middle_s))
    np.testing.assert_allclose(change[with_output], expected[with_output], atol=1e-12)
    for outside_s in (start_s - 1.0, start_s + length_s + 1.0):
        np.testing.assert_array_equal(faulty.offset_cell_v(outside_s), plain.offset_cell_v(outside_s))


@settings(max_examples=40)
@given(start_s=instants, length_s=lengths, factor=st.floats(1.0, 6.0))
def test_ripple_is_that_of_the_worst_fault_and_never_below_a_sound_charger(
    start_s: float, length_s: float, factor: float
) -> None:
    weak = ChargerFault(start_s, start_s + length_s, 0, "ripple", ripple_factor=factor)
    strong = ChargerFault(start_s, start_s + length_s, 0, "ripple", ripple_factor=factor + 10.0)
    assert Chargers(3, SYSTEMS, (weak, strong)).ripple_factor(start_s + 0.5 * length_s)[0] == factor + 10.0
    assert (Chargers(3, SYSTEMS, (weak,)).ripple_factor(start_s + 0.5 * length_s) >= 1.0).all()


def test_a_charger_without_output_has_no_set_point_whatever_else_is_wrong() -> None:
    faults = (
        ChargerFault(YEAR_S, YEAR_S + 100.0, 1, "set_point", 0.05),
        ChargerFault(YEAR_S, YEAR_S + 100.0, 1, "off"),
    )
    assert np.isnan(Chargers(3, SYSTEMS, faults).offset_cell_v(YEAR_S + 50.0)[1])


def test_charger_faults_come_as_often_as_stated_and_within_their_ranges() -> None:
    chargers = Chargers(11, [f"S{number}" for number in range(400)])
    faults = chargers.faults(YEAR_S, YEAR_S + 5 * 365 * DAY_S)
    for kind, per_year in (("set_point", 0.05), ("ripple", 0.04), ("off", 0.03)):
        own = [fault for fault in faults if fault.kind == kind and fault.start_s >= YEAR_S]
        # 400 systems in five years: the deviation of a Poisson number is its root.
        assert len(own) == pytest.approx(2000 * per_year, abs=4.0 * np.sqrt(2000 * per_year))
    assert all(0.02 <= abs(fault.offset_cell_v) <= 0.08 for fault in faults if fault.kind == "set_point")
    assert all(2.0 <= fault.ripple_factor <= 5.0 for fault in faults if fault.kind == "ripple")
    assert all(fault.end_s > fault.start_s for fault in faults)
    assert all(before.start_s <= after.start_s for before, after in pairwise(faults))


def test_breaks_are_the_edges_of_charger_faults_inside_the_span() -> None:
    drill = scenario.Scenario("drill", charger_faults=(ChargerFault(YEAR_S + 10.0, YEAR_S + 20.0, 0, "off"),))
    outside = Surroundings.of(2, CNX, SYSTEMS, 9, 120.0, scenario=drill)
    assert {YEAR_S + 10.0, YEAR_S + 20.0} <= set(outside.breaks(YEAR_S, YEAR_S + 30.0).tolist())
    assert YEAR_S + 10.0 not in outside.breaks(YEAR_S + 10.0, YEAR_S + 30.0)
    edges = outside.breaks(YEAR_S, YEAR_S + 365 * DAY_S)
    assert (np.diff(edges) > 0.0).all()


# -- rooms ------------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(start_s=instants, length_s=lengths)
def test_a_failed_room_follows_the_outdoor_air_slowly_and_only_while_it_fails(start_s: float, length_s: float) -> None:
    fault = HvacFault(start_s, start_s + length_s, failed=True, offset_c=0.0)
    plain, failing = Room(1, CNX, CLIMATE), Room(1, CNX, CLIMATE, (fault,))
    middle = np.array([start_s + 0.5 * length_s])
    target_c, tau_s = failing.target_c(middle)
    assert target_c[0] == max(CLIMATE.outdoor_c(middle)[0] + FAILED_LIFT_K, failing.set_point_c)
    assert tau_s[0] == ROOM_TAU_FAILED_S
    assert list(HvacState)[failing.state(middle)[0]] is HvacState.FAILED
    around = np.array([start_s - 1.0, start_s + length_s + 1.0])
    np.testing.assert_array_equal(failing.target_c(around)[0], plain.target_c(around)[0])
    np.testing.assert_array_equal(failing.state(around), plain.state(around))


@given(offset_c=st.floats(10.0, 20.0))
def test_a_drift_beyond_all_drawn_ones_adds_to_what_the_room_holds(offset_c: float) -> None:
    drift = HvacFault(YEAR_S, YEAR_S + DAY_S, failed=False, offset_c=offset_c)
    middle = np.array([YEAR_S + 0.5 * DAY_S])
    room = Room(4, CNX, CLIMATE, (drift,))
    held_c, tau_s = room.target_c(middle)
    assert held_c[0] == pytest.approx(
        room.set_point_c + room.weather_share * (CLIMATE.outdoor_c(middle)[0] - 28.0) + offset_c
    )
    assert tau_s[0] == ROOM_TAU_COOLED_S
    assert list(HvacState)[room.state(middle)[0]] is HvacState.DEGRADED


def test_a_failure_outranks_a_drift_and_no_instants_have_no_state() -> None:
    faults = tuple(HvacFault(YEAR_S, YEAR_S + DAY_S, failed=failed, offset_c=4.0) for failed in (False, True))
    room = Room(4, CNX, CLIMATE, faults)
    assert list(HvacState)[room.state(np.array([YEAR_S + 1.0]))[0]] is HvacState.FAILED
    assert room.state(np.array([])).shape == (0,)


@every_location
def test_rooms_are_drier_than_the_air_outside(location: LocationProfile) -> None:
    climate = Climate.of_location(1, location.code, location.climate_zone)
    hours = YEAR_S + 3600.0 * np.arange(365 * 24, dtype=np.float64)
    indoor = Room(1, location, climate).humidity_pct(hours)
    assert ((indoor > 30.0) & (indoor < 60.0)).all()
    assert indoor.mean() < climate.humidity_pct(hours).mean()


# -- load -------------------------------------------------------------------------------------------------------------


@given(at_s=instants, weeks=st.integers(1, 40))
def test_the_load_repeats_every_week(at_s: float, weeks: int) -> None:
    load = Load(5, SYSTEMS)
    again = load.factor(at_s + weeks * 7 * DAY_S, 0)
    assert again == pytest.approx(load.factor(at_s, 0), rel=1e-6) or _is_near_midnight(at_s)


def _is_near_midnight(at_s: float) -> bool:
    into_s = (at_s + 7 * 3600.0) % DAY_S
    return min(into_s, DAY_S - into_s) < 1e-3


@given(kva=st.floats(1.0, 500.0), share=st.floats(0.1, 1.0))
def test_battery_power_is_proportional_to_the_rating_and_less_than_its_apparent_power(kva: float, share: float) -> None:
    whole, part = battery_power_w(np.array([kva])), battery_power_w(np.array([share * kva]))
    assert part[0] == pytest.approx(share * whole[0])
    assert 0.9 * 1e3 * kva < whole[0] < 1e3 * kva


@every_location
def test_every_location_has_nine_strings_and_those_of_a_kind_have_equal_shares(location: LocationProfile) -> None:
    systems = layout_of(location)
    assert sum(system.strings for system in systems) == 9
    shares = {(system.kind, system.rated_power_kva / system.strings) for system in systems}
    assert shares == {(SystemKind.UPS, 200.0 / 6), (SystemKind.RECTIFIER, 5.0)}
    assert sum(system.strings for system in systems if system.kind is SystemKind.RECTIFIER) == 3
    assert len({(system.prefix, system.number) for system in systems}) == len(systems)


# -- scenarios --------------------------------------------------------------------------------------------------------


@given(name=st.sampled_from(scenario.NAMES), at_s=instants, length_s=st.floats(1.0, 10 * DAY_S))
def test_events_of_a_scenario_begin_at_its_instant_and_end_with_it(name: str, at_s: float, length_s: float) -> None:
    drill = scenario.named(name, at_s, length_s)
    spans = [(event.start_s, event.end_s) for event in drill.discharges]
    spans += [(fault.start_s, fault.end_s) for fault in drill.hvac_faults]
    spans += [(fault.start_s, fault.end_s) for fault in drill.charger_faults]
    assert drill.name == name
    assert min(start_s for start_s, _ in spans) == at_s
    # The shortest disturbance of the mains lasts four seconds.
    assert all(start_s < end_s <= at_s + max(length_s, 4.0) for start_s, end_s in spans)
    assert all(event.end_s <= event.mains_back_s for event in drill.discharges)


@pytest.mark.parametrize("length_s", [0.0, -1.0, float("nan")])
def test_a_scenario_without_length_is_refused(length_s: float) -> None:
    with pytest.raises(ValueError, match="longer than 0"):
        scenario.named("charger_off", YEAR_S, length_s)
