"""Recordings with sensor errors and a wrong start, replayed and compared with what the block really held."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from battery_twin.arrays import BoolArray, FloatArray
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.kernel.layout import OCV_KNOTS
from battery_twin.replay import replay
from battery_twin.runs import RecordedRun

WRONG_START = 0.8
SETTLED_S = 900.0
INSIDE_90 = 1.645
# Sensors as in the field: current bias in multiples of the rated capacity per hour, relative gains, volts, degC.
BIAS_SD_C_RATE, CURRENT_GAIN_SD = 0.0012, 0.005
VOLTAGE_GAIN_SD, VOLTAGE_NOISE_V, TEMPERATURE_OFFSET_SD_C = 0.0010, 0.005, 0.5
FLOATING_V = 13.2


@dataclass(frozen=True, slots=True)
class Recording:
    """A run with the truth (m,) about it; ``capacity_ah`` is what the block delivers at the 10 h rate and 25 degC."""

    block: str
    kind: str
    profile: str
    rated_ah: float
    capacity_ah: float
    run: RecordedRun
    soc: FloatArray

    @property
    def soh(self) -> float:
        """Capacity over rated capacity."""
        return self.capacity_ah / self.rated_ah

    @property
    def starts_on_float(self) -> bool:
        """Whether the first row is on float."""
        return bool(self.run.voltage_v[0] > FLOATING_V)


class Judged(NamedTuple):
    """Errors of one recording: fractions of SOC per row (rows,), and of SOH at its end."""

    recording: Recording
    error: FloatArray
    inside: BoolArray
    naive_rmse: Mapping[str, float]
    soh_error: float
    soh_sd: float
    discharged: bool

    @property
    def rmse(self) -> float:
        """Root mean square of the SOC error."""
        return rms(self.error)

    @property
    def soh_inside(self) -> bool:
        """Whether the true SOH lies in the 90 % interval."""
        return abs(self.soh_error) <= INSIDE_90 * self.soh_sd


def rms(values: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def with_sensor_errors(run: RecordedRun, rated_ah: float, seed: int) -> RecordedRun:
    """Return what biased and noisy sensors record of a run."""
    rng = np.random.default_rng(seed)
    bias_a = rng.normal(0, BIAS_SD_C_RATE) * rated_ah
    current_a = run.current_a * (1 + rng.normal(0, CURRENT_GAIN_SD)) + bias_a + rng.normal(0, 0.02, len(run))
    voltage_v = run.voltage_v * (1 + rng.normal(0, VOLTAGE_GAIN_SD)) + rng.normal(0, VOLTAGE_NOISE_V, len(run))
    temperature_c = run.temperature_c + rng.normal(0, TEMPERATURE_OFFSET_SD_C) + rng.normal(0, 0.1, len(run))
    return RecordedRun(run.time_s, current_a, np.round(voltage_v, 3), np.round(temperature_c, 1))


def judge(recording: Recording, parameters: ParameterSet, seed: int) -> Judged:
    """Replay a recording with sensor errors from a wrong start."""
    measured = with_sensor_errors(recording.run, recording.rated_ah, seed)
    estimates = replay(measured, parameters, WRONG_START)
    rows = measured.time_s - measured.time_s[0] >= SETTLED_S
    error = (estimates.soc - recording.soc)[rows]
    naive = {name: rms((soc - recording.soc)[rows]) for name, soc in naive_estimates(recording, measured).items()}
    return Judged(
        recording=recording,
        error=error,
        inside=np.abs(error) <= INSIDE_90 * estimates.soc_sd[rows],
        naive_rmse=naive,
        soh_error=float(estimates.soh[-1]) - recording.soh,
        soh_sd=float(estimates.soh_sd[-1]),
        discharged=float(recording.soc.min()) < 0.4,
    )


def naive_estimates(recording: Recording, measured: RecordedRun) -> dict[str, FloatArray]:
    """Return the SOC (m,) that needs no twin: counting from a guess, and the voltage looked up."""
    ocv_v = data_sheet_parameters(recording.rated_ah).ocv_v
    counted = measured.charge_ah / recording.rated_ah
    looked_up = np.interp(measured.voltage_v, ocv_v, OCV_KNOTS)
    return {
        "counted from the stated start": np.clip(WRONG_START + counted, 0, 1),
        "counted from full" if recording.starts_on_float else "counted from the first voltage": np.clip(
            (1.0 if recording.starts_on_float else looked_up[0]) + counted, 0, 1
        ),
        "looked up": looked_up,
    }


def _best_naive(cases: Iterable[Judged], profile: str) -> float:
    """Return the error of the naive estimate that is best for a profile."""
    of_profile = [case.naive_rmse for case in cases if case.recording.profile == profile]
    return min(float(np.mean([rmse[name] for rmse in of_profile])) for name in of_profile[0])


class Figures(NamedTuple):
    """Figures of some recordings, in points of percent and shares."""

    cases: int
    soc_rmse: float
    soc_bias: float
    soc_inside: float
    naive_rmse: float
    soh_mae: float
    soh_bias: float
    soh_inside: float
    soh_sd: float


def figures(judged: Iterable[Judged]) -> Figures:
    """Return the means over recordings; SOH counts after deep discharges alone."""
    cases = list(judged)
    naive = np.average(
        [_best_naive(cases, profile) for profile in dict.fromkeys(case.recording.profile for case in cases)],
        weights=list(Counter(case.recording.profile for case in cases).values()),
    )
    deep = [case for case in cases if case.discharged] or cases[:0]
    soh_errors = 100 * np.array([case.soh_error for case in deep])
    return Figures(
        cases=len(cases),
        soc_rmse=100 * float(np.mean([case.rmse for case in cases])),
        soc_bias=100 * float(np.mean([case.error.mean() for case in cases])),
        soc_inside=float(np.mean([case.inside.mean() for case in cases])),
        naive_rmse=100 * float(naive),
        soh_mae=float(np.mean(np.abs(soh_errors))) if deep else float("nan"),
        soh_bias=float(np.mean(soh_errors)) if deep else float("nan"),
        soh_inside=float(np.mean([case.soh_inside for case in deep])) if deep else float("nan"),
        soh_sd=100 * float(np.mean([case.soh_sd for case in deep])) if deep else float("nan"),
    )
