"""Electrics of a block: physical invariants, closed forms and the table they come from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_synth.block import electrics

fractions = st.floats(0.0, 1.0)
temperatures = st.floats(-10.0, 50.0)


@given(low=fractions, high=fractions, temperature_c=temperatures)
def test_open_circuit_voltage_rises_with_charge(low: float, high: float, temperature_c: float) -> None:
    low, high = sorted((low, high))
    less, more = (electrics.open_circuit_v(soc, temperature_c, 6.0) for soc in (low, high))
    assert less <= more
    # Six lead-acid cells at rest: 11.4 to 13.1 V.
    assert 11.3 < less <= more < 13.2


@given(soc=fractions, cells=st.integers(1, 6))
def test_open_circuit_voltage_is_proportional_to_the_cells_and_rises_by_a_quarter_millivolt_per_kelvin(
    soc: float, cells: int
) -> None:
    one = electrics.open_circuit_v(soc, 25.0, 1.0)
    assert electrics.open_circuit_v(soc, 25.0, float(cells)) == pytest.approx(cells * one)
    assert electrics.open_circuit_v(soc, 35.0, 1.0) - one == pytest.approx(0.0025)


@given(charge=st.floats(-5.0, 5.0))
def test_charge_outside_empty_and_full_counts_as_empty_or_full(charge: float) -> None:
    within = min(max(charge, 0.0), 1.0)
    assert electrics.open_circuit_v(charge, 25.0, 6.0) == electrics.open_circuit_v(within, 25.0, 6.0)


@given(resistance=st.floats(1.0, 20.0), soc=fractions, colder=temperatures, warmer=temperatures)
def test_resistance_falls_with_warmth_and_charge(resistance: float, soc: float, colder: float, warmer: float) -> None:
    colder, warmer = sorted((colder, warmer))
    assert electrics.ohmic_mohm(resistance, soc, colder) >= electrics.ohmic_mohm(resistance, soc, warmer) > 0.0
    assert electrics.ohmic_mohm(resistance, soc, 25.0) >= electrics.ohmic_mohm(resistance, 1.0, 25.0)
    assert electrics.ohmic_mohm(resistance, 1.0, 25.0) == pytest.approx(resistance)


@given(temperature_c=temperatures)
def test_resistance_follows_its_exponential_law(temperature_c: float) -> None:
    ratio = electrics.ohmic_mohm(3.5, 1.0, temperature_c) / electrics.ohmic_mohm(3.5, 1.0, temperature_c + 1.0)
    assert np.log(ratio) == pytest.approx(0.008)


def test_an_empty_block_has_twice_the_resistance_of_a_full_one() -> None:
    assert electrics.ohmic_mohm(3.5, 0.0, 25.0) == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("minutes", "current_a"), list(zip(electrics.RATE_MINUTES, electrics.RATE_CURRENT_A, strict=True))
)
def test_available_charge_is_that_of_the_rate_table(minutes: float, current_a: float) -> None:
    assert electrics.available_ah(current_a, 100.0) == pytest.approx(current_a * minutes / 60.0)
    assert electrics.available_ah(1.2 * current_a, 120.0) == pytest.approx(1.2 * current_a * minutes / 60.0)


@given(less=st.floats(5.3, 240.0), more=st.floats(5.3, 240.0))
def test_a_higher_current_leaves_less_charge_and_less_time(less: float, more: float) -> None:
    less, more = sorted((less, more))
    small, large = electrics.available_ah(less, 100.0), electrics.available_ah(more, 100.0)
    assert large <= small * (1.0 + 1e-9)
    assert large / more <= small / less * (1.0 + 1e-9)


@given(first=temperatures, second=temperatures)
def test_capacity_rises_with_warmth_and_is_whole_at_25_degrees(first: float, second: float) -> None:
    colder, warmer = sorted((first, second))
    assert electrics.capacity_share(colder) <= electrics.capacity_share(warmer)
    assert electrics.capacity_share(25.0) == 1.0


@given(usable_ah=st.floats(10.0, 200.0), part=st.floats(0.0, 3.0))
def test_exhaustion_is_small_until_the_charge_runs_out_and_is_bounded(usable_ah: float, part: float) -> None:
    lost_v = electrics.exhaustion_v(part * usable_ah, usable_ah)
    assert 0.0 <= lost_v <= 16.0
    assert electrics.exhaustion_v(0.5 * usable_ah, usable_ah) < 0.02
    assert electrics.exhaustion_v(usable_ah, usable_ah) == pytest.approx(0.9)


@given(capacity_ah=st.floats(40.0, 130.0), current_a=st.floats(1.0, 150.0))
def test_coup_de_fouet_begins_at_nothing_is_deepest_at_one_percent_and_passes(
    capacity_ah: float, current_a: float
) -> None:
    part = np.linspace(0.0, 0.2, 401)
    dip_v = np.array([electrics.coup_de_fouet_v(p * capacity_ah, capacity_ah, current_a) for p in part])
    assert dip_v[0] == 0.0
    assert part[dip_v.argmax()] == pytest.approx(0.01)
    assert dip_v[-1] < 1e-4
    assert dip_v.max() <= 6 * 0.02 * 1.5 + 1e-12


@given(cell_v=st.floats(2.1, 2.5), temperature_c=temperatures, exchange=st.floats(5.0, 60.0))
def test_float_current_is_log_linear_in_voltage_and_temperature(
    cell_v: float, temperature_c: float, exchange: float
) -> None:
    base = electrics.float_current_a(cell_v, exchange, temperature_c, 120.0)
    higher = electrics.float_current_a(cell_v + 0.01, exchange, temperature_c, 120.0)
    warmer = electrics.float_current_a(cell_v, exchange, temperature_c + 1.0, 120.0)
    assert np.log(higher / base) == pytest.approx(0.11)
    assert np.log(warmer / base) == pytest.approx(0.06)
