"""The compiled filter against a dense second implementation, and against filterpy for the plain equations."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filterpy.kalman import ExtendedKalmanFilter

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.filter.circuit_table import CircuitTable
from battery_twin.filter.states import CapacityPrior, FilterStates
from battery_twin.kernel import ekf
from battery_twin.runs import RecordedRun, read_run
from tests.reference_filter import ReferenceFilter
from tests.simulated_block import discharge
from tests.test_replay_after_float import outage_from_float

RECORDING = Path(__file__).parent / "data" / "vrla_recording" / "bboxx_A_cycle6.csv.gz"
SHEET = data_sheet_parameters(120.0)
CALIBRATED = replace(SHEET, calibrated=True, ocv_shift_sd_v=0.01, resistance_relative_sd=0.2, voltage_rmse_v=0.006)


def started(params: ParameterSet, run: RecordedRun, soc: float) -> tuple[CircuitTable, FilterStates]:
    circuits, states = CircuitTable.of([params]), FilterStates.empty(1)
    prior = CapacityPrior(np.zeros(1), np.full(1, 0.1))
    floats = np.array([run.voltage_v[0] > 13.05])
    first = {name: getattr(run, name)[:1] for name in ("voltage_v", "current_a", "temperature_c")}
    states.start(np.ones(1, bool), circuits, np.zeros(1, np.int64), prior, soc=soc, soc_sd=0.12, floats=floats, **first)
    return circuits, states


def reference_of(params: ParameterSet, states: FilterStates) -> ReferenceFilter:
    memory = states.memory[0]
    return ReferenceFilter(
        params=params,
        x=states.mean[0].copy(),
        p=states.covariance[0].copy(),
        volts=memory[ekf.PREVIOUS_V],
        amps=memory[ekf.PREVIOUS_A],
        drawn_ah=memory[ekf.DRAWN_AH],
        uninformative=bool(memory[ekf.UNINFORMATIVE]),
        settled=(memory[ekf.SETTLED_LOG_Q], memory[ekf.SETTLED_VAR]),
    )


def rows_of(run: RecordedRun) -> np.ndarray:
    rows = np.zeros((len(run), ekf.IN_SIZE))
    rows[0, ekf.IN_NEW] = 1.0
    rows[:, ekf.IN_DT_S], rows[:, ekf.IN_RESISTANCE_MOHM] = run.dt_s, np.nan
    rows[:, ekf.IN_VOLTAGE_V], rows[:, ekf.IN_CURRENT_A] = run.voltage_v, run.current_a
    rows[:, ekf.IN_TEMPERATURE_C] = run.temperature_c
    return rows


def wild_run(seed: int) -> RecordedRun:
    """Charge, float, rest and discharge in any order, with gaps, spikes and readings of broken sensors."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 4, 60).repeat(10)
    amps = np.choose(
        kinds, [rng.normal(0.05, 0.02, 600), rng.uniform(5, 30, 600), np.zeros(600), -rng.uniform(5, 90, 600)]
    )
    volts = np.choose(kinds, [13.65, 13.9, 12.7, 12.0]) + rng.normal(0, 0.05, 600)
    spikes = rng.random(600) < 0.02
    volts[spikes] = rng.uniform(-5, 20, spikes.sum())
    steps = rng.choice([1.0, 5.0, 60.0, 1800.0, 86400.0], 600, p=[0.4, 0.3, 0.25, 0.03, 0.02])
    return RecordedRun(np.cumsum(steps), amps, volts, rng.uniform(5, 45, 600))


RUNS = {
    "recording": lambda: read_run(RECORDING),
    "slow discharge": lambda: discharge(SHEET, seed=3, bias_a=0.2, soh=0.9),
    "outage from float": lambda: outage_from_float(0.85)[0],
    "wild": lambda: wild_run(1),
    "wilder": lambda: wild_run(2),
}


@pytest.mark.parametrize("params", [SHEET, CALIBRATED], ids=["data sheet", "calibrated"])
@pytest.mark.parametrize("name", RUNS)
def test_equals_the_reference_implementation(name: str, params: ParameterSet) -> None:
    run = RUNS[name]()
    circuits, states = started(params, run, 0.8)
    reference = reference_of(params, states)
    out = np.empty((len(run), ekf.OUT_SIZE))
    ekf.filter_run(circuits.rows[0], rows_of(run), states.mean[0], states.covariance[0], states.memory[0], out)
    expected = []
    for row, dt in enumerate(run.dt_s):
        if row:
            reference.predict(run.current_a[row], run.temperature_c[row], dt)
            reference.follow_prior(0.0, 0.0)
        expected.append(reference.update(run.voltage_v[row], run.current_a[row], run.temperature_c[row]))
    assert np.allclose(
        out[:, [ekf.OUT_PREDICTED_V, ekf.OUT_INNOVATION_V, ekf.OUT_INNOVATION_SD_V]], expected, atol=1e-9
    )
    assert np.allclose(states.mean[0], reference.x, rtol=0, atol=1e-9)
    assert np.allclose(states.covariance[0], reference.p, rtol=1e-7, atol=1e-9)
    assert np.allclose(states.memory[0, [ekf.SETTLED_LOG_Q, ekf.SETTLED_VAR]], reference.settled, atol=1e-9)


