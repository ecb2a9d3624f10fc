"""The features that are served, from trailing windows of days."""

from collections.abc import Sequence

import numpy as np

from battery_ml.features.history import DailyHistory, FloatArray
from battery_ml.features.windows import mean_of_last, over_string_median, slope_of_last
from battery_ml.serving.feature_table import Feature, FeatureTable

_DAYS_A_YEAR = 365.25
_LEAST_FOR_MEDIAN = 3


def _compute(history: DailyHistory) -> FloatArray:
    width = next((values.shape[1] for values in history.days.values()), 1)
    nothing = np.full((len(history.battery_ids), width), np.nan)
    day = {name: history.days.get(name, nothing) for name in ("temperature_mean_c", "hours_above_30c")}
    resistance = history.days.get("resistance_25c_mohm", nothing)
    recent_resistance = mean_of_last(resistance, 30)
    with np.errstate(divide="ignore", invalid="ignore"):
        life_used = history.age_days / (_DAYS_A_YEAR * history.design_life_years)
    return np.column_stack(
        [
            history.age_days,
            life_used,
            mean_of_last(day["temperature_mean_c"], 90),
            mean_of_last(day["temperature_mean_c"], 365),
            mean_of_last(day["hours_above_30c"], 90),
            100.0 * (_over_string(recent_resistance, history.string_ids) - 1.0),
            100.0 * _DAYS_A_YEAR * slope_of_last(resistance, 180) / recent_resistance,
            1000.0 * mean_of_last(history.days.get("voltage_deviation_v", nothing), 90),
            mean_of_last(history.days.get("float_current_ma", nothing), 90),
            365.0 * mean_of_last(history.days.get("discharge_count", nothing), 365),
        ]
    )


def _over_string(values: FloatArray, string_ids: Sequence[str]) -> FloatArray:
    """Compare with the string; unknown for those with fewer than three known, as one alone would always look normal."""
    _, code = np.unique(np.asarray(string_ids), return_inverse=True)
    known = np.bincount(code, weights=np.isfinite(values))[code]
    return np.where(known >= _LEAST_FOR_MEDIAN, over_string_median(values, string_ids), np.nan)


DAILY_FEATURES = FeatureTable(
    features=(
        Feature(
            "age_days",
            "is {by} days older than the fleet",
            "is {by} days younger than the fleet",
            "its age is not known",
            0,
        ),
        Feature(
            "age_of_design_life",
            "has used {by} more of its design life than the fleet",
            "has used {by} less of its design life than the fleet",
            "its age or design life is not known",
            2,
        ),
        Feature(
            "temperature_90d_c",
            "ran {by} °C hotter than the fleet for 90 days",
            "ran {by} °C cooler than the fleet for 90 days",
            "its temperature of 90 days is not known",
        ),
        Feature(
            "temperature_365d_c",
            "ran {by} °C hotter than the fleet for a year",
            "ran {by} °C cooler than the fleet for a year",
            "its temperature of a year is not known",
        ),
        Feature(
            "hours_above_30c_a_day_90d",
            "spent {by} hours a day more above 30 °C than the fleet",
            "spent {by} hours a day less above 30 °C than the fleet",
            "its hours above 30 °C are not known",
        ),
        Feature(
            "resistance_over_string_pct",
            "has {by} % more resistance against its string than the fleet",
            "has {by} % less resistance against its string than the fleet",
            "its resistance was not measured for 30 days",
        ),
        Feature(
            "resistance_rise_pct_a_year",
            "its resistance rises {by} % a year faster than the fleet's",
            "its resistance rises {by} % a year slower than the fleet's",
            "the rise of its resistance is not known",
        ),
        Feature(
            "voltage_deviation_90d_mv",
            "floats {by} mV higher within its string than the fleet",
            "floats {by} mV lower within its string than the fleet",
            "its voltage within the string is not known",
        ),
        Feature(
            "float_current_90d_ma",
            "its string draws {by} mA more float current than the fleet",
            "its string draws {by} mA less float current than the fleet",
            "its string's float current is not known",
            0,
        ),
        Feature(
            "discharges_a_year",
            "was discharged {by} times a year more than the fleet",
            "was discharged {by} times a year less than the fleet",
            "its discharges are not known",
        ),
    ),
    compute=_compute,
)
