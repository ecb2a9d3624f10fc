"""Faults of the monitoring: what sensors say wrongly, or do not say at all; a function of seed, string and time.

None of them touches a battery: whoever trusts a stuck voltage or a loose sense lead replaces a good one.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from battery_synth.engine.readings import BoolArray, Readings
from battery_synth.outside.climate import year_of, year_start_s
from battery_synth.streams import stream

Kind = Literal[
    "voltage_stuck", "voltage_dropout", "temperature_stuck", "temperature_dropout", "loose_sense_lead", "swapped_wires",
    "current_sign", "string_silent",
]  # fmt: skip

_PER_BLOCK_YEAR: Final[dict[Kind, float]] = {
    "voltage_stuck": 0.002,
    "voltage_dropout": 0.006,
    "temperature_stuck": 0.003,
    "temperature_dropout": 0.006,
    "loose_sense_lead": 0.004,
    "swapped_wires": 0.0005,
}
_PER_STRING_YEAR: Final[dict[Kind, float]] = {"current_sign": 0.01, "string_silent": 0.4}
"""Faults a sensor and year (engineering judgement: a few per cent of channels have one in a year)."""
_DAYS: Final[dict[Kind, tuple[float, float]]] = {
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
    """A span (s since 1970) in which a sensor of a string lies or is silent; ``block`` is a position in it, or None."""

    start_s: float
    end_s: float
    kind: Kind
    string: int
    block: int | None
    value: float
    """What a stuck sensor shows, or by how much a loose lead raises resistance."""


class SensorFaults:
    """The faults of a site's sensors, drawn when their year is first asked for."""

    def __init__(self, seed: int, string_ids: list[str], width: int, extra: tuple[SensorFault, ...] = ()) -> None:
        self._seed, self._string_ids, self._width, self._extra = seed, string_ids, width, extra
        self._years: dict[int, list[SensorFault]] = {}

    def faults(self, start_s: float, end_s: float) -> list[SensorFault]:
        """Return the faults that touch a span, in order."""
        drawn = [fault for year in range(year_of(start_s) - 1, year_of(end_s) + 1) for fault in self._of_year(year)]
        touching = (fault for fault in (*drawn, *self._extra) if fault.start_s < end_s and fault.end_s > start_s)
        return sorted(touching, key=lambda fault: (fault.start_s, fault.string, fault.kind))

    def apply(self, readings: Readings) -> Readings:
        """Return readings as the faults leave them; a silent string has no rows at all."""
        if not len(readings):
            return readings
        at_s = readings.at_us / 1e6
        silent = np.zeros(len(readings), bool)
        for fault in self.faults(float(at_s[0]), float(at_s[-1]) + 1e-3):
            hit = (readings.string == fault.string) & (at_s >= fault.start_s) & (at_s < fault.end_s)
            if fault.kind == "string_silent":
                silent |= hit
            elif hit.any():
                _spoil(readings, fault, hit)
        return readings.at_rows(~silent) if silent.any() else readings

    def _of_year(self, year: int) -> list[SensorFault]:
        if year not in self._years:
            self._years[year] = [
                fault for number, string in enumerate(self._string_ids) for fault in self._drawn(string, number, year)
            ]
        return self._years[year]

    def _drawn(self, string: str, number: int, year: int) -> list[SensorFault]:
        random = stream(self._seed, "sensor-fault", string, year)
        found = []
        for rates, channels in ((_PER_BLOCK_YEAR, self._width), (_PER_STRING_YEAR, 1)):
            for kind, rate in rates.items():
                for _ in range(int(random.poisson(rate * channels))):
                    start_s = year_start_s(year) + round(_DAY_S * float(random.uniform(0, 365)))
                    end_s = start_s + round(_DAY_S * float(random.uniform(*_DAYS[kind])))
                    block = int(random.integers(0, self._width)) if rates is _PER_BLOCK_YEAR else None
                    found.append(SensorFault(start_s, end_s, kind, number, block, _value(random, kind)))
        return found


def _value(random: np.random.Generator, kind: Kind) -> float:
    ranges = {"voltage_stuck": _STUCK_V, "temperature_stuck": _STUCK_C, "loose_sense_lead": _LOOSE_GROWTH}
    return round(float(random.uniform(*ranges[kind])), 2) if kind in ranges else 0.0


def _spoil(readings: Readings, fault: SensorFault, hit: BoolArray) -> None:
    """Change the rows that a fault hits, in place."""
    rows, block = np.flatnonzero(hit), fault.block
    if block is None:
        readings.current_a[rows] = -readings.current_a[rows]
        return
    beside = block + 1 if block + 1 < readings.voltage_v.shape[1] else block - 1
    if fault.kind in {"voltage_stuck", "voltage_dropout"}:
        readings.voltage_v[rows, block] = fault.value if fault.kind == "voltage_stuck" else np.nan
        if fault.kind == "voltage_dropout":
            readings.internal_resistance_mohm[rows, block] = np.nan
    elif fault.kind in {"temperature_stuck", "temperature_dropout"}:
        readings.temperature_c[rows, block] = fault.value if fault.kind == "temperature_stuck" else np.nan
    elif fault.kind == "loose_sense_lead":
        # One lead serves two neighbours: both seem to have grown old at once.
        for each in (block, beside):
            grown = readings.internal_resistance_mohm[rows, each] * (1.0 + fault.value)
            readings.internal_resistance_mohm[rows, each] = np.round(grown, 2)
        readings.voltage_v[rows, block] -= _LOOSE_DROP_V
    else:
        for channel in (readings.voltage_v, readings.internal_resistance_mohm):
            mine = channel[rows, block].copy()
            channel[rows, block] = channel[rows, beside]
            channel[rows, beside] = mine
