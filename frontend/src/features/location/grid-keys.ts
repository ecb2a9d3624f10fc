/** The battery that an arrow, Home or End leads to; null where the key means nothing or the edge is reached. */
export function batteryByKey(rows: readonly (readonly string[])[], batteryId: string, key: string): string | null {
  const row = rows.findIndex((ids) => ids.includes(batteryId));
  const ids = rows[row];
  if (ids === undefined) return null;
  const column = ids.indexOf(batteryId);
  switch (key) {
    case "ArrowLeft":
      return ids[column - 1] ?? null;
    case "ArrowRight":
      return ids[column + 1] ?? null;
    case "ArrowUp":
      return rows[row - 1]?.[column] ?? null;
    case "ArrowDown":
      return rows[row + 1]?.[column] ?? null;
    case "Home":
      return ids[0] ?? null;
    case "End":
      return ids.at(-1) ?? null;
    default:
      return null;
  }
}
