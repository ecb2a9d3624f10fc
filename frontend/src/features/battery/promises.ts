import type { RulEntry } from "@/api/types";
import { endOf, isLonger, knownDays } from "@/lib/remaining-life";

/** What one prediction promised: instants in milliseconds, null where it was withheld. */
export interface Promised {
  time: number;
  band: [number, number] | null;
  mid: number | null;
  /** Which of the ends lie beyond what the data reach, so that they are lower bounds. */
  isOpen: { p10: boolean; p50: boolean; p90: boolean };
  withheldReason: string | null;
}

/** Oldest first, as a chart runs. */
export function promisesOf(entries: readonly RulEntry[]): Promised[] {
  return entries
    .map((entry) => {
      const time = Date.parse(entry.predicted_at);
      const days = knownDays(entry.fused);
      if (days === null) {
        const isOpen = { p10: false, p50: false, p90: false };
        return { time, band: null, mid: null, isOpen, withheldReason: entry.fused.withheld_reason };
      }
      const { p10, p50, p90, longerThan } = days;
      const end = (value: number) =>
        endOf(entry.as_of, longerThan !== null && isLonger(value, longerThan) ? longerThan : value);
      return {
        time,
        band: [end(p10), end(p90)] as [number, number],
        mid: end(p50),
        isOpen: { p10: isLonger(p10, longerThan), p50: isLonger(p50, longerThan), p90: isLonger(p90, longerThan) },
        withheldReason: null,
      };
    })
    .sort((a, b) => a.time - b.time);
}
