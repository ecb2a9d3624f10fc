"""Instruments that measure resistance: each reads a little high or low, until it is exchanged or its firmware changes.

The error is common to all blocks of a string, or of a location: the mean of many readings does not remove it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.outside.climate import FIRST_YEAR, YEARS, year_start_s
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

LOCATION_GAIN_SD, STRING_GAIN_SD = 0.025, 0.02
"""Relative error of a location's monitor and of a string's unit: 3 % together (less than 3 % [BACS], bias 2 %)."""
CHANGE_YEARS: Final = (2.0, 8.0)
"""Years from one change of the instruments of a location to the next (engineering judgement)."""
FIRMWARE_SHARE: Final = 0.5
FIRMWARE_STEP: Final = (0.015, 0.05)
"""A firmware computes resistance in another way: all strings of a location step by this (engineering judgement)."""
MOST_GAIN: Final = 0.08
PER_K_SD: Final = 0.002
"""Drift of a string's unit per kelvin: a quarter of the block's own 0.8 %/K remains (engineering judgement)."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """The ohmic instruments of a location with g strings, from 2010 to the end of the climate."""

    change_us: npt.NDArray[np.int64]
    """(e,) instants at which the instruments or their firmware change, in us since 1970."""
    gain: FloatArray
    """(e + 1, g) reading over truth, before the first change and after each."""
    per_k: FloatArray
    """(g,) relative error per kelvin above 25 °C."""

    @classmethod
    def of(cls, seed: int, location: str, string_ids: list[str]) -> "Instruments":
        """Draw the instruments of a location, the same whichever of its strings are asked for."""
        change_s = _changes_s(seed, location)
        shared = LOCATION_GAIN_SD * float(stream(seed, "ohmic-instrument", location).standard_normal())
        unit = [0]
        common = [shared]
        for number in range(1, len(change_s) + 1):
            random = stream(seed, "ohmic-instrument", location, number)
            if random.random() < FIRMWARE_SHARE:
                step = float(random.choice((-1.0, 1.0)) * random.uniform(*FIRMWARE_STEP))
                # An instrument that is already far off is not made worse.
                step = -step if abs(common[-1] + step) > MOST_GAIN else step
                unit.append(unit[-1])
                common.append(common[-1] + step)
            else:
                unit.append(number)
                common.append(LOCATION_GAIN_SD * float(random.standard_normal()))
        own = [
            [float(stream(seed, "ohmic-unit", string, number).standard_normal()) for string in string_ids]
            for number in unit
        ]
        logs = np.array(common)[:, None] + STRING_GAIN_SD * np.array(own).reshape(len(unit), -1)
        per_k = [PER_K_SD * float(stream(seed, "ohmic-drift", string).standard_normal()) for string in string_ids]
        return cls(np.round(change_s * 1e6).astype(np.int64), np.exp(logs), np.array(per_k))


def _changes_s(seed: int, location: str) -> FloatArray:
    """Return the instants of all changes at a location, in s since 1970."""
    random = stream(seed, "ohmic-changes", location)
    at_s, end_s = year_start_s(FIRST_YEAR), year_start_s(FIRST_YEAR + YEARS)
    year_s = 365.25 * 86_400.0
    at_s += year_s * float(random.uniform(0.0, CHANGE_YEARS[1]))
    instants = []
    while at_s < end_s:
        instants.append(float(round(at_s)))
        at_s += year_s * float(random.uniform(*CHANGE_YEARS))
    return np.array(instants)
