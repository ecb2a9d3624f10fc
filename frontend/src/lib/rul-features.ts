/** Units of the model's features, as `battery_ml.features.definition` names them; words are in the texts. */

export interface FeatureUnit {
  /** A symbol that reads the same in both languages, or the name of a text. */
  unit: string;
  decimals: number;
  /** From the unit of the wire to that of the screen. */
  factor?: number;
}

const percent = { unit: "%", decimals: 0 };
const millivolts = { unit: "mV", decimals: 0 };
const celsius = { unit: "°C", decimals: 1 };
const kelvin = { unit: "K", decimals: 1 };
const volts = { unit: "V", decimals: 2 };
const lifeShare = { unit: "ofDesignLife", decimals: 0, factor: 100 };
const percentPerYear = { unit: "pctPerYear", decimals: 1 };

export const featureUnits = {
  age_of_design_life: lifeShare,
  heat_age_of_design_life: lifeShare,
  temperature_90d_c: celsius,
  temperature_365d_c: celsius,
  hours_above_30c_a_day_365d: { unit: "hPerDay", decimals: 1 },
  temperature_swing_365d_k: kelvin,
  temperature_rise_90d_k: kelvin,
  resistance_over_baseline_pct: percent,
  resistance_over_string_pct: percent,
  resistance_of_string_pct: percent,
  resistance_rise_90d_pct_a_year: percentPerYear,
  resistance_rise_365d_pct_a_year: percentPerYear,
  float_voltage_90d_v: volts,
  voltage_deviation_90d_mv: millivolts,
  voltage_deviation_change_mv_a_year: { unit: "mvPerYear", decimals: 0 },
  string_spread_90d_mv: millivolts,
  float_current_90d_ma_per_100ah: { unit: "maPer100Ah", decimals: 0 },
  float_current_rise_pct_a_year: percentPerYear,
  discharges_a_year: { unit: "perYear", decimals: 1 },
  discharged_capacities_a_year: { unit: "capacitiesPerYear", decimals: 2 },
  deepest_discharge_pct: percent,
  discharge_sag_mv: millivolts,
  discharge_sag_change_mv: millivolts,
  replaced_in_string_pct: percent,
  discharge_min_v: volts,
  deepest_discharge_rate_pct_per_h: { unit: "pctPerH", decimals: 0 },
  deepest_discharge_days_ago: { unit: "days", decimals: 0 },
  peer_deviation_sd: { unit: "sd", decimals: 1 },
} as const satisfies Record<string, FeatureUnit>;

export type Feature = keyof typeof featureUnits;

export function isFeature(code: string): code is Feature {
  return Object.hasOwn(featureUnits, code);
}

/** Value and name of the unit on screen. */
export function onScreen(value: number, feature: Feature): { number: string; unit: string } {
  const { unit, decimals, factor = 1 }: FeatureUnit = featureUnits[feature];
  const shown = (value * factor).toFixed(decimals);
  return { number: Number(shown) === 0 ? shown.replace("-", "") : shown, unit };
}
