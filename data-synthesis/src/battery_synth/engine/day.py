"""A UTC day at a location: what acts on its batteries from outside (room air, discharges, chargers, load)."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from battery_synth.compiled import compiled
from battery_synth.outside.grid import DischargeSpan
from battery_synth.outside.surroundings import Surroundings
from battery_synth.state.arrays import ALL_STRINGS, NO_STRING, RECTIFIER_STRINGS, BoolArray, FloatArray, IntArray

DAY_S: Final = 86_400.0
ROOM_CELL_S: Final = 300.0
"""The room's target is constant for this long: short beside the room's time constant of 30 min and a block's of 3 h."""
_LOOK_BACK_S: Final = 1.5 * DAY_S
_LONG_S: Final = 120.0
_AFTER_LONG_S, _AFTER_SHORT_S = 1.5 * DAY_S, 6 * 3600.0
"""How long after a discharge its strings may still change within the hour."""
DISCHARGE_STEP_S, LATE_DISCHARGE_STEP_S, FIRST_PART_S = 5.0, 20.0, 600.0
SURFACE_STEP_S, SURFACE_PART_S = 5.0, 300.0
RECHARGE_STEP_S: Final = 600.0
FLOAT_STEP_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class DaySegments:
    """Spans of a day in which chargers and load are constant."""

    start_s: FloatArray
    """(segments,) s since 1970; the first is the start of the day."""
    charger_offset_v: FloatArray
    """(segments, systems)"""
    ripple_factor: FloatArray
    load_share: FloatArray


@dataclass(slots=True)
class LocationDay:
    """What acts on a location's batteries during a day."""

    start_s: float
    room_c: FloatArray
    """(289,) every 5 minutes from midnight to midnight."""
    discharges: list[DischargeSpan]
    """Those that overlap the day, and those whose recharge does."""
    segments: DaySegments
    breaks_s: FloatArray
    """Instants of the day at which a discharge begins or ends or a charger changes."""
    _busy: list[tuple[float, float]] = field(init=False)

    def __post_init__(self) -> None:
        """Note the spans that need fine steps."""
        self._busy = [(discharge.start_s, discharge.end_s + _after_s(discharge)) for discharge in self.discharges]

    @classmethod
    def of(
        cls, outside: Surroundings, start_s: float, room_c: float, systems: int, *, has_rectifiers: bool
    ) -> "LocationDay":
        """Build a day; ``room_c`` is the room's temperature at its start, ``start_s`` is in s since 1970."""
        middles: FloatArray = start_s + ROOM_CELL_S * (np.arange(round(DAY_S / ROOM_CELL_S), dtype=np.float64) + 0.5)
        target_c, tau_s = outside.room_target_c(middles)
        end_s = start_s + DAY_S
        discharges = outside.discharges(start_s - _LOOK_BACK_S, end_s)
        if has_rectifiers:
            rests = [discharge.rest_of_rectifiers for discharge in discharges]
            discharges += [rest for rest in rests if rest is not None]
        breaks = outside.breaks(start_s, end_s)
        begun = [discharge.start_s for discharge in discharges if start_s < discharge.start_s < end_s]
        starts = np.unique(np.concatenate([[start_s], breaks, begun]))
        segments = DaySegments(
            start_s=starts,
            charger_offset_v=np.array([outside.charger_offset_v(time_s) for time_s in starts]),
            ripple_factor=np.array([outside.ripple_factor(time_s) for time_s in starts]),
            load_share=np.array([[outside.load_factor(time_s, k) for k in range(systems)] for time_s in starts]),
        )
        edges = [edge for d in discharges for edge in (d.start_s, d.end_s) if start_s < edge < end_s]
        instants = np.unique(np.concatenate([breaks, edges]))
        return cls(start_s, room_course_c(room_c, target_c, tau_s), discharges, segments, instants)

    def is_quiet(self, from_s: float, to_s: float) -> bool:
        """Return whether nothing begins, ends or relaxes in a span."""
        if ((self.breaks_s > from_s) & (self.breaks_s < to_s)).any():
            return False
        return not any(start < to_s and from_s < end for start, end in self._busy)

    def air_c(self, at_s: FloatArray) -> FloatArray:
        """Return the room temperature in °C at instants of the day."""
        cells = ROOM_CELL_S * np.arange(len(self.room_c))
        return np.interp(at_s - self.start_s, cells, self.room_c)

    def segment_at(self, at_s: FloatArray) -> IntArray:
        """Return the index of the segment of each instant."""
        segment: IntArray = np.searchsorted(self.segments.start_s, at_s, side="right") - 1
        return np.clip(segment, 0, None)

    def who_feeds(self, at_s: FloatArray) -> tuple[IntArray, FloatArray, BoolArray]:
        """Return, for each instant, which strings feed the load, at which current in A, and whether it is a test.

        The current is NaN where the load draws constant power.
        """
        feeding = np.full(len(at_s), NO_STRING)
        constant_a, is_test = np.full(len(at_s), np.nan), np.zeros(len(at_s), bool)
        for discharge in self.discharges:
            within = (at_s >= discharge.start_s) & (at_s < discharge.end_s)
            together = RECTIFIER_STRINGS if discharge.rectifiers_only else ALL_STRINGS
            feeding[within] = together if discharge.string is None else discharge.string
            constant_a[within] = np.nan if discharge.current_a is None else discharge.current_a
            is_test[within] = discharge.kind.endswith("test")
        return feeding, constant_a, is_test

    def fine_instants(self, from_s: float, to_s: float) -> FloatArray:
        """Return the instants that integration needs in a span because of discharges and their recharge."""
        parts = [self.breaks_s]
        for discharge in self.discharges:
            start, end = discharge.start_s, discharge.end_s
            if start >= to_s or end + _after_s(discharge) <= from_s:
                continue
            parts.append(np.arange(start, min(end, start + FIRST_PART_S), DISCHARGE_STEP_S))
            parts.append(np.arange(start + FIRST_PART_S, end, LATE_DISCHARGE_STEP_S))
            parts.append(np.arange(end, end + SURFACE_PART_S, SURFACE_STEP_S))
            parts.append(np.arange(end + SURFACE_PART_S, end + _after_s(discharge), RECHARGE_STEP_S))
        joined = np.concatenate(parts)
        return joined[(joined > from_s) & (joined < to_s)]


def _after_s(discharge: DischargeSpan) -> float:
    return _AFTER_LONG_S if discharge.end_s - discharge.start_s > _LONG_S else _AFTER_SHORT_S


@compiled
def room_course_c(room_c: float, target_c: FloatArray, tau_s: FloatArray) -> FloatArray:
    """Return a room's temperature (cells + 1,) at the edges of cells with constant target: the exact solution.

    T' = (target - T) / tau, so that T decays towards the target by exp(-dt / tau) in each cell.
    """
    course = np.empty(len(target_c) + 1)
    course[0] = room_c
    for cell in range(len(target_c)):
        decay = np.exp(-ROOM_CELL_S / tau_s[cell])
        course[cell + 1] = target_c[cell] + (course[cell] - target_c[cell]) * decay
    return course
