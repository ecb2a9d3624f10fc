import { expect, it } from "vitest";

import { daysOf, noDays } from "@/testing/predictions";

import { calendarTicks, formatEnd, formatMonth } from "./calendar";
import { daysLeft, endOf, isLonger, isOverdue, knownDays, spanOf } from "./remaining-life";

const NOW = Date.parse("2026-11-30T05:00:00Z");
const DAY_MS = 86_400_000;

it("knows no days of a prediction that is withheld", () => {
  expect(knownDays(noDays("sensor_fault"))).toBeNull();
  expect(knownDays(daysOf(1, 2, 3, 3))).toEqual({ p10: 1, p50: 2, p90: 3, longerThan: 3 });
});

it("takes a quantile that reaches the limit as longer", () => {
  expect(isLonger(2999.9, 3000)).toBe(false);
  expect(isLonger(3000, 3000)).toBe(true);
  expect(isLonger(1e6, null)).toBe(false);
});

it("counts days from their own instant, not from today", () => {
  expect(endOf("2026-11-29T17:00:00Z", 2)).toBe(Date.parse("2026-12-01T17:00:00Z"));
  expect(daysLeft(100, new Date(NOW - 30 * DAY_MS).toISOString(), NOW)).toBe(70);
  expect(daysLeft(20, new Date(NOW - 30 * DAY_MS).toISOString(), NOW)).toBe(0);
});

it("misses a renewal after two days", () => {
  expect(isOverdue(new Date(NOW - 1.9 * DAY_MS).toISOString(), NOW)).toBe(false);
  expect(isOverdue(new Date(NOW - 2.1 * DAY_MS).toISOString(), NOW)).toBe(true);
});

it.each([
  [0.9, "days", "0"],
  [142.9, "days", "142"],
  [729.9, "days", "729"],
  [730, "years", "1.9"],
  [1826.25, "years", "5.0"],
])("rounds %d days down, to %s", (days, unit, value) => {
  expect(spanOf(days)).toMatchObject({ unit, value });
});

it("names a month in both languages, with the Buddhist year in Thai", () => {
  const at = Date.parse("2028-03-05T00:00:00Z");
  expect(formatMonth(at, "en")).toBe("March 2028");
  expect(formatMonth(at, "th")).toBe("มีนาคม 2571");
});

it("gives the day of a near end and only the month of a far one", () => {
  expect(formatEnd(NOW + 40 * DAY_MS, NOW, "en")).toBe("9 Jan 2027");
  expect(formatEnd(NOW + 400 * DAY_MS, NOW, "en")).toBe("January 2028");
});

it.each([3 * 365, 200, 12 * 365])("sets at most five ticks on whole months of Bangkok over %d days", (days) => {
  const ticks = calendarTicks(NOW, NOW + days * DAY_MS, 5, "en");
  expect(ticks.length).toBeGreaterThan(1);
  expect(ticks.length).toBeLessThanOrEqual(6);
  for (const { at } of ticks) expect(new Date(at + 7 * 3_600_000).toISOString()).toMatch(/-01T00:00:00/);
});
