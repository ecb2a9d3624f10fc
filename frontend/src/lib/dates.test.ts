import { describe, expect, it } from "vitest";

import { formatAge, formatClock, formatDateTime, formatTick, isoInBangkok, timeTicks } from "./dates";

// 23:30 in Bangkok on New Year's Eve is still the afternoon in London and the morning in New York.
const EVE = Date.parse("2026-12-31T16:30:00Z");

describe("times as operators read them", () => {
  it("are those of Bangkok whatever the machine's zone", () => {
    expect(formatDateTime(EVE, "en")).toBe("31 Dec 2026, 23:30");
    expect(formatClock(EVE + 1_800_000, "en")).toBe("00:00");
    expect(isoInBangkok(EVE + 3_600_000)).toBe("2027-01-01T00:30:00+07:00");
  });

  it("have the Buddhist year in Thai", () => {
    expect(formatDateTime(EVE, "th")).toContain("2569");
    expect(formatDateTime(EVE, "th")).toContain("ธ.ค.");
  });
});

it.each([
  [0, "0 s"],
  [-4000, "0 s"],
  [89_000, "89 s"],
  [90_000, "2 min"],
  [89 * 60_000, "89 min"],
  [3 * 3_600_000, "3 h"],
  [50 * 3_600_000, "2 d"],
])("an age of %d ms reads %s", (age, text) => {
  expect(formatAge(age, "en")).toBe(text);
});

describe("ticks of a time axis", () => {
  it("stand on whole hours of Bangkok", () => {
    const ticks = timeTicks(EVE, EVE + 6 * 3_600_000, 6);
    expect(ticks.map((tick) => isoInBangkok(tick).slice(11, 16))).toEqual([
      "00:00",
      "01:00",
      "02:00",
      "03:00",
      "04:00",
      "05:00",
    ]);
  });

  it("stand on Bangkok's midnight over days", () => {
    const ticks = timeTicks(EVE, EVE + 6 * 86_400_000, 6);
    expect(new Set(ticks.map((tick) => isoInBangkok(tick).slice(11)))).toEqual(new Set(["00:00:00+07:00"]));
    expect(formatTick(ticks[0] ?? 0, 6 * 86_400_000, "en")).toBe("1 Jan");
  });

  it.each([1, 24, 24 * 30, 24 * 365])("are few over %d h", (hours) => {
    const ticks = timeTicks(EVE, EVE + hours * 3_600_000, 8);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThanOrEqual(9);
  });
});
