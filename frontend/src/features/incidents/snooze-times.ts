import { BANGKOK_OFFSET_MS } from "@/lib/dates";

export const snoozes = ["1h", "4h", "tomorrow", "other"] as const;
export type Snooze = (typeof snoozes)[number];

const HOUR_MS = 3_600_000;
const LONGEST_MS = 7 * 24 * HOUR_MS;

/** When a snooze chosen at `now` ends; `other` is what a field of a Bangkok date and time holds. Null where it is not valid. */
export function snoozeEnd(snooze: Snooze, other: string, now: number): string | null {
  const end = endOf(snooze, other, now);
  return end > now && end <= now + LONGEST_MS ? new Date(end).toISOString() : null;
}

function endOf(snooze: Snooze, other: string, now: number): number {
  if (snooze === "1h") return now + HOUR_MS;
  if (snooze === "4h") return now + 4 * HOUR_MS;
  if (snooze === "other") return Date.parse(`${other}:00+07:00`);
  const today = new Date(now + BANGKOK_OFFSET_MS);
  return Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + 1, 8) - BANGKOK_OFFSET_MS;
}
