"""What anybody could say without a model: naive predictions that a model has to beat by a wide margin."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_ml.datasets.folder import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.features.days import DAYS_A_YEAR
from battery_ml.features.table import FeatureTable
from battery_ml.training.censoring import inverse_probability_weights, weighted_quantile

END_RISE_PCT: Final = 25.0
"""A quarter more resistance goes with about 80 % capacity (domain literature: ELO)."""
_ASSUMED_DESIGN_YEARS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Baselines:
    """Each knows of the training fleet no more than one number: its median life."""

    table: FeatureTable
    median_days: float
    """Left, of any battery at any time."""
    median_life_days: float
    """From new to the end at 25 °C, other temperatures taken by Arrhenius' law."""

    @classmethod
    def of(cls, teach: Snapshots, table: FeatureTable) -> "Baselines":
        """Learn the one number of each."""
        weights = inverse_probability_weights(teach.days_to_end, teach.is_censored)
        age_days, acceleration = _age_and_heat(teach, table)
        lives = acceleration * (age_days + teach.days_to_end)
        known = np.isfinite(lives)
        return cls(
            table,
            weighted_quantile(teach.days_to_end, weights, 0.5),
            weighted_quantile(lives[known], weights[known], 0.5),
        )

    def predict(self, snapshots: Snapshots) -> dict[str, FloatArray]:
        """Return days (n,) by name of baseline."""
        nothing = np.full(len(snapshots), self.median_days)
        age_days, acceleration = _age_and_heat(snapshots, self.table)
        by_heat = np.maximum(self.median_life_days / acceleration - age_days, 0.0)
        rise = self._column(snapshots, "resistance_over_baseline_pct")
        slope = self._column(snapshots, "resistance_rise_365d_pct_a_year")
        with np.errstate(divide="ignore", invalid="ignore"):
            by_trend = np.maximum(END_RISE_PCT - rise, 0.0) / slope * DAYS_A_YEAR
        # A line that does not rise never gets there; what is then said is what is said of anybody.
        by_trend = np.where((slope > 0.0) & np.isfinite(by_trend), np.minimum(by_trend, 4.0 * nothing), nothing)
        return {
            "fleet_median": nothing,
            "age_arrhenius": np.where(np.isfinite(by_heat), by_heat, nothing),
            "resistance_trend": by_trend,
        }

    def _column(self, snapshots: Snapshots, name: str) -> FloatArray:
        return snapshots.features[:, self.table.names.index(name)].astype(np.float64)


def _age_and_heat(snapshots: Snapshots, table: FeatureTable) -> tuple[FloatArray, FloatArray]:
    """Return ages and how much faster than at 25 °C each battery ages."""
    age = snapshots.features[:, table.names.index("age_of_design_life")].astype(np.float64)
    heat_age = snapshots.features[:, table.names.index("heat_age_of_design_life")].astype(np.float64)
    return age * _ASSUMED_DESIGN_YEARS * DAYS_A_YEAR, np.where(age > 0.0, heat_age / age, np.nan)
