"""Discrete-time hazard by gradient boosting: the probability of failing in each coming period, given its begin.

A row of the model is a battery today and one of its coming periods; the period is an input beside today's features
(landmark model: van Houwelingen, *Scand. J. Stat.* 34, 2007; discrete hazards: Tutz and Schmid, *Modeling Discrete
Time-to-Event Data*, 2016). A censored life is a row for each period that was seen to its end, so nothing is weighted.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from catboost import CatBoost, Pool

from battery_ml.arrays import FloatArray, IntArray
from battery_ml.features.days import DAYS_PER_YEAR
from battery_ml.models.boosting import bytes_of, raw_predictions, read_model
from battery_ml.models.kinds import ModelInvalid, days_of_log_hazard
from battery_ml.survival.curves import SurvivalCurves

PERIOD_COLUMN: Final = "log_days_ahead"
PERIOD_EDGES_DAYS: Final = (
    0.0, 30.0, 60.0, 90.0, 120.0, 180.0, 270.0, 365.0, 545.0, 730.0, 1095.0, 1461.0, 1826.0, 2192.0, 2557.0, 2922.0,
    3287.0, 3652.0, 4018.0, 4383.0,
)  # fmt: skip
"""Short at first, where a month decides on an order, then years; training keeps those that enough lives reach."""
_ROWS_AT_ONCE: Final = 5_000
"""Each is as many rows of the model as there are periods: bounds the memory of an evaluation."""


class HazardModel:
    """Survival curves from the hazards of periods; ``edges_days`` (periods + 1,) bound them.

    Raises
    ------
    ModelInvalid
        The model has other inputs than features and the period.
    """

    def __init__(self, model: CatBoost, edges_days: FloatArray) -> None:
        names = tuple(model.feature_names_)
        if not names or names[-1] != PERIOD_COLUMN:
            raise ModelInvalid(f"has a hazard model whose last input is not {PERIOD_COLUMN}")
        self._model, self._edges_days = model, edges_days
        self.feature_names = names[:-1]

    @classmethod
    def read(cls, files: Mapping[str, bytes], edges_days: FloatArray) -> "HazardModel":
        """Read it from the files of a version; raises `ModelInvalid`."""
        return cls(read_model(files), edges_days)

    def files(self) -> Mapping[str, bytes]:
        """Return its file."""
        return bytes_of(self._model)

    def curves(self, features: FloatArray) -> SurvivalCurves:
        """Return the survival curve of each row."""
        hazard = np.zeros((len(features), len(self._edges_days)))
        for first in range(0, len(features), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            hazard[rows, 1:] = self._cumulative_hazard(features[rows])
        return SurvivalCurves(self._edges_days, hazard)

    def _cumulative_hazard(self, features: FloatArray) -> FloatArray:
        count, periods = len(features), len(self._edges_days) - 1
        pool = self._pool(np.repeat(features, periods, axis=0), np.tile(np.arange(periods), count))
        log_odds = raw_predictions(self._model, pool, 1).reshape(count, periods)
        # -log(1 - h) of a logistic hazard, without overflow.
        return np.cumsum(np.logaddexp(0.0, log_odds), axis=1)

    def effects_days(self, features: FloatArray, curves: SurvivalCurves) -> FloatArray:
        """Return the days (n, features) by which each input moves the median: SHAP values in the median's period."""
        median = curves.quantile_days(0.5)
        period = np.clip(np.searchsorted(self._edges_days, median, side="left") - 1, 0, len(self._edges_days) - 2)
        shap = self._model.get_feature_importance(self._pool(features, period), type="ShapValues")
        return days_of_log_hazard(curves, np.asarray(shap, np.float64)[:, : len(self.feature_names)])

    def _pool(self, features: FloatArray, period: IntArray) -> Pool:
        return hazard_pool(features, period, self._edges_days, self.feature_names)


def hazard_pool(
    features: "FloatArray | np.ndarray[tuple[int, int], np.dtype[np.float32]]",
    period: IntArray,
    edges_days: FloatArray,
    names: tuple[str, ...],
    **columns: Any,
) -> Pool:
    """Return rows of features (n, features) in periods (n,); the length of a period is its baseline.

    With the logarithm of the length as the baseline the model learns a hazard per year.
    """
    lengths, middles = np.diff(edges_days) / DAYS_PER_YEAR, 0.5 * (edges_days[1:] + edges_days[:-1])
    rows = np.column_stack([features, np.log(middles)[period]]).astype(np.float32)
    return Pool(rows, baseline=np.log(lengths)[period], feature_names=[*names, PERIOD_COLUMN], **columns)
