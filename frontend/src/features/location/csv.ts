import { isoInBangkok } from "@/lib/dates";

import type { Row } from "./rows";

const columns = [
  "battery_id",
  "serial_number",
  "status",
  "voltage_v",
  "temperature_c",
  "internal_resistance_mohm",
  "resistance_drift_pct",
] as const satisfies readonly (keyof Row)[];

/** The table as CSV: units in the header, ISO 8601 times of Bangkok, an absent value as an empty cell. */
export function csvOf(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    [...columns.map((name) => row[name]), row.time === null ? null : isoInBangkok(row.time)].map(cellOf).join(","),
  );
  return `${[[...columns, "time"].join(","), ...lines].join("\r\n")}\r\n`;
}

function cellOf(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function saveCsv(name: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
