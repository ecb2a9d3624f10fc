import type { TelemetrySeries } from "@/api/types";

export type Channel = "voltage_v" | "current_a" | "temperature_c" | "internal_resistance_mohm" | "soc_pct" | "soh_pct";

export interface Point {
  time: number;
  mean: number | null;
  /** Lowest and highest of the bucket; null in a gap. */
  band: [number, number] | null;
}

/**
 * Points of a channel for a chart. Between buckets that are too far apart an empty point breaks the line: a gap in the
 * data is shown, never bridged.
 */
export function pointsOf(series: TelemetrySeries, channel: Channel): Point[] {
  const column = series.columns[channel];
  const times = series.columns.time;
  const points: Point[] = [];
  const measured: Point[] = [];
  times.forEach((text, i) => {
    const mean = column.mean[i] ?? null;
    const min = column.min[i] ?? null;
    const max = column.max[i] ?? null;
    if (mean !== null)
      measured.push({ time: Date.parse(text), mean, band: min === null || max === null ? null : [min, max] });
  });
  const limit = gapLimit(measured, series.bucket_s);
  measured.forEach((point, i) => {
    const before = measured[i - 1];
    if (before !== undefined && point.time - before.time > limit) {
      points.push({ time: before.time + 1, mean: null, band: null });
    }
    points.push(point);
  });
  return points;
}

/**
 * Distance in ms past which two adjacent points have a gap between them: 3 usual steps, at least one bucket and a half.
 *
 * A series may mix rhythms (hourly rows, seconds during a discharge), so the usual step is the longest one that
 * comes back at least three times; a rhythm repeats, an outage does not.
 */
function gapLimit(points: readonly Point[], bucketS: number | null): number {
  const steps = points.slice(1).map((point, i) => point.time - (points[i]?.time ?? point.time));
  steps.sort((a, b) => b - a);
  const usual = steps.find((step, i) => (steps[i + 2] ?? 0) >= 0.8 * step) ?? steps[0] ?? 60_000;
  return Math.max(3 * usual, 1.5 * (bucketS ?? 0) * 1000, 180_000);
}

export interface Extent {
  min: number;
  max: number;
  last: number;
}

export function extentOf(points: readonly Point[]): Extent | null {
  const measured = points.filter((point) => point.mean !== null);
  const last = measured.at(-1)?.mean;
  if (last === undefined || last === null) return null;
  const lows = measured.map((point) => point.band?.[0] ?? point.mean ?? last);
  const highs = measured.map((point) => point.band?.[1] ?? point.mean ?? last);
  return { min: Math.min(...lows), max: Math.max(...highs), last };
}

/** An axis that shows the data and any given limits with some air, and is never narrower than what the sensor resolves. */
export function axisDomain(extent: Extent, leastSpan: number, limits: readonly number[] = []): [number, number] {
  const max = Math.max(extent.max, ...limits);
  const min = Math.min(extent.min, ...limits);
  const span = Math.max(max - min, leastSpan);
  const middle = (max + min) / 2;
  return [middle - span * 0.6, middle + span * 0.6];
}
