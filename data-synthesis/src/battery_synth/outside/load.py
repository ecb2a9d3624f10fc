"""The load on the batteries: constant power behind an inverter, with a daily and a weekly course."""

from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

LOAD_FACTOR: Final = 0.65
POWER_FACTOR: Final = 0.9
INVERTER_EFFICIENCY: Final = 0.945
_SYSTEM_SPREAD: Final = 0.05
RECTIFIER_FACTOR: Final = (0.37, 0.92)
"""Load of rectifiers over their rating, evenly from system to system: C/20 to C/8 (engineering judgement)."""
_DAY_SWING, _WEEKEND_DROP = 0.04, 0.03
"""A data centre's load is flat: a few per cent over the day and the week (engineering judgement)."""
_DAY_S: Final = 86_400.0
_BANGKOK_S: Final = 7 * 3600.0


def battery_power_w(rated_kva: FloatArray) -> FloatArray:
    """Return the DC power in W at full load of a rating in kVA: 31.7 kW for a string of 33 kVA."""
    return rated_kva * 1e3 * POWER_FACTOR / INVERTER_EFFICIENCY


class Load:
    """The load of a location's systems."""

    def __init__(self, seed: int, system_ids: list[str], rectifiers: frozenset[str] = frozenset()) -> None:
        """Draw the usual load of each system; ``rectifiers`` names those that are rectifiers."""
        own = np.array([stream(seed, "load", system).standard_normal() for system in system_ids])
        self._usual = LOAD_FACTOR * (1.0 + _SYSTEM_SPREAD * np.clip(own, -2.0, 2.0))
        for number, system in enumerate(system_ids):
            if system in rectifiers:
                self._usual[number] = stream(seed, "rectifier-load", system).uniform(*RECTIFIER_FACTOR)

    def factor(self, at_s: float, system: int) -> float:
        """Return a system's load over its rating at an instant in s since 1970."""
        local_s = at_s + _BANGKOK_S
        hour = local_s % _DAY_S / 3600.0
        # 1 January 1970 was a Thursday.
        is_weekend = int(local_s // _DAY_S + 3) % 7 >= 5
        course = _DAY_SWING * np.cos(2.0 * np.pi * (hour - 15.0) / 24.0) - (_WEEKEND_DROP if is_weekend else 0.0)
        return float(self._usual[system] * (1.0 + course))
