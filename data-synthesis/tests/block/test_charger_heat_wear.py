"""Charger, heat and wear: exact solutions against numerical integration, and laws that must hold for any input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from battery_synth.block import charger, heat, wear

temperatures = st.floats(-10.0, 60.0)
depths = st.floats(0.0, 1.0)


@settings(max_examples=30, deadline=None)
@given(deficit_ah=st.floats(0.0, 120.0), most_a=st.floats(0.1, 12.0), step_s=st.floats(1.0, 40_000.0))
def test_recharge_is_the_solution_of_its_differential_equation(deficit_ah: float, most_a: float, step_s: float) -> None:
    def law(_hours: float, missing_ah: np.ndarray) -> np.ndarray:
        return -np.minimum(missing_ah / charger.ACCEPTANCE_TAU_H, most_a)

    exact = charger.recharged_ah(deficit_ah, most_a, step_s)
    solved = solve_ivp(law, (0.0, step_s / 3600.0), [deficit_ah], rtol=1e-8, atol=1e-8, max_step=0.25)
    assert exact == pytest.approx(solved.y[0, -1], abs=1e-3)


@given(
    deficit_ah=st.floats(0.0, 120.0), most_a=st.floats(0.0, 12.0), first_s=st.floats(0, 1e5), then_s=st.floats(0, 1e5)
)
def test_recharge_in_two_steps_equals_one(deficit_ah: float, most_a: float, first_s: float, then_s: float) -> None:
    halfway = charger.recharged_ah(deficit_ah, most_a, first_s)
    assert 0.0 <= halfway <= deficit_ah
    twice = charger.recharged_ah(halfway, most_a, then_s)
    assert twice == pytest.approx(charger.recharged_ah(deficit_ah, most_a, first_s + then_s), rel=1e-9, abs=1e-9)


@given(temperature_c=st.floats(-40.0, 80.0), cells=st.integers(1, 240), offset_v=st.floats(-0.1, 0.1))
def test_set_point_is_compensated_within_its_range_only(temperature_c: float, cells: int, offset_v: float) -> None:
    held_v = charger.set_point_v(float(cells), temperature_c, offset_v)
    within_c = min(max(temperature_c, 10.0), 40.0)
    assert held_v == pytest.approx(cells * (2.275 - 0.0033 * (within_c - 25.0) + offset_v))


@settings(max_examples=30, deadline=None)
@given(block_c=temperatures, air_c=temperatures, heat_w=st.floats(0.0, 60.0), step_s=st.floats(1.0, 50_000.0))
def test_temperature_is_the_solution_of_one_thermal_mass(
    block_c: float, air_c: float, heat_w: float, step_s: float
) -> None:
    def law(_t: float, celsius: np.ndarray) -> np.ndarray:
        return (heat_w - (celsius - air_c) / heat.THERMAL_RESISTANCE_K_PER_W) / heat.HEAT_CAPACITY_J_PER_K

    exact = heat.relaxed_c(block_c, air_c, heat_w, np.exp(-step_s / heat.BLOCK_TAU_S))
    solved = solve_ivp(law, (0.0, step_s), [block_c], rtol=1e-8, atol=1e-8)
    assert exact == pytest.approx(solved.y[0, -1], abs=1e-4)


@given(current_a=st.floats(-300.0, 300.0), resistance_mohm=st.floats(0.5, 30.0))
def test_heat_does_not_depend_on_the_direction_of_the_current(current_a: float, resistance_mohm: float) -> None:
    heat_w = heat.joule_w(current_a, resistance_mohm)
    assert heat_w == heat.joule_w(-current_a, resistance_mohm) >= 0.0
    assert heat.joule_w(2.0 * current_a, resistance_mohm) == pytest.approx(4.0 * heat_w)


@given(temperature_c=temperatures, activation_ev=st.floats(0.5, 0.68))
def test_acceleration_is_arrhenius_about_25_degrees(temperature_c: float, activation_ev: float) -> None:
    # R = 8.314 J/mol/K and 1 eV = 96,485 J/mol: the same law in molar units.
    exponent = activation_ev * 96_485.0 / 8.314 * (1.0 / 298.15 - 1.0 / (temperature_c + 273.15))
    assert wear.acceleration(temperature_c, activation_ev) == pytest.approx(np.exp(exponent), rel=1e-3)
    assert wear.acceleration(25.0, activation_ev) == 1.0


@given(cell_v=st.floats(2.0, 2.6))
def test_corrosion_doubles_per_55_millivolts(cell_v: float) -> None:
    assert wear.overcharge_factor(cell_v + 0.055) == pytest.approx(2.0 * wear.overcharge_factor(cell_v))
    assert wear.overcharge_factor(2.275) == 1.0


@given(first=depths, second=depths, third=depths, full_cycles=st.floats(100.0, 260.0), exponent=st.floats(1.5, 2.0))
def test_cycle_shares_of_one_discharge_add_up(
    first: float, second: float, third: float, full_cycles: float, exponent: float
) -> None:
    start, middle, end = sorted((first, second, third))
    first_part = wear.miner_share(start, middle, full_cycles, exponent)
    parts = first_part + wear.miner_share(middle, end, full_cycles, exponent)
    assert parts == pytest.approx(wear.miner_share(start, end, full_cycles, exponent), abs=1e-12)
    assert first_part >= 0.0


def test_deep_cycles_cost_more_than_as_many_shallow_ones() -> None:
    assert wear.miner_share(0.0, 1.0, 112.0, 1.9) == pytest.approx(1.0 / 112.0)
    assert wear.miner_share(0.0, 1.0, 112.0, 1.9) > 4.0 * wear.miner_share(0.0, 0.25, 112.0, 1.9)


@pytest.mark.parametrize(("depth", "cycles"), [(1.0, 112), (0.5, 425), (0.3, 1_125)])
def test_cycle_life_has_the_published_table(depth: float, cycles: float) -> None:
    assert 1.0 / wear.miner_share(0.0, depth, 112.0, 1.9) == pytest.approx(cycles, rel=0.03)
