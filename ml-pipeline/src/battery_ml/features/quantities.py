"""The quantities that the features are, each (batteries,) at the end of a history; NaN where it was not measured."""

from dataclasses import dataclass

import numpy as np

from battery_ml.arrays import FloatArray
from battery_ml.features.days import DAYS_PER_YEAR, Days
from battery_ml.features.windows import mean_of_last, slope_of_last


@dataclass(frozen=True, slots=True)
class Mean:
    """Scaled mean of a column over the last ``window_days``; a class, since a closure cannot be sent to a worker."""

    column: str
    window_days: int
    scale: float = 1.0

    def __call__(self, days: Days) -> FloatArray:
        """Return the mean (batteries,)."""
        return self.scale * mean_of_last(days.column(self.column), self.window_days)


def age(days: Days) -> FloatArray:
    """Return the age as a share of the design life."""
    return days.history.age_days / days.design_days


def heat_age(days: Days) -> FloatArray:
    """Return the equivalent age at 25 °C, assuming the temperature of the last year for the whole life."""
    return age(days) * mean_of_last(days.acceleration, 365)


def swing(days: Days) -> FloatArray:
    """Return the mean daily range of temperature of the last year in K."""
    return mean_of_last(days.column("temperature_max_c") - days.column("temperature_min_c"), 365)


def resistance_over_baseline(days: Days) -> FloatArray:
    """Return the mean resistance of the last 30 days over the battery's own baseline, in % above it."""
    return 100.0 * (mean_of_last(days.resistance_ratio, 30) - 1.0)


def resistance_over_string(days: Days) -> FloatArray:
    """Return how much more it rose above its baseline than the median of its string, in percentage points."""
    ratio = mean_of_last(days.resistance_ratio, 30)
    return 100.0 * (ratio - days.median(ratio))


def resistance_of_string(days: Days) -> FloatArray:
    """Return the median of the string, in % above the baselines."""
    return 100.0 * (days.median(mean_of_last(days.resistance_ratio, 30)) - 1.0)


def resistance_rise_90d(days: Days) -> FloatArray:
    """Return the slope of the last 90 days in % of the baseline per year."""
    return 100.0 * DAYS_PER_YEAR * slope_of_last(days.resistance_ratio, 90)


def resistance_rise_365d(days: Days) -> FloatArray:
    """Return the slope of the last year in % of the baseline per year."""
    return 100.0 * DAYS_PER_YEAR * slope_of_last(days.resistance_ratio, 365)


def deviation_change(days: Days) -> FloatArray:
    """Return the slope of the float voltage relative to the string in mV per year."""
    return 1000.0 * DAYS_PER_YEAR * slope_of_last(days.column("voltage_deviation_v"), 365)


def float_current(days: Days) -> FloatArray:
    """Return the string's float current in mA per 100 Ah."""
    return 100.0 * mean_of_last(days.column("float_current_ma"), 90) / days.history.rated_ah


def float_current_rise(days: Days) -> FloatArray:
    """Return the slope of the string's float current in % of its mean per year."""
    current = days.column("float_current_ma")
    return 100.0 * DAYS_PER_YEAR * slope_of_last(current, 365) / mean_of_last(current, 365)


def discharged_capacities(days: Days) -> FloatArray:
    """Return the charge delivered per year in rated capacities."""
    return DAYS_PER_YEAR * mean_of_last(days.column("discharge_ah"), 365) / days.history.rated_ah


def depth(days: Days) -> FloatArray:
    """Return the charge of the deepest discharge in % of rated capacity."""
    return 100.0 * days.on_deepest("discharge_ah") / days.history.rated_ah


def sag(days: Days) -> FloatArray:
    """Return how far the voltage fell below the median of the string in the deepest discharge, in mV."""
    lowest_v = days.on_deepest("discharge_min_v")
    return 1000.0 * (days.median(lowest_v) - lowest_v)


def sag_change(days: Days) -> FloatArray:
    """Return the change of that from the deepest discharge of the year before, in mV."""
    previous_v = days.on_deepest("discharge_min_v", years_ago=1)
    return sag(days) - 1000.0 * (days.median(previous_v) - previous_v)


def replaced_in_string(days: Days) -> FloatArray:
    """Return the share of the string that is younger, in %."""
    return 100.0 * days.younger_in_string


def lowest_v(days: Days) -> FloatArray:
    """Return the lowest voltage in the deepest discharge in V."""
    return days.on_deepest("discharge_min_v")


def deepest_discharge_rate(days: Days) -> FloatArray:
    """Return the mean current of the day's discharges on the deepest one, in % of rated capacity per hour."""
    hours = days.on_deepest("discharge_s") / 3600.0
    return 100.0 * days.on_deepest("discharge_ah") / days.history.rated_ah / np.where(hours > 0.0, hours, np.nan)


def deepest_discharge_days_ago(days: Days) -> FloatArray:
    """Return the days since the deepest discharge of the last 400."""
    return days.deepest_days_ago
