"""Naive predictions that need no model; a model has to be clearly better."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.features.days import DAYS_PER_YEAR
from battery_ml.features.table import FeatureTable
from battery_ml.survival.censoring import failure_quantile, inverse_probability_weights, weighted_quantile

END_RISE_PCT: Final = 25.0
"""Rise of resistance that goes with about 80 % capacity (domain literature: ELO)."""
_ASSUMED_DESIGN_YEARS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Baselines:
    """Four baselines; three numbers of the training fleet are all that they use."""

    table: FeatureTable
    median_days: float
    """Median remaining life of any battery at any time."""
    median_life_days: float
    """Median life from new at 25 °C; other temperatures are converted by Arrhenius' law."""
    typical_life_days: float
    """Median life from new at whatever temperature."""

    @classmethod
    def of(cls, training: Snapshots, table: FeatureTable) -> "Baselines":
        """Take them from a training split: lives from new by the product-limit estimate, censored ones included."""
        weights = inverse_probability_weights(training.days_to_end, training.is_censored)
        age_days, acceleration = _age_and_acceleration(training, table)
        life_days = age_days + training.days_to_end
        # One entry per life: of all its snapshots the last one knows its temperatures best.
        last = np.lexsort((training.day, training.generation, training.battery_slot))
        keys = np.column_stack([training.battery_slot, training.generation])[last]
        is_last = np.append(np.any(keys[1:] != keys[:-1], axis=1), True)  # the end of the array
        chosen = last[is_last]
        chosen = chosen[np.isfinite(acceleration[chosen])]
        is_censored = training.is_censored[chosen]
        return cls(
            table,
            weighted_quantile(training.days_to_end, weights, 0.5),
            failure_quantile(acceleration[chosen] * life_days[chosen], is_censored, 0.5),
            failure_quantile(life_days[chosen], is_censored, 0.5),
        )

    @classmethod
    def from_facts(cls, table: FeatureTable, facts: Mapping[str, float]) -> "Baselines":
        """Take them from the metrics of a manifest; raises ``KeyError`` if it has none."""
        return cls(table, facts["median_days"], facts["median_life_days"], facts["typical_life_days"])

    def facts(self) -> dict[str, float]:
        """Return the three numbers by name."""
        return {
            "median_days": self.median_days,
            "median_life_days": self.median_life_days,
            "typical_life_days": self.typical_life_days,
        }

    def predict(self, snapshots: Snapshots) -> dict[str, FloatArray]:
        """Return the predicted days (n,) by name of baseline."""
        fleet_median = np.full(len(snapshots), self.median_days)
        age_days, acceleration = _age_and_acceleration(snapshots, self.table)
        by_age = np.maximum(self.median_life_days / acceleration - age_days, 0.0)
        rise_pct = self._column(snapshots, "resistance_over_baseline_pct")
        slope_pct_per_year = self._column(snapshots, "resistance_rise_365d_pct_a_year")
        with np.errstate(divide="ignore", invalid="ignore"):
            by_trend = np.maximum(END_RISE_PCT - rise_pct, 0.0) / slope_pct_per_year * DAYS_PER_YEAR
        # A trend that does not rise never reaches the end: the fleet median stands in.
        is_rising = (slope_pct_per_year > 0.0) & np.isfinite(by_trend)
        by_life = np.maximum(self.typical_life_days - age_days, 0.0)
        return {
            "fleet_median": fleet_median,
            "life_minus_age": np.where(np.isfinite(by_life), by_life, fleet_median),
            "age_arrhenius": np.where(np.isfinite(by_age), by_age, fleet_median),
            "resistance_trend": np.where(is_rising, np.minimum(by_trend, 4.0 * fleet_median), fleet_median),
        }

    def _column(self, snapshots: Snapshots, name: str) -> FloatArray:
        return snapshots.features[:, self.table.names.index(name)].astype(np.float64)


def _age_and_acceleration(snapshots: Snapshots, table: FeatureTable) -> tuple[FloatArray, FloatArray]:
    """Return the ages in days (n,) and the ageing rates relative to 25 °C (n,)."""
    age = snapshots.features[:, table.names.index("age_of_design_life")].astype(np.float64)
    heat_age = snapshots.features[:, table.names.index("heat_age_of_design_life")].astype(np.float64)
    return age * _ASSUMED_DESIGN_YEARS * DAYS_PER_YEAR, np.where(age > 0.0, heat_age / age, np.nan)
