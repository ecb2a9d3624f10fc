"""Three quantiles of the logarithm of the remaining days by gradient boosting, weighted for censoring."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from catboost import CatBoost, Pool

from battery_ml.arrays import FloatArray
from battery_ml.models.boosting import bytes_of, raw_predictions, read_model
from battery_ml.survival.curves import SurvivalCurves

LEVELS: Final = (0.1, 0.5, 0.9)
_MEDIAN: Final = 1
_MAX_LOG_DAYS: Final = 9.2
"""Of 27 years: no battery of this class was ever followed that long."""


class QuantileModel:
    """Survival curves through three predicted quantiles."""

    def __init__(self, model: CatBoost) -> None:
        self._model = model
        self.feature_names = tuple(model.feature_names_)

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> "QuantileModel":
        """Read it from the files of a version; raises `ModelInvalid`."""
        return cls(read_model(files))

    def files(self) -> Mapping[str, bytes]:
        """Return its file."""
        return bytes_of(self._model)

    def curves(self, features: FloatArray) -> SurvivalCurves:
        """Return the survival curve of each row: exponential from one quantile to the next."""
        log_days = np.sort(raw_predictions(self._model, self._pool(features), len(LEVELS)), axis=1)
        days = np.expm1(np.clip(log_days, 0.0, _MAX_LOG_DAYS))
        # Ascending, so that a level has one day.
        days = np.maximum.accumulate(days + 1e-6 * np.arange(1, len(LEVELS) + 1), axis=1)
        hazard = np.tile([0.0, *(-np.log1p(-level) for level in LEVELS)], (len(features), 1))
        return SurvivalCurves(np.column_stack([np.zeros(len(features)), days]), hazard)

    def effects_days(self, features: FloatArray, curves: SurvivalCurves) -> FloatArray:
        """Return the days (n, features) by which each input moves the median: SHAP values of its logarithm."""
        median = curves.quantile_days(0.5)[:, None]
        shap = np.asarray(self._model.get_feature_importance(self._pool(features), type="ShapValues"))
        effects: FloatArray = median - np.expm1(np.log1p(median) - shap[:, _MEDIAN, :-1])
        return effects

    def _pool(self, features: FloatArray) -> Pool:
        return Pool(features, feature_names=list(self.feature_names))