def test_calibration_on_float_equals_the_reference_implementation() -> None:
    steps = 500
    run = RecordedRun(
        60.0 * np.arange(steps, dtype=np.float64), np.full(steps, 0.55), np.full(steps, 13.65), np.full(steps, 27.0)
    )
    circuits, states = started(SHEET, run, 0.98)
    reference = reference_of(SHEET, states)
    rows = rows_of(run)
    rows[:, ekf.IN_MODE_IS_FLOAT], rows[:, ekf.IN_FLOAT_A] = 1.0, 0.04
    rows[:, ekf.IN_PRIOR_LOG_Q], rows[:, ekf.IN_PRIOR_VAR] = -1e-4 * np.arange(steps), 0.03
    ekf.filter_run(
        circuits.rows[0], rows, states.mean[0], states.covariance[0], states.memory[0],
        np.empty((steps, ekf.OUT_SIZE)),
    )  # fmt: skip
    for row in range(steps):
        amps = 0.04 + reference.x[4]
        if row:
            reference.predict(amps, 27.0, 60.0, mode_is_float=True)
            reference.follow_prior(-1e-4 * row, 0.03)
        reference.calibrate_current(0.55 - 0.04)
        reference.update(13.65, amps, 27.0)
    assert np.allclose(states.mean[0], reference.x, atol=1e-9)
    assert np.allclose(states.covariance[0], reference.p, rtol=1e-7, atol=1e-9)
    assert states.mean[0, ekf.BIAS] == pytest.approx(0.51, abs=0.05)
    assert states.mean[0, ekf.LOG_Q] == pytest.approx(-1e-4 * (steps - 1))


@pytest.mark.parametrize("battery", range(24))
def test_the_plain_filter_equals_filterpy(battery: int) -> None:
    """In discharge, where every row is informative: the same equations through filterpy's predict and update."""
    rng = np.random.default_rng(battery)
    params = replace(
        CALIBRATED,
        capacity_ah=120 * rng.uniform(0.8, 1.1),
        r0_ohm=tuple(rng.uniform(0.8, 1.4) * np.array(SHEET.r0_ohm)),
        tau2_s=rng.uniform(100, 500),
    )
    steps = 150
    amps = -rng.uniform(20, 80) + rng.normal(0, 5, steps)
    soc = 0.9 + np.cumsum(amps) * 10 / 3600 / params.capacity_ah
    volts = np.interp(soc, ekf.OCV_KNOTS, params.ocv_v) + 0.006 * amps + rng.normal(0, 0.005, steps)
    run = RecordedRun(10.0 * np.arange(steps, dtype=np.float64), amps, volts, np.full(steps, rng.uniform(15, 35)))
    circuits, states = started(params, run, 0.85)
    reference = reference_of(params, states)
    filtered = ExtendedKalmanFilter(7, 1)
    filtered.x, filtered.P = reference.x.reshape(7, 1).copy(), reference.p.copy()
    rows = rows_of(run)
    for row in range(steps):
        ekf.filter_run(
            circuits.rows[0], rows[row : row + 1], states.mean[0], states.covariance[0], states.memory[0],
            np.empty((1, ekf.OUT_SIZE)),
        )  # fmt: skip
        reference.x, reference.p = filtered.x[:, 0].copy(), filtered.P
        if row:
            after, jacobian, true, moved, per_amp = reference.transition(amps[row], 10.0, run.temperature_c[row])
            filtered.F, filtered.Q = jacobian, reference.process_noise(amps[row], 10.0, true, moved, per_amp)
            filtered.predict_x = lambda _u, after=after: setattr(filtered, "x", after.reshape(7, 1))
            filtered.predict()
            reference.x = filtered.x[:, 0].copy()
        expected, slope = reference.predicted_voltage(amps[row], run.temperature_c[row])
        # A row beyond four sigma weighs less: filterpy is given the noise that the filter uses.
        noise = 0.008**2 + params.voltage_rmse_v**2
        variance = slope @ filtered.P @ slope + noise
        noise += (max(1.0, (volts[row] - expected) ** 2 / variance / 16) - 1) * variance
        filtered.R = np.array([[noise]])
        filtered.update(
            np.array([[volts[row]]]), lambda _x, s=slope: s.reshape(1, 7), lambda _x, e=expected: np.array([[e]])
        )
        reference.volts, reference.amps = volts[row], amps[row]
        assert np.allclose(states.mean[0], filtered.x[:, 0], rtol=0, atol=1e-9)
        assert np.allclose(states.covariance[0], filtered.P, rtol=0, atol=1e-9)
    assert states.memory[0, ekf.UNINFORMATIVE] == 0.0
