"""The features of remaining life, defined once for training and for serving."""

from dataclasses import dataclass

from battery_ml.features.days import DAYS_A_YEAR, Days
from battery_ml.features.history import FloatArray
from battery_ml.features.table import Feature, FeatureTable
from battery_ml.features.windows import mean_of_last, slope_of_last


@dataclass(frozen=True, slots=True)
class _Mean:
    """Mean of what was read of a column in its last days; a class, since workers must be able to receive it."""

    column: str
    days: int
    scale: float = 1.0

    def __call__(self, given: Days) -> FloatArray:
        return self.scale * mean_of_last(given.of(self.column), self.days)


def _age(days: Days) -> FloatArray:
    return days.history.age_days / days.design_days


def _heat_age(days: Days) -> FloatArray:
    """Age as it would be at 25 °C, if it was always as warm as in the days that are known."""
    return _age(days) * mean_of_last(days.acceleration, 365)


def _swing(days: Days) -> FloatArray:
    return mean_of_last(days.of("temperature_max_c") - days.of("temperature_min_c"), 365)


def _resistance_over_baseline(days: Days) -> FloatArray:
    return 100.0 * (mean_of_last(days.resistance_ratio, 30) - 1.0)


def _resistance_over_string(days: Days) -> FloatArray:
    ratio = mean_of_last(days.resistance_ratio, 30)
    return 100.0 * (ratio - days.median(ratio))


def _resistance_of_string(days: Days) -> FloatArray:
    return 100.0 * (days.median(mean_of_last(days.resistance_ratio, 30)) - 1.0)


def _resistance_rise_90d(days: Days) -> FloatArray:
    return 100.0 * DAYS_A_YEAR * slope_of_last(days.resistance_ratio, 90)


def _resistance_rise_365d(days: Days) -> FloatArray:
    return 100.0 * DAYS_A_YEAR * slope_of_last(days.resistance_ratio, 365)


def _deviation_change(days: Days) -> FloatArray:
    return 1000.0 * DAYS_A_YEAR * slope_of_last(days.of("voltage_deviation_v"), 365)


def _float_current(days: Days) -> FloatArray:
    return 100.0 * mean_of_last(days.of("float_current_ma"), 90) / days.history.rated_ah


def _float_current_rise(days: Days) -> FloatArray:
    current = days.of("float_current_ma")
    return 100.0 * DAYS_A_YEAR * slope_of_last(current, 365) / mean_of_last(current, 365)


def _discharged(days: Days) -> FloatArray:
    return DAYS_A_YEAR * mean_of_last(days.of("discharge_ah"), 365) / days.history.rated_ah


def _depth(days: Days) -> FloatArray:
    return 100.0 * days.on_deepest("discharge_ah") / days.history.rated_ah


def _sag(days: Days) -> FloatArray:
    lowest = days.on_deepest("discharge_min_v")
    return 1000.0 * (days.median(lowest) - lowest)


def _sag_change(days: Days) -> FloatArray:
    before = days.on_deepest("discharge_min_v", years_ago=1)
    return _sag(days) - 1000.0 * (days.median(before) - before)


def _younger(days: Days) -> FloatArray:
    return 100.0 * days.younger_in_string


def _lowest(days: Days) -> FloatArray:
    return days.on_deepest("discharge_min_v")


