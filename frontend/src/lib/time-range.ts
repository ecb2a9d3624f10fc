/** Time ranges as they stand in the URL: `from=now-24h&to=now` or two instants in milliseconds. */

export const presets = ["1h", "6h", "24h", "7d", "30d", "90d", "1y"] as const;
export type Preset = (typeof presets)[number];

const spans: Record<Preset, number> = {
  "1h": 3_600_000,
  "6h": 6 * 3_600_000,
  "24h": 86_400_000,
  "7d": 7 * 86_400_000,
  "30d": 30 * 86_400_000,
  "90d": 90 * 86_400_000,
  "1y": 365 * 86_400_000,
};

export interface TimeRange {
  /** Set when the range ends now and moves on. */
  preset: Preset | null;
  from: number;
  to: number;
}

export function rangeOf(params: URLSearchParams, now: number): TimeRange {
  const from = params.get("from") ?? "now-24h";
  const to = params.get("to") ?? "now";
  const preset = presets.find((candidate) => from === `now-${candidate}`);
  if (preset !== undefined && to === "now") return { preset, from: now - spans[preset], to: now };
  const [start, end] = [Number(from), Number(to)];
  if (Number.isFinite(start) && Number.isFinite(end) && end - start >= 60_000)
    return { preset: null, from: start, to: end };
  // Anything else in the address falls back to the last day.
  return { preset: "24h", from: now - spans["24h"], to: now };
}

export function paramsOf(range: Preset | { from: number; to: number }): { from: string; to: string } {
  if (typeof range === "string") return { from: `now-${range}`, to: "now" };
  return { from: String(Math.round(range.from)), to: String(Math.round(range.to)) };
}

/** Move by half a width; never past now. */
export function shifted(range: TimeRange, direction: -1 | 1, now: number): { from: number; to: number } {
  const width = range.to - range.from;
  const to = Math.min(range.to + (direction * width) / 2, now);
  return { from: to - width, to };
}

export function zoomedOut(range: TimeRange, now: number): { from: number; to: number } {
  const width = range.to - range.from;
  const to = Math.min(range.to + width / 2, now);
  return { from: to - 2 * width, to };
}
