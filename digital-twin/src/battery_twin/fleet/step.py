"""One step of the filter for one reading of each of several batteries."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_contracts.twin import CONTRADICTS_CIRCUIT
from battery_twin.arrays import BoolArray, FloatArray, IntArray
from battery_twin.filter.circuit_table import CircuitTable
from battery_twin.filter.states import CapacityPrior, FilterOutput, FilterStates, summarise
from battery_twin.fleet.ohmic import OhmicEstimate, apply_ohmic
from battery_twin.fleet.readings import MIN_FLOATING_V, FleetReadings
from battery_twin.kernel import constants, ekf, layout
from battery_twin.life.remaining import capacity_by_age

# A block that is not on float and has no history can be anything from a third full.
UNKNOWN_SOC, UNKNOWN_SOC_SD = 0.8, 0.3
UNKNOWN_AGE_CAPACITY_SD = 0.10
# Deviation of the capacity of new blocks from their nameplate, where the model is known by name.
NAMEPLATE_CAPACITY_SD = 0.05
NAMEPLATE_WEIGHT = 0.5
ASSUMED_TEMPERATURE_C = 25.0
# A current above this multiple of the sensor's bias is a real one.
MIN_CURRENT_OVER_BIAS = 10.0
MISFIT: Final = (
    f"voltage_v: {{:.2f}} V {CONTRADICTS_CIRCUIT} as it was charged and discharged; a channel may be dead, reversed or "
    "scaled, or the block is of another model"
)
NOT_FLOATING: Final = (
    f"voltage_v: {{:.2f}} V in a string on float {CONTRADICTS_CIRCUIT}; a cell may be shorted, or the sense lead is off"
)


@dataclass(frozen=True, slots=True)
class FleetStep:
    """One step of the filter for the valid readings (m,) of a request.

    ``slots`` (m,) are their positions in the request, ``which`` (m,) their parameter sets; ``states`` and ``out``
    (m, 14) are changed in place.
    """

    slots: IntArray
    circuits: CircuitTable
    which: IntArray
    readings: FleetReadings
    states: FilterStates
    is_new: BoolArray
    out: FloatArray

    def run(self) -> tuple[FilterOutput, OhmicEstimate]:
        """Start the new blocks, advance all of them and return their estimates."""
        circuits, which, readings = self.circuits, self.which, self.readings
        rated_ah = circuits.rows[which, layout.RATED_AH]
        mode_is_float, float_a = readings.mode_is_float(rated_ah), readings.float_a(rated_ah)
        last_c = np.where(self.is_new, ASSUMED_TEMPERATURE_C, self.states.memory[:, layout.PREVIOUS_C])
        temperature_c = np.where(np.isnan(readings.temperature_c), last_c, readings.temperature_c)
        prior = _capacity_prior(readings.age_days, circuits, which)
        self._start(prior, mode_is_float, np.where(mode_is_float, float_a, readings.current_a), temperature_c)
        rows = np.empty((len(which), layout.IN_SIZE))
        for column, values in (
            (layout.IN_NEW, self.is_new),
            (layout.IN_MODE_IS_FLOAT, mode_is_float),
            (layout.IN_DT_S, readings.dt_s),
            (layout.IN_VOLTAGE_V, readings.voltage_v),
            (layout.IN_CURRENT_A, readings.current_a),
            (layout.IN_FLOAT_A, float_a),
            (layout.IN_TEMPERATURE_C, temperature_c),
            (layout.IN_RESISTANCE_MOHM, readings.resistance_mohm),
            (layout.IN_PRIOR_LOG_Q, prior.log_q),
            (layout.IN_PRIOR_VAR, prior.sd**2 + circuits.capacity_bias_sd[which] ** 2),
        ):
            rows[:, column] = values
        states = self.states
        ekf.filter_fleet(circuits.rows, which, rows, states.mean, states.covariance, states.memory, self.out)
        output = summarise(self.out, circuits, which, prior)
        return output, apply_ohmic(states.memory, readings.baseline_mohm, output)

    def _start(
        self, prior: CapacityPrior, mode_is_float: BoolArray, used_a: FloatArray, temperature_c: FloatArray
    ) -> None:
        """Start the new blocks: full where the string is on float, with that assumption's deviation, else unknown."""
        voltage_v = self.readings.voltage_v
        rated_ah = self.circuits.rows[self.which, layout.RATED_AH]
        floats = mode_is_float | (voltage_v > constants.RESTED_V) | (used_a > constants.CHARGE_C_RATE * rated_ah)
        for mask, soc, soc_sd in (
            (self.is_new & mode_is_float, constants.FULL_SOC, constants.FULL_SOC_SD),
            (self.is_new & ~mode_is_float, UNKNOWN_SOC, UNKNOWN_SOC_SD),
        ):
            self.states.start(
                mask,
                self.circuits,
                self.which,
                prior,
                soc=soc,
                soc_sd=soc_sd,
                floats=floats,
                voltage_v=voltage_v,
                current_a=used_a,
                temperature_c=temperature_c,
            )

    def misfits(self) -> list[tuple[int, float]]:
        """Return slot and voltage of blocks whose readings the circuit has not followed for a while."""
        wrong = np.flatnonzero(self.out[:, layout.OUT_MISFIT] != 0.0)
        return list(zip(self.slots[wrong].tolist(), self.readings.voltage_v[wrong].tolist(), strict=True))

    def contradictions(self) -> list[tuple[int, float]]:
        """Return slot and voltage of blocks that are not on float in a string that is: the model does not cover them.

        A current well above the sensor's offset is a discharge that the string's mode does not show yet.
        """
        readings = self.readings
        with np.errstate(invalid="ignore"):
            flows = np.abs(readings.current_a) > MIN_CURRENT_OVER_BIAS * constants.BIAS_SD_A
            wrong = np.flatnonzero(readings.is_float & ~flows & (readings.voltage_v < MIN_FLOATING_V))
        return list(zip(self.slots[wrong].tolist(), readings.voltage_v[wrong].tolist(), strict=True))


def _capacity_prior(age_days: FloatArray, circuits: CircuitTable, which: IntArray) -> CapacityPrior:
    """Return the prior of capacity at an age (n,); a block of unknown age is assumed new, with a wider deviation."""
    is_unknown = np.isnan(age_days)
    mean, deviation = capacity_by_age(np.nan_to_num(age_days))
    mean = np.where(is_unknown, 1.0, mean)
    deviation = np.where(is_unknown, UNKNOWN_AGE_CAPACITY_SD, deviation)
    nameplate_sd = np.minimum(circuits.capacity_sd[which], NAMEPLATE_CAPACITY_SD)
    # One block says of its model's mean about as much as the nameplate does.
    log_mean = np.log(mean) - NAMEPLATE_WEIGHT * np.log(circuits.capacity_share[which])
    return CapacityPrior(log_mean, np.hypot(deviation, nameplate_sd) / mean)
