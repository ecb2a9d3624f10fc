"""Errors, bias and coverage of predictions: weighted for censoring, with strings as the sampling unit."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from battery_ml.arrays import BoolArray, FloatArray, IntArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.survival.censoring import inverse_probability_weights

HORIZONS_DAYS: Final = (0, 180, 365, 730, 1461, 36_525)
_RESAMPLES: Final = 400
_MIN_DAYS_FOR_MAPE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Score:
    """Metrics of one set of predictions; ``low`` and ``high`` bound a 95 % interval, bootstrapped over strings.

    ``mape_pct`` leaves out lives with less than 30 days left, where a small error is many times the truth.
    """

    mae_days: float
    mae_days_low: float
    mae_days_high: float
    mape_pct: float
    bias_days: float
    coverage_p10_p90: float
    coverage_low: float
    coverage_high: float
    mean_width_days: float
    snapshots: int
    batteries: int
    strings: int
    censored_share: float

    def as_dict(self) -> dict[str, Any]:
        """Return the metrics by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Predicted quantiles in days (n, 3) with the truth of the same snapshots.

    ``weights`` (n,) make the observed failures represent all lives; they are 0 for censored ones. ``string`` (n,) is
    the slot of the battery's string.
    """

    days: FloatArray
    truth: Snapshots
    string: IntArray
    weights: FloatArray

    @classmethod
    def of(cls, days: FloatArray, truth: Snapshots, string_of_slot: IntArray) -> "Evaluation":
        """Pair predictions with the truth; ``string_of_slot`` gives the string of each battery of the catalogue."""
        weights = inverse_probability_weights(truth.days_to_end, truth.is_censored)
        return cls(days, truth, string_of_slot[truth.battery_slot], weights)

    def where(self, chosen: BoolArray) -> "Evaluation":
        """Return the part that a mask (n,) selects, with the weights that it has in the whole."""
        return Evaluation(self.days[chosen], self.truth.where(chosen), self.string[chosen], self.weights[chosen])

    def score(self, seed: int = 0) -> Score:
        """Return the metrics; ``seed`` is that of the bootstrap.

        Raises
        ------
        ValueError
            No battery failed.
        """
        rows = np.flatnonzero(self.weights > 0.0)
        if not len(rows):
            raise ValueError("no battery of the set failed: there is nothing to compare with")
        actual, weights = self.truth.days_to_end[rows], self.weights[rows]
        low, middle, high = self.days[rows].T
        errors = middle - actual
        is_covered = (actual >= low) & (actual <= high)
        is_long = actual >= _MIN_DAYS_FOR_MAPE
        columns = np.column_stack([weights, weights * np.abs(errors), weights * is_covered])
        resampled = _resample_sums(columns, self.string[rows], seed)
        mae_low, mae_high = np.quantile(resampled[:, 1] / resampled[:, 0], [0.025, 0.975])
        coverage_low, coverage_high = np.quantile(resampled[:, 2] / resampled[:, 0], [0.025, 0.975])
        return Score(
            mae_days=_mean(np.abs(errors), weights),
            mae_days_low=float(mae_low),
            mae_days_high=float(mae_high),
            mape_pct=100.0 * _mean(np.abs(errors[is_long]) / actual[is_long], weights[is_long])
            if is_long.any()
            else 0.0,
            bias_days=_mean(errors, weights),
            coverage_p10_p90=_mean(is_covered.astype(np.float64), weights),
            coverage_low=float(coverage_low),
            coverage_high=float(coverage_high),
            mean_width_days=_mean(high - low, weights),
            snapshots=len(self.days),
            batteries=len(np.unique(self.truth.battery_slot)),
            strings=len(np.unique(self.string)),
            censored_share=float(self.truth.is_censored.mean()),
        )

    def by_horizon(self) -> dict[str, Score]:
        """Return the metrics by span of the days that remained; only observed failures belong to one."""
        days, has_failed = self.truth.days_to_end, ~self.truth.is_censored
        scores = {}
        for first, last in pairwise(HORIZONS_DAYS):
            chosen = has_failed & (days >= first) & (days < last)
            if chosen.any():
                scores[f"{first}-{last}"] = self.where(chosen).score()
        return scores


def as_degenerate_interval(days: FloatArray) -> FloatArray:
    """Return point predictions (n,) as intervals of no width (n, 3)."""
    return np.repeat(days[:, None], 3, axis=1)


def _mean(values: FloatArray, weights: FloatArray) -> float:
    return float(np.average(values, weights=weights))


def _resample_sums(columns: FloatArray, string: IntArray, seed: int) -> FloatArray:
    """Return sums (resamples, columns) over strings drawn with replacement (cluster bootstrap)."""
    _, slot = np.unique(string, return_inverse=True)
    count = int(slot.max()) + 1
    sums = np.stack([np.bincount(slot, weights=column, minlength=count) for column in columns.T], axis=1)
    times_drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1.0 / count), size=_RESAMPLES)
    resampled: FloatArray = times_drawn.astype(np.float64) @ sums
    # A resample without a failure has no mean.
    return resampled[resampled[:, 0] > 0.0]
