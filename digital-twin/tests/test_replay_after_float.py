"""A discharge from float: the electrodes hold an overvoltage that the circuit does not describe."""

import numpy as np
import pytest

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.replay import replay
from battery_twin.runs import RecordedRun

RATED_AH = 120.0
FLOAT_V = 13.65
FLOAT_S, STEP_S = 1200.0, 5.0


def outage_from_float(soh: float, current_a: float = -72.0, minutes: float = 30.0) -> tuple[RecordedRun, np.ndarray]:
    """Return a run on float followed by a discharge, and its true state of charge."""
    params = data_sheet_parameters(RATED_AH)
    times = np.arange(0.0, FLOAT_S + 60.0 * minutes, STEP_S)
    current = np.where(times < FLOAT_S, 0.04, current_a)
    drawn_ah = np.cumsum(np.where(current < 0, -current, 0.0)) * STEP_S / 3600.0
    soc = 1.0 - drawn_ah / (RATED_AH * soh)
    knots = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
    ohm = params.r0_ohm[-1] + params.r1_ohm[-1] + 0.5 * params.r2_ohm[-1]
    depletion = np.zeros(len(times))
    decay = np.exp(-STEP_S / params.tau_d_s)
    for row in range(1, len(times)):
        lasting = params.depletion_h * min(current[row], 0.0) / (RATED_AH * soh)
        depletion[row] = decay * depletion[row - 1] + (1 - decay) * lasting
    settled = np.interp(soc + depletion, knots, params.ocv_v) + current * ohm
    # Overvoltage of float, lost with the first 0.3 Ah, and a coup de fouet that ends by 6 % of the charge.
    overvoltage = (FLOAT_V - params.ocv_v[-1]) * np.exp(-drawn_ah / 0.25)
    drawn_share = drawn_ah / (0.01 * RATED_AH)
    voltage = np.where(current < 0, settled + overvoltage - 0.10 * drawn_share * np.exp(1.0 - drawn_share), FLOAT_V)
    noise = np.random.default_rng(5).normal(0.0, 0.005, len(times))
    return RecordedRun(times, current + 0.2, voltage + noise, np.full(len(times), 25.0)), soc


@pytest.mark.parametrize("soh", [1.0, 0.9, 0.8])
def test_charge_is_followed_and_capacity_stays_plausible(soh: float) -> None:
    run, soc = outage_from_float(soh)
    estimates = replay(run, data_sheet_parameters(RATED_AH), 0.8)
    # With a data sheet alone, after a start that was wrong by 20 points.
    assert abs(estimates.soc[-1] - soc[-1]) < 0.1
    assert abs(estimates.soh[-1] - soh) < 1.645 * estimates.soh_sd[-1]
    assert estimates.soh[-1] < 1.25
    discharging = run.current_a < -1
    inside = np.abs(estimates.soc[discharging] - soc[discharging]) < 1.645 * estimates.soc_sd[discharging]
    assert inside.mean() > 0.9


def test_float_is_assumed_full_with_a_deviation_that_never_shrinks() -> None:
    run, _ = outage_from_float(1.0)
    estimates = replay(run, data_sheet_parameters(RATED_AH), 0.8)
    floating = run.time_s < FLOAT_S
    assert estimates.soc[floating][0] < 0.9
    assert estimates.soc[floating][-1] == pytest.approx(0.99, abs=0.011)
    assert estimates.soc_sd[floating][-1] >= 0.02


def test_hours_on_float_make_full_more_certain_up_to_a_point() -> None:
    times = np.arange(0.0, 86400.0, 60.0)
    run = RecordedRun(times, np.full(len(times), 0.24), np.full(len(times), FLOAT_V), np.full(len(times), 25.0))
    estimates = replay(run, data_sheet_parameters(RATED_AH), 0.8)
    hours = {hour: estimates.soc_sd[hour * 60] for hour in (1, 4, 12, 23)}
    assert hours[1] > hours[4] > hours[12]
    assert hours[23] == pytest.approx(hours[12], abs=1e-3)
    assert hours[23] >= 0.01


def test_a_block_that_is_still_charging_hard_is_not_assumed_full() -> None:
    times = np.arange(0.0, 3600.0, 10.0)
    run = RecordedRun(times, np.full(len(times), 12.0), np.full(len(times), 13.6), np.full(len(times), 25.0))
    estimates = replay(run, data_sheet_parameters(RATED_AH), 0.5)
    assert estimates.soc[-1] < 0.65
