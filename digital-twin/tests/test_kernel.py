"""The compiled filter against a slow second implementation, and against filterpy for what filterpy can do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filterpy.kalman import ExtendedKalmanFilter

from battery_twin.filter import kernel
from battery_twin.filter.blocks import Blocks, CapacityPrior
from battery_twin.filter.circuits import Circuits
from battery_twin.identification.parameter_set import ParameterSet
from battery_twin.runs import Run, read_run

from .identification.circuit import discharge
from .slow_block import SlowBlock
from .test_replay_after_float import outage_from_float

RECORDING = Path(__file__).parent / "data" / "vrla_recording" / "bboxx_A_cycle6.csv.gz"
SHEET = ParameterSet.default_for(120.0)
CALIBRATED = replace(SHEET, calibrated=True, ocv_shift_sd_v=0.01, resistance_relative_sd=0.2, voltage_rmse_v=0.006)


def begun(known: ParameterSet, run: Run, soc: float) -> tuple[Circuits, Blocks]:
    circuits, blocks = Circuits.of([known]), Blocks.empty(1)
    prior = CapacityPrior(np.zeros(1), np.full(1, 0.1))
    floats = np.array([run.voltage_v[0] > 13.05])
    first = {name: getattr(run, name)[:1] for name in ("voltage_v", "current_a", "temperature_c")}
    blocks.begin(np.ones(1, bool), circuits, np.zeros(1, np.int64), prior, soc=soc, soc_sd=0.12, floats=floats, **first)
    return circuits, blocks


def slow_twin(known: ParameterSet, blocks: Blocks) -> SlowBlock:
    memory = blocks.memory[0]
    return SlowBlock(
        known=known,
        x=blocks.mean[0].copy(),
        p=blocks.covariance[0].copy(),
        volts=memory[kernel.PREVIOUS_V],
        amps=memory[kernel.PREVIOUS_A],
        drawn_ah=memory[kernel.DRAWN_AH],
        is_open=bool(memory[kernel.WAS_OPEN]),
        settled=(memory[kernel.SETTLED_LOG_Q], memory[kernel.SETTLED_VAR]),
    )


def rows_of(run: Run) -> np.ndarray:
    rows = np.zeros((len(run), kernel.IN_SIZE))
    rows[0, kernel.IN_NEW] = 1.0
    rows[:, kernel.IN_DT_S], rows[:, kernel.IN_RESISTANCE_MOHM] = run.dt_s, np.nan
    rows[:, kernel.IN_VOLTAGE_V], rows[:, kernel.IN_CURRENT_A] = run.voltage_v, run.current_a
    rows[:, kernel.IN_TEMPERATURE_C] = run.temperature_c
    return rows


def wild_run(seed: int) -> Run:
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
    return Run(np.cumsum(steps), amps, volts, rng.uniform(5, 45, 600))


RUNS = {
    "recording": lambda: read_run(RECORDING),
    "slow discharge": lambda: discharge(SHEET, seed=3, bias_a=0.2, soh=0.9),
    "outage from float": lambda: outage_from_float(0.85)[0],
    "wild": lambda: wild_run(1),
    "wilder": lambda: wild_run(2),
}


@pytest.mark.parametrize("known", [SHEET, CALIBRATED], ids=["data sheet", "calibrated"])
@pytest.mark.parametrize("name", RUNS)
def test_equals_the_slow_implementation(name: str, known: ParameterSet) -> None:
    run = RUNS[name]()
    circuits, blocks = begun(known, run, 0.8)
    slow = slow_twin(known, blocks)
    out = np.empty((len(run), kernel.OUT_SIZE))
    kernel.along(circuits.rows[0], rows_of(run), blocks.mean[0], blocks.covariance[0], blocks.memory[0], out)
    told = []
    for row, dt in enumerate(run.dt_s):
        if row:
            slow.predict(run.current_a[row], run.temperature_c[row], dt)
            slow.follow_prior(0.0, 0.0)
        told.append(slow.measure(run.voltage_v[row], run.current_a[row], run.temperature_c[row]))
    assert np.allclose(
        out[:, [kernel.OUT_PREDICTED_V, kernel.OUT_INNOVATION_V, kernel.OUT_DEVIATION_V]], told, atol=1e-9
    )
    assert np.allclose(blocks.mean[0], slow.x, rtol=0, atol=1e-9)
    assert np.allclose(blocks.covariance[0], slow.p, rtol=1e-7, atol=1e-9)
    assert np.allclose(blocks.memory[0, [kernel.SETTLED_LOG_Q, kernel.SETTLED_VAR]], slow.settled, atol=1e-9)


def test_a_string_told_to_float_calibrates_its_sensor_as_the_slow_implementation_does() -> None:
    steps = 500
    run = Run(60.0 * np.arange(steps), np.full(steps, 0.55), np.full(steps, 13.65), np.full(steps, 27.0))
    circuits, blocks = begun(SHEET, run, 0.98)
    slow = slow_twin(SHEET, blocks)
    rows = rows_of(run)
    rows[:, kernel.IN_TOLD], rows[:, kernel.IN_FLOAT_A] = 1.0, 0.04
    rows[:, kernel.IN_PRIOR_LOG_Q], rows[:, kernel.IN_PRIOR_VAR] = -1e-4 * np.arange(steps), 0.03
    kernel.along(
        circuits.rows[0], rows, blocks.mean[0], blocks.covariance[0], blocks.memory[0],
        np.empty((steps, kernel.OUT_SIZE)),
    )  # fmt: skip
    for row in range(steps):
        amps = 0.04 + slow.x[4]
        if row:
            slow.predict(amps, 27.0, 60.0, told=True)
            slow.follow_prior(-1e-4 * row, 0.03)
        slow.calibrate(0.55 - 0.04)
        slow.measure(13.65, amps, 27.0)
    assert np.allclose(blocks.mean[0], slow.x, atol=1e-9)
    assert np.allclose(blocks.covariance[0], slow.p, rtol=1e-7, atol=1e-9)
    assert blocks.mean[0, kernel.BIAS] == pytest.approx(0.51, abs=0.05)
    assert blocks.mean[0, kernel.LOG_Q] == pytest.approx(-1e-4 * (steps - 1))


@pytest.mark.parametrize("battery", range(24))
def test_the_plain_filter_equals_filterpy(battery: int) -> None:
    """In discharge, where every row teaches: the same equations through filterpy's predict and update."""
    rng = np.random.default_rng(battery)
    known = replace(
        CALIBRATED,
        capacity_ah=120 * rng.uniform(0.8, 1.1),
        r0_ohm=tuple(rng.uniform(0.8, 1.4) * np.array(SHEET.r0_ohm)),
        tau2_s=rng.uniform(100, 500),
    )
    steps = 150
    amps = -rng.uniform(20, 80) + rng.normal(0, 5, steps)
    soc = 0.9 + np.cumsum(amps) * 10 / 3600 / known.capacity_ah
    volts = np.interp(soc, kernel.OCV_KNOTS, known.ocv_v) + 0.006 * amps + rng.normal(0, 0.005, steps)
    run = Run(10.0 * np.arange(steps), amps, volts, np.full(steps, rng.uniform(15, 35)))
    circuits, blocks = begun(known, run, 0.85)
    slow = slow_twin(known, blocks)
    filtered = ExtendedKalmanFilter(7, 1)
    filtered.x, filtered.P = slow.x.reshape(7, 1).copy(), slow.p.copy()
    rows = rows_of(run)
    for row in range(steps):
        kernel.along(
            circuits.rows[0], rows[row : row + 1], blocks.mean[0], blocks.covariance[0], blocks.memory[0],
            np.empty((1, kernel.OUT_SIZE)),
        )  # fmt: skip
        slow.x, slow.p = filtered.x[:, 0].copy(), filtered.P
        if row:
            after, jacobian, true, moved, per_amp = slow.motion(amps[row], 10.0, run.temperature_c[row])
            filtered.F, filtered.Q = jacobian, slow.noise(amps[row], 10.0, true, moved, per_amp)
            filtered.predict_x = lambda _u, after=after: setattr(filtered, "x", after.reshape(7, 1))
            filtered.predict()
            slow.x = filtered.x[:, 0].copy()
        expected, slope = slow.sight(amps[row], run.temperature_c[row])
        # A row beyond four sigma weighs less: its noise is told to filterpy as the filter takes it.
        noise = 0.008**2 + known.voltage_rmse_v**2
        variance = slope @ filtered.P @ slope + noise
        noise += (max(1.0, (volts[row] - expected) ** 2 / variance / 16) - 1) * variance
        filtered.R = np.array([[noise]])
        filtered.update(
            np.array([[volts[row]]]), lambda _x, s=slope: s.reshape(1, 7), lambda _x, e=expected: np.array([[e]])
        )
        slow.volts, slow.amps = volts[row], amps[row]
        assert np.allclose(blocks.mean[0], filtered.x[:, 0], rtol=0, atol=1e-9)
        assert np.allclose(blocks.covariance[0], filtered.P, rtol=0, atol=1e-9)
    assert blocks.memory[0, kernel.WAS_OPEN] == 0.0
