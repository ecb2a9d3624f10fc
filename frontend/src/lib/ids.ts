/** The grammar of ids: BAT-<string>-<position>, a string lies in a system, a system in a location. */

export function batteryIdsOf(stringId: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `BAT-${stringId}-${String(i + 1).padStart(3, "0")}`);
}

/** The part of an id below its location: its short name where the location is known. */
export function shortId(id: string): string {
  return id.replace(/^(BAT-)?DC-[A-Z]{3}-\d{2}-/, "");
}
