"""How wrong predictions were: errors, bias and coverage, with censoring handled and strings as the unit of chance."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from battery_ml.datasets.folder import FloatArray, IntArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.training.censoring import inverse_probability_weights

HORIZONS_DAYS: Final = (0, 180, 365, 730, 1461, 36_525)
_DRAWS: Final = 400
_LEAST_DAYS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one set of predictions; intervals are 95 %, over strings drawn anew.

    ``mape_pct`` leaves out lives with less than a month left, of which every error is many times the truth.
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
        """Return the figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Judged:
    """Predictions of days (n, 3) beside what came; weights make the ends that were seen stand for all lives."""

    days: FloatArray
    truth: Snapshots
    string: IntArray
    weights: FloatArray

    @classmethod
    def of(cls, days: FloatArray, truth: Snapshots, string_of_place: IntArray) -> "Judged":
        """Put predictions beside the truth of the same snapshots."""
        weights = inverse_probability_weights(truth.days_to_end, truth.is_censored)
        return cls(days, truth, string_of_place[truth.place], weights)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Judged":
        """Return a part, with the weights that it has in the whole."""
        return Judged(self.days[chosen], self.truth.where(chosen), self.string[chosen], self.weights[chosen])

    def score(self, seed: int = 0) -> Score:
        """Return the figures; raises `ValueError` if no end was seen."""
        seen = np.flatnonzero(self.weights > 0.0)
        if not len(seen):
            raise ValueError("no battery of the set came to its end: there is nothing to compare with")
        came, weights = self.truth.days_to_end[seen], self.weights[seen]
        low, middle, high = self.days[seen].T
        errors = middle - came
        covered = (came >= low) & (came <= high)
        clear = came >= _LEAST_DAYS
        columns = np.column_stack([weights, weights * np.abs(errors), weights * covered])
        drawn = _drawn(columns, self.string[seen], seed)
        mae_low, mae_high = np.quantile(drawn[:, 1] / drawn[:, 0], [0.025, 0.975])
        cover_low, cover_high = np.quantile(drawn[:, 2] / drawn[:, 0], [0.025, 0.975])
        return Score(
            mae_days=_mean(np.abs(errors), weights),
            mae_days_low=float(mae_low),
            mae_days_high=float(mae_high),
            mape_pct=100.0 * _mean(np.abs(errors[clear]) / came[clear], weights[clear]) if clear.any() else 0.0,
            bias_days=_mean(errors, weights),
            coverage_p10_p90=_mean(covered.astype(np.float64), weights),
            coverage_low=float(cover_low),
            coverage_high=float(cover_high),
            mean_width_days=_mean(high - low, weights),
            snapshots=len(self.days),
            batteries=len(np.unique(self.truth.place)),
            strings=len(np.unique(self.string)),
            censored_share=float(self.truth.is_censored.mean()),
        )

    def by_horizon(self) -> dict[str, Score]:
        """Return the figures of ends that came within spans of days; only seen ends have a span."""
        days, seen = self.truth.days_to_end, ~self.truth.is_censored
        scores = {}
        for first, last in pairwise(HORIZONS_DAYS):
            chosen = seen & (days >= first) & (days < last)
            if chosen.any():
                scores[f"{first}-{last}"] = self.where(chosen).score()
        return scores


def thrice(days: FloatArray) -> FloatArray:
    """Return a prediction without an interval (n,) as one of no width (n, 3)."""
    return np.repeat(days[:, None], 3, axis=1)


def _mean(values: FloatArray, weights: FloatArray) -> float:
    return float(np.average(values, weights=weights))


def _drawn(columns: FloatArray, string: IntArray, seed: int) -> FloatArray:
    """Return sums (draws, columns) over strings drawn with replacement."""
    _, code = np.unique(string, return_inverse=True)
    count = int(code.max()) + 1
    sums = np.stack([np.bincount(code, weights=column, minlength=count) for column in columns.T], axis=1)
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1.0 / count), size=_DRAWS)
    drawn: FloatArray = times.astype(np.float64) @ sums
    # A draw of strings none of which saw an end says nothing.
    return drawn[drawn[:, 0] > 0.0]
