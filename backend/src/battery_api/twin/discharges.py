"""Find the discharges in a string's readings; pure functions of arrays, no database."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray
from battery_api.telemetry.store.string_modes import DISCHARGE_BELOW_A

EVIDENCE_FROM_PCT: Final = 15.0
"""A shallower discharge is no evidence of capacity."""
GAP_US: Final = 300_000_000
"""A pause longer than this ends a discharge; a shorter one, as when the mains return briefly, does not."""
SHORTEST_US: Final = 10_000_000
"""A generator takes about this long to start, and such a discharge counts."""
MAX_OPEN_US: Final = 86_400_000_000
"""A discharge after which no reading came stays open this long; the sender may be buffering readings."""
MISSED_AFTER_INTERVALS: Final = 1.5
"""After a pause of this many reporting intervals a reading is missing."""
_US_PER_H: Final = 3.6e9


@dataclass(frozen=True, slots=True)
class StringReadings:
    """Readings (m,) of one string with a current, in time order; NaN where there is no voltage."""

    time_us: IntArray
    current_a: FloatArray
    voltage_v: FloatArray
    is_test: BoolArray

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True, slots=True)
class Discharge:
    """A stretch of time in which a string discharges, from the first to the last discharging reading.

    ``drawn_ah`` integrates the discharging current by the trapezoidal rule, plus half a reporting interval at each end:
    on average the switching moments are that far outside the stretch.
    """

    start_us: int
    end_us: int
    is_test: bool
    drawn_ah: float
    mean_current_a: float
    min_voltage_v: float | None
    complete: bool
    is_open: bool


def find_discharges(rows: StringReadings, now_us: int) -> list[Discharge]:
    """Return the discharges in a string's readings, oldest first.

    One without a reading after the longest pause stays open; ``now_us`` decides for how long.
    """
    under_load = np.flatnonzero(rows.current_a < DISCHARGE_BELOW_A)
    if not len(under_load):
        return []
    breaks = np.flatnonzero(np.diff(rows.time_us[under_load]) > GAP_US) + 1
    groups = np.split(under_load, breaks)
    return [_discharge(rows, group, now_us) for group in groups if _lasts(rows, group)]


def touches_edge(rows: StringReadings, start_us: int, end_us: int) -> tuple[bool, bool]:
    """Return whether readings from ``start_us`` to ``end_us`` may cut off a discharge at the start and at the end."""
    in_span = (rows.time_us >= start_us) & (rows.time_us <= end_us)
    under_load = rows.time_us[in_span & (rows.current_a < DISCHARGE_BELOW_A)]
    if not len(under_load):
        return False, False
    return bool(under_load[0] <= start_us + GAP_US), bool(under_load[-1] >= end_us - GAP_US)


def _lasts(rows: StringReadings, group: IntArray) -> bool:
    # A single reading has no duration.
    if len(group) < 2:
        return False
    observed_us = rows.time_us[group[-1]] - rows.time_us[group[0]]
    return bool(observed_us + sum(_unobserved_us(rows, int(group[0]), int(group[-1]))) >= SHORTEST_US)


def _discharge(rows: StringReadings, group: IntArray, now_us: int) -> Discharge:
    first, last = int(group[0]), int(group[-1])
    start_us, end_us = int(rows.time_us[first]), int(rows.time_us[last])
    inside = slice(first, last + 1)
    loads_a = np.maximum(-rows.current_a[inside], 0.0)
    before_us, after_us = _unobserved_us(rows, first, last)
    drawn_a_us = float(np.sum((loads_a[1:] + loads_a[:-1]) / 2 * np.diff(rows.time_us[inside])))
    drawn_a_us += float(loads_a[0]) * before_us + float(loads_a[-1]) * after_us
    voltages = rows.voltage_v[group]
    measured = voltages[~np.isnan(voltages)]
    return Discharge(
        start_us=start_us,
        end_us=end_us,
        is_test=bool(2 * rows.is_test[group].sum() > len(group)),
        drawn_ah=drawn_a_us / _US_PER_H,
        mean_current_a=_mean_current_a(rows, group),
        min_voltage_v=float(measured.min()) if len(measured) else None,
        complete=_start_is_observed(rows, first) and _edges_us(rows, first, last)[1] <= GAP_US,
        is_open=int(rows.time_us[-1]) - end_us <= GAP_US and now_us - end_us <= MAX_OPEN_US,
    )


def _mean_current_a(rows: StringReadings, group: IntArray) -> float:
    """Return the mean discharging current, each reading weighted by the time to the next one."""
    end_us = int(rows.time_us[group[-1]]) + int(np.median(np.diff(rows.time_us[group[0] : group[-1] + 1])))
    next_us = np.append(rows.time_us[group[:-1] + 1], end_us)
    held_us = np.minimum(next_us - rows.time_us[group], GAP_US)
    return float(np.average(rows.current_a[group], weights=held_us))


def _edges_us(rows: StringReadings, first: int, last: int) -> tuple[float, float]:
    """Return the pause between a discharge and the readings before and after it; infinite where there is none."""
    before = float(rows.time_us[first] - rows.time_us[first - 1]) if first else np.inf
    after = float(rows.time_us[last + 1] - rows.time_us[last]) if last + 1 < len(rows) else np.inf
    return before, after


def _start_is_observed(rows: StringReadings, first: int) -> bool:
    """Return whether no reading is missing before a discharge; on float a string may report only once an hour."""
    if first == 0:
        return False
    pause_us = rows.time_us[first] - rows.time_us[first - 1]
    usual_us = rows.time_us[first - 1] - rows.time_us[first - 2] if first >= 2 else 0
    return bool(pause_us <= max(GAP_US, MISSED_AFTER_INTERVALS * usual_us))


def _unobserved_us(rows: StringReadings, first: int, last: int) -> tuple[float, float]:
    """Return how long a discharge lasts on average before its first and after its last reading."""
    # On float a string reports seldom, and at once when a discharge starts: the long pause before it was float. Where
    # there is no reading beyond an end, nothing is added.
    usual_us = float(np.median(np.diff(rows.time_us[first : last + 1])))
    before, after = (min(edge, usual_us) / 2 if np.isfinite(edge) else 0.0 for edge in _edges_us(rows, first, last))
    return before, after
