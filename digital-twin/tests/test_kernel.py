"""The compiled filter against a dense second implementation, and against filterpy for the plain equations."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from filterpy.kalman import ExtendedKalmanFilter

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.filter.circuit_table import CircuitTable
from battery_twin.filter.states import CapacityPrior, FilterStates
from battery_twin.kernel import constants, ekf, layout
from battery_twin.runs import RecordedRun, read_run
from tests.reference_filter import Reading, ReferenceFilter
from tests.simulated_block import discharge
from tests.test_replay_after_float import outage_from_float

RECORDING = Path(__file__).parent / "data" / "vrla_recording" / "bboxx_A_cycle6.csv.gz"
SHEET = data_sheet_parameters(120.0)
CALIBRATED = replace(
    SHEET,
    calibrated=True,
    ocv_shift_sd_v=0.01,
    resistance_relative_sd=0.2,
    polarisation_relative_sd=0.3,
    depletion_relative_sd=0.4,
    voltage_error_sd_v=0.03,
    voltage_rmse_v=0.006,
)
FLOAT_A = 0.036
# The compiled filter bisects the charge left at the cut-off to an interval of 0.4 / 2**13 and takes its middle; the
# parameter set's own, which is subtracted, has the same error.
UNUSABLE_ATOL = 2 * 0.2 / 2**13


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
        volts=memory[layout.PREVIOUS_V],
        amps=memory[layout.PREVIOUS_A],
        drawn_ah=memory[layout.DRAWN_AH],
        uninformative=bool(memory[layout.UNINFORMATIVE]),
        settled=(memory[layout.SETTLED_LOG_Q], memory[layout.SETTLED_VAR]),
        floated_s=memory[layout.FLOATED_S],
        since_discharge_s=memory[layout.SINCE_DISCHARGE_S],
    )


def rows_of(run: RecordedRun) -> np.ndarray:
    rows = np.zeros((len(run), layout.IN_SIZE))
    rows[0, layout.IN_NEW] = 1.0
    rows[:, layout.IN_DT_S], rows[:, layout.IN_RESISTANCE_MOHM] = run.dt_s, np.nan
    rows[:, layout.IN_VOLTAGE_V], rows[:, layout.IN_CURRENT_A] = run.voltage_v, run.current_a
    rows[:, layout.IN_TEMPERATURE_C], rows[:, layout.IN_FLOAT_A] = run.temperature_c, FLOAT_A
    return rows


def reading_of(row: np.ndarray) -> Reading:
    return Reading(
        volts=row[layout.IN_VOLTAGE_V],
        amps=row[layout.IN_CURRENT_A],
        celsius=row[layout.IN_TEMPERATURE_C],
        dt=row[layout.IN_DT_S],
        float_amps=row[layout.IN_FLOAT_A],
        mode_is_float=bool(row[layout.IN_MODE_IS_FLOAT]),
        is_new=bool(row[layout.IN_NEW]),
        log_prior=row[layout.IN_PRIOR_LOG_Q],
        prior_var=row[layout.IN_PRIOR_VAR],
    )


@dataclass(frozen=True)
class Stage:
    """Part of a run: the current that flows, and the voltage, which moves from one value to the other."""

    hours: float
    amps: float
    from_v: float
    to_v: float


def staged_run(*stages: Stage, seed: int, bias_a: float = 0.0, step_s: float = 60.0) -> RecordedRun:
    rng = np.random.default_rng(seed)
    counts = [round(stage.hours * 3600 / step_s) for stage in stages]
    steps = sum(counts)
    amps = np.concatenate([np.full(count, stage.amps) for stage, count in zip(stages, counts, strict=True)])
    volts = np.concatenate(
        [np.linspace(stage.from_v, stage.to_v, count) for stage, count in zip(stages, counts, strict=True)]
    )
    return RecordedRun(
        step_s * np.arange(steps, dtype=np.float64),
        amps + bias_a + rng.normal(0, 0.01, steps),
        volts + rng.normal(0, 0.003, steps),
        np.full(steps, 28.0),
    )


FLOATING = Stage(4.0, FLOAT_A, 13.65, 13.65)
TO_EMPTY = (Stage(8.5, -12.0, 12.65, 11.3), Stage(0.5, -12.0, 11.3, 10.8))
RECHARGE = (Stage(0.5, 0.0, 11.4, 11.7), Stage(7.0, 15.0, 12.6, 13.8), Stage(1.0, 0.5, 13.65, 13.65))


def hours_of_float() -> RecordedRun:
    """A charge that tapers into float, then a sensor with a bias on it."""
    charge = (Stage(0.5, 0.0, 12.3, 12.3), Stage(2.0, 20.0, 12.8, 13.6), Stage(1.0, 0.7, 13.65, 13.65))
    return staged_run(*charge, Stage(9.0, FLOAT_A, 13.65, 13.65), seed=2, bias_a=0.15)


def rests_between_discharges() -> RecordedRun:
    pairs = [
        (Stage(0.75, 0.0, volts, volts + 0.05), Stage(0.5, -24.0, volts - 0.2, volts - 0.35))
        for volts in (12.75, 12.6, 12.45, 12.3)
    ]
    return staged_run(*(stage for pair in pairs for stage in pair), seed=3, bias_a=0.3)


def reversed_current() -> RecordedRun:
    """A discharge and a charge by a sensor that is mounted the wrong way round, and a charge that is right."""
    stages = (Stage(1.0, FLOAT_A, 13.65, 13.65), Stage(1.0, 30.0, 12.3, 11.9), Stage(1.0, -20.0, 13.3, 14.1))
    return staged_run(*stages, Stage(0.5, 10.0, 13.6, 13.9), seed=4)


def wild_run(seed: int, least_discharge_a: float = 5.0) -> RecordedRun:
    """Charge, float, rest and discharge in any order, with gaps, spikes and readings of broken sensors."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 4, 60).repeat(10)
    amps = np.choose(
        kinds,
        [rng.normal(0.05, 0.02, 600), rng.uniform(5, 30, 600), np.zeros(600), -rng.uniform(least_discharge_a, 90, 600)],
    )
    volts = np.choose(kinds, [13.65, 13.9, 12.7, 12.0]) + rng.normal(0, 0.05, 600)
    spikes = rng.random(600) < 0.02
    volts[spikes] = rng.uniform(-5, 20, spikes.sum())
    steps = rng.choice([1.0, 5.0, 60.0, 1800.0, 86400.0], 600, p=[0.4, 0.3, 0.25, 0.03, 0.02])
    return RecordedRun(np.cumsum(steps), amps, volts, rng.uniform(5, 45, 600))


