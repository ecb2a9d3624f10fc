type Rows = readonly (readonly (string | null)[])[];

/** The battery that an arrow, Home or End leads to, over gaps; null where the key means nothing or the edge is reached. */
export function batteryByKey(rows: Rows, batteryId: string, key: string): string | null {
  const row = rows.findIndex((ids) => ids.includes(batteryId));
  const ids = rows[row];
  if (ids === undefined) return null;
  const column = ids.indexOf(batteryId);
  switch (key) {
    case "ArrowLeft":
      return lastOf(ids.slice(0, column));
    case "ArrowRight":
      return firstOf(ids.slice(column + 1));
    case "ArrowUp":
      return lastOf(rows.slice(0, row).map((above) => above[column]));
    case "ArrowDown":
      return firstOf(rows.slice(row + 1).map((below) => below[column]));
    case "Home":
      return firstOf(ids);
    case "End":
      return lastOf(ids);
    default:
      return null;
  }
}

type Ids = readonly (string | null | undefined)[];

const firstOf = (ids: Ids): string | null => ids.find((id) => id != null) ?? null;
const lastOf = (ids: Ids): string | null => firstOf([...ids].reverse());
