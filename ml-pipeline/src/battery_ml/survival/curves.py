"""Survival curves of many batteries: piecewise exponential between days, as far as training lives were followed."""

from dataclasses import dataclass

import numpy as np

from battery_ml.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class SurvivalCurves:
    """Cumulative hazards (n, days) on ascending days (days,) or, where each battery has its own, (n, days).

    The first day is 0, with a cumulative hazard of 0; it rises linearly in between. Survival is exp of its negative
    (Kalbfleisch and Prentice, *The Statistical Analysis of Failure Time Data*, 2002, section 1.2).
    """

    days: FloatArray
    cumulative_hazard: FloatArray

    def __len__(self) -> int:
        """Count the batteries."""
        return len(self.cumulative_hazard)

    @property
    def follow_up_days(self) -> FloatArray:
        """Day (n,) up to which each curve is known."""
        last: FloatArray = np.broadcast_to(self._days[:, -1], len(self))
        return last

    @property
    def _days(self) -> FloatArray:
        return np.atleast_2d(self.days)

    def failure_probability(self, at_days: FloatArray | float) -> FloatArray:
        """Return the probability (n,) of a failure until a day, one for all or each its own."""
        hazard = self._interpolated(self._days, self.cumulative_hazard, np.broadcast_to(at_days, len(self)))
        return -np.expm1(-hazard)

    def quantile_days(self, level: float) -> FloatArray:
        """Return the day (n,) until which a battery fails with probability ``level``; at most the follow-up."""
        return self.days_at_hazard(np.full(len(self), -np.log1p(-level)))

    def quantiles_days(self, levels: tuple[float, ...]) -> FloatArray:
        """Return the quantiles (n, levels) in days."""
        return np.column_stack([self.quantile_days(level) for level in levels])

    def days_at_hazard(self, hazard: FloatArray) -> FloatArray:
        """Return the day (n,) on which each cumulative hazard is reached; the last day where it is not."""
        return self._interpolated(self.cumulative_hazard, self._days, hazard)

    def at(self, rows: "np.ndarray[tuple[int], np.dtype[np.int64]] | FloatArray") -> "SurvivalCurves":
        """Return the curves of some rows."""
        days = self.days if self.days.ndim == 1 else self.days[rows]
        return SurvivalCurves(days, self.cumulative_hazard[rows])

    def _interpolated(self, abscissa: FloatArray, ordinate: FloatArray, at: FloatArray) -> FloatArray:
        """Interpolate row by row; an abscissa that stays level counts at its first point."""
        rows, last = np.arange(len(self)), self.cumulative_hazard.shape[1] - 1
        abscissa, ordinate = (np.broadcast_to(values, self.cumulative_hazard.shape) for values in (abscissa, ordinate))
        right = np.clip((abscissa < at[:, None]).sum(axis=1), 1, last)
        low_x, high_x = abscissa[rows, right - 1], abscissa[rows, right]
        low_y, high_y = ordinate[rows, right - 1], ordinate[rows, right]
        share = np.clip((at - low_x) / np.maximum(high_x - low_x, 1e-12), 0.0, 1.0)
        result: FloatArray = low_y + share * (high_y - low_y)
        return result