RUNS: dict[str, Callable[[], RecordedRun]] = {
    "recording": lambda: read_run(RECORDING),
    "slow discharge": lambda: discharge(SHEET, seed=3, bias_a=0.2, soh=0.9),
    "outage from float": lambda: outage_from_float(0.85)[0],
    "float to empty": lambda: staged_run(FLOATING, *TO_EMPTY, seed=1),
    "float to empty and back": lambda: staged_run(FLOATING, *TO_EMPTY, *RECHARGE, seed=1),
    "fast to empty": lambda: staged_run(FLOATING, Stage(1.3, -60.0, 12.3, 10.5), seed=5),
    "fast to empty and back": lambda: staged_run(FLOATING, Stage(1.3, -60.0, 12.3, 10.5), *RECHARGE, seed=5),
    "hours of float": hours_of_float,
    "rests": rests_between_discharges,
    "reversed current": reversed_current,
    "wild": lambda: wild_run(1),
    "wilder": lambda: wild_run(2),
    "wild and never slow": lambda: wild_run(3, least_discharge_a=20.0),
}
# The outputs that the reference states for each row, in the order of `stated_by`.
VOLTAGES = [layout.OUT_PREDICTED_V, layout.OUT_INNOVATION_V, layout.OUT_INNOVATION_SD_V]
ESTIMATES = [layout.OUT_SOC, layout.OUT_SOC_VAR, layout.OUT_LOG_Q, layout.OUT_LOG_Q_VAR, layout.OUT_SLOW_V]
FLAGS = [layout.OUT_DISCHARGED, layout.OUT_INFORMATIVE, layout.OUT_GRADE, layout.OUT_MISFIT]
STATED = [*VOLTAGES, *ESTIMATES, *FLAGS, layout.OUT_UNUSABLE, layout.OUT_UNUSABLE_VAR]


