import { expect, it } from "vitest";

import { formatCount, formatQuantity } from "./units";

it.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY])("shows %s as a dash, never as zero", (value) => {
  expect(formatQuantity(value, "voltage_v")).toBe("–");
});

it("shows a measured zero as zero", () => {
  expect(formatQuantity(0, "current_a")).toBe("0.0 A");
});

it("gives a drift its sign", () => {
  expect(formatQuantity(12.4, "resistance_drift_pct")).toBe("+12 %");
  expect(formatQuantity(-3.2, "resistance_drift_pct")).toBe("-3 %");
});

it("groups thousands", () => {
  expect(formatCount(1944, "en")).toBe("1,944");
});

it.each([
  [-0.04, "current_a", "0.0 A"],
  [-0.3, "resistance_drift_pct", "0 %"],
  [0.3, "resistance_drift_pct", "0 %"],
  [-0, "temperature_c", "0.0 °C"],
] as const)("gives no sign to %d, which rounds to zero", (value, name, text) => {
  expect(formatQuantity(value, name)).toBe(text);
});

it("keeps the sign of what does not round to zero", () => {
  expect(formatQuantity(-0.06, "current_a")).toBe("-0.1 A");
  expect(formatQuantity(0.6, "resistance_drift_pct")).toBe("+1 %");
});

it.each([
  ["voltage_v", 13.6249, "13.62 V"],
  ["string_voltage_v", 327.04, "327.0 V"],
  ["temperature_c", -5.25, "-5.3 °C"],
  ["internal_resistance_mohm", 4.2, "4.20 mΩ"],
  ["float_current_ma", 40.6, "41 mA"],
  ["humidity_pct", 58.4, "58 %"],
] as const)("shows %s at the resolution of its sensor", (name, value, text) => {
  expect(formatQuantity(value, name)).toBe(text);
});

it("leaves the unit out where the heading has it, but keeps the dash", () => {
  expect(formatQuantity(13.6, "voltage_v", false)).toBe("13.60");
  expect(formatQuantity(null, "voltage_v", false)).toBe("–");
});

it("has the same digits in Thai", () => {
  expect(formatCount(1_234_567, "th")).toBe("1,234,567");
  expect(formatCount(0, "th")).toBe("0");
});
