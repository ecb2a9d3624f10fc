"""What every model of remaining life can do, whatever its kind."""

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from battery_ml.arrays import FloatArray
from battery_ml.survival.curves import SurvivalCurves

_BEYOND_DAYS: Final = 36_525.0


class ModelInvalid(ValueError):
    """The files of a model cannot be read, or do not fit what is known of it."""


class LifeModel(Protocol):
    """Predicts survival curves from features (n, features), NaN where one is unknown."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of its inputs, in their order."""
        ...

    def curves(self, features: FloatArray) -> SurvivalCurves:
        """Return the survival curve of each row."""
        ...

    def effects_days(self, features: FloatArray, curves: SurvivalCurves) -> FloatArray:
        """Return the days (n, features) by which each input moves the median of its row; negative ones shorten."""
        ...

    def files(self) -> Mapping[str, bytes]:
        """Return its files by name, as the registry stores them."""
        ...


def days_of_log_hazard(curves: SurvivalCurves, effects: FloatArray) -> FloatArray:
    """Convert contributions to the logarithm of the hazard (n, features) to days of the median (n, features).

    The effect of an input is the median with it minus the median without it, the hazard at all times divided by exp of
    its contribution. Beyond the follow-up the hazard is taken to stay what it was, so that a long life has effects too.
    """
    days, hazard = _extended(curves)
    extended = SurvivalCurves(days, hazard)
    half = np.full(len(curves), np.log(2.0))
    median = extended.days_at_hazard(half)
    columns = [median - extended.days_at_hazard(half * np.exp(column)) for column in effects.T]
    return np.column_stack(columns) if columns else np.zeros((len(curves), 0))


def _extended(curves: SurvivalCurves) -> tuple[FloatArray, FloatArray]:
    days = np.broadcast_to(np.atleast_2d(curves.days), curves.cumulative_hazard.shape)
    hazard = curves.cumulative_hazard
    rate = np.maximum((hazard[:, -1] - hazard[:, -2]) / np.maximum(days[:, -1] - days[:, -2], 1e-9), 1e-9)
    beyond = days[:, -1] + _BEYOND_DAYS
    return np.column_stack([days, beyond]), np.column_stack([hazard, hazard[:, -1] + rate * _BEYOND_DAYS])