def stated_by(reference: ReferenceFilter, voltages: tuple[float, float, float]) -> tuple[float, ...]:
    estimates = (reference.x[layout.SOC], reference.soc_var, *reference.capacity, reference.x[layout.V2])
    discharged = reference.is_evidence or reference.has_evidence
    flags = (discharged, not reference.uninformative, reference.grade, reference.misfits)
    return (*voltages, *estimates, *flags, *reference.stated_unusable)


@dataclass(frozen=True)
class Comparison:
    """A run by both filters: outputs (m, 14) each, and the row at which the end of a slow discharge is observed."""

    states: FilterStates
    reference: ReferenceFilter
    out: np.ndarray
    expected: np.ndarray
    observed_empty: int | None


def compared(params: ParameterSet, run: RecordedRun, rows: np.ndarray) -> Comparison:
    circuits, states = started(params, run, 0.8)
    reference = reference_of(params, states)
    out, expected = np.empty((2, len(run), layout.OUT_SIZE))
    ekf.filter_run(circuits.rows[0], rows, states.mean[0], states.covariance[0], states.memory[0], out)
    observed_empty = None
    for index, row in enumerate(rows):
        expected[index, STATED] = stated_by(reference, reference.step(reading_of(row)))
        if observed_empty is None and reference.cut_off == constants.SLOW_CUT_OFF:
            observed_empty = index
    return Comparison(states, reference, out, expected, observed_empty)


def assert_same_end(states: FilterStates, reference: ReferenceFilter, atol: float, rtol: float) -> None:
    memory = states.memory[0]
    assert np.allclose(states.mean[0], reference.x, rtol=0, atol=atol)
    # Relative to the deviations of the two states: a covariance may be small next to what it is the difference of.
    sd = np.sqrt(np.diag(reference.p))
    assert np.all(abs(states.covariance[0] - reference.p) <= 1e-9 + rtol * np.outer(sd, sd))
    assert np.allclose(memory[[layout.SETTLED_LOG_Q, layout.SETTLED_VAR]], reference.settled, rtol=rtol, atol=atol)
    assert memory[layout.NIS_MEAN] == pytest.approx(reference.nis_mean, rel=rtol, abs=atol)
    assert memory[layout.DRAWN_AH] == pytest.approx(reference.drawn_ah, rel=rtol, abs=atol)
    assert memory[layout.FLOATED_S] == reference.floated_s
    assert memory[layout.SINCE_DISCHARGE_S] == reference.since_discharge_s
    flags = (layout.UNINFORMATIVE, layout.HAS_EVIDENCE, layout.SETTLED_GRADE, layout.AT_CUT_OFF, layout.BEGAN_FULL)
    expected = (
        reference.uninformative, reference.has_evidence, reference.settled_grade, reference.cut_off,
        reference.began_full,
    )  # fmt: skip
    assert tuple(memory[list(flags)]) == expected
    assert memory[layout.UNUSABLE_SOC] == pytest.approx(reference.unusable[0], abs=UNUSABLE_ATOL + atol)
    # The slope of the voltage is that across 0.04 of charge, in which the bisection moves the knots of the tables.
    assert memory[layout.UNUSABLE_VAR] == pytest.approx(reference.unusable[1], rel=0.01)


