"""Battery rooms: the temperature that the air conditioning holds, its faults, and how fast the air follows.

Rooms differ by their set-point, by how much of the weather they let in, and from rack to rack.
"""

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
SET_POINT_C, SET_POINT_SD_C, SET_POINT_RANGE_C = 24.3, 2.0, (20.0, 30.0)
"""Set-points of locations: controlled rooms 22 to 25 °C, up to 27 °C where power is saved; some are colder, some are
warmer (engineering judgement; site differences come from the cooling, not from the climate directly)."""
_QUALITY_SD: Final = 0.3
"""Scatter of the control about the upkeep of the location (engineering judgement)."""
WEATHER_SHARE: Final = (0.03, 0.55)
"""Part of the outdoor swing that a room shows: of one with good control, and of one with none (engineering judgement:
a room in which half of the weather arrives swings by 4 K over a northern year and by 5 K in a day)."""
GRADIENT_K: Final = (1.0, 3.0)
"""Air at the top tier of the racks over that at the bottom: 1 to 3 K (engineering judgement)."""
RACK_SD_K: Final = 0.6
"""Between the racks of a room, nearer to the cold air or farther (engineering judgement)."""
INNER_K: Final = 0.5
"""Inner blocks stand warmer than those at the ends of a tier: 0.5 to 1.5 K (engineering judgement)."""
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
        random = stream(seed, "set-point", location.code)
        drawn_c = SET_POINT_C + SET_POINT_SD_C * float(random.standard_normal())
        self.set_point_c = float(np.clip(drawn_c, *SET_POINT_RANGE_C))
        quality = float(np.clip(location.hvac_quality + _QUALITY_SD * random.standard_normal(), 0.0, 1.0))
        tight, open_ = WEATHER_SHARE
        self.weather_share = tight + (open_ - tight) * (1.0 - quality) ** 1.5
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
        held_c = self.set_point_c + self.weather_share * (outdoor_c - 28.0) + offset_c
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

    def warmer_k(self, string_ids: list[str], width: int, tiers: int) -> FloatArray:
        """Return how much warmer than the room the air at each block (n,) is: its rack, its tier, its neighbours.

        The cold aisle's end of a room may be colder than the sensor of its air.
        """
        gradient_k = float(stream(self._seed, "gradient", self._location.code).uniform(*GRADIENT_K))
        racks_k = [RACK_SD_K * float(stream(self._seed, "rack", string).standard_normal()) for string in string_ids]
        along = np.arange(width)
        per_tier = max(width // tiers, 1)
        tier = np.minimum(along * tiers // width, tiers - 1) / max(tiers - 1, 1)
        inner = np.sin(np.pi * (along % per_tier + 0.5) / per_tier)
        warmer: FloatArray = np.array(racks_k)[:, None] + gradient_k * tier + INNER_K * inner
        return warmer.ravel()

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
