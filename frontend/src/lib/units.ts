/** Numbers with their units, at the resolution of the sensor. */

import type { Language } from "./dates";

export interface Quantity {
  unit: string;
  decimals: number;
}

export const quantities = {
  voltage_v: { unit: "V", decimals: 2 },
  string_voltage_v: { unit: "V", decimals: 1 },
  current_a: { unit: "A", decimals: 1 },
  temperature_c: { unit: "°C", decimals: 1 },
  internal_resistance_mohm: { unit: "mΩ", decimals: 2 },
  resistance_drift_pct: { unit: "%", decimals: 0 },
  float_current_ma: { unit: "mA", decimals: 0 },
  humidity_pct: { unit: "%", decimals: 0 },
} as const satisfies Record<string, Quantity>;

export type QuantityName = keyof typeof quantities;

/** A dash where nothing was measured: an absent value is never shown as zero. */
export function formatQuantity(value: number | null | undefined, name: QuantityName, withUnit = true): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const { unit, decimals } = quantities[name];
  const shown = value.toFixed(decimals);
  // What rounds to zero has no sign.
  const text = Number(shown) === 0 ? shown.replace("-", "") : shown;
  const sign = name === "resistance_drift_pct" && Number(shown) > 0 ? "+" : "";
  return `${sign}${text}${withUnit ? ` ${unit}` : ""}`;
}

export function formatCount(value: number, language: Language): string {
  return new Intl.NumberFormat(language === "th" ? "th-TH" : "en-GB").format(value);
}
