"""Sensor readings of one location over a span: rows of strings, each with its blocks."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from battery_contracts.enums import HvacState, StringMode

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
Int8Array = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]

MODES = tuple(StringMode)
"""`SimulatedReadings.mode` is an index into this."""
HVAC_STATES = tuple(HvacState)
"""`SimulatedReadings.hvac` is an index into this."""


@dataclass(slots=True)
class SimulatedReadings:
    """Rows of strings in time order: R rows, each with its w blocks; and S rows of the room and mains sensors.

    NaN marks what was not measured. ``string`` is an index into the location's strings. ``soc`` is the truth, which no
    sensor reports: it is never written to a file of readings.
    """

    at_us: Int64Array
    string: Int32Array
    mode: Int8Array
    voltage_v: Float32Array
    """(R, w)"""
    temperature_c: Float32Array
    """(R, w)"""
    internal_resistance_mohm: Float32Array
    """(R, w)"""
    string_voltage_v: Float32Array
    current_a: Float32Array
    float_current_ma: Float32Array
    ripple_voltage_v: Float32Array
    ripple_current_a: Float32Array
    soc: Float32Array
    """(R, w) as a fraction"""
    location_at_us: Int64Array
    ambient_c: Float32Array
    humidity_pct: Float32Array
    hvac: Int8Array
    mains: BoolArray

    def __len__(self) -> int:
        """Return the number of string rows."""
        return len(self.at_us)

    @classmethod
    def joined(cls, parts: "list[SimulatedReadings]") -> "SimulatedReadings":
        """Return the rows of consecutive spans as one object."""
        if len(parts) == 1:
            return parts[0]
        return cls(**{item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)})

    def at_rows(self, rows: npt.NDArray[np.bool_] | Int64Array) -> "SimulatedReadings":
        """Return the string rows that a mask (R,) or indices select, with all rows of the room and mains sensors."""
        shared = {"location_at_us", "ambient_c", "humidity_pct", "hvac", "mains"}
        selected = {
            item.name: getattr(self, item.name) if item.name in shared else getattr(self, item.name)[rows]
            for item in fields(SimulatedReadings)
        }
        return SimulatedReadings(**selected)


@dataclass(frozen=True, slots=True)
class DayTruth:
    """The true condition of the blocks (n,) at an instant; for tests and benchmarks only."""

    at_us: int
    health: Float32Array
    """Capacity over rated capacity at 25 °C and the 10 h rate."""
    capacity_ah: Float32Array
    resistance_25c_mohm: Float32Array
    exchange_ratio: Float32Array
    """Exchange current of the gassing branch over that of the new block."""
    mechanism: Int8Array
    """Index into `life.traits.MECHANISMS` of the mechanism that wears the block most."""
    generation: Int32Array
    failed: BoolArray


@dataclass(frozen=True, slots=True)
class Sampling:
    """When the sensors are read: at every multiple of ``every_s`` from UTC midnight.

    With ``detail`` the strings that work are read every 2 to 60 s as well, and for two hours afterwards.
    """

    every_s: float
    detail: bool = False

    def __post_init__(self) -> None:
        """Check the interval.

        Raises
        ------
        ValueError
            The interval is not above 0, above a day, or does not divide a day.
        """
        if not 0.0 < self.every_s <= 86_400.0:
            raise ValueError(f"sampling of {self.every_s} s: it must be above 0 and at most a day (86400 s)")
        if 86_400_000_000 % round(self.every_s * 1e6) != 0:
            raise ValueError(f"sampling of {self.every_s} s does not divide a day; try 60, 300, 900 or 3600")