@pytest.mark.parametrize("params", [SHEET, CALIBRATED], ids=["data sheet", "calibrated"])
@pytest.mark.parametrize("name", RUNS)
def test_equals_the_reference_implementation(name: str, params: ParameterSet) -> None:
    run = RUNS[name]()
    comparison = compared(params, run, rows_of(run))
    out, expected, observed_empty = comparison.out, comparison.expected, comparison.observed_empty
    # From the row on at which the charge left is an observation, the bisection's error is in all states.
    exact = slice(observed_empty)
    assert np.allclose(out[exact, VOLTAGES], expected[exact, VOLTAGES], rtol=0, atol=1e-9)
    assert np.allclose(out[exact, ESTIMATES], expected[exact, ESTIMATES], rtol=1e-7, atol=1e-9)
    assert np.allclose(out[:, VOLTAGES + ESTIMATES], expected[:, VOLTAGES + ESTIMATES], rtol=0, atol=1e-3)
    assert np.array_equal(out[:, FLAGS], expected[:, FLAGS])
    assert np.allclose(out[:, layout.OUT_UNUSABLE], expected[:, layout.OUT_UNUSABLE], rtol=0, atol=UNUSABLE_ATOL + 1e-9)
    assert np.allclose(out[:, layout.OUT_UNUSABLE_VAR], expected[:, layout.OUT_UNUSABLE_VAR], rtol=0.01)
    atol, rtol = (1e-9, 1e-7) if observed_empty is None else (1e-3, 1e-3)
    assert_same_end(comparison.states, comparison.reference, atol, rtol)


@pytest.mark.parametrize("params", [SHEET, CALIBRATED], ids=["data sheet", "calibrated"])
@pytest.mark.parametrize(
    ("name", "grade"),
    [
        ("float to empty and back", constants.MEASURED),
        ("fast to empty and back", constants.FROM_FULL),
        ("rests", constants.FROM_PART),
    ],
)
def test_a_discharge_is_graded_by_where_it_began_and_ended(name: str, grade: float, params: ParameterSet) -> None:
    run = RUNS[name]()
    comparison = compared(params, run, rows_of(run))
    assert comparison.out[-1, layout.OUT_GRADE] == grade
    assert (comparison.observed_empty is not None) == (grade == constants.MEASURED)


@pytest.mark.parametrize("params", [SHEET, CALIBRATED], ids=["data sheet", "calibrated"])
def test_the_end_of_a_slow_discharge_leaves_the_unusable_charge(params: ParameterSet) -> None:
    run = RUNS["float to empty"]()
    comparison = compared(params, run, rows_of(run))
    assert comparison.observed_empty is not None
    memory, out = comparison.states.memory[0], comparison.out[comparison.observed_empty]
    assert memory[layout.AT_CUT_OFF] == constants.SLOW_CUT_OFF
    assert out[layout.OUT_SOC_VAR] < constants.EMPTY_SOC_SD**2 + memory[layout.UNUSABLE_VAR]
    assert out[layout.OUT_SOC] == pytest.approx(memory[layout.UNUSABLE_SOC], abs=3 * np.sqrt(out[layout.OUT_SOC_VAR]))


@pytest.mark.parametrize(("name", "bias_a", "sd_a"), [("hours of float", 0.15, 0.1), ("rests", 0.3, 0.1)])
def test_the_bias_of_the_current_is_learned_where_the_true_current_is_known(
    name: str, bias_a: float, sd_a: float
) -> None:
    run = RUNS[name]()
    comparison = compared(SHEET, run, rows_of(run))
    assert comparison.states.mean[0, layout.BIAS] == pytest.approx(bias_a, abs=sd_a)
    assert comparison.states.covariance[0, layout.BIAS, layout.BIAS] < 1.1 * sd_a**2


def test_a_block_is_fuller_and_more_certainly_so_the_longer_it_floats() -> None:
    run = hours_of_float()
    out = compared(SHEET, run, rows_of(run)).out
    held_for_an_hour, at_the_end = out[-480], out[-1]
    assert held_for_an_hour[layout.OUT_SOC_VAR] > 1.2 * at_the_end[layout.OUT_SOC_VAR]
    assert held_for_an_hour[layout.OUT_SOC] < at_the_end[layout.OUT_SOC] + 1e-9
    assert at_the_end[layout.OUT_SOC] > 0.99


