import type { HealthStatus } from "@/api/types";
import { DEFAULT_STALE_AFTER_S, isStale } from "@/lib/staleness";
import type { LiveValue } from "@/realtime/live-store";

/** What live values give; remaining life comes from the predictions, which only some pages have. */
export const liveFillChoices = ["status", "voltage_v", "temperature_c", "resistance_drift_pct", "age"] as const;
export const fillChoices = [...liveFillChoices, "rul_p10_days"] as const;
export type LiveFillBy = (typeof liveFillChoices)[number];
export type FillBy = (typeof fillChoices)[number];

interface Scale {
  low: number;
  high: number;
}

/** Ends of the colour scales: the float band, rooms from cool to the warning limit, drift up to the replace limit, half a design life. */
export const scales: Record<Exclude<FillBy, "status">, Scale> = {
  voltage_v: { low: 13.2, high: 13.9 },
  temperature_c: { low: 20, high: 35 },
  resistance_drift_pct: { low: 0, high: 50 },
  age: { low: 0, high: DEFAULT_STALE_AFTER_S },
  rul_p10_days: { low: 0, high: 1825 },
};

const statusFills: Record<HealthStatus, string | null> = {
  normal: "--ok-fill",
  warning: "--warning-fill",
  critical: "--critical-fill",
  no_data: null,
};

export function fillByOf<F extends FillBy>(params: URLSearchParams, choices: readonly F[]): F | "status" {
  return choices.find((choice) => choice === params.get("fill")) ?? "status";
}

/** Where a battery's value lies on the scale, 0 to 1; null where it is not known or too old to show. */
export function partOf(
  value: LiveValue | undefined,
  fillBy: Exclude<LiveFillBy, "status">,
  now: number,
): number | null {
  if (value === undefined || value.time === null || isStale(value.time, value.stale_after_s, now)) return null;
  const measured = fillBy === "age" ? (now - value.time) / 1000 : value[fillBy];
  return measured === null ? null : partOfScale(measured, fillBy);
}

/** Where a value lies on its scale, 0 to 1; beyond an end it is that end. */
export function partOfScale(value: number, fillBy: Exclude<FillBy, "status">): number {
  const { low, high } = scales[fillBy];
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** Colour of a cell: a CSS variable, a colour, or null where nothing is known. */
export function fillOf(
  value: LiveValue | undefined,
  status: HealthStatus,
  fillBy: LiveFillBy,
  now: number,
): string | null {
  if (fillBy === "status") return statusFills[status];
  const part = partOf(value, fillBy, now);
  return part === null ? null : colourAt(part);
}

/** Light blue to dark blue-violet in even steps of lightness: readable for colour-blind viewers and in grey. */
export function colourAt(part: number): string {
  return `hsl(${Math.round(200 + 70 * part)} 55% ${Math.round(82 - 57 * part)}%)`;
}
