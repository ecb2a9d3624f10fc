"""Contacts and straps outside the blocks: their resistance grows, and falls when somebody retorques them.

It is in series with the block, in a measurement as in a discharge.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.outside.habits import Habits
from battery_synth.streams import keys, noise

FloatArray = npt.NDArray[np.float64]

GROWTH_PER_YEAR, GROWTH_LOG_SIGMA = 0.008, 0.8
"""Growth of the contacts of a block in a year over its nominal resistance: 0.03 mΩ in the middle, 0.1 mΩ of one in
twenty (engineering judgement: bolted contacts of 20 to 50 microohm, to be remade when they are 20 % over baseline)."""
MOST_SHARE: Final = 0.20
"""Where the growth ends, over the nominal resistance (engineering judgement)."""
LEFT_SHARE_SD: Final = 0.15
"""Part of a year's growth that a retorqued contact keeps: half-normal (engineering judgement)."""
_YEAR_S: Final = 365.25 * 86_400.0


class Contacts:
    """The contacts of a location's batteries (n,): a function of time and of their installation."""

    def __init__(self, seed: int, habits: Habits, battery_ids: list[str], nominal_mohm: FloatArray) -> None:
        self._habits, self._nominal_mohm = habits, nominal_mohm
        self._keys = keys(seed, battery_ids, "contact")
        self._per_year = GROWTH_PER_YEAR * np.exp(GROWTH_LOG_SIGMA * noise(self._keys, 0, 0))

    def resistance_mohm(self, at_s: float, installed_s: FloatArray) -> FloatArray:
        """Return the growth (n,) in mΩ since installation or, where contacts are retorqued, since the last visit."""
        visit_s = self._habits.last_retorque_s(at_s)
        is_visited = visit_s > installed_s
        years = np.maximum(at_s - np.maximum(visit_s, installed_s), 0.0) / _YEAR_S
        if is_visited.any():
            left = LEFT_SHARE_SD * np.abs(noise(self._keys, round(visit_s), 1))
            years = years + np.where(is_visited, left, 0.0)
        grown: FloatArray = MOST_SHARE * -np.expm1(-self._per_year * years / MOST_SHARE) * self._nominal_mohm
        return grown