@pytest.mark.parametrize("params", [SHEET, CALIBRATED], ids=["data sheet", "calibrated"])
def test_a_reversed_current_is_a_misfit(params: ParameterSet) -> None:
    run = reversed_current()
    rows, (circuits, states) = rows_of(run), started(params, run, 0.8)
    reference, nis_means = reference_of(params, states), []
    out = np.empty((1, layout.OUT_SIZE))
    for index, row in enumerate(rows):
        ekf.filter_run(
            circuits.rows[0], rows[index : index + 1], states.mean[0], states.covariance[0], states.memory[0], out
        )
        reference.step(reading_of(row))
        nis_means.append(states.memory[0, layout.NIS_MEAN])
        assert nis_means[-1] == pytest.approx(reference.nis_mean, rel=1e-7)
        assert out[0, layout.OUT_MISFIT] == reference.misfits == (nis_means[-1] >= constants.MISFIT_NIS)
    on_float, discharged, charged, _ = np.array_split(nis_means, [60, 120, 180])
    assert on_float.max() < 2
    assert discharged[-1] > 8
    assert charged[-1] > 8
    # What the sensor shows after it was turned round fits again.
    assert nis_means[-1] < charged[-1]


@pytest.mark.parametrize("without_current", [0, 100])
def test_calibration_on_float_equals_the_reference_implementation(without_current: int) -> None:
    steps = 500
    run = RecordedRun(
        60.0 * np.arange(steps, dtype=np.float64), np.full(steps, 0.55), np.full(steps, 13.65), np.full(steps, 27.0)
    )
    rows = rows_of(run)
    rows[:, layout.IN_MODE_IS_FLOAT], rows[:, layout.IN_FLOAT_A] = 1.0, 0.04
    rows[:, layout.IN_PRIOR_LOG_Q], rows[:, layout.IN_PRIOR_VAR] = -1e-4 * np.arange(steps), 0.03
    rows[steps - without_current :, layout.IN_CURRENT_A] = np.nan
    comparison = compared(SHEET, run, rows)
    states, reference = comparison.states, comparison.reference
    assert np.allclose(comparison.out[:, VOLTAGES], comparison.expected[:, VOLTAGES], rtol=0, atol=1e-9)
    assert np.allclose(states.mean[0], reference.x, rtol=0, atol=1e-9)
    assert np.allclose(states.covariance[0], reference.p, rtol=1e-7, atol=1e-9)
    assert np.allclose(states.memory[0, [layout.SETTLED_LOG_Q, layout.SETTLED_VAR]], reference.settled, atol=1e-9)
    assert states.memory[0, layout.FLOATED_S] == reference.floated_s == 60.0 * (steps - 1)
    assert states.mean[0, layout.BIAS] == pytest.approx(0.51, abs=0.05)
    assert states.mean[0, layout.LOG_Q] == pytest.approx(-1e-4 * (steps - 1))


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
    # The plates deplete as the circuit says: otherwise capacity would move to its bound, which filterpy does not know.
    depletion, decay = np.zeros(steps), np.exp(-10 / params.tau_d_s)
    for row in range(1, steps):
        added = (1 - decay) * params.depletion_h * amps[row] / params.capacity_ah
        depletion[row] = decay * depletion[row - 1] + added
    volts = np.interp(soc + depletion, layout.OCV_KNOTS, params.ocv_v) + 0.006 * amps + rng.normal(0, 0.005, steps)
    run = RecordedRun(10.0 * np.arange(steps, dtype=np.float64), amps, volts, np.full(steps, rng.uniform(15, 35)))
    circuits, states = started(params, run, 0.85)
    reference = reference_of(params, states)
    filtered = ExtendedKalmanFilter(layout.STATE_SIZE, 1)
    filtered.x, filtered.P = reference.x.reshape(-1, 1).copy(), reference.p.copy()
    rows = rows_of(run)
    for row in range(steps):
        ekf.filter_run(
            circuits.rows[0], rows[row : row + 1], states.mean[0], states.covariance[0], states.memory[0],
            np.empty((1, layout.OUT_SIZE)),
        )  # fmt: skip
        reference.x, reference.p = filtered.x[:, 0].copy(), filtered.P
        if row:
            after, jacobian, true, moved, per_amp = reference.transition(amps[row], 10.0, run.temperature_c[row])
            filtered.F, filtered.Q = jacobian, reference.process_noise(amps[row], 10.0, true, moved, per_amp)
            filtered.predict_x = lambda _u, after=after: setattr(filtered, "x", after.reshape(-1, 1))
            filtered.predict()
            # The variances of the circuit's factors start at their bounds, which are not a Kalman filter's.
            reference.x, reference.p = filtered.x[:, 0].copy(), filtered.P
            reference.limit_variances()
            filtered.P = reference.p
        expected, slope = reference.predicted_voltage(amps[row], run.temperature_c[row])
        # A row beyond four sigma weighs less: filterpy is given the noise that the filter uses.
        noise = reference.measurement_noise()
        variance = slope @ filtered.P @ slope + noise
        nis = (volts[row] - expected) ** 2 / variance
        noise += (max(1.0, nis / 16) - 1) * variance
        filtered.R = np.array([[noise]])
        filtered.update(
            np.array([[volts[row]]]), lambda _x, s=slope: s.reshape(1, -1), lambda _x, e=expected: np.array([[e]])
        )
        reference.x = filtered.x[:, 0].copy()
        reference.average_nis(nis + reference.unexplained_nis(), 10.0 if row else 0.0)
        reference.volts, reference.amps = volts[row], amps[row]
        assert np.allclose(states.mean[0], filtered.x[:, 0], rtol=0, atol=1e-9)
        assert np.allclose(states.covariance[0], filtered.P, rtol=0, atol=1e-9)
    assert not reference.misfits
    assert states.memory[0, layout.UNINFORMATIVE] == 0.0
    assert states.memory[0, layout.NIS_MEAN] == pytest.approx(reference.nis_mean)


