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
