"""One CatBoost model for three quantiles of the logarithm of the remaining days."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from catboost import CatBoost, Pool

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.features.table import FeatureTable
from battery_ml.survival.censoring import inverse_probability_weights

LEVELS: Final = (0.1, 0.5, 0.9)
TREES: Final = 1000
_PATIENCE: Final = 60
_PARAMETERS: Final[Mapping[str, Any]] = {
    "loss_function": f"MultiQuantile:alpha={','.join(map(str, LEVELS))}",
    "depth": 6,
    "learning_rate": 0.08,
    "thread_count": 2,
    "allow_writing_files": False,
    "logging_level": "Silent",
}


class _ProgressCallback:
    """Reports the share of the trees that are built, by CatBoost's callback protocol."""

    def __init__(self, trees: int, report: Callable[[float], None]) -> None:
        self._trees, self._report = trees, report

    def after_iteration(self, info: Any) -> bool:
        self._report(info.iteration / self._trees)
        return True


def fit(
    training: Snapshots,
    validation: Snapshots,
    table: FeatureTable,
    *,
    seed: int,
    trees: int = TREES,
    progress: Callable[[float], None] = lambda _share: None,
) -> CatBoost:
    """Fit the model to ``training``; ``validation`` only decides when to stop adding trees.

    Only observed failures are targets, with weights under which they represent the censored lives: a censored life
    gives a lower bound, and the quantile loss takes no bounds.
    """
    # CatBoost cannot hold monotone constraints for several quantiles at once: with them it stops learning early.
    model = CatBoost({**_PARAMETERS, "iterations": trees, "random_seed": seed})
    model.fit(
        _pool(training, table),
        eval_set=_pool(validation, table),
        early_stopping_rounds=_PATIENCE,
        callbacks=[_ProgressCallback(trees, progress)],
    )
    return model


def target_of(days: FloatArray) -> FloatArray:
    """Return log(1 + days), the model's scale: errors count in proportion, so a month counts more near the end."""
    logarithm: FloatArray = np.log1p(days)
    return logarithm


def _pool(snapshots: Snapshots, table: FeatureTable) -> Pool:
    weights = inverse_probability_weights(snapshots.days_to_end, snapshots.is_censored)
    has_failed = ~snapshots.is_censored
    return Pool(
        snapshots.features[has_failed],
        target_of(snapshots.days_to_end[has_failed]),
        weight=weights[has_failed],
        feature_names=list(table.names),
    )
