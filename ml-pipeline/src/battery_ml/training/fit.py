"""One CatBoost model for three quantiles of the logarithm of the days that are left."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from catboost import CatBoost, Pool

from battery_ml.datasets.folder import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.features.table import FeatureTable
from battery_ml.training.censoring import inverse_probability_weights

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

Progress = Callable[[float], None]


class _Told:
    """Passes on how far training is."""

    def __init__(self, trees: int, progress: Progress) -> None:
        self._trees, self._progress = trees, progress

    def after_iteration(self, info: Any) -> bool:
        self._progress(info.iteration / self._trees)
        return True


def fit(
    teach: Snapshots,
    stop: Snapshots,
    table: FeatureTable,
    *,
    seed: int,
    trees: int = TREES,
    progress: Progress = lambda _share: None,
) -> CatBoost:
    """Return the model; ``stop`` only says how many trees are enough.

    Ends that were seen stand, by their weights, for those that were not: an interval of a censored life is no target.
    """
    # CatBoost cannot hold monotone constraints for several quantiles at once: with them it stops learning early.
    model = CatBoost({**_PARAMETERS, "iterations": trees, "random_seed": seed})
    model.fit(
        _pool(teach, table),
        eval_set=_pool(stop, table),
        early_stopping_rounds=_PATIENCE,
        callbacks=[_Told(trees, progress)],
    )
    return model


def target_of(days: FloatArray) -> FloatArray:
    """Return days in the model's scale: errors in proportion, since a month counts more near the end."""
    logarithm: FloatArray = np.log1p(days)
    return logarithm


def _pool(snapshots: Snapshots, table: FeatureTable) -> Pool:
    weights = inverse_probability_weights(snapshots.days_to_end, snapshots.is_censored)
    seen = ~snapshots.is_censored
    return Pool(
        snapshots.features[seen],
        target_of(snapshots.days_to_end[seen]),
        weight=weights[seen],
        feature_names=list(table.names),
    )
