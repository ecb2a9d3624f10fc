"""The kernels against closed forms, against each other and against themselves without a compiler."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from battery_synth.block import charger, electrics, heat, wear
from battery_synth.engine import kernel, strings
from battery_synth.state.arrays import (
    ALL_STRINGS,
    NO_STRING,
    BlockParameters,
    FloatArray,
    IntArray,
    PlantState,
    TrueRows,
)
from battery_synth.state.readings import MODES
from tests.engine.bench_location import blocks_of, of_string, plan_of, room_for, state_of

FLOAT, RECHARGE, DISCHARGE = (MODES.index(name) for name in ("float", "recharge", "discharge"))


class Options(TypedDict, total=False):
    """What a plan may be given besides its steps."""

    air_c: float
    feeding: IntArray
    constant_a: float
    charger_offset_v: float


def run(
    plan_strings: int,
    width: int,
    steps: int,
    step_s: float,
    *,
    systems: int = 1,
    blocks: BlockParameters | None = None,
    state: PlantState | None = None,
    **options: Unpack[Options],
) -> tuple[PlantState, TrueRows]:
    blocks = blocks or blocks_of(plan_strings, width, systems=systems)
    state = state or state_of(plan_strings, width)
    plan = plan_of(steps, step_s, strings=plan_strings, systems=systems, **options)
    flow, rows = room_for(plan, plan_strings, width)
    kernel.run(state, blocks, flow, plan, rows)
    return state, rows


def test_blocks_on_float_share_the_chargers_voltage_and_one_current() -> None:
    _, rows = run(1, 24, 10, 3600.0)
    held_v = [charger.set_point_v(144.0, temperatures.mean(), 0.0) for temperatures in rows.temperature_c]
    np.testing.assert_allclose(rows.voltage_v.sum(axis=1), held_v, rtol=1e-12)
    blocks = blocks_of(1, 24)
    own_a = [
        electrics.float_current_a(v / 6.0, np.exp(log) / 1.2 * 1e3, c, 120.0)
        for v, log, c in zip(rows.voltage_v[0], blocks.log_exchange, rows.temperature_c[0], strict=True)
    ]
    np.testing.assert_allclose(own_a, rows.current_a[0], rtol=1e-9)
    assert 0.020 < rows.current_a[0] < 0.150
    assert (rows.voltage_v > 13.4).all()
    assert (rows.voltage_v < 13.9).all()


def test_float_current_doubles_per_11_6_kelvin_at_one_voltage_and_per_63_millivolts() -> None:
    at_25 = electrics.float_current_a(2.275, 20.0, 25.0, 120.0)
    assert electrics.float_current_a(2.275, 20.0, 25.0 + 11.55, 120.0) / at_25 == pytest.approx(2.0, rel=0.005)
    assert electrics.float_current_a(2.275 + 0.063, 20.0, 25.0, 120.0) / at_25 == pytest.approx(2.0, rel=0.005)


def test_current_in_compensated_float_doubles_per_29_kelvin() -> None:
    cold, warm = (run(1, 24, 2, 1.0, state=state_of(1, 24, block_c=c), air_c=c)[1].current_a[0] for c in (15.0, 35.0))
    assert 20.0 / np.log2(warm / cold) == pytest.approx(29.0, abs=2.0)


def test_a_shorted_cell_lowers_its_block_by_its_share_and_raises_the_others() -> None:
    blocks = blocks_of(1, 24)
    _, sound = run(1, 24, 1, 1.0, blocks=blocks)
    blocks.good_cells[7] = 5.0
    _, rows = run(1, 24, 1, 1.0, blocks=blocks)
    assert rows.voltage_v[0, 7] - sound.voltage_v[0, 7] == pytest.approx(-2.275 + 5 * 0.0157, abs=0.02)
    assert rows.voltage_v.sum() == pytest.approx(sound.voltage_v.sum())
    # One cell in 144 gone at a fixed charger voltage: 19 % more current.
    assert rows.current_a[0] / sound.current_a[0] == pytest.approx(1.19, abs=0.01)


def outage(steps: int, first: int, last: int) -> np.ndarray:
    feeding = np.full(steps + 1, NO_STRING)
    feeding[first:last] = ALL_STRINGS
    return feeding


def test_strings_of_a_bus_give_the_power_together_at_one_voltage() -> None:
    blocks = blocks_of(6, 24, systems=2)
    blocks.resistance_25c_mohm[:24] *= 1.5
    _, rows = run(6, 24, 12, 10.0, blocks=blocks, systems=2, feeding=outage(12, 2, 12))
    for look in range(2, 12):
        bus_v = rows.voltage_v[6 * look : 6 * look + 6].sum(axis=1)
        current_a = rows.current_a[6 * look : 6 * look + 6]
        np.testing.assert_allclose(bus_v[:3], bus_v[0], rtol=1e-9)
        assert -(bus_v * current_a)[:3].sum() == pytest.approx(3 * 20_600.0, rel=1e-9)
        assert -(bus_v * current_a)[3:].sum() == pytest.approx(3 * 20_600.0, rel=1e-9)
    # The string of more resistance takes less at first, and is the fuller for it later.
    assert abs(rows.current_a[12]) < 0.9 * abs(rows.current_a[13])


def test_voltage_falls_in_discharge_and_charge_balances() -> None:
    state = state_of(1, 24)
    _, rows = run(1, 24, 360, 5.0, state=state, feeding=outage(360, 0, 361))
    assert (np.diff(rows.voltage_v.mean(axis=1))[150:] < 0).all()
    # In the first minutes the voltage dips and recovers: the coup de fouet.
    assert rows.voltage_v[:60].mean(axis=1).argmin() < 25
    drawn_ah = -(rows.current_a * 5.0).sum() / 3600.0
    held_ah = strings.SURFACE_C * (1.0 - state.surface[0]) / 3600.0
    assert state.deficit_ah[0] == pytest.approx(drawn_ah - held_ah, rel=1e-9)
    np.testing.assert_allclose(
        rows.soc[-1], 1.0 - (drawn_ah - held_ah + rows.current_a[-1] * 5 / 3600) / 118.0, atol=1e-4
    )


def test_recharge_follows_a_fine_integration_of_the_same_law() -> None:
    state = state_of(1, 24)
    state.deficit_ah[:] = 40.0
    state.surface[:] = 1.0
    blocks = blocks_of(1, 24, spread=0.0)
    _, rows = run(1, 24, 24, 3600.0, state=state, blocks=blocks)
    most_a = (12.0 - rows.current_a[-1]) / 1.06

    def law(_t: float, deficit_ah: FloatArray) -> FloatArray:
        rate: FloatArray = -np.minimum(deficit_ah / charger.ACCEPTANCE_TAU_H, most_a)
        return rate

    fine = solve_ivp(law, (0.0, 23.0), [40.0], t_eval=np.arange(24.0), rtol=1e-9, atol=1e-9).y[0]
    np.testing.assert_allclose((1.0 - rows.soc[:, 0]) * 118.0, fine, atol=0.05)


def test_ah_in_over_ah_out_is_about_1_1() -> None:
    steps = 40_000
    _, rows = run(1, 24, steps, 5.0, feeding=outage(steps, 0, 240))
    out_ah = -rows.current_a[:240].sum() * 5.0 / 3600.0
    in_ah = (rows.current_a[240:] - rows.current_a[-1]).sum() * 5.0 / 3600.0
    assert 1.03 < in_ah / out_ah < 1.12
    assert rows.mode[-1] == FLOAT


def test_string_reaches_its_cut_off_and_stays_off() -> None:
    _, rows = run(1, 24, 1440, 5.0, feeding=outage(1440, 0, 1441))
    tripped = np.flatnonzero(rows.current_a == 0.0)
    minutes = tripped[0] * 5.0 / 60.0
    # 20.6 kW a string: 50 to 60 minutes to the cut-off (rate table of the class).
    assert 42.0 < minutes < 65.0
    assert (rows.current_a[tripped[0] :] == 0.0).all()
    assert rows.voltage_v[tripped[0] - 1].sum() == pytest.approx(252.0, abs=1.0)
    assert rows.current_a[tripped[0] - 1] / rows.current_a[12] == pytest.approx(1.13, abs=0.06)


def _rest_v(state: PlantState, blocks: BlockParameters) -> FloatArray:
    """Return what the law of the acid gives for blocks that have rested for long."""
    soc = 1.0 - state.deficit_ah / blocks.capacity_ah
    return np.array([electrics.open_circuit_v(z, c, 6.0) for z, c in zip(soc, state.block_c, strict=True)])


@pytest.mark.parametrize("charger_is_off", [True, False])
def test_a_string_that_was_cut_off_rises_by_a_volt_within_an_hour_towards_its_rest(charger_is_off: bool) -> None:
    # The outage goes on, or ends without a charger: in both the string stands by without current.
    steps, until = 2400, 800 if charger_is_off else 2401
    blocks = blocks_of(1, 24, spread=0.0)
    offset_v = float("nan") if charger_is_off else 0.0
    state, rows = run(1, 24, steps, 5.0, blocks=blocks, feeding=outage(steps, 0, until), charger_offset_v=offset_v)
    cut = int(np.flatnonzero(rows.current_a == 0.0)[0])
    assert cut < 800
    last_v, after_v = rows.voltage_v[cut - 1].mean(), rows.voltage_v[cut:].mean(axis=1)
    assert last_v == pytest.approx(10.5, abs=0.05)
    assert (np.diff(after_v) > -1e-9).all()
    hour_v = after_v[720]
    # Without the drop in the resistance, which ends with the current.
    assert 0.8 < hour_v - after_v[0] < 1.4
    assert after_v[0] > last_v + 0.2
    rest_v = _rest_v(state, blocks).mean()
    assert rest_v - 0.1 < hour_v < rest_v + 0.02
    # Diffusion, once the polarisation of minutes has gone: what is missing to the rest falls by e per 20 minutes.
    late = rest_v - after_v[360:720]
    rate_s = -(np.polyfit(5.0 * np.arange(len(late)), np.log(late), 1)[0] ** -1)
    assert rate_s == pytest.approx(1200.0, rel=0.15)


def test_relaxation_does_not_depend_on_the_steps() -> None:
    states = []
    for step_s in (5.0, 600.0):
        state = state_of(1, 24)
        state.deficit_ah[:], state.surface[:], state.exhausted_v[:] = 70.0, 0.0, 1.1
        run(1, 24, round(3600.0 / step_s), step_s, state=state, charger_offset_v=float("nan"))
        states.append(state.exhausted_v)
    np.testing.assert_allclose(states[0], states[1], rtol=1e-9)
    np.testing.assert_allclose(states[0], 1.1 * np.exp(-3.0))


def test_a_reversed_block_is_back_near_its_acid_s_voltage_once_the_current_ends() -> None:
    blocks = blocks_of(1, 24)
    blocks.capacity_ah[3] = 40.0
    state, rows = run(1, 24, 900, 5.0, blocks=blocks, feeding=outage(900, 0, 750), charger_offset_v=float("nan"))
    assert rows.voltage_v[:750, 3].min() < 2.0
    assert rows.voltage_v[752, 3] > 9.0
    assert state.exhausted_v.max() <= electrics.MOST_EXHAUSTED_V


def test_exhaustion_ends_with_the_recharge() -> None:
    state = state_of(1, 24)
    run(1, 24, 700, 5.0, state=state, feeding=outage(700, 0, 701))
    assert state.exhausted_v.min() > 0.3
    _, rows = run(1, 24, 36 * 6, 600.0, state=state)
    assert rows.mode[-1] == FLOAT
    assert not state.exhausted_v.any()


def test_ten_hour_rate_gives_the_rated_capacity() -> None:
    blocks = blocks_of(1, 24, spread=0.0)
    blocks.capacity_ah[:] = 120.0
    feeding = outage(2400, 0, 2401)
    feeding[:] = 0
    _, rows = run(1, 24, 2400, 20.0, blocks=blocks, feeding=feeding, constant_a=12.0)
    below = np.flatnonzero(rows.voltage_v[:, 0] < 10.8)
    assert below[0] * 20.0 / 3600.0 * 12.0 == pytest.approx(120.0, rel=0.04)


def test_a_weak_block_ends_the_string_and_reverses() -> None:
    blocks = blocks_of(1, 24)
    blocks.capacity_ah[3] = 40.0
    _, rows = run(1, 24, 900, 5.0, blocks=blocks, feeding=outage(900, 0, 901))
    assert rows.voltage_v[:, 3].min() < 2.0
    assert rows.voltage_v[:700, 4].min() > 10.5


def test_an_open_block_takes_what_the_charger_holds_and_its_string_gives_nothing() -> None:
    blocks = blocks_of(2, 24)
    blocks.is_open[5] = True
    _, rows = run(2, 24, 40, 10.0, blocks=blocks, feeding=outage(40, 20, 41))
    broken, other = of_string(rows.current_a, 0, 2), of_string(rows.current_a, 1, 2)
    assert (broken == 0.0).all()
    assert (other[20:] < -100.0).all()
    assert of_string(rows.voltage_v, 0, 2)[:20].sum(axis=1) == pytest.approx(
        of_string(rows.voltage_v, 1, 2)[:20].sum(axis=1), rel=1e-3
    )


def test_a_string_whose_charger_is_off_sinks_to_rest_and_loses_charge_slowly() -> None:
    state, rows = run(1, 24, 30 * 24, 3600.0, charger_offset_v=float("nan"))
    assert (rows.current_a == 0.0).all()
    assert rows.voltage_v[-1, 0] == pytest.approx(12.88, abs=0.05)
    assert state.deficit_ah[0] / 118.0 == pytest.approx(0.03, rel=0.05)


def test_temperature_follows_the_exact_solution_of_one_thermal_mass() -> None:
    state = state_of(1, 24, block_c=25.0)
    _, rows = run(1, 24, 48, 600.0, state=state, air_c=35.0)
    for step in (6, 18, 36):
        air = 35.0 + (25.0 - 35.0) * np.exp(-step * 600.0 / heat.BLOCK_TAU_S)
        assert rows.temperature_c[step, 0] == pytest.approx(air, abs=0.4)
    assert pytest.approx(3.1, abs=0.1) == heat.BLOCK_TAU_S / 3600.0


def test_clocks_of_wear() -> None:
    state = state_of(1, 24, block_c=35.0)
    run(1, 24, 24 * 10, 3600.0, state=state, air_c=35.0)
    assert state.thermal_days[0] == pytest.approx(10.0 * 2.13, rel=0.03)
    # Compensation lowers the voltage in the heat: less overcharge than at 2.275 V a cell.
    assert 0.5 < state.overcharge_days[0] / state.thermal_days[0] < 0.95
    assert (state.cycle_share == 0.0).all()
    assert wear.overcharge_factor(2.33) == pytest.approx(2.0)
    run(1, 24, 360, 5.0, state=state, feeding=outage(360, 0, 361))
    depth = state.deficit_ah[0] / 118.0
    assert state.cycle_share[0] == pytest.approx(depth**1.9 / 112.0, rel=1e-6)


def test_the_spared_work_of_settled_strings_changes_nothing() -> None:
    quick, slow = state_of(2, 24), state_of(2, 24)
    plan = plan_of(200, 60.0, strings=2, feeding=outage(200, 30, 32))
    rows = {}
    for name, state in (("quick", quick), ("slow", slow)):
        flow, rows[name] = room_for(plan, 2, 24)
        state.settled[:] = 1.0 if name == "quick" else 0.0
        kernel.run(state, blocks_of(2, 24), flow, plan, rows[name])
    np.testing.assert_allclose(rows["quick"].voltage_v, rows["slow"].voltage_v, atol=2e-4)
    np.testing.assert_allclose(rows["quick"].temperature_c, rows["slow"].temperature_c, atol=2e-3)


def test_compiled_and_interpreted_kernels_agree(tmp_path: Path) -> None:
    script = """
import sys, numpy as np
from battery_synth.engine import kernel
from battery_synth.state.arrays import ALL_STRINGS
from tests.engine.bench_location import blocks_of, plan_of, room_for, state_of
feeding = np.full(121, -2); feeding[20:60] = ALL_STRINGS
plan = plan_of(120, 30.0, strings=2, feeding=feeding)
state, (flow, rows) = state_of(2, 6), room_for(plan, 2, 6)
kernel.run(state, blocks_of(2, 6), flow, plan, rows)
np.savez(sys.argv[1], *rows, *state)
"""
    results = []
    for disabled in ("0", "1"):
        path = tmp_path / f"{disabled}.npz"
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled}
        subprocess.run(
            [sys.executable, "-c", script, str(path)], check=True, env=environment, cwd=Path(__file__).parents[2]
        )
        results.append(np.load(path))
    assert np.isfinite(results[0]["arr_5"]).all()
    for name in results[0].files:
        np.testing.assert_allclose(results[0][name], results[1][name], rtol=1e-9, atol=1e-9)
