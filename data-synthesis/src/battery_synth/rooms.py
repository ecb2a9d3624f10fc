"""Battery rooms: what the air conditioning holds, its faults and drifts, and how fast the air follows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_contracts.enums import HvacState
from battery_synth.climate import Climate
from battery_synth.sites import Site
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

ROOM_TAU_COOLED_S: Final = 1800.0
ROOM_TAU_FAILED_S: Final = 3.0 * 3600.0
"""Time constants of the room air: with the cooling's control loop, and adrift on walls and racks alone."""
FAILED_LIFT_K: Final = 5.0
"""Where a room without cooling levels off above the outdoor air (3 to 8 K: UPS losses and envelope)."""
_FAILURES_PER_YEAR: Final = 0.5
_REPAIR_MEDIAN_H: Final = 5.0
_DRIFTS_PER_YEAR: Final = 1.5
_WEATHER_SHARE: Final = 0.05
"""Part of the outdoor swing that a cooled room shows."""


@dataclass(frozen=True, slots=True)
class HvacFault:
    """A span in which the air conditioning fails, or holds ``offset_c`` more than it should."""

    start: datetime
    end: datetime
    failed: bool
    offset_c: float

    @property
    def state(self) -> HvacState:
        """How the site reports it."""
        return HvacState.FAILED if self.failed else HvacState.DEGRADED


class Room:
    """The battery room of one site; everything but its temperature is a function of time."""

    def __init__(self, seed: int, site: Site) -> None:
        self._seed = seed
        self._site = site
        self.climate = Climate.of_site(seed, site.code, site.climate_zone)
        scatter = float(stream(seed, "set-point", site.code).standard_normal())
        self.set_point_c = 23.0 + 2.5 * (1.0 - site.hvac_quality) + 0.5 * scatter
        self._faults: dict[int, list[HvacFault]] = {}

    def fault_at(self, at: datetime) -> HvacFault | None:
        """Return the fault of the air conditioning at an instant; a failure outranks a drift."""
        present = [fault for fault in self._around(at) if fault.start <= at < fault.end]
        return max(present, key=lambda fault: fault.failed, default=None)

    def next_change_after(self, at: datetime) -> datetime:
        """Return the next instant at which a fault begins or ends; at the latest the end of the year."""
        year_end = datetime(at.year + 1, 1, 1, tzinfo=UTC)
        instants = (instant for fault in self._around(at) for instant in (fault.start, fault.end))
        return min((instant for instant in instants if instant > at), default=year_end)

    def target_c(self, at: datetime) -> tuple[float, float]:
        """Return where the air's temperature is going and its time constant in s."""
        outdoor = self.climate.outdoor_c(at)
        fault = self.fault_at(at)
        if fault is not None and fault.failed:
            return max(outdoor + FAILED_LIFT_K, self.set_point_c), ROOM_TAU_FAILED_S
        held = self.set_point_c + _WEATHER_SHARE * (outdoor - 28.0)
        return held + (fault.offset_c if fault else 0.0), ROOM_TAU_COOLED_S

    def humidity_pct(self, at: datetime) -> float:
        """Return the room's relative humidity in %: cooled air is dry and follows the weather a little."""
        return 45.0 + 0.15 * (self.climate.humidity_pct(at) - 70.0)

    def _around(self, at: datetime) -> list[HvacFault]:
        # A drift that began in autumn may last into the new year.
        return self._of_year(at.year - 1) + self._of_year(at.year)

    def _of_year(self, year: int) -> list[HvacFault]:
        if year not in self._faults:
            random = stream(self._seed, "hvac", self._site.code, year)
            first = datetime(year, 1, 1, tzinfo=UTC)
            neglect = 1.0 - self._site.hvac_quality
            faults = []
            for _ in range(int(random.poisson(_FAILURES_PER_YEAR * (1.0 + neglect)))):
                start = first + timedelta(days=float(random.uniform(0, 365)))
                hours = float(np.clip(_REPAIR_MEDIAN_H * np.exp(0.7 * random.standard_normal()), 2, 24))
                faults.append(HvacFault(start, start + timedelta(hours=hours), failed=True, offset_c=0.0))
            for _ in range(int(random.poisson(_DRIFTS_PER_YEAR * neglect))):
                start = first + timedelta(days=float(random.uniform(0, 365)))
                span = timedelta(days=float(random.uniform(10, 50)))
                offset_c = float(random.uniform(2, 6))
                faults.append(HvacFault(start, start + span, failed=False, offset_c=offset_c))
            self._faults[year] = faults
        return self._faults[year]


def step_room_c(room_c: FloatArray, target_c: FloatArray, tau_s: FloatArray, step_s: float) -> FloatArray:
    """Move room temperatures (s,) towards their targets; exact while the target stands still."""
    moved: FloatArray = target_c + (room_c - target_c) * np.exp(-step_s / tau_s)
    return moved
