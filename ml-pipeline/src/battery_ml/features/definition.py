"""The features of remaining life, defined once for training and for serving."""

from battery_ml.features import quantities
from battery_ml.features.days import DAYS_PER_YEAR
from battery_ml.features.peers import deviation_sd
from battery_ml.features.table import Feature, FeatureTable

RESISTANCE = "resistance_25c_mohm"
FEATURES = FeatureTable(
    (
        Feature(
            "age_of_design_life", "age as a share of design life",
            quantities.age, (), -1,
            "is older than the fleet median by {by} of its design life",
            "is younger than the fleet median by {by} of its design life",
            "its age or design life is unknown", 2,
        ),
        Feature(
            "heat_age_of_design_life", "age at 25 °C as a share of design life",
            quantities.heat_age, ("temperature_mean_c",), -1,
            "has aged more than the fleet median by {by} of its design life, referred to 25 °C",
            "has aged less than the fleet median by {by} of its design life, referred to 25 °C",
            "its age or its temperature in the last year is unknown", 2,
        ),
        Feature(
            "temperature_90d_c", "mean temperature in the last 90 days",
            quantities.Mean("temperature_mean_c", 90), ("temperature_mean_c",), -1,
            "was {by} °C hotter than the fleet median in the last 90 days",
            "was {by} °C cooler than the fleet median in the last 90 days",
            "its temperature in the last 90 days is unknown",
        ),
        Feature(
            "temperature_365d_c", "mean temperature in the last year",
            quantities.Mean("temperature_mean_c", 365), ("temperature_mean_c",), -1,
            "was {by} °C hotter than the fleet median in the last year",
            "was {by} °C cooler than the fleet median in the last year",
            "its temperature in the last year is unknown",
        ),
        Feature(
            "hours_above_30c_a_day_365d", "time above 30 °C",
            quantities.Mean("hours_above_30c", 365), ("hours_above_30c",), -1,
            "spent {by} h per day more above 30 °C than the fleet median in the last year",
            "spent {by} h per day less above 30 °C than the fleet median in the last year",
            "its time above 30 °C is unknown",
        ),
        Feature(
            "temperature_swing_365d_k", "daily temperature swing",
            quantities.swing, ("temperature_max_c", "temperature_min_c"), 0,
            "its daily temperature swing is {by} K larger than the fleet median",
            "its daily temperature swing is {by} K smaller than the fleet median",
            "its daily temperature swing is unknown",
        ),
        Feature(
            "temperature_rise_90d_k", "temperature above its room",
            quantities.Mean("temperature_rise_k", 90), ("temperature_rise_k",), 0,
            "is {by} K warmer relative to its room than the fleet median",
            "is {by} K cooler relative to its room than the fleet median",
            "its temperature relative to its room is unknown",
        ),
        Feature(
            "resistance_over_baseline_pct", "resistance relative to its baseline",
            quantities.resistance_over_baseline, (RESISTANCE,), -1,
            "its resistance has risen {by} percentage points more above its baseline than the fleet median",
            "its resistance has risen {by} percentage points less above its baseline than the fleet median",
            "its resistance or its baseline is unknown",
        ),
        Feature(
            "resistance_over_string_pct", "resistance relative to its string",
            quantities.resistance_over_string, (RESISTANCE,), 0,
            "its resistance relative to its string is {by} percentage points higher than the fleet median",
            "its resistance relative to its string is {by} percentage points lower than the fleet median",
            "its resistance relative to its string is unknown",
        ),
        Feature(
            "resistance_of_string_pct", "string's resistance relative to the baseline",
            quantities.resistance_of_string, (RESISTANCE,), 0,
            "the resistance of its string has risen {by} percentage points more than the fleet median",
            "the resistance of its string has risen {by} percentage points less than the fleet median",
            "the resistance of its string is unknown",
        ),
        Feature(
            "resistance_rise_90d_pct_a_year", "rise of resistance in the last 90 days",
            quantities.resistance_rise_90d, (RESISTANCE,), -1,
            "its resistance rose {by} percentage points per year faster than the fleet median in the last 90 days",
            "its resistance rose {by} percentage points per year more slowly than the fleet median in the last 90 days",
            "the rise of its resistance in the last 90 days is unknown",
        ),
        Feature(
            "resistance_rise_365d_pct_a_year", "rise of resistance in the last year",
            quantities.resistance_rise_365d, (RESISTANCE,), -1,
            "its resistance rose {by} percentage points per year faster than the fleet median in the last year",
            "its resistance rose {by} percentage points per year more slowly than the fleet median in the last year",
            "the rise of its resistance in the last year is unknown",
        ),
        Feature(
            "float_voltage_90d_v", "float voltage",
            quantities.Mean("voltage_mean_v", 90), ("voltage_mean_v",), 0,
            "its float voltage is {by} V higher than the fleet median",
            "its float voltage is {by} V lower than the fleet median",
            "its float voltage is unknown", 2,
        ),
        Feature(
            "voltage_deviation_90d_mv", "float voltage relative to its string",
            quantities.Mean("voltage_deviation_v", 90, 1000.0), ("voltage_deviation_v",), 0,
            "its float voltage relative to its string is {by} mV higher than the fleet median",
            "its float voltage relative to its string is {by} mV lower than the fleet median",
            "its float voltage relative to its string is unknown", 0,
        ),
        Feature(
            "voltage_deviation_change_mv_a_year", "drift of float voltage within its string",
            quantities.deviation_change, ("voltage_deviation_v",), 0,
            "its float voltage drifts up within its string by {by} mV per year relative to the fleet median",
            "its float voltage drifts down within its string by {by} mV per year relative to the fleet median",
            "the drift of its float voltage is unknown", 0,
        ),
        Feature(
            "string_spread_90d_mv", "string's voltage spread",
            quantities.Mean("string_spread_v", 90, 1000.0), ("string_spread_v",), 0,
            "the voltage spread of its string is {by} mV larger than the fleet median",
            "the voltage spread of its string is {by} mV smaller than the fleet median",
            "the voltage spread of its string is unknown", 0,
        ),
        Feature(
            "float_current_90d_ma_per_100ah", "string's float current",
            quantities.float_current, ("float_current_ma",), 0,
            "its string draws {by} mA per 100 Ah more float current than the fleet median",
            "its string draws {by} mA per 100 Ah less float current than the fleet median",
            "the float current of its string is unknown", 0,
        ),
        Feature(
            "float_current_rise_pct_a_year", "rise of its string's float current",
            quantities.float_current_rise, ("float_current_ma",), 0,
            "the float current of its string rises {by} percentage points per year faster than the fleet median",
            "the float current of its string rises {by} percentage points per year more slowly than the fleet median",
            "the rise of its string's float current is unknown", 0,
        ),
        Feature(
            "discharges_a_year", "number of discharges per year",
            quantities.Mean("discharge_count", 365, DAYS_PER_YEAR), ("discharge_count",), 0,
            "was discharged {by} times per year more than the fleet median",
            "was discharged {by} times per year less than the fleet median",
            "its number of discharges is unknown",
        ),
        Feature(
            "discharged_capacities_a_year", "discharged charge per year",
            quantities.discharged_capacities, ("discharge_ah",), 0,
            "delivered {by} times its rated capacity per year more than the fleet median",
            "delivered {by} times its rated capacity per year less than the fleet median",
            "the charge that it delivered in the last year is unknown", 2,
        ),
        Feature(
            "deepest_discharge_pct", "depth of its deepest discharge",
            quantities.depth, ("discharge_ah", "discharge_min_v"), 0,
            "its deepest discharge was {by} percentage points deeper than the fleet median",
            "its deepest discharge was {by} percentage points shallower than the fleet median",
            "it has had no discharge deep enough to assess", 0,
        ),
        Feature(
            "discharge_sag_mv", "voltage sag below its string under load",
            quantities.sag, ("discharge_ah", "discharge_min_v"), -1,
            "its voltage fell {by} mV further below its string in the deepest discharge than the fleet median",
            "its voltage fell {by} mV less below its string in the deepest discharge than the fleet median",
            "its voltage under load is unknown", 0,
        ),
        Feature(
            "discharge_sag_change_mv", "yearly change of voltage sag under load",
            quantities.sag_change, ("discharge_ah", "discharge_min_v"), 0,
            "its voltage sag under load grew {by} mV more than the fleet median between two yearly deepest discharges",
            "its voltage sag under load grew {by} mV less than the fleet median between two yearly deepest discharges",
            "its voltage under load is not known for two years", 0,
        ),
        Feature(
            "replaced_in_string_pct", "share of replaced batteries in its string",
            quantities.replaced_in_string, (), 0,
            "the share of its string replaced since it was new is {by} percentage points higher than the fleet median",
            "the share of its string replaced since it was new is {by} percentage points lower than the fleet median",
            "the ages of the batteries in its string are unknown", 0,
        ),
        Feature(
            "discharge_min_v", "lowest voltage in its deepest discharge",
            quantities.lowest_v, ("discharge_ah", "discharge_min_v"), 0,
            "its lowest voltage in the deepest discharge was {by} V higher than the fleet median",
            "its lowest voltage in the deepest discharge was {by} V lower than the fleet median",
            "its voltage under load is unknown", 2,
        ),
        Feature(
            "deepest_discharge_rate_pct_per_h", "discharge rate in its deepest discharge",
            quantities.deepest_discharge_rate, ("discharge_ah", "discharge_s", "discharge_min_v"), 0,
            "its deepest discharge was faster than the fleet median by {by} % of rated capacity per hour",
            "its deepest discharge was slower than the fleet median by {by} % of rated capacity per hour",
            "the rate of its deepest discharge is unknown", 0,
        ),
        Feature(
            "deepest_discharge_days_ago", "time since its deepest discharge",
            quantities.deepest_discharge_days_ago, ("discharge_ah", "discharge_min_v"), 0,
            "its deepest discharge is {by} days longer ago than the fleet median",
            "its deepest discharge is {by} days more recent than the fleet median",
            "it has had no discharge deep enough to assess", 0,
        ),
        Feature(
            "peer_deviation_sd", "deviation from its string",
            deviation_sd, ("voltage_deviation_v", RESISTANCE, "discharge_ah", "discharge_min_v"), 0,
            "it deviates from its string by {by} standard deviations more than the fleet median",
            "it deviates from its string by {by} standard deviations less than the fleet median",
            "its deviation from its string is unknown",
        ),
    )
)  # fmt: skip
"""Temperature law: `battery_ml.features.days`. Directions: heat, age, resistance and sag never lengthen a life."""
