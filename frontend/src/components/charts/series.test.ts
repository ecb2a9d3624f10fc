import { expect, it } from "vitest";

import type { TelemetrySeries } from "@/api/types";
import { seriesOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";

import { axisDomain, extentOf, pointsOf } from "./series";

const END = Date.parse("2026-11-23T18:00:00Z");
const HOUR = 3_600_000;

function series(): TelemetrySeries {
  const battery = new MockFleet(END).need("BAT-DC-CNX-01-UPS-01-STR-01-001");
  return seriesOf(battery, END - 24 * HOUR, END, 240);
}

it("leaves a hole in the data open: one empty point where the line breaks", () => {
  const points = pointsOf(series(), "voltage_v");
  const empty = points.flatMap((point, i) => (point.mean === null ? [i] : []));
  expect(empty).toHaveLength(1);
  const hole = empty[0] ?? 0;
  expect((points[hole + 1]?.time ?? 0) - (points[hole - 1]?.time ?? 0)).toBeGreaterThan(2 * HOUR);
});

it("leaves out what was not measured instead of drawing zero", () => {
  const holed = series();
  holed.columns.temperature_c.mean[3] = null;
  const times = pointsOf(holed, "temperature_c").map(({ time }) => time);
  expect(times).not.toContain(Date.parse(holed.columns.time[3] ?? ""));
});

it("has neither points nor an extent for a channel without any value", () => {
  expect(pointsOf(series(), "soh_pct")).toEqual([]);
  expect(extentOf([])).toBeNull();
});

it("finds spikes inside buckets, not only the means", () => {
  const spiked = series();
  spiked.columns.voltage_v.min[5] = 10.2;
  expect(extentOf(pointsOf(spiked, "voltage_v"))?.min).toBe(10.2);
});

it("never stretches sensor noise over the whole axis", () => {
  const [low, high] = axisDomain({ min: 13.61, max: 13.62, last: 13.61 }, 0.2);
  expect(high - low).toBeGreaterThanOrEqual(0.2);
  expect(low).toBeLessThan(13.61);
  expect(high).toBeGreaterThan(13.62);
});
