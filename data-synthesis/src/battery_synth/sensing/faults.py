"""Faults of the monitoring: wrong and missing readings; a function of seed, string and time.

None of them affects a battery: trusting a stuck voltage or a loose sense lead leads to replacing a good one.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from battery_synth.outside.climate import year_of, year_start_s
from battery_synth.state.readings import BoolArray, SimulatedReadings
from battery_synth.streams import stream

SensorFaultKind = Literal[
    "voltage_stuck", "voltage_dropout", "temperature_stuck", "temperature_dropout", "loose_sense_lead", "swapped_wires",
    "current_sign", "string_silent",
]  # fmt: skip

_PER_BLOCK_YEAR: Final[dict[SensorFaultKind, float]] = {
    "voltage_stuck": 0.002,
    "voltage_dropout": 0.006,
    "temperature_stuck": 0.003,
    "temperature_dropout": 0.006,
    "loose_sense_lead": 0.004,
    "swapped_wires": 0.0005,
}
_PER_STRING_YEAR: Final[dict[SensorFaultKind, float]] = {"current_sign": 0.01, "string_silent": 0.4}
"""Faults per sensor and year (engineering judgement: a few per cent of channels have one per year)."""
_DAYS: Final[dict[SensorFaultKind, tuple[float, float]]] = {
    "voltage_stuck": (0.5, 20.0),
    "voltage_dropout": (0.02, 5.0),
    "temperature_stuck": (1.0, 60.0),
    "temperature_dropout": (0.02, 10.0),
    "loose_sense_lead": (10.0, 120.0),
    "swapped_wires": (5.0, 60.0),
    "current_sign": (2.0, 40.0),
    "string_silent": (0.01, 0.5),
}
_LOOSE_GROWTH: Final = (0.15, 0.60)
_LOOSE_DROP_V: Final = 0.02
_STUCK_V, _STUCK_C = (13.4, 13.8), (20.0, 32.0)
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class SensorFault:
    """A span (s since 1970) of wrong or missing readings; ``block`` is an index into the string, or None."""

    start_s: float
    end_s: float
    kind: SensorFaultKind
    string: int
    block: int | None
    value: float
    """The value that a stuck sensor shows, or the relative rise of resistance by a loose lead."""


class SensorFaults:
    """The faults of a location's sensors, drawn when their year is first needed."""

    def __init__(self, seed: int, string_ids: list[str], width: int, extra: tuple[SensorFault, ...] = ()) -> None:
        self._seed, self._string_ids, self._width, self._extra = seed, string_ids, width, extra
        self._years: dict[int, list[SensorFault]] = {}

    def faults(self, start_s: float, end_s: float) -> list[SensorFault]:
        """Return the faults that overlap a span, in order of their start."""
        drawn = [fault for year in range(year_of(start_s) - 1, year_of(end_s) + 1) for fault in self._of_year(year)]
        overlapping = (fault for fault in (*drawn, *self._extra) if fault.start_s < end_s and fault.end_s > start_s)
        return sorted(overlapping, key=lambda fault: (fault.start_s, fault.string, fault.kind))

    def apply(self, readings: SimulatedReadings) -> SimulatedReadings:
        """Return readings with the faults applied, in place where possible; a silent string has no rows."""
        if not len(readings):
            return readings
        at_s = readings.at_us / 1e6
        silent = np.zeros(len(readings), bool)
        for fault in self.faults(float(at_s[0]), float(at_s[-1]) + 1e-3):
            affected = (readings.string == fault.string) & (at_s >= fault.start_s) & (at_s < fault.end_s)
            if fault.kind == "string_silent":
                silent |= affected
            elif affected.any():
                _apply_fault(readings, fault, affected)
        return readings.at_rows(~silent) if silent.any() else readings

    def _of_year(self, year: int) -> list[SensorFault]:
        if year not in self._years:
            self._years[year] = [
                fault for number, string in enumerate(self._string_ids) for fault in self._drawn(string, number, year)
            ]
        return self._years[year]

    def _drawn(self, string: str, number: int, year: int) -> list[SensorFault]:
        random = stream(self._seed, "sensor-fault", string, year)
        faults = []
        for rates, channels in ((_PER_BLOCK_YEAR, self._width), (_PER_STRING_YEAR, 1)):
            for kind, rate in rates.items():
                for _ in range(int(random.poisson(rate * channels))):
                    start_s = year_start_s(year) + round(_DAY_S * float(random.uniform(0, 365)))
                    end_s = start_s + round(_DAY_S * float(random.uniform(*_DAYS[kind])))
                    block = int(random.integers(0, self._width)) if rates is _PER_BLOCK_YEAR else None
                    faults.append(SensorFault(start_s, end_s, kind, number, block, _value(random, kind)))
        return faults


def _value(random: np.random.Generator, kind: SensorFaultKind) -> float:
    ranges = {"voltage_stuck": _STUCK_V, "temperature_stuck": _STUCK_C, "loose_sense_lead": _LOOSE_GROWTH}
    return round(float(random.uniform(*ranges[kind])), 2) if kind in ranges else 0.0


def _apply_fault(readings: SimulatedReadings, fault: SensorFault, affected: BoolArray) -> None:
    """Change the rows that a fault affects, in place."""
    rows, block = np.flatnonzero(affected), fault.block
    if block is None:
        readings.current_a[rows] = -readings.current_a[rows]
        return
    other = block + 1 if block + 1 < readings.voltage_v.shape[1] else block - 1
    if fault.kind in {"voltage_stuck", "voltage_dropout"}:
        readings.voltage_v[rows, block] = fault.value if fault.kind == "voltage_stuck" else np.nan
        if fault.kind == "voltage_dropout":
            readings.internal_resistance_mohm[rows, block] = np.nan
    elif fault.kind in {"temperature_stuck", "temperature_dropout"}:
        readings.temperature_c[rows, block] = fault.value if fault.kind == "temperature_stuck" else np.nan
    elif fault.kind == "loose_sense_lead":
        # One lead serves two adjacent blocks: both seem to have aged at once.
        for each in (block, other):
            grown = readings.internal_resistance_mohm[rows, each] * (1.0 + fault.value)
            readings.internal_resistance_mohm[rows, each] = np.round(grown, 2)
        readings.voltage_v[rows, block] -= _LOOSE_DROP_V
    else:
        for channel in (readings.voltage_v, readings.internal_resistance_mohm):
            own = channel[rows, block].copy()
            channel[rows, block] = channel[rows, other]
            channel[rows, other] = own
