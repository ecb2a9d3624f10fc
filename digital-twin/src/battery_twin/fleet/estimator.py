"""Estimate the whole fleet in one call."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from battery_contracts.enums import Provenance
from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_twin.filter import kernel
from battery_twin.filter.blocks import NO_DISCHARGE_SEEN_S, Blocks, CapacityPrior, IntArray, Said, say
from battery_twin.filter.circuits import Circuits
from battery_twin.filter.kernel import FloatArray
from battery_twin.fleet import blob, ohmic
from battery_twin.fleet.models import Models
from battery_twin.fleet.readings import FLOATING_AT_LEAST_V, BoolArray, Readings, faults
from battery_twin.life.remaining import capacity_by_age

# A block that neither floats nor has a history can be anything from a third full.
UNKNOWN_SOC, UNKNOWN_SOC_SD = 0.8, 0.3
UNKNOWN_AGE_CAPACITY_SD = 0.10
# How far a model's blocks are delivered from the capacity on their nameplate, where the model is known by name.
NAMEPLATE_CAPACITY_SD = 0.05
ASSUMED_TEMPERATURE_C = 25.0
_WORDS = np.array([Provenance.PRIOR_ONLY, Provenance.OHMIC_INFERRED, Provenance.DISCHARGE_INFERRED], object)
NOT_FLOATING = (
    "voltage_v: {:.2f} V in a string on float contradicts the circuit; a cell may be shorted, or the sense lead is off"
)


class Estimator:
    """The filter of the fleet; it keeps nothing between calls but the parameter sets that it has read."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def estimate(self, request: EstimateRequest) -> EstimateResponse:
        """Estimate each reading; one that cannot be used is answered with its fault and spoils no other."""
        chosen = self._models.choose(request)
        which = np.maximum(chosen.which, 0)
        readings = Readings.of(request)
        owners = [blob.fingerprint(battery) for battery in request.battery_id]
        stored, state_faults = blob.unpack(request.state, owners, chosen.fingerprint[which])
        has_state = np.array([bool(state) for state in request.state], bool)
        told = readings.told_to_float(chosen.circuits.rows[which, kernel.RATED_AH])
        errors = faults(request, readings, has_state, ~told)
        for place, fault in enumerate(state_faults):
            if fault is not None:
                errors[place] = f"state: {fault}; send none to begin afresh"
            elif chosen.which[place] < 0:
                model = request.model_id[place]
                errors[place] = f"model_id: {model!r} has no parameter set here; send its rated_ah, or calibrate it"
        sound = np.array([place for place, error in enumerate(errors) if error is None], np.int64)
        step = _Step(
            place=sound,
            circuits=chosen.circuits,
            which=which[sound],
            readings=readings.at(sound),
            blocks=Blocks(stored.mean[sound], stored.covariance[sound], stored.memory[sound]),
            is_new=~has_state[sound],
            out=np.empty((len(sound), kernel.OUT_SIZE)),
        )
        said, resistance = step.run()
        for place, volts in step.contradictions():
            errors[place] = NOT_FLOATING.format(volts)
        blobs = blob.pack(step.blocks, [owners[place] for place in sound.tolist()], chosen.fingerprint[step.which])
        states: list[bytes | None] = [None if fault is None else b"" for fault in state_faults]
        for place, packed in zip(sound.tolist(), blobs, strict=True):
            states[place] = packed
        return _Answer(step, said, resistance, errors).response(states)


