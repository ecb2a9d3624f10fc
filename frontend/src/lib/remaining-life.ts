/** Arithmetic of remaining life: quantiles in days become dates; an unknown one stays unknown. */

import type { components } from "@/api/schema.gen";

export type RulDays = components["schemas"]["RulDays"];

const DAY_MS = 86_400_000;
/** A run renews every prediction daily; after two days one was missed. */
const RENEWED_WITHIN_MS = 2 * DAY_MS;

export interface KnownDays {
  p10: number;
  p50: number;
  p90: number;
  /** A quantile that reaches these days means longer. */
  longerThan: number | null;
}

/** The quantiles, or null where the prediction is withheld. */
export function knownDays(days: Omit<RulDays, "withheld_reason">): KnownDays | null {
  const { p10_days: p10, p50_days: p50, p90_days: p90, longer_than_days: longerThan } = days;
  return p10 === null || p50 === null || p90 === null ? null : { p10, p50, p90, longerThan };
}

export function isLonger(days: number, longerThan: number | null): boolean {
  return longerThan !== null && days >= longerThan;
}

/** Instant at which the days end that count from `asOf`. */
export function endOf(asOf: string, days: number): number {
  return Date.parse(asOf) + days * DAY_MS;
}

/** Days that remain of those that count from `since`; what has passed is not promised again. */
export function daysLeft(days: number, since: string, now: number): number {
  return Math.max(0, days - (now - Date.parse(since)) / DAY_MS);
}

export function isOverdue(predictedAt: string, now: number): boolean {
  return now - Date.parse(predictedAt) > RENEWED_WITHIN_MS;
}

/** Days as a span that never promises more than is known. */
export function spanOf(days: number): { unit: "days" | "years"; value: string; count: number } {
  if (days < 730) {
    const count = Math.floor(days);
    return { unit: "days", value: String(count), count };
  }
  const years = Math.floor((days / 365.25) * 10) / 10;
  return { unit: "years", value: years.toFixed(1), count: years };
}
