"""Readings of the fleet's sensors at one instant, in the order in which the live feed sends them."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from battery_contracts.enums import HvacState, StringMode

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observation:
    """Readings of some strings at one instant: b batteries, s strings.

    The battery arrays are (b,), string by string; the others (s,). Resistance is NaN where it was not measured.
    """

    time: datetime
    battery_id: list[str]
    voltage_v: FloatArray
    current_a: FloatArray
    temperature_c: FloatArray
    internal_resistance_mohm: FloatArray
    string_id: list[str]
    string_voltage_v: FloatArray
    string_current_a: FloatArray
    float_current_ma: FloatArray
    ripple_voltage_v: FloatArray
    ripple_current_a: FloatArray
    mode: list[StringMode]


@dataclass(frozen=True, slots=True)
class LocationObservation:
    """Readings of the room and mains sensors of some locations (l,) at one instant."""

    time: datetime
    location_id: list[str]
    ambient_c: FloatArray
    humidity_pct: FloatArray
    hvac: list[HvacState]
    mains: list[bool]