@dataclass(frozen=True, slots=True)
class _Step:
    """What goes through the filter: the readings (m,) that nothing is wrong with, and their places in the request."""

    place: IntArray
    circuits: Circuits
    which: IntArray
    readings: Readings
    blocks: Blocks
    is_new: BoolArray
    out: FloatArray

    def run(self) -> tuple[Said, ohmic.Ohmic]:
        """Begin the new blocks, advance all of them, and say what came of it."""
        circuits, which, readings = self.circuits, self.which, self.readings
        rated_ah = circuits.rows[which, kernel.RATED_AH]
        told, float_a = readings.told_to_float(rated_ah), readings.probe_a(rated_ah)
        last_c = np.where(self.is_new, ASSUMED_TEMPERATURE_C, self.blocks.memory[:, kernel.PREVIOUS_C])
        temperature_c = np.where(np.isnan(readings.temperature_c), last_c, readings.temperature_c)
        prior = _prior(readings.age_days, circuits, which)
        self._begin(prior, told, np.where(told, float_a, readings.current_a), temperature_c)
        rows = np.empty((len(which), kernel.IN_SIZE))
        for column, values in (
            (kernel.IN_NEW, self.is_new),
            (kernel.IN_TOLD, told),
            (kernel.IN_DT_S, readings.dt_s),
            (kernel.IN_VOLTAGE_V, readings.voltage_v),
            (kernel.IN_CURRENT_A, readings.current_a),
            (kernel.IN_FLOAT_A, float_a),
            (kernel.IN_TEMPERATURE_C, temperature_c),
            (kernel.IN_RESISTANCE_MOHM, readings.resistance_mohm),
            (kernel.IN_PRIOR_LOG_Q, prior.log_q),
            (kernel.IN_PRIOR_VAR, prior.sd**2 + circuits.capacity_bias_sd[which] ** 2),
        ):
            rows[:, column] = values
        blocks = self.blocks
        kernel.sweep(circuits.rows, which, rows, blocks.mean, blocks.covariance, blocks.memory, self.out)
        said = say(self.out, circuits, which, prior)
        return said, ohmic.told(blocks.memory, readings.baseline_mohm, said)

    def _begin(self, prior: CapacityPrior, told: BoolArray, used_a: FloatArray, temperature_c: FloatArray) -> None:
        """Take a block that is told to float for full, as wide as that assumption is; another can be anywhere."""
        voltage_v = self.readings.voltage_v
        rated_ah = self.circuits.rows[self.which, kernel.RATED_AH]
        floats = told | (voltage_v > kernel.RESTED_V) | (used_a > kernel.CHARGE_C_RATE * rated_ah)
        for begins, soc, soc_sd in (
            (self.is_new & told, kernel.FULL_SOC, kernel.FULL_SOC_SD),
            (self.is_new & ~told, UNKNOWN_SOC, UNKNOWN_SOC_SD),
        ):
            self.blocks.begin(
                begins,
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

    def contradictions(self) -> list[tuple[int, float]]:
        """Return place and voltage of blocks that do not float in a string that does: nothing here knows such a block.

        A current above the sensor's own offset is a discharge that the string's mode does not tell of yet.
        """
        readings = self.readings
        with np.errstate(invalid="ignore"):
            flows = np.abs(readings.current_a) > 10.0 * kernel.BIAS_SD_A
            wrong = np.flatnonzero(readings.is_float & ~flows & (readings.voltage_v < FLOATING_AT_LEAST_V))
        return list(zip(self.place[wrong].tolist(), readings.voltage_v[wrong].tolist(), strict=True))


def _prior(age_days: FloatArray, circuits: Circuits, which: IntArray) -> CapacityPrior:
    """Return what age alone says of capacity; without an age a block is taken for new, and for less sure."""
    is_unknown = np.isnan(age_days)
    mean, deviation = capacity_by_age(np.nan_to_num(age_days))
    mean = np.where(is_unknown, 1.0, mean)
    deviation = np.where(is_unknown, UNKNOWN_AGE_CAPACITY_SD, deviation)
    nameplate_sd = np.minimum(circuits.capacity_sd[which], NAMEPLATE_CAPACITY_SD)
    return CapacityPrior(np.log(mean), np.hypot(deviation, nameplate_sd) / mean)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Results of a step laid out in the order of the request."""

    step: _Step
    said: Said
    resistance: ohmic.Ohmic
    errors: list[str | None]

    def response(self, states: list[bytes | None]) -> EstimateResponse:
        """Return the columns; what was withheld or refused is None."""
        out, said, resistance = self.step.out, self.said, self.resistance
        informative = out[:, kernel.OUT_INFORMATIVE] != 0.0
        memory = self.step.blocks.memory
        counted = (memory[:, kernel.FLOATED_S] < kernel.FLOAT_HELD_S) & (
            memory[:, kernel.SINCE_DISCHARGE_S] < 0.5 * NO_DISCHARGE_SEEN_S
        )
        soc_provenance = _WORDS[np.where(informative | counted, 2, 0)]
        soh_provenance = _WORDS[np.where(said.discharged, 2, np.where(resistance.speaks, 1, 0))]
        nis = (out[:, kernel.OUT_INNOVATION_V] / out[:, kernel.OUT_DEVIATION_V]) ** 2
        # Built without validation: the types are ours, and 1,944 rows of eleven columns cost more than the filter.
        return EstimateResponse.model_construct(
            soc_pct=self._column(100.0 * said.soc),
            soc_sd_pct=self._column(100.0 * said.soc_sd),
            soh_pct=self._column(100.0 * resistance.soh),
            soh_sd_pct=self._column(100.0 * resistance.soh_sd),
            soc_provenance=self._column(soc_provenance),
            soh_provenance=self._column(soh_provenance),
            resistance_mohm=self._column(np.where(resistance.measured, resistance.resistance_mohm, np.nan)),
            resistance_sd_mohm=self._column(np.where(resistance.measured, resistance.resistance_sd_mohm, np.nan)),
            normalised_innovation_squared=self._column(np.where(informative, nis, np.nan)),
            state=states,
            error=self.errors,
        )

    def _column(self, values: NDArray[Any]) -> list[Any]:
        """Return values by place in the request; NaN is None."""
        column: list[Any] = [None] * len(self.errors)
        for place, value in zip(self.step.place.tolist(), values.tolist(), strict=True):
            if self.errors[place] is None and value == value:  # noqa: PLR0124  # NaN alone differs from itself
                column[place] = value
        return column
