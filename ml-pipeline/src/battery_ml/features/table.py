"""The feature table: for each feature its sources, its computation and its wording."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from battery_ml.arrays import FloatArray
from battery_ml.features.days import Days
from battery_ml.features.history import DailyHistory


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the model's input.

    Parameters
    ----------
    name
        Name in the model file and in manifests; it never changes.
    label
        The quantity in words, to follow "its".
    compute
        Returns the feature (batteries,); NaN where it was not measured.
    sources
        Daily columns that it needs; none for facts of the nameplate.
    monotone
        -1 if a higher value cannot lengthen the remaining life, 1 if it cannot shorten it, 0 if physics leaves it open.
    higher, lower
        Wording for a battery above or below the fleet median; ``{by}`` stands for the difference.
    unknown
        Wording if it was not measured.
    decimals
        Decimals of the difference.
    """

    name: str
    label: str
    compute: Callable[[Days], FloatArray]
    sources: tuple[str, ...]
    monotone: int
    higher: str
    lower: str
    unknown: str
    decimals: int = 1

    def describe(self, value: float, norm: float) -> str:
        """Compare a value with the fleet median in words."""
        if not np.isfinite(value):
            return self.unknown
        by = f"{abs(value - norm):.{self.decimals}f}"
        if float(by) == 0.0:
            return f"its {self.label} equals the fleet median"
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
        """Return (batteries, features) at the end of a history's last day, from that day and earlier ones."""
        return self.of_days(Days(history))

    def of_days(self, days: Days) -> FloatArray:
        """Return (batteries, features) of days that are at hand already."""
        return np.column_stack([feature.compute(days) for feature in self.features])

    def without(self, *sources: str) -> "FeatureTable":
        """Return the table without the features that need any of these daily columns."""
        return FeatureTable(tuple(feature for feature in self.features if not set(feature.sources) & set(sources)))
