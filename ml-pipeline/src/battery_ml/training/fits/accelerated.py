"""Fit of the accelerated failure time model."""

from typing import Final

import numpy as np
from catboost import Pool

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.models.accelerated import AcceleratedModel
from battery_ml.training.fits.boosting import TREES, Report, boost

_LOG_SD: Final = 0.7
"""Spread of the logarithm of remaining days around the prediction (EJ); CatBoost does not fit it."""
_NO_UPPER_BOUND: Final = -1.0
"""CatBoost's mark of a censored life."""


def fit_accelerated(
    training: Snapshots,
    validation: Snapshots,
    names: tuple[str, ...],
    edges_days: FloatArray,
    *,
    seed: int,
    trees: int = TREES,
    progress: Report = lambda _share: None,
) -> AcceleratedModel:
    """Fit the centre of a log-normal remaining life; censored lives are bounds from below."""
    model = boost(
        _pool(training, names),
        _pool(validation, names),
        seed=seed,
        trees=trees,
        progress=progress,
        loss_function=f"SurvivalAft:dist=Normal;scale={_LOG_SD}",
        eval_metric=f"SurvivalAft:dist=Normal;scale={_LOG_SD}",
    )
    return AcceleratedModel(model, _LOG_SD, edges_days)


def _pool(snapshots: Snapshots, names: tuple[str, ...]) -> Pool:
    days = np.maximum(snapshots.days_to_end, 1.0)
    bounds: FloatArray = np.column_stack([days, np.where(snapshots.is_censored, _NO_UPPER_BOUND, days)])
    return Pool(snapshots.features, bounds, feature_names=list(names))
