import { describe, expect, it } from "vitest";

import { formatAge, formatClock, formatDate, formatDateTime, formatTick, isoInBangkok, timeTicks } from "./dates";

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

describe("midnight in Bangkok", () => {
  const MIDNIGHT = Date.parse("2026-12-31T17:00:00Z");

  it("is 00:00 of the new day, never 24:00 of the old one", () => {
    expect(formatDateTime(MIDNIGHT, "en")).toBe("1 Jan 2027, 00:00");
    expect(formatClock(MIDNIGHT, "en", true)).toBe("00:00:00");
    expect(formatClock(MIDNIGHT, "th")).toBe("00:00");
    expect(isoInBangkok(MIDNIGHT)).toBe("2027-01-01T00:00:00+07:00");
  });

  it("changes the day and the Buddhist year from one millisecond to the next", () => {
    expect(formatDate(MIDNIGHT - 1, "en")).toBe("31 Dec 2026");
    expect(formatDate(MIDNIGHT, "en")).toBe("1 Jan 2027");
    expect(formatDate(MIDNIGHT - 1, "th")).toBe("31 ธ.ค. 2569");
    expect(formatDate(MIDNIGHT, "th")).toBe("1 ม.ค. 2570");
  });

  it("has a leap day", () => {
    expect(formatDate("2028-02-28T17:00:00Z", "en")).toBe("29 Feb 2028");
    expect(formatDate("2028-02-28T17:00:00Z", "th")).toBe("29 ก.พ. 2571");
  });

  it("is where days begin on the axis: a tick there names the new day", () => {
    expect(formatTick(MIDNIGHT, 7 * 86_400_000, "th")).toBe("1 ม.ค.");
    expect(formatTick(MIDNIGHT, 2 * 86_400_000, "en")).toBe("00:00");
  });
});

it("reads an instant alike as text, number and date", () => {
  for (const at of ["2026-12-31T16:30:00Z", "2026-12-31T23:30:00+07:00", EVE, new Date(EVE)]) {
    expect(formatDateTime(at, "en")).toBe("31 Dec 2026, 23:30");
  }
});

it.each([
  [4000, "4 วินาที"],
  [180_000, "3 นาที"],
  [2 * 3_600_000, "2 ชม."],
  [5 * 86_400_000, "5 วัน"],
])("an age of %d ms reads %s in Thai", (age, text) => {
  expect(formatAge(age, "th")).toBe(text);
});

it("has a tick at either end of the axis when they fall on whole hours", () => {
  const from = EVE + 1_800_000;
  expect(timeTicks(from, from + 3 * 3_600_000, 6)).toContain(from);
  expect(timeTicks(from, from + 3 * 3_600_000, 6).at(-1)).toBe(from + 3 * 3_600_000);
});

it("has no tick where none fits between the ends", () => {
  expect(timeTicks(EVE + 60_000, EVE + 120_000)).toEqual([]);
});
