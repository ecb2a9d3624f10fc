import { beforeEach, describe, expect, it } from "vitest";

import { LiveStore, type LiveValue } from "@/realtime/live-store";
import { latestOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";

import { colourAt, fillByOf, fillChoices, fillOf, liveFillChoices, partOf, partOfScale } from "./heat-fill";

const NOW = Date.parse("2026-11-23T18:00:00Z");
let value: LiveValue;

beforeEach(() => {
  const store = new LiveStore(() => undefined);
  store.applySnapshot(latestOf(new MockFleet(NOW), NOW));
  const found = store.get("BAT-DC-CNX-01-UPS-01-STR-01-001");
  if (found === undefined) throw new Error("not in the fleet");
  value = { ...found, time: NOW - 30_000, temperature_c: 27.5 };
});

describe("a cell's colour", () => {
  it("is none for a battery without data, so that it is hatched and never quiet", () => {
    expect(fillOf(value, "no_data", "status", NOW)).toBeNull();
    expect(fillOf(undefined, "no_data", "temperature_c", NOW)).toBeNull();
  });

  it("is none for a value that is too old to show", () => {
    expect(fillOf(value, "normal", "temperature_c", NOW)).not.toBeNull();
    expect(fillOf(value, "normal", "temperature_c", NOW + 300_000)).toBeNull();
  });

  it("is none where that one thing was not measured", () => {
    expect(fillOf({ ...value, temperature_c: null }, "normal", "temperature_c", NOW)).toBeNull();
  });

  it("differs for each status", () => {
    const fills = (["normal", "warning", "critical", "no_data"] as const).map((s) => fillOf(value, s, "status", NOW));
    expect(new Set(fills).size).toBe(4);
  });
});

it("positions a value on its scale and clamps it to the ends", () => {
  expect(partOf(value, "temperature_c", NOW)).toBe(0.5);
  expect(partOf({ ...value, temperature_c: 60 }, "temperature_c", NOW)).toBe(1);
  expect(partOf({ ...value, temperature_c: -5 }, "temperature_c", NOW)).toBe(0);
  expect(partOf(value, "age", NOW)).toBe(0.1);
});

it("grows darker steadily", () => {
  const lightness = [0, 0.25, 0.5, 0.75, 1].map((part) => Number(/(\d+)%\)$/.exec(colourAt(part))?.[1]));
  expect(lightness).toEqual([...lightness].sort((a, b) => b - a));
  expect(new Set(lightness).size).toBe(5);
});

it("takes an unknown choice in the address as status", () => {
  expect(fillByOf(new URLSearchParams("fill=voltage_v"), liveFillChoices)).toBe("voltage_v");
  expect(fillByOf(new URLSearchParams("fill=rubbish"), liveFillChoices)).toBe("status");
});

it.each([
  ["voltage_v", 13.2, 13.9],
  ["temperature_c", 20, 35],
  ["resistance_drift_pct", 0, 50],
] as const)("runs the scale of %s from its low end to its high one", (fillBy, low, high) => {
  const at = (measured: number) => partOf({ ...value, [fillBy]: measured }, fillBy, NOW);
  expect(at(low)).toBe(0);
  expect(at((low + high) / 2)).toBeCloseTo(0.5);
  expect(at(high)).toBe(1);
  expect(at(low - 1)).toBe(0);
  expect(at(high + 1)).toBe(1);
});

it("shows an age up to the limit of staleness, and hatches past it", () => {
  expect(partOf({ ...value, time: NOW }, "age", NOW)).toBe(0);
  expect(partOf({ ...value, time: NOW - 300_000, stale_after_s: 300 }, "age", NOW)).toBe(1);
  expect(partOf({ ...value, time: NOW - 300_001, stale_after_s: 300 }, "age", NOW)).toBeNull();
  expect(partOf({ ...value, time: null }, "age", NOW)).toBeNull();
});

it("has no colour between the ramp's ends that repeats", () => {
  const colours = Array.from({ length: 11 }, (_, i) => colourAt(i / 10));
  expect(new Set(colours).size).toBe(11);
  expect([colours[0], colours[10]]).toEqual(["hsl(200 55% 82%)", "hsl(270 55% 25%)"]);
});

it("offers remaining life only where it is known", () => {
  const params = new URLSearchParams("fill=rul_p10_days");
  expect(fillByOf(params, liveFillChoices)).toBe("status");
  expect(fillByOf(params, fillChoices)).toBe("rul_p10_days");
});

it("runs the scale of remaining life from its end to five years", () => {
  expect(partOfScale(0, "rul_p10_days")).toBe(0);
  expect(partOfScale(1825 / 2, "rul_p10_days")).toBe(0.5);
  expect(partOfScale(4000, "rul_p10_days")).toBe(1);
});
