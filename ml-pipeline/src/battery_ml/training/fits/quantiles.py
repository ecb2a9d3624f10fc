"""Fit of three quantiles of the logarithm of the remaining days."""

import numpy as np
from catboost import Pool

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.models.quantiles import LEVELS, QuantileModel
from battery_ml.survival.censoring import inverse_probability_weights
from battery_ml.training.fits.boosting import TREES, Report, boost


def fit_quantiles(
    training: Snapshots,
    validation: Snapshots,
    names: tuple[str, ...],
    edges_days: FloatArray,
    *,
    seed: int,
    trees: int = TREES,
    progress: Report = lambda _share: None,
) -> QuantileModel:
    """Fit the model to observed failures alone.

    A censored life gives a lower bound, and the quantile loss takes no bounds: the failures are weighted to represent
    the censored lives, which holds only where lives as long were seen to their end.
    """
    del edges_days  # three quantiles have days of their own
    # CatBoost cannot hold monotone constraints for several quantiles at once: with them it stops learning early.
    model = boost(
        _pool(training, names),
        _pool(validation, names),
        seed=seed,
        trees=trees,
        progress=progress,
        loss_function=f"MultiQuantile:alpha={','.join(map(str, LEVELS))}",
    )
    return QuantileModel(model)


def _pool(snapshots: Snapshots, names: tuple[str, ...]) -> Pool:
    weights = inverse_probability_weights(snapshots.days_to_end, snapshots.is_censored)
    has_failed = ~snapshots.is_censored
    # Errors of the logarithm count in proportion, so that a month counts more near the end.
    target: FloatArray = np.log1p(snapshots.days_to_end[has_failed])
    return Pool(snapshots.features[has_failed], target, weight=weights[has_failed], feature_names=list(names))
