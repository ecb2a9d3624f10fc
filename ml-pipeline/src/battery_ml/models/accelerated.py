"""Accelerated failure time by gradient boosting: the logarithm of the remaining days is normal around a prediction."""

import json
from collections.abc import Mapping
from typing import Final

import numpy as np
from catboost import CatBoost, Pool
from scipy.stats import norm

from battery_ml.arrays import FloatArray
from battery_ml.models.boosting import bytes_of, raw_predictions, read_model
from battery_ml.models.kinds import ModelInvalid
from battery_ml.survival.curves import SurvivalCurves

SCALE_FILE: Final = "scale.json"


class AcceleratedModel:
    """Log-normal survival curves on the days of ``edges_days``; ``log_sd`` is the spread of the logarithm of days."""

    def __init__(self, model: CatBoost, log_sd: float, edges_days: FloatArray) -> None:
        self._model, self._log_sd, self._edges_days = model, log_sd, edges_days
        self.feature_names = tuple(model.feature_names_)

    @classmethod
    def read(cls, files: Mapping[str, bytes], edges_days: FloatArray) -> "AcceleratedModel":
        """Read it from the files of a version; raises `ModelInvalid`."""
        try:
            log_sd = float(json.loads(files[SCALE_FILE])["log_sd"])
        except (KeyError, TypeError, ValueError) as broken:
            raise ModelInvalid(f"has no readable {SCALE_FILE}") from broken
        return cls(read_model(files), log_sd, edges_days)

    def files(self) -> Mapping[str, bytes]:
        """Return its files."""
        return {**bytes_of(self._model), SCALE_FILE: json.dumps({"log_sd": self._log_sd}).encode()}

    def curves(self, features: FloatArray) -> SurvivalCurves:
        """Return the survival curve of each row."""
        centre = raw_predictions(self._model, self._pool(features), 1)
        z = (np.log(np.maximum(self._edges_days[1:], 1e-9))[None, :] - centre) / self._log_sd
        return SurvivalCurves(self._edges_days, np.column_stack([np.zeros(len(features)), -norm.logsf(z)]))

    def effects_days(self, features: FloatArray, curves: SurvivalCurves) -> FloatArray:
        """Return the days (n, features) by which each input moves the median: SHAP values of its logarithm."""
        median = curves.quantile_days(0.5)[:, None]
        shap = np.asarray(self._model.get_feature_importance(self._pool(features), type="ShapValues"))
        effects: FloatArray = median * -np.expm1(-shap[:, :-1])
        return effects

    def _pool(self, features: FloatArray) -> Pool:
        return Pool(features, feature_names=list(self.feature_names))
