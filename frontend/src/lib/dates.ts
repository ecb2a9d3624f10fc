/** Times as operators read them: Asia/Bangkok, 24 hours, Buddhist year in Thai. */

export const ZONE = "Asia/Bangkok";
export const BANGKOK_OFFSET_MS = 7 * 3600_000;

export type Language = "en" | "th";

const locales: Record<Language, string> = { en: "en-GB", th: "th-TH-u-ca-buddhist" };

export function formatDateTime(at: string | number | Date, language: Language): string {
  return new Intl.DateTimeFormat(locales[language], {
    timeZone: ZONE,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(at));
}

export function formatDate(at: string | number | Date, language: Language): string {
  return new Intl.DateTimeFormat(locales[language], {
    timeZone: ZONE,
    day: "numeric",
    month: "short",
    year: "numeric",
  }).format(new Date(at));
}

export function formatClock(at: string | number | Date, language: Language, withSeconds = false): string {
  return new Intl.DateTimeFormat(locales[language], {
    timeZone: ZONE,
    hour: "2-digit",
    minute: "2-digit",
    ...(withSeconds ? { second: "2-digit" as const } : {}),
    hourCycle: "h23",
  }).format(new Date(at));
}

/** ISO 8601 with the offset of Bangkok, for files that people open in a spreadsheet. */
export function isoInBangkok(at: number): string {
  return `${new Date(at + BANGKOK_OFFSET_MS).toISOString().slice(0, 19)}+07:00`;
}

/** Age in words short enough for a cell: 4 s, 3 min, 2 h, 5 d. */
export function formatAge(milliseconds: number, language: Language): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const units =
    language === "th" ? { s: "วินาที", min: "นาที", h: "ชม.", d: "วัน" } : { s: "s", min: "min", h: "h", d: "d" };
  if (seconds < 90) return `${seconds} ${units.s}`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} ${units.min}`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} ${units.h}`;
  return `${Math.round(seconds / 86_400)} ${units.d}`;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const tickSteps = [
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  90 * DAY,
];

/** Ticks on whole Bangkok hours or days, at most `count` of them. */
export function timeTicks(from: number, to: number, count = 8): number[] {
  const step = tickSteps.find((candidate) => (to - from) / candidate <= count) ?? 180 * DAY;
  const first = Math.ceil((from + BANGKOK_OFFSET_MS) / step) * step - BANGKOK_OFFSET_MS;
  const ticks: number[] = [];
  for (let tick = first; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}

export function formatTick(at: number, span: number, language: Language): string {
  if (span <= 2 * DAY) return formatClock(at, language);
  return new Intl.DateTimeFormat(locales[language], { timeZone: ZONE, day: "numeric", month: "short" }).format(at);
}
