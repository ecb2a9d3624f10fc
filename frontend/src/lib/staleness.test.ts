import { expect, it } from "vitest";

import { DEFAULT_STALE_AFTER_S, isStale } from "./staleness";

const NOW = Date.parse("2026-11-23T18:00:00Z");

it.each([
  ["no reading", null, 300, true],
  ["a new reading", NOW - 1000, 300, false],
  ["a reading at the limit", NOW - 300_000, 300, false],
  ["a reading past the limit", NOW - 300_001, 300, true],
  ["a reading from a clock that is ahead", NOW + 60_000, 300, false],
  ["an hourly battery within its own limit", NOW - 3_600_000, 7200, false],
])("%s", (_, time, limit, expected) => {
  expect(isStale(time, limit, NOW)).toBe(expected);
});

it("has five minutes as the default limit", () => {
  expect(DEFAULT_STALE_AFTER_S).toBe(300);
});
