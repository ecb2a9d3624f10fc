"""Features are entries of a table: what each is made of, how it is computed, how it is spoken of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from battery_ml.features.days import Days
from battery_ml.features.history import DailyHistory, FloatArray


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the model's input.

    Parameters
    ----------
    of
        Computes it, (batteries,), NaN where it was not measured.
    sources
        The daily columns that it needs; none for facts of the nameplate.
    monotone
        -1 if more of it cannot mean more days left, 1 for the opposite, 0 where physics does not say.
    higher, lower
        Said of a battery above or below the fleet's norm; ``{by}`` stands for the difference.
    unknown
        Said when it was not measured.
    """

    name: str
    of: Callable[[Days], FloatArray]
    sources: tuple[str, ...]
    monotone: int
    higher: str
    lower: str
    unknown: str
    decimals: int = 1

    def describe(self, value: float, norm: float) -> str:
        """Compare a measured value with the fleet's norm in words."""
        if not np.isfinite(value):
            return self.unknown
        by = f"{abs(value - norm):.{self.decimals}f}"
        if float(by) == 0.0:
            return f"{self.name.replace('_', ' ')} is as in the fleet"
        return (self.higher if value > norm else self.lower).format(by=by)


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features in the order of the model's columns."""

    features: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the columns."""
        return tuple(feature.name for feature in self.features)

    @property
    def monotone(self) -> tuple[int, ...]:
        """Directions in the order of the columns."""
        return tuple(feature.monotone for feature in self.features)

    def compute(self, history: DailyHistory) -> FloatArray:
        """Return (batteries, features) on the last day of a history; nothing of later days is in it."""
        days = Days(history)
        return np.column_stack([feature.of(days) for feature in self.features])

    def without(self, *sources: str) -> "FeatureTable":
        """Return the table of those that need none of some daily columns."""
        return FeatureTable(tuple(feature for feature in self.features if not set(feature.sources) & set(sources)))
