import { describe, expect, it } from "vitest";

import { paramsOf, presets, rangeOf, shifted, zoomedOut } from "./time-range";

const NOW = Date.parse("2026-11-23T18:00:00Z");
const HOUR = 3_600_000;

function read(text: string) {
  return rangeOf(new URLSearchParams(text), NOW);
}

describe("a range in the address", () => {
  it.each(presets)("now-%s survives being written and read", (preset) => {
    const range = read(new URLSearchParams(paramsOf(preset)).toString());
    expect(range.preset).toBe(preset);
    expect(range.to).toBe(NOW);
  });

  it("of two instants survives being written and read", () => {
    const written = paramsOf({ from: NOW - 5 * HOUR, to: NOW - HOUR });
    expect(read(new URLSearchParams(written).toString())).toEqual({
      preset: null,
      from: NOW - 5 * HOUR,
      to: NOW - HOUR,
    });
  });

  it.each(["", "from=rubbish", "from=now-3y&to=now", "from=5&to=5", `from=${NOW}&to=${NOW - HOUR}`])(
    "%j falls back to the last day",
    (text) => {
      expect(read(text)).toEqual({ preset: "24h", from: NOW - 24 * HOUR, to: NOW });
    },
  );
});

it("moves by half a width and never past now", () => {
  const range = { preset: null, from: NOW - 10 * HOUR, to: NOW - 6 * HOUR };
  expect(shifted(range, -1, NOW)).toEqual({ from: NOW - 12 * HOUR, to: NOW - 8 * HOUR });
  expect(shifted({ preset: null, from: NOW - 5 * HOUR, to: NOW - HOUR }, 1, NOW)).toEqual({
    from: NOW - 4 * HOUR,
    to: NOW,
  });
});

it("zooms out to twice the width, ending now at the latest", () => {
  expect(zoomedOut({ preset: null, from: NOW - 4 * HOUR, to: NOW - 2 * HOUR }, NOW)).toEqual({
    from: NOW - 5 * HOUR,
    to: NOW - HOUR,
  });
  expect(zoomedOut(read("from=now-24h&to=now"), NOW)).toEqual({ from: NOW - 48 * HOUR, to: NOW });
});
