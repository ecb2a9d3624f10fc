/** Dates years ahead: months in words and ticks on whole months or years of Bangkok. */

import { BANGKOK_OFFSET_MS, formatDate, type Language, ZONE } from "./dates";

const locales: Record<Language, string> = { en: "en-GB", th: "th-TH-u-ca-buddhist" };
const SOON_MS = 180 * 86_400_000;

type Width = "long" | "short";

/** March 2028; in Thai with the Buddhist year and without the name of the era. */
export function formatMonth(at: number, language: Language, width: Width = "long"): string {
  const part = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locales[language], { timeZone: ZONE, ...options }).format(at);
  return `${part({ month: width })} ${formatYear(at, language)}`;
}

export function formatYear(at: number, language: Language): string {
  const parts = new Intl.DateTimeFormat(locales[language], { timeZone: ZONE, year: "numeric" }).formatToParts(at);
  return parts.find(({ type }) => type === "year")?.value ?? "";
}

/** To the day while it is near, to the month beyond: a day in five years would claim what nobody knows. */
export function formatEnd(at: number, now: number, language: Language): string {
  return at - now < SOON_MS ? formatDate(at, language) : formatMonth(at, language);
}

const monthSteps = [1, 3, 6, 12, 24, 36, 60, 120, 240, 600];

export interface CalendarTick {
  at: number;
  label: string;
}

/** Ticks at the begin of months or years, at most `count` of them. */
export function calendarTicks(from: number, to: number, count: number, language: Language): CalendarTick[] {
  const first = new Date(from + BANGKOK_OFFSET_MS);
  const firstMonth = 12 * first.getUTCFullYear() + first.getUTCMonth();
  const months = (to - from) / (30.44 * 86_400_000);
  const step = monthSteps.find((candidate) => months / candidate <= count) ?? 1200;
  const ticks: CalendarTick[] = [];
  for (let month = Math.ceil(firstMonth / step) * step; ; month += step) {
    const at = Date.UTC(Math.floor(month / 12), month % 12, 1) - BANGKOK_OFFSET_MS;
    if (at > to) return ticks;
    if (at >= from)
      ticks.push({ at, label: step >= 12 ? formatYear(at, language) : formatMonth(at, language, "short") });
  }
}
