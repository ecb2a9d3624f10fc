"""Fit of the Cox model, by lifelines."""

from typing import Final

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.models.proportional import CoxCoefficients, ProportionalModel
from battery_ml.training.fits.boosting import Report

_MAX_ROWS: Final = 60_000
_PENALTY: Final = 0.01
_MIN_UNKNOWN_SHARE: Final = 0.005
_SPREAD_PERCENTILES: Final = (16.0, 84.0)


def fit_proportional(
    training: Snapshots,
    validation: Snapshots,
    names: tuple[str, ...],
    edges_days: FloatArray,
    *,
    seed: int,
    trees: int,
    progress: Report,
) -> ProportionalModel:
    """Fit proportional hazards from the day of each snapshot on (landmark model), on a sample of the snapshots."""
    del validation, trees, progress  # nothing is stopped early
    rows = np.random.default_rng(seed).permutation(len(training))[:_MAX_ROWS]
    features = training.features[rows].astype(np.float64)
    low, high = np.nanpercentile(features, _SPREAD_PERCENTILES, axis=0)
    blank = CoxCoefficients(
        feature_names=list(names),
        centre=np.nanmedian(features, axis=0).tolist(),
        scale=np.maximum((high - low) / 2.0, 1e-6).tolist(),
        known=[0.0] * len(names),
        unknown=[0.0] * len(names),
        edges_days=edges_days.tolist(),
        baseline_hazard=[0.0] * len(edges_days),
    )
    scaled, is_unknown = blank.scaled(features)
    marked = np.flatnonzero(is_unknown.mean(axis=0) > _MIN_UNKNOWN_SHARE)
    table = pd.DataFrame(np.column_stack([scaled, is_unknown[:, marked]]))
    columns = list(table.columns)
    table["days"] = np.maximum(training.days_to_end[rows], 0.5)
    table["failed"] = ~training.is_censored[rows]
    cox = CoxPHFitter(penalizer=_PENALTY)
    cox.fit(table, duration_col="days", event_col="failed")
    weights = cox.params_.loc[columns].to_numpy()
    unknown = np.zeros(len(names))
    unknown[marked] = weights[len(names) :]
    # lifelines centres its inputs at their means; the baseline is that of a battery with all inputs at 0.
    shift = float(weights @ table[columns].mean().to_numpy())
    baseline = cox.baseline_cumulative_hazard_.iloc[:, 0]
    hazard = np.interp(edges_days, baseline.index.to_numpy(), baseline.to_numpy()) * np.exp(-shift)
    hazard[0] = 0.0
    facts = {"known": weights[: len(names)].tolist(), "unknown": unknown.tolist(), "baseline_hazard": hazard.tolist()}
    return ProportionalModel(CoxCoefficients(**{**_as_dict(blank), **facts}))


def _as_dict(coefficients: CoxCoefficients) -> dict[str, list[str] | list[float]]:
    return {name: getattr(coefficients, name) for name in coefficients.__dataclass_fields__}
