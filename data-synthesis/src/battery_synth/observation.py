"""What the sensors of the fleet say at one instant."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from battery_contracts.enums import HvacState, StringMode

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observation:
    """What the sensors of some strings say at one instant; resistance is NaN where it was not measured."""

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
class SiteObservation:
    """What the site sensors say."""

    time: datetime
    location_id: list[str]
    ambient_c: FloatArray
    humidity_pct: FloatArray
    hvac: list[HvacState]
    mains: list[bool]