@pytest.mark.parametrize("seed", range(10))
def test_the_reference_jacobians_are_derivatives(seed: int) -> None:
    """What both implementations take from the same equations: derivatives against central differences."""
    rng = np.random.default_rng(seed)
    params, dt, celsius = CALIBRATED, rng.uniform(1, 600), rng.uniform(5, 40)
    amps, previous_a = rng.uniform(-90, -5, 2)
    deviations = np.array([0, 0.05, 0.05, 0, 0.05, 0.3, 0.1, 0.3, 0.3, 0.3, 0.05])
    mean = deviations * rng.standard_normal(layout.STATE_SIZE)
    # Between knots of all tables, where the derivatives are continuous.
    mean[layout.SOC], mean[layout.DEPLETION], mean[layout.ACID] = 0.77, -0.02, rng.uniform(-0.02, 0.02)

    def reference_at(state: np.ndarray) -> ReferenceFilter:
        return ReferenceFilter(
            params=params, x=state, p=np.eye(layout.STATE_SIZE), volts=12.0, amps=previous_a, drawn_ah=50.0,
            uninformative=False, settled=(0.0, 0.01),
        )  # fmt: skip

    _, jacobian, *_ = reference_at(mean).transition(amps, dt, celsius)
    _, slope = reference_at(mean).predicted_voltage(amps, celsius)
    step = 1e-5
    for state, shift in enumerate(step * np.eye(layout.STATE_SIZE)):
        above, below = reference_at(mean + shift), reference_at(mean - shift)
        moved = above.transition(amps, dt, celsius)[0] - below.transition(amps, dt, celsius)[0]
        assert np.allclose(moved / (2 * step), jacobian[:, state], rtol=1e-6, atol=1e-8)
        voltage_change = above.predicted_voltage(amps, celsius)[0] - below.predicted_voltage(amps, celsius)[0]
        assert voltage_change / (2 * step) == pytest.approx(slope[state], rel=1e-6, abs=1e-8)
