"""A recorded run replayed through the filter of one block, row by row, as if it were live."""

from dataclasses import dataclass

import numpy as np

from battery_twin.arrays import FloatArray
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.filter.circuit_table import CircuitTable
from battery_twin.filter.states import FLOAT_A_PER_AH, CapacityPrior, FilterStates, summarise
from battery_twin.kernel import constants, ekf, layout
from battery_twin.runs import RecordedRun

INITIAL_SOC_SD = 0.12
# A run does not state the age of its block; a calibrated set was measured on a similar block, a data sheet on none.
UNKNOWN_AGE_LOG_Q = -0.1
UNKNOWN_AGE_CAPACITY_SD, UNCALIBRATED_UNKNOWN_AGE_CAPACITY_SD = 0.17, 0.20


@dataclass(frozen=True, slots=True)
class Replay:
    """Estimates (m,) of the rows of a run, each from that row and those before it; fractions and volts.

    ``informative`` is 1 where the voltage was observable, 0 on charge, on float and shortly after.
    """

    time_s: FloatArray
    soc: FloatArray
    soc_sd: FloatArray
    soh: FloatArray
    soh_sd: FloatArray
    voltage_pred: FloatArray
    innovation_v: FloatArray
    innovation_sd_v: FloatArray
    informative: FloatArray

    @property
    def nis(self) -> FloatArray:
        """Normalised innovation squared (m,); 1 on average where the stated uncertainty is right."""
        return (self.innovation_v / self.innovation_sd_v) ** 2


def replay(run: RecordedRun, parameters: ParameterSet, initial_soc: float) -> Replay:
    """Estimate each row of a run from that row and those before it; ``initial_soc`` is a fraction."""
    circuits, which = CircuitTable.of([parameters]), np.zeros(1, np.int64)
    unknown_sd = UNKNOWN_AGE_CAPACITY_SD if parameters.calibrated else UNCALIBRATED_UNKNOWN_AGE_CAPACITY_SD
    log_q = UNKNOWN_AGE_LOG_Q if parameters.calibrated else 0.0
    prior = CapacityPrior(np.full(1, log_q), np.hypot(circuits.capacity_sd, unknown_sd))
    state = FilterStates.empty(1)
    first = {
        name: np.asarray(getattr(run, name)[:1], np.float64) for name in ("voltage_v", "current_a", "temperature_c")
    }
    charges = first["current_a"] > constants.CHARGE_C_RATE * parameters.rated_ah
    floats = (first["voltage_v"] > constants.RESTED_V) | charges
    state.start(
        np.ones(1, bool), circuits, which, prior, soc=initial_soc, soc_sd=INITIAL_SOC_SD, floats=floats, **first
    )
    rows = np.zeros((len(run), layout.IN_SIZE))
    rows[0, layout.IN_NEW] = 1.0
    rows[:, layout.IN_DT_S], rows[:, layout.IN_RESISTANCE_MOHM] = run.dt_s, np.nan
    rows[:, layout.IN_VOLTAGE_V], rows[:, layout.IN_CURRENT_A] = run.voltage_v, run.current_a
    rows[:, layout.IN_TEMPERATURE_C] = run.temperature_c
    rows[:, layout.IN_FLOAT_A] = FLOAT_A_PER_AH * parameters.rated_ah
    out = np.empty((len(run), layout.OUT_SIZE))
    ekf.filter_run(circuits.rows[0], rows, state.mean[0], state.covariance[0], state.memory[0], out)
    output = summarise(out, circuits, np.zeros(len(run), np.int64), prior)
    return Replay(
        run.time_s,
        output.soc,
        output.soc_sd,
        output.soh,
        output.soh_sd,
        out[:, layout.OUT_PREDICTED_V],
        out[:, layout.OUT_INNOVATION_V],
        out[:, layout.OUT_INNOVATION_SD_V],
        out[:, layout.OUT_INFORMATIVE],
    )