RESISTANCE = "resistance_25c_mohm"
FEATURES = FeatureTable(
    (
        Feature(
            "age_of_design_life", _age, (), -1,
            "has used {by} more of its design life than the fleet",
            "has used {by} less of its design life than the fleet",
            "its age or design life is not known", 2,
        ),
        Feature(
            "heat_age_of_design_life", _heat_age, ("temperature_mean_c",), -1,
            "has used {by} more of its design life, counted by heat, than the fleet",
            "has used {by} less of its design life, counted by heat, than the fleet",
            "its age or the temperature of its year is not known", 2,
        ),
        Feature(
            "temperature_90d_c", _Mean("temperature_mean_c", 90), ("temperature_mean_c",), -1,
            "ran {by} °C hotter than the fleet for 90 days",
            "ran {by} °C cooler than the fleet for 90 days",
            "its temperature of 90 days is not known",
        ),
        Feature(
            "temperature_365d_c", _Mean("temperature_mean_c", 365), ("temperature_mean_c",), -1,
            "ran {by} °C hotter than the fleet for a year",
            "ran {by} °C cooler than the fleet for a year",
            "its temperature of a year is not known",
        ),
        Feature(
            "hours_above_30c_a_day_365d", _Mean("hours_above_30c", 365), ("hours_above_30c",), -1,
            "spent {by} hours a day more above 30 °C than the fleet, over a year",
            "spent {by} hours a day less above 30 °C than the fleet, over a year",
            "its hours above 30 °C are not known",
        ),
        Feature(
            "temperature_swing_365d_k", _swing, ("temperature_max_c", "temperature_min_c"), 0,
            "swings {by} K more a day than the fleet",
            "swings {by} K less a day than the fleet",
            "the swing of its temperature is not known",
        ),
        Feature(
            "temperature_rise_90d_k", _Mean("temperature_rise_k", 90), ("temperature_rise_k",), 0,
            "is {by} K warmer against its room than the fleet",
            "is {by} K cooler against its room than the fleet",
            "its temperature against the room is not known",
        ),
        Feature(
            "resistance_over_baseline_pct", _resistance_over_baseline, (RESISTANCE,), -1,
            "has gained {by} % of resistance more than the fleet",
            "has gained {by} % of resistance less than the fleet",
            "its resistance or its baseline is not known",
        ),
        Feature(
            "resistance_over_string_pct", _resistance_over_string, (RESISTANCE,), 0,
            "stands {by} % higher in resistance within its string than the fleet",
            "stands {by} % lower in resistance within its string than the fleet",
            "its resistance within the string is not known",
        ),
        Feature(
            "resistance_of_string_pct", _resistance_of_string, (RESISTANCE,), 0,
            "stands in a string that has gained {by} % of resistance more than the fleet",
            "stands in a string that has gained {by} % of resistance less than the fleet",
            "the resistance of its string is not known",
        ),
        Feature(
            "resistance_rise_90d_pct_a_year", _resistance_rise_90d, (RESISTANCE,), -1,
            "rose {by} % a year faster in resistance than the fleet for 90 days",
            "rose {by} % a year slower in resistance than the fleet for 90 days",
            "the rise of its resistance in 90 days is not known",
        ),
        Feature(
            "resistance_rise_365d_pct_a_year", _resistance_rise_365d, (RESISTANCE,), -1,
            "rose {by} % a year faster in resistance than the fleet for a year",
            "rose {by} % a year slower in resistance than the fleet for a year",
            "the rise of its resistance in a year is not known",
        ),
        Feature(
            "float_voltage_90d_v", _Mean("voltage_mean_v", 90), ("voltage_mean_v",), 0,
            "floats {by} V higher than the fleet",
            "floats {by} V lower than the fleet",
            "its float voltage is not known", 2,
        ),
        Feature(
            "voltage_deviation_90d_mv", _Mean("voltage_deviation_v", 90, 1000.0), ("voltage_deviation_v",), 0,
            "floats {by} mV higher within its string than the fleet",
            "floats {by} mV lower within its string than the fleet",
            "its voltage within the string is not known", 0,
        ),
        Feature(
            "voltage_deviation_change_mv_a_year", _deviation_change, ("voltage_deviation_v",), 0,
            "drifts up in its string by {by} mV a year more than the fleet",
            "drifts down in its string by {by} mV a year more than the fleet",
            "the drift of its voltage is not known", 0,
        ),
        Feature(
            "string_spread_90d_mv", _Mean("string_spread_v", 90, 1000.0), ("string_spread_v",), 0,
            "stands in a string whose blocks float {by} mV further apart than the fleet's",
            "stands in a string whose blocks float {by} mV closer together than the fleet's",
            "the spread of its string is not known", 0,
        ),
        Feature(
            "float_current_90d_ma_per_100ah", _float_current, ("float_current_ma",), 0,
            "its string draws {by} mA a 100 Ah more float current than the fleet",
            "its string draws {by} mA a 100 Ah less float current than the fleet",
            "its string's float current is not known", 0,
        ),
        Feature(
            "float_current_rise_pct_a_year", _float_current_rise, ("float_current_ma",), 0,
            "its string's float current rises {by} % a year faster than the fleet's",
            "its string's float current rises {by} % a year slower than the fleet's",
            "the rise of its string's float current is not known", 0,
        ),
        Feature(
            "discharges_a_year", _Mean("discharge_count", 365, DAYS_A_YEAR), ("discharge_count",), 0,
            "was discharged {by} times a year more than the fleet",
            "was discharged {by} times a year less than the fleet",
            "its discharges are not known",
        ),
        Feature(
            "discharged_capacities_a_year", _discharged, ("discharge_ah",), 0,
            "gave {by} times its capacity a year more than the fleet",
            "gave {by} times its capacity a year less than the fleet",
            "what it gave in a year is not known", 2,
        ),
        Feature(
            "deepest_discharge_pct", _depth, ("discharge_ah", "discharge_min_v"), 0,
            "was discharged {by} % deeper than the fleet in its deepest discharge",
            "was discharged {by} % less deep than the fleet in its deepest discharge",
            "it was not discharged deeply enough to tell", 0,
        ),
        Feature(
            "discharge_sag_mv", _sag, ("discharge_ah", "discharge_min_v"), -1,
            "fell {by} mV further below its string than the fleet when it was last discharged deeply",
            "fell {by} mV less below its string than the fleet when it was last discharged deeply",
            "its voltage under load is not known", 0,
        ),
        Feature(
            "discharge_sag_change_mv", _sag_change, ("discharge_ah", "discharge_min_v"), 0,
            "fell behind its string by {by} mV more than the fleet between the deepest discharges of two years",
            "fell behind its string by {by} mV less than the fleet between the deepest discharges of two years",
            "its voltage under load is not known of two years", 0,
        ),
        Feature(
            "replaced_in_string_pct", _younger, (), 0,
            "stands in a string of which {by} % more were replaced since it came than of the fleet's",
            "stands in a string of which {by} % less were replaced since it came than of the fleet's",
            "the ages of its string are not known", 0,
        ),
        Feature(
            "discharge_min_v", _lowest, ("discharge_ah", "discharge_min_v"), 0,
            "ended its deepest discharge {by} V higher than the fleet",
            "ended its deepest discharge {by} V lower than the fleet",
            "its voltage under load is not known", 2,
        ),
    )
)  # fmt: skip
"""Temperature law: `battery_ml.features.days`. Directions: heat, age, resistance and sag never lengthen a life."""
