"""A run replayed through the filter of one block, row by row: what a twin would have said at each instant."""

from dataclasses import dataclass

import numpy as np

from battery_twin.filter import kernel
from battery_twin.filter.blocks import Blocks, CapacityPrior, say
from battery_twin.filter.circuits import Circuits
from battery_twin.identification.parameter_set import ParameterSet
from battery_twin.runs import FloatArray, Run

INITIAL_SOC_SD = 0.12
# A run does not say how old its block is; a calibrated set was counted on one like it, a data sheet on none.
UNKNOWN_AGE_CAPACITY_SD, UNCALIBRATED_UNKNOWN_AGE_CAPACITY_SD = 0.08, 0.17


@dataclass(frozen=True, slots=True)
class Replay:
    """Estimates of each row, made of that row and those before it; fractions, volts, amperes."""

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
        """Normalised innovation squared; 1 on average where the filter's uncertainty is right."""
        return (self.innovation_v / self.innovation_sd_v) ** 2


def replay(run: Run, parameters: ParameterSet, initial_soc: float) -> Replay:
    """Estimate each row of a run from that row and those before it."""
    circuits, which, one = Circuits.of([parameters]), np.zeros(1, np.int64), np.ones(1, bool)
    unknown_sd = UNKNOWN_AGE_CAPACITY_SD if parameters.calibrated else UNCALIBRATED_UNKNOWN_AGE_CAPACITY_SD
    prior = CapacityPrior(np.zeros(1), np.hypot(circuits.capacity_sd, unknown_sd))
    block = Blocks.empty(1)
    first = {
        name: np.asarray(getattr(run, name)[:1], np.float64) for name in ("voltage_v", "current_a", "temperature_c")
    }
    charges = first["current_a"] > kernel.CHARGE_C_RATE * parameters.rated_ah
    floats = (first["voltage_v"] > kernel.RESTED_V) | charges
    block.begin(one, circuits, which, prior, soc=initial_soc, soc_sd=INITIAL_SOC_SD, floats=floats, **first)
    rows = np.zeros((len(run), kernel.IN_SIZE))
    rows[0, kernel.IN_NEW] = 1.0
    rows[:, kernel.IN_DT_S], rows[:, kernel.IN_RESISTANCE_MOHM] = run.dt_s, np.nan
    rows[:, kernel.IN_VOLTAGE_V], rows[:, kernel.IN_CURRENT_A] = run.voltage_v, run.current_a
    rows[:, kernel.IN_TEMPERATURE_C] = run.temperature_c
    out = np.empty((len(run), kernel.OUT_SIZE))
    kernel.along(circuits.rows[0], rows, block.mean[0], block.covariance[0], block.memory[0], out)
    every = np.zeros(len(run), np.int64)
    said = say(out, circuits, every, prior)
    return Replay(
        run.time_s,
        said.soc,
        said.soc_sd,
        said.soh,
        said.soh_sd,
        out[:, kernel.OUT_PREDICTED_V],
        out[:, kernel.OUT_INNOVATION_V],
        out[:, kernel.OUT_DEVIATION_V],
        out[:, kernel.OUT_INFORMATIVE],
    )
