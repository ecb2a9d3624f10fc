/** The grammar of ids: BAT-<string>-<position>, a string lies in a system, a system in a location. */

/** Batteries in their positions: the first is position 1, and null stands where none of them is. */
export function byPosition(batteryIds: readonly string[]): (string | null)[] {
  const row: (string | null)[] = [];
  for (const id of batteryIds) {
    const index = Number(id.slice(id.lastIndexOf("-") + 1)) - 1;
    while (row.length < index) row.push(null);
    row[index] = id;
  }
  return row;
}

/** The part of an id below its location: its short name where the location is known. */
export function shortId(id: string): string {
  return id.replace(/^(BAT-)?DC-[A-Z]{3}-\d{2}-/, "");
}
