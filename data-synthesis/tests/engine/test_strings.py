"""One string at an instant: sums of voltages, limits of current, and conservation of charge and energy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from battery_synth.block import charger, electrics, heat
from battery_synth.engine import kernel, strings
from battery_synth.state.arrays import ALL_STRINGS, BlockParameters, Flow, PlantState
from tests.engine.bench_location import blocks_of, plan_of, room_for, state_of

WIDTH = 24
temperatures = st.floats(0.0, 50.0)
offsets = st.floats(-0.05, 0.05)


def flow_of(width: int = WIDTH) -> Flow:
    return Flow.empty(1, width, 1)


def floating(
    temperature_c: float, offset_v: float, blocks: BlockParameters | None = None
) -> tuple[PlantState, BlockParameters, Flow, bool]:
    """Return a string on float, solved."""
    state, blocks, flow = state_of(1, WIDTH, block_c=temperature_c), blocks or blocks_of(1, WIDTH), flow_of()
    return state, blocks, flow, strings.solve_float(state, blocks, flow, 0, offset_v)


def discharging(deficit_ah: float, expected_a: float) -> tuple[PlantState, BlockParameters, Flow, float, float]:
    """Return a string that feeds a load, with its source voltage and resistance."""
    state, blocks, flow, _ = floating(25.0, 0.0)
    state.deficit_ah[:] = deficit_ah
    strings.solve_inside(state, blocks, flow, 0)
    source_v, ohm = strings.source_of_discharge(state, blocks, flow, 0, expected_a)
    return state, blocks, flow, source_v, ohm


# -- float ------------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(temperature_c=temperatures, offset_v=offsets)
def test_float_voltages_add_up_to_the_set_point_of_the_charger(temperature_c: float, offset_v: float) -> None:
    _, _, flow, conducts = floating(temperature_c, offset_v)
    assert conducts
    held_v = charger.set_point_v(6.0 * WIDTH, temperature_c, offset_v)
    assert flow.float_v.sum() == pytest.approx(held_v, rel=1e-9)


@settings(max_examples=50)
@given(temperature_c=temperatures, offset_v=offsets)
def test_float_current_is_the_root_of_the_sum_of_the_blocks_voltages(temperature_c: float, offset_v: float) -> None:
    _, blocks, flow, _ = floating(temperature_c, offset_v)
    held_v = charger.set_point_v(6.0 * WIDTH, temperature_c, offset_v)

    def missing_v(log_a: float) -> float:
        ease = blocks.log_exchange + electrics.TAFEL_TEMPERATURE_PER_K * (temperature_c - 25.0)
        cell_v = electrics.TAFEL_REFERENCE_V + (log_a - ease) / electrics.TAFEL_VOLTAGE_PER_V
        return float((blocks.good_cells * cell_v).sum() - held_v)

    assert math.log(flow.float_a[0]) == pytest.approx(brentq(missing_v, -30.0, 30.0), abs=1e-8)


@settings(max_examples=50)
@given(temperature_c=st.floats(10.0, 38.0), offset_v=offsets)
def test_float_current_rises_with_warmth_and_with_the_set_point(temperature_c: float, offset_v: float) -> None:
    base = floating(temperature_c, offset_v)[2].float_a[0]
    assert floating(temperature_c + 2.0, offset_v)[2].float_a[0] > base
    assert floating(temperature_c, offset_v + 0.01)[2].float_a[0] == pytest.approx(base * math.exp(0.11), rel=1e-9)


@pytest.mark.parametrize("shorted", [1, 6, 12])
def test_shorted_cells_leave_more_voltage_to_the_sound_ones(shorted: int) -> None:
    blocks = blocks_of(1, WIDTH, spread=0.0)
    blocks.good_cells[:shorted] = 5.0
    _, _, flow, _ = floating(25.0, 0.0, blocks)
    _, _, sound, _ = floating(25.0, 0.0, blocks_of(1, WIDTH, spread=0.0))
    assert flow.float_a[0] > sound.float_a[0]
    assert flow.float_v[:shorted].max() < sound.float_v.min() <= sound.float_v.max() < flow.float_v[shorted:].min()
    assert flow.float_v.sum() == pytest.approx(sound.float_v.sum())


def test_the_charger_limits_the_current_of_a_runaway() -> None:
    _, blocks, flow, _ = floating(90.0, 0.3)
    assert flow.float_a[0] == pytest.approx(charger.LIMIT_PER_AH * blocks.rated_ah)
    assert flow.float_v.sum() < charger.set_point_v(6.0 * WIDTH, 90.0, 0.3)


@pytest.mark.parametrize("cause", ["open", "off"])
def test_no_current_flows_through_an_open_block_or_from_a_charger_that_is_off(cause: str) -> None:
    blocks = blocks_of(1, WIDTH)
    blocks.is_open[3] = cause == "open"
    _, _, flow, conducts = floating(25.0, float("nan") if cause == "off" else 0.0, blocks)
    assert not conducts
    assert flow.float_a[0] == 0.0
    assert np.isfinite(flow.float_v).all()


def test_an_open_block_takes_the_voltage_that_the_others_leave() -> None:
    blocks = blocks_of(1, WIDTH)
    blocks.is_open[7] = True
    state, _, flow, _ = floating(25.0, 0.0, blocks)
    strings.solve_inside(state, blocks, flow, 0)
    strings.solve_idle(state, blocks, flow, 0, True)
    assert flow.voltage_v.sum() == pytest.approx(charger.set_point_v(6.0 * WIDTH, 25.0, 0.0))
    assert flow.current_a[0] == 0.0


# -- charging ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(deficit_ah=st.floats(0.0, 118.0), surface=st.floats(0.0, 1.0))
def test_a_charging_string_takes_no_less_than_float_and_no_more_than_the_limit(
    deficit_ah: float, surface: float
) -> None:
    state, blocks, flow, _ = floating(25.0, 0.0)
    state.deficit_ah[:], state.surface[:] = deficit_ah, surface
    strings.solve_inside(state, blocks, flow, 0)
    strings.solve_charging(state, blocks, flow, 0)
    limit_a = charger.LIMIT_PER_AH * blocks.rated_ah
    assert flow.float_a[0] - 1e-12 <= flow.current_a[0] <= limit_a * (1.0 + 1e-12)
    stored_a = flow.most_stored_a[0]
    assert 0.0 <= stored_a * (1.0 + charger.SIDE_REACTION_SHARE) <= limit_a - flow.float_a[0] + 1e-9
    assert flow.voltage_v.sum() <= flow.float_v.sum() + 1e-6


@settings(max_examples=50)
@given(deficit_ah=st.floats(-20.0, 200.0), temperature_c=temperatures)
def test_charge_stays_between_empty_and_full_and_resistance_positive(deficit_ah: float, temperature_c: float) -> None:
    state, blocks, flow, _ = floating(temperature_c, 0.0)
    state.deficit_ah[:] = deficit_ah
    strings.solve_inside(state, blocks, flow, 0)
    assert ((flow.soc >= 0.0) & (flow.soc <= 1.0)).all()
    assert (flow.resistance_mohm > 0.0).all()


# -- discharge --------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(less_ah=st.floats(0.0, 90.0), more_ah=st.floats(0.0, 90.0))
def test_a_deeper_discharge_leaves_a_weaker_source(less_ah: float, more_ah: float) -> None:
    less_ah, more_ah = sorted((less_ah + 25.0, more_ah + 25.0))
    # By a fifth the coup de fouet, in which the voltage recovers, has passed.
    _, _, _, fuller_v, fuller_ohm = discharging(less_ah, 72.0)
    _, _, _, emptier_v, emptier_ohm = discharging(more_ah, 72.0)
    assert emptier_v <= fuller_v + 1e-9
    assert emptier_ohm >= fuller_ohm - 1e-12


@settings(max_examples=50)
@given(drawn_a=st.floats(0.0, 200.0))
def test_the_string_gives_its_source_voltage_less_the_drop_in_its_resistance(drawn_a: float) -> None:
    _, blocks, flow, source_v, ohm = discharging(5.0, 72.0)
    strings.solve_discharging(blocks, flow, 0, drawn_a, False)
    assert flow.voltage_v.sum() == pytest.approx(source_v - ohm * drawn_a)
    assert flow.current_a[0] == -drawn_a
    assert (flow.spent[0] == 1.0) == (flow.voltage_v.sum() < 10.5 * WIDTH)


@settings(max_examples=25)
@given(share=st.floats(0.05, 1.2), strings_count=st.integers(1, 4))
def test_the_strings_of_a_bus_deliver_the_power_of_its_load_at_one_voltage(share: float, strings_count: int) -> None:
    state, blocks = state_of(strings_count, WIDTH), blocks_of(strings_count, WIDTH)
    blocks.resistance_25c_mohm[:WIDTH] *= 1.5
    plan = plan_of(1, 1.0, strings=strings_count, feeding=np.full(2, ALL_STRINGS))
    plan.load_share[:] = share
    flow, rows = room_for(plan, strings_count, WIDTH)
    kernel.run(state, blocks, flow, plan, rows)
    string_v = rows.voltage_v.sum(axis=1)
    np.testing.assert_allclose(string_v, string_v[0], rtol=1e-9)
    assert -(string_v * rows.current_a).sum() == pytest.approx(share * blocks.rated_w.sum(), rel=1e-9)
    assert (rows.current_a < 0.0).all()
    if strings_count > 1:
        assert abs(rows.current_a[0]) < abs(rows.current_a[1])


# -- conservation -----------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(drawn_a=st.floats(5.0, 60.0), steps=st.integers(2, 60))
def test_charge_drawn_is_charge_missing_in_plates_and_double_layer(drawn_a: float, steps: int) -> None:
    state, blocks = state_of(1, WIDTH), blocks_of(1, WIDTH)
    plan = plan_of(steps, 10.0, strings=1, feeding=np.zeros(steps + 1, np.int64), constant_a=drawn_a)
    flow, rows = room_for(plan, 1, WIDTH)
    kernel.run(state, blocks, flow, plan, rows)
    from_surface_ah = strings.SURFACE_C * (1.0 - state.surface[0]) / 3600.0
    np.testing.assert_allclose(state.deficit_ah, drawn_a * 10.0 * steps / 3600.0 - from_surface_ah, rtol=1e-9)
    assert (np.diff(rows.soc[:, 0]) <= 0.0).all()


@settings(max_examples=25)
@given(start_c=temperatures, air_c=temperatures, steps=st.integers(1, 100))
def test_without_losses_a_block_exchanges_with_the_air_what_its_temperature_loses(
    start_c: float, air_c: float, steps: int
) -> None:
    step_s, block_c, given_j = 60.0, start_c, 0.0
    decay = math.exp(-step_s / heat.BLOCK_TAU_S)
    for _ in range(steps):
        after_c = heat.relaxed_c(block_c, air_c, 0.0, decay)
        # The mean of an exponential over a step is its change over its exponent.
        mean_k = (block_c - after_c) * heat.BLOCK_TAU_S / step_s
        given_j += mean_k / heat.THERMAL_RESISTANCE_K_PER_W * step_s
        block_c = after_c
    assert given_j == pytest.approx(heat.HEAT_CAPACITY_J_PER_K * (start_c - block_c), rel=1e-9, abs=1e-6)
    assert min(start_c, air_c) - 1e-9 <= block_c <= max(start_c, air_c) + 1e-9
