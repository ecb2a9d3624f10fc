"""What serving must know of the features: how they are computed and how they are spoken of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from battery_ml.features.history import DailyHistory, FloatArray


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the model's input with the words for it.

    Parameters
    ----------
    higher, lower
        Said of a battery above or below the fleet's norm; ``{by}`` stands for the difference.
    unknown
        Said when it was not measured.
    """

    name: str
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
    """All features; ``compute`` gives (batteries, features) in their order, NaN where something was not measured."""

    features: tuple[Feature, ...]
    compute: Callable[[DailyHistory], FloatArray]

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the columns."""
        return tuple(feature.name for feature in self.features)
