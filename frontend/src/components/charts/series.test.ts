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

/** A series of one channel at the given minutes, every value 13.6 V unless given. */
function at(minutes: number[], values: (number | null)[] = minutes.map(() => 13.6), bucketS: number | null = 60) {
  const base = series();
  return {
    ...base,
    bucket_s: bucketS,
    columns: {
      ...base.columns,
      time: minutes.map((minute) => new Date(END + minute * 60_000).toISOString()),
      voltage_v: { mean: values, last: values, min: values, max: values },
    },
  } satisfies TelemetrySeries;
}

/** Minutes after which the line breaks. */
const breaksOf = (shown: TelemetrySeries) => {
  const points = pointsOf(shown, "voltage_v");
  return points.flatMap((point, i) =>
    point.mean === null ? [((points[i - 1]?.time ?? Number.NaN) - END) / 60_000] : [],
  );
};

it("keeps a line of regular readings whole", () => {
  expect(breaksOf(at([0, 1, 2, 3, 4, 5]))).toEqual([]);
});

it("bridges one missing reading but not an outage", () => {
  expect(breaksOf(at([0, 1, 2, 4, 5, 6]))).toEqual([]);
  expect(breaksOf(at([0, 1, 2, 30, 31, 32]))).toEqual([2]);
});

it("breaks at each of several outages", () => {
  expect(breaksOf(at([0, 1, 2, 3, 20, 21, 22, 60, 61, 62]))).toEqual([3, 22]);
});

it("does not take the slower of two rhythms for an outage", () => {
  expect(breaksOf(at([0, 60, 120, 180, 181, 182, 183, 240, 300]))).toEqual([]);
});

it("breaks no line between buckets that follow each other, however long they are", () => {
  expect(breaksOf(at([0, 1440], [13.6, 13.5], 86_400))).toEqual([]);
});

it("breaks the line where many values in a row were not measured", () => {
  const minutes = Array.from({ length: 30 }, (_, i) => i);
  const values = minutes.map((minute) => (minute > 9 && minute < 20 ? null : 13.6));
  expect(breaksOf(at(minutes, values))).toEqual([9]);
});

it("makes no gap of a single reading, nor of none", () => {
  expect(pointsOf(at([0]), "voltage_v")).toEqual([{ time: END, mean: 13.6, band: [13.6, 13.6] }]);
  expect(pointsOf(at([]), "voltage_v")).toEqual([]);
});

it("has no band where only one of its ends is known", () => {
  const halved = series();
  halved.columns.voltage_v.max[2] = null;
  const [, , third] = pointsOf(halved, "voltage_v");
  expect(third?.mean).not.toBeNull();
  expect(third?.band).toBeNull();
});

it("sums up what was measured, whatever gap comes last", () => {
  const points = [
    { time: 1, mean: 13.5, band: [13.1, 13.9] as [number, number] },
    { time: 2, mean: 13.7, band: null },
    { time: 3, mean: null, band: null },
  ];
  expect(extentOf(points)).toEqual({ min: 13.1, max: 13.9, last: 13.7 });
});

it("takes a measured zero as a value", () => {
  expect(extentOf([{ time: 1, mean: 0, band: null }])).toEqual({ min: 0, max: 0, last: 0 });
});

it("centres an axis on its data, with air on either side", () => {
  expect(axisDomain({ min: 10, max: 14, last: 12 }, 0.2)).toEqual([9.6, 14.4]);
  const [low, high] = axisDomain({ min: -75, max: -75, last: -75 }, 1);
  expect([low, high]).toEqual([-75.6, -74.4]);
});

it("takes limits far from the data into the axis", () => {
  const [low, high] = axisDomain({ min: 11.4, max: 11.5, last: 11.45 }, 0.2, [13, 13.2]);
  expect(low).toBeLessThan(11.4);
  expect(high).toBeGreaterThan(13.2);
});
