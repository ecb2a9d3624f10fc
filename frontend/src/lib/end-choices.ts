import { BANGKOK_OFFSET_MS } from "@/lib/dates";

/** When something ends: after a time, at eight the next morning, or at an instant of one's own. */
export const endChoices = ["1h", "4h", "tomorrow", "other"] as const;
export type EndChoice = (typeof endChoices)[number];

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/**
 * The instant that a choice made at `now` means; `other` is what a field of a Bangkok date and time holds. Null where it
 * is not valid or further away than `longestMs`.
 */
export function endInstant(choice: EndChoice, other: string, now: number, longestMs: number): string | null {
  const end = endOf(choice, other, now);
  return end > now && end <= now + longestMs ? new Date(end).toISOString() : null;
}

/** A field of a Bangkok date and time as an instant; null where it is empty or not valid. */
export function bangkokInstant(text: string): number | null {
  const instant = Date.parse(`${text}:00+07:00`);
  return Number.isNaN(instant) ? null : instant;
}

function endOf(choice: EndChoice, other: string, now: number): number {
  if (choice === "1h") return now + HOUR_MS;
  if (choice === "4h") return now + 4 * HOUR_MS;
  if (choice === "other") return bangkokInstant(other) ?? Number.NaN;
  const today = new Date(now + BANGKOK_OFFSET_MS);
  return Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + 1, 8) - BANGKOK_OFFSET_MS;
}
