"""How far a battery stands from the others of its string: the first sign of many faults, in the units of chance.

A string is charged and discharged by one current, in one room, so that its batteries should agree; one that does not is
inconsistent with its peers whatever the level of the string.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_ml.arrays import FloatArray
from battery_ml.features.days import Days
from battery_ml.features.quantities import sag
from battery_ml.features.windows import mean_of_last, median_of_string

_SD_PER_MAD: Final = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""
_RECENT_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class PeerDeviation:
    """Deviation of each battery from its string in robust standard deviations, (batteries,), NaN where unknown.

    ``largest_of`` (batteries,) is the slot in `QUANTITIES` of the quantity that deviates most.
    """

    sd: FloatArray
    largest_of: "np.ndarray[tuple[int], np.dtype[np.int64]]"


QUANTITIES: Final = ("float_voltage", "resistance", "voltage_under_load")
# Monitors are specified to 0.1 to 0.2 % of 13.5 V, ohmic repeatability to 1 % (domain literature: BACS); under load EJ.
_INSTRUMENT_SD: Final = (0.010, 0.01, 30.0)


def peer_deviation(days: Days) -> PeerDeviation:
    """Return the largest deviation among mean float voltage, rise of resistance and voltage under load.

    The spread of a string is the median absolute deviation of its batteries: one bad battery must not hide itself.
    """
    values = (
        mean_of_last(days.column("voltage_deviation_v"), _RECENT_DAYS),
        mean_of_last(days.resistance_ratio, _RECENT_DAYS),
        sag(days),
    )
    deviations = np.stack(
        [_in_sd(value, days, instrument) for value, instrument in zip(values, _INSTRUMENT_SD, strict=True)], axis=1
    )
    is_known = np.isfinite(deviations)
    filled = np.where(is_known, deviations, -1.0)
    largest = filled.argmax(axis=1)
    sd = np.where(is_known.any(axis=1), filled.max(axis=1), np.nan)
    return PeerDeviation(sd, largest)


def deviation_sd(days: Days) -> FloatArray:
    """Return the largest deviation from the string in robust standard deviations, (batteries,)."""
    return peer_deviation(days).sd


def _in_sd(values: FloatArray, days: Days, instrument_sd: float) -> FloatArray:
    distance = np.abs(values - days.median(values))
    spread_sd = _SD_PER_MAD * median_of_string(distance, days.string)
    deviation: FloatArray = distance / np.hypot(spread_sd, instrument_sd)
    return deviation
