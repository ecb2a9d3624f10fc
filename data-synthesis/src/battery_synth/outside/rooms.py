"""Battery rooms: the temperature that the air conditioning holds, its faults, and how fast the air follows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_contracts.enums import HvacState
from battery_synth.outside.climate import Climate, year_of, year_start_s
from battery_synth.outside.locations import LocationProfile
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ROOM_TAU_COOLED_S: Final = 1800.0
ROOM_TAU_FAILED_S: Final = 3.0 * 3600.0
"""Time constants of the room air: with the control loop of the cooling, and without cooling by walls and racks."""
FAILED_LIFT_K: Final = 5.0
"""How far above the outdoor air a room without cooling settles (3 to 8 K: UPS losses and envelope)."""
_FAILURES_PER_YEAR: Final = 0.5
_REPAIR_MEDIAN_H, _REPAIR_LOG_SIGMA, _REPAIR_RANGE_H = 5.0, 0.7, (2.0, 24.0)
_DRIFTS_PER_YEAR: Final = 1.5
_DRIFT_DAYS, _DRIFT_C = (10.0, 50.0), (2.0, 6.0)
_WEATHER_SHARE: Final = 0.05
"""Part of the outdoor swing that a cooled room shows."""
_DAY_S: Final = 86_400.0
_STATES: Final = tuple(HvacState)


@dataclass(frozen=True, slots=True)
class HvacFault:
    """A span in which the air conditioning fails, or holds ``offset_c`` more than it should; times in s since 1970."""

    start_s: float
    end_s: float
    failed: bool
    offset_c: float


class Room:
    """The battery room of one location; everything but its temperature is a function of time."""

    def __init__(
        self, seed: int, location: LocationProfile, climate: Climate, extra: tuple[HvacFault, ...] = ()
    ) -> None:
        self._seed, self._location, self._climate, self._extra = seed, location, climate, extra
        scatter = float(stream(seed, "set-point", location.code).standard_normal())
        self.set_point_c = 23.0 + 2.5 * (1.0 - location.hvac_quality) + 0.5 * scatter
        self._years: dict[int, list[HvacFault]] = {}

    def faults(self, start_s: float, end_s: float) -> list[HvacFault]:
        """Return the faults that overlap a span, in order of their start."""
        # A drift that began in autumn may last into the new year.
        drawn = [fault for year in range(year_of(start_s) - 1, year_of(end_s) + 1) for fault in self._of_year(year)]
        overlapping = (fault for fault in (*drawn, *self._extra) if fault.start_s < end_s and fault.end_s > start_s)
        return sorted(overlapping, key=lambda fault: fault.start_s)

    def target_c(self, at_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the temperature in °C that the air approaches, and its time constant in s."""
        outdoor_c = self._climate.outdoor_c(at_s)
        offset_c, failed = self._active_faults(at_s)
        held_c = self.set_point_c + _WEATHER_SHARE * (outdoor_c - 28.0) + offset_c
        adrift_c = np.maximum(outdoor_c + FAILED_LIFT_K, self.set_point_c)
        return np.where(failed, adrift_c, held_c), np.where(failed, ROOM_TAU_FAILED_S, ROOM_TAU_COOLED_S)

    def state(self, at_s: FloatArray) -> IntArray:
        """Return the reported states of the air conditioning, as indices into `HvacState`.

        A failure outranks a drift.
        """
        offset_c, failed = self._active_faults(at_s)
        drifting = np.where(offset_c > 0.0, _STATES.index(HvacState.DEGRADED), _STATES.index(HvacState.RUNNING))
        return np.where(failed, _STATES.index(HvacState.FAILED), drifting)

    def humidity_pct(self, at_s: FloatArray) -> FloatArray:
        """Return the room's relative humidity in %: cooled air is dry and follows the weather a little."""
        return 45.0 + 0.15 * (self._climate.humidity_pct(at_s) - 70.0)

    def _active_faults(self, at_s: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        offset_c, failed = np.zeros(len(at_s)), np.zeros(len(at_s), bool)
        if len(at_s):
            for fault in self.faults(float(at_s.min()), float(at_s.max()) + 1.0):
                within = (at_s >= fault.start_s) & (at_s < fault.end_s)
                failed |= within & fault.failed
                offset_c = np.where(within, np.maximum(offset_c, fault.offset_c), offset_c)
        return offset_c, failed

    def _of_year(self, year: int) -> list[HvacFault]:
        if year not in self._years:
            random = stream(self._seed, "hvac", self._location.code, year)
            first_s, neglect = year_start_s(year), 1.0 - self._location.hvac_quality
            faults = []
            for _ in range(int(random.poisson(_FAILURES_PER_YEAR * (1.0 + neglect)))):
                start_s = first_s + _DAY_S * float(random.uniform(0, 365))
                hours = _REPAIR_MEDIAN_H * np.exp(_REPAIR_LOG_SIGMA * random.standard_normal())
                end_s = start_s + 3600.0 * float(np.clip(hours, *_REPAIR_RANGE_H))
                faults.append(HvacFault(start_s, end_s, failed=True, offset_c=0.0))
            for _ in range(int(random.poisson(_DRIFTS_PER_YEAR * neglect))):
                start_s = first_s + _DAY_S * float(random.uniform(0, 365))
                end_s = start_s + _DAY_S * float(random.uniform(*_DRIFT_DAYS))
                faults.append(HvacFault(start_s, end_s, failed=False, offset_c=float(random.uniform(*_DRIFT_C))))
            self._years[year] = faults
        return self._years[year]
