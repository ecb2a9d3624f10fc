"""What the digital twin is asked about readings: their values, and what their strings did at that time.

The twin must get the same for a reading however it came: alone, in a backlog, or read again from the store. So nothing
here depends on the batch; what a reading lacks is looked up over time.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from battery_api.fleet.ohmic import resistance_at_25c
from battery_api.telemetry.ingest.checks import ValidatedBatch
from battery_api.telemetry.ingest.locked_state import SubjectStates
from battery_api.telemetry.ingest.string_context import (
    NewestValues,
    SubjectValues,
    ValueTimeline,
    batch_modes,
    string_currents,
)
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.store.columns import FloatArray, IntArray, optional
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots
from battery_api.telemetry.store.instants import DAY_US
from battery_contracts.twin import EstimateRequest

FLOAT_CURRENT_VALID_S: Final = 3600.0
"""How long a float current stands for its string, which changes over days (EJ)."""
_STATE_TIME: Final = struct.Struct("<q")


class EstimatorState(NamedTuple):
    """Estimator state of a battery and the time of the reading that it belongs to."""

    time_us: int
    blob: bytes

    @classmethod
    def unpack(cls, stored: bytes | None) -> "EstimatorState | None":
        """Read a stored state; one that holds a time alone belongs to a battery that restarts from its prior."""
        if stored is None or len(stored) <= _STATE_TIME.size:
            return None
        return cls(_STATE_TIME.unpack_from(stored)[0], stored[_STATE_TIME.size :])

    def pack(self) -> bytes:
        """Return the form that is stored."""
        return _STATE_TIME.pack(self.time_us) + self.blob


@dataclass(frozen=True, slots=True)
class TwinInputs:
    """A batch of readings with the states of its subjects before it."""

    batch: ValidatedBatch
    fleet: FleetIndex
    subjects: BatchSubjects
    states: SubjectStates

    def request(self, rows: IntArray, battery: BatchSlots, before: Sequence[EstimatorState | None]) -> EstimateRequest:
        """Ask about battery readings (k,), sorted by battery and time, of which ``before`` (n,) are the states."""
        readings = self.batch.batteries
        slots = FleetSlots(readings.slot[rows])
        entries = self.fleet.batteries.entries_at(slots)
        string = self.subjects.strings_of(battery)
        time_us = readings.time_us[rows]
        current = readings.values["current_a"][rows]
        of_string = string_currents(self.states.strings, self.batch.strings, self.subjects).at(string, time_us)
        begins = np.append(True, battery[1:] != battery[:-1])
        first = [
            before[slot] if is_first else None for slot, is_first in zip(battery.tolist(), begins.tolist(), strict=True)
        ]
        return EstimateRequest(
            battery_id=[entry.code for entry in entries],
            model_id=[entry.model_code for entry in entries],
            dt_s=_gaps_s(time_us, begins, first),
            voltage_v=readings.values["voltage_v"][rows].tolist(),
            current_a=optional(np.where(np.isnan(current), of_string, current)),
            temperature_c=optional(readings.values["temperature_c"][rows]),
            internal_resistance_mohm=optional(readings.values["internal_resistance_mohm"][rows]),
            float_current_ma=optional(self._float_currents().at(string, time_us)),
            mode=batch_modes(self.states, self.subjects, self.batch).at(string, time_us).mode,
            state=[None if state is None else state.blob for state in first],
            age_days=((time_us - self.fleet.installed_us[slots]).clip(min=0) / DAY_US).tolist(),
            rated_ah=[entry.rated_capacity_ah for entry in entries],
            baseline_resistance_mohm=optional(self._baseline_mohm(slots)),
        )

    def _float_currents(self) -> ValueTimeline:
        readings, states = self.batch.strings, self.states.strings
        return ValueTimeline.lasting(
            NewestValues(states.float_current_us, states.float_current_ma),
            SubjectValues(
                self.subjects.string_slots(readings.slot), readings.time_us, readings.values["float_current_ma"]
            ),
            valid_s=FLOAT_CURRENT_VALID_S,
        )

    def _baseline_mohm(self, slots: FleetSlots) -> FloatArray:
        baseline = resistance_at_25c(self.fleet.baseline_mohm[slots], self.fleet.baseline_c[slots])
        return np.where(baseline > 0, baseline, np.nan)


def first_of_each(rows: IntArray, battery: BatchSlots, most: int) -> IntArray:
    """Return of readings (k,), sorted by battery, the first ``most`` of each battery."""
    begins = np.append(True, battery[rows][1:] != battery[rows][:-1])[: len(rows)]
    rank = np.arange(len(rows)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    chosen: IntArray = rows[rank < most]
    return chosen


def _gaps_s(
    time_us: IntArray, begins: "np.ndarray[tuple[int], np.dtype[np.bool_]]", first: Sequence[EstimatorState | None]
) -> list[float | None]:
    """Return the time since the previous reading of each battery, for its first one since that of its state."""
    gaps: list[float | None] = []
    previous_us = 0
    for instant_us, is_first, state in zip(time_us.tolist(), begins.tolist(), first, strict=True):
        if is_first:
            gaps.append(None if state is None else (instant_us - state.time_us) / 1e6)
        else:
            gaps.append((instant_us - previous_us) / 1e6)
        previous_us = instant_us
    return gaps
