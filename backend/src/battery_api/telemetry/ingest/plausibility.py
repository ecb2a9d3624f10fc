"""Judge values by what they are measured on: what a nameplate allows, and what a register sends for "not available".

A monitor that has no value sends the end of its register's range instead: 65535, 32767 or -9999 in the scale of the
channel. Some of these are also real readings, among them dangerous ones (32.767 °C, 65.535 °C), so such a number counts
as "not available" only where no reading of the channel, healthy or dangerous, is that large.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from battery_api.telemetry.ingest.readings import ParsedRows
from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_contracts.channels import Channel

Basis = Literal["cell", "Ah", "none"]


@dataclass(frozen=True, slots=True)
class PlausibleRange:
    """Lowest and highest value, for each cell in series or for each ampere-hour of rated capacity, or as such."""

    low: float
    high: float
    per: Basis = "none"


NAMEPLATE: Final[dict[tuple[Kind, str], PlausibleRange]] = {
    # The absolute limit of a battery's voltage, 30 V for six cells. There is no lower plausibility: an open breaker or
    # a shorted string is a truth, and a dangerous one.
    ("string", "voltage_v"): PlausibleRange(-5.0, 5.0, "cell"),
    # A charger never delivers more than 0.3 C [LEO]; a string in thermal runaway draws what the charger delivers.
    ("string", "float_current_ma"): PlausibleRange(-300.0, 300.0, "Ah"),
    # The RMS of a ripple above the nominal voltage would reverse the string in every period.
    ("string", "ripple_voltage_v"): PlausibleRange(0.0, 2.0, "cell"),
    # Ripple is a part of the load current, and 3 C empties a battery within minutes [LEO].
    ("string", "ripple_current_a"): PlausibleRange(0.0, 3.0, "Ah"),
}
"""What the nameplate allows, beside the limits of the channel; values outside it are no measurements."""

REAL: Final[dict[tuple[Kind, str], PlausibleRange]] = {
    ("battery", "current_a"): PlausibleRange(-math.inf, 0.3, "Ah"),
    ("battery", "temperature_c"): PlausibleRange(-5.0, math.inf),
    # A block of a third of an ohm is open.
    ("battery", "internal_resistance_mohm"): PlausibleRange(-math.inf, 300.0),
    # Above 3 V per cell no charger drives a lead-acid string.
    ("string", "voltage_v"): PlausibleRange(-5.0, 3.0, "cell"),
    ("string", "current_a"): PlausibleRange(-math.inf, 0.3, "Ah"),
    ("string", "float_current_ma"): PlausibleRange(-20.0, 20.0, "Ah"),
    ("string", "ripple_voltage_v"): PlausibleRange(0.0, 0.2, "cell"),
    ("string", "ripple_current_a"): PlausibleRange(0.0, 0.5, "Ah"),
    ("location", "ambient_c"): PlausibleRange(-5.0, math.inf),
}
"""Where a number that registers send for "not available" may all the same be a reading (EJ where no key is given).

Not listed: the limits of the channel. A real reading outside these that equals such a number to the last digit is lost
for one instant, since the next one differs; a register without a value repeats it.
"""


def _numbers() -> FloatArray:
    short = (65_535, 32_767, -32_768, -999, -9_999, -99_999)
    long = (4_294_967_295, 2_147_483_647, -2_147_483_648)
    # -127 °C is what a DS18B20 sensor gives without a wire. Its 85 °C after power-on may be a burning battery.
    whole = (-127.0, float(2**64 - 1), float(2**63 - 1), float(-(2**63)), float(np.finfo(np.float32).max))
    scaled = [float(f"{number}e-{digits}") for number in short for digits in range(5)]
    scaled += [float(f"{number}e-{digits}") for number in long for digits in range(7)]
    return np.unique(np.array([*scaled, *whole], np.float32)).astype(np.float64)


_NOT_AVAILABLE: Final = _numbers()


def is_register_end(values: FloatArray) -> BoolArray:
    """Return whether values (m,) equal, in single precision, a number that registers send for "not available"."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32).astype(np.float64)
    return np.isin(single, _NOT_AVAILABLE)


@dataclass(frozen=True, slots=True)
class NameplateLimits:
    """Lowest and highest value (m,) of one channel of some readings."""

    low: FloatArray
    high: FloatArray

    def excludes(self, values: FloatArray) -> BoolArray:
        """Return whether values (m,) are outside; a missing value is not."""
        return (values < self.low) | (values > self.high)


class Plausibility:
    """What the subjects of some readings (m,) allow; a subject of unknown nameplate has the limits of the channel.

    Parameters
    ----------
    slot
        Fleet slots (m,), -1 where the subject is unknown.
    """

    def __init__(self, rows: ParsedRows, slot: IntArray, fleet: FleetIndex) -> None:
        self._kind = rows.shape.kind
        unknown = np.full(len(slot), np.nan)
        self._cells, self._capacity_ah = unknown, unknown
        if self._kind == "string":
            self._cells = _values_at(fleet.string_cells, slot)
            self._capacity_ah = _values_at(fleet.string_capacity_ah, slot)
        elif self._kind == "battery":
            self._capacity_ah = _values_at(fleet.battery_capacity_ah, slot)

    def is_not_available(self, channel: Channel, values: FloatArray) -> BoolArray:
        """Return which values (m,) of a channel stand for "not available"."""
        candidates = self._limits(channel, REAL).excludes(values) & np.isfinite(values)
        if candidates.any():
            candidates[candidates] = is_register_end(values[candidates])
        return candidates

    def is_beyond_nameplate(self, channel: Channel, values: FloatArray) -> BoolArray:
        """Return which values (m,) of a channel the nameplate rules out."""
        if (self._kind, channel.name) not in NAMEPLATE:
            return np.zeros(len(values), bool)
        return self._limits(channel, NAMEPLATE).excludes(values)

    def nameplate_limits(self, channel: Channel, row: int) -> str:
        """Return in words what the nameplate allows one row."""
        limits = self._limits(channel, NAMEPLATE)
        per_cell = NAMEPLATE[self._kind, channel.name].per == "cell"
        basis = (
            f"{self._cells[row]:g} cells in series"
            if per_cell
            else f"a rated capacity of {self._capacity_ah[row]:g} Ah"
        )
        return f"{limits.low[row]:g} to {limits.high[row]:g} {channel.unit}, what {basis} can have"

    def _limits(self, channel: Channel, spans: dict[tuple[Kind, str], PlausibleRange]) -> NameplateLimits:
        span = spans.get((self._kind, channel.name), PlausibleRange(-math.inf, math.inf))
        basis = {"cell": self._cells, "Ah": self._capacity_ah, "none": np.ones(len(self._cells))}[span.per]
        # fmax and fmin pass over the NaN of an unknown nameplate.
        return NameplateLimits(np.fmax(channel.low, span.low * basis), np.fmin(channel.high, span.high * basis))


def _values_at(values: FloatArray, slot: IntArray) -> FloatArray:
    """Return values (n,) at slots (m,), NaN at slot -1."""
    return np.append(values, np.nan)[slot]
