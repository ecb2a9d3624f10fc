"""Lead sulfate that a battery can lose again: it takes capacity on long float and dissolves after a full charge.

It differs from the mechanism of `life.condition`, whose loss stays: a capacity test whose recharge is complete leaves
a battery better than it was, and a tested string is not the string of before.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from battery_synth.life.traits import Traits
from battery_synth.state.arrays import PlantState

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_SHARE: Final = 0.08
"""Share of the capacity that recoverable sulfate takes at most (engineering judgement)."""
GROWTH_PER_DAY: Final = 0.004
"""Share of the capacity that a day of undercharge at 25 °C takes (half a year of storage is allowed [PAN], [HX])."""
FLOAT_DAYS: Final = 400.0
"""Time constant with which a battery approaches its usual sulfate on float (long float; engineering judgement)."""
DEEP_DEPTH: Final = 0.3
"""Discharges of this depth and more work the plates."""
DISSOLVED_SHARE: Final = 0.5
"""Part of the sulfate that a deep discharge and the full charge after it dissolve (engineering judgement)."""
_FULL_SHARE: Final = 0.01
"""Missing charge over capacity below which a battery counts as fully charged."""
_NOT_READ: Final = -1.0
_KEYS: Final = ("sulfate", "sulfate_worked", "seen_cycle_share", "seen_undercharge_days")


class Sulfate:
    """The recoverable sulfate of batteries (n,), followed from midnight to midnight."""

    def __init__(self, saved: dict[str, Any], count: int) -> None:
        """Continue from the result of `saved`; batteries of older checkpoints begin without sulfate."""
        self.share: FloatArray = np.array(saved.get(_KEYS[0], np.zeros(count)), np.float64)
        """Share of the capacity that it takes."""
        self._worked: FloatArray = np.array(saved.get(_KEYS[1], np.zeros(count)), np.float64)
        # Where no clock was read yet, the first midnight only notes it.
        self._cycle_share: FloatArray = np.array(saved.get(_KEYS[2], np.full(count, _NOT_READ)), np.float64)
        self._undercharge_days: FloatArray = np.array(saved.get(_KEYS[3], np.full(count, _NOT_READ)), np.float64)

    @classmethod
    def after_float(cls, traits: Traits, at_s: float) -> Self:
        """Return the sulfate of batteries that have floated since their installation."""
        new = cls({}, len(traits.installed_s))
        days = np.maximum(at_s - traits.installed_s, 0.0) / 86_400.0
        new.share[:] = traits.float_sulfate * (1.0 - np.exp(-days / FLOAT_DAYS))
        return new

    def saved(self) -> dict[str, FloatArray]:
        """Return what the constructor continues from."""
        values = (self.share, self._worked, self._cycle_share, self._undercharge_days)
        return {name: value.copy() for name, value in zip(_KEYS, values, strict=True)}

    def pass_day(self, traits: Traits, state: PlantState, capacity_ah: FloatArray) -> None:
        """Take in what the clocks have gathered since the last midnight; ``capacity_ah`` (n,) is that of today."""
        is_known = self._cycle_share > _NOT_READ
        undercharged = np.where(is_known, state.undercharge_days - self._undercharge_days, 0.0)
        cycled = np.where(is_known, state.cycle_share - self._cycle_share, 0.0)
        self._undercharge_days[:], self._cycle_share[:] = state.undercharge_days, state.cycle_share
        self.share += (MOST_SHARE - self.share) * -np.expm1(-GROWTH_PER_DAY / MOST_SHARE * undercharged)
        self.share += (traits.float_sulfate - self.share) * -np.expm1(-1.0 / FLOAT_DAYS)
        self._worked[cycled * traits.full_cycles >= DEEP_DEPTH**traits.cycle_exponent] = 1.0
        dissolves = (self._worked > 0.0) & (state.deficit_ah < _FULL_SHARE * capacity_ah)
        self.share[dissolves] *= 1.0 - DISSOLVED_SHARE
        self._worked[dissolves] = 0.0

    def renew(self, rows: IntArray) -> None:
        """Begin again at ``rows``, where another battery was installed."""
        self.share[rows] = self._worked[rows] = self._cycle_share[rows] = self._undercharge_days[rows] = 0.0
