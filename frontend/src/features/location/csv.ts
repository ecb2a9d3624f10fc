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
  "rul_p10_days",
  "rul_p50_days",
] as const satisfies readonly (keyof Row)[];

/** The table as CSV: units in the header, ISO 8601 times of Bangkok, an absent value as an empty cell. */
export function csvOf(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    [...columns.map((name) => row[name]), row.time === null ? null : isoInBangkok(row.time), notJudgedOf(row)]
      .map(cellOf)
      .join(","),
  );
  return `${[[...columns, "time", "not_judged"].join(","), ...lines].join("\r\n")}\r\n`;
}

function notJudgedOf(row: Row): string {
  return row.not_judged.map(({ signal, reason }) => `${signal}: ${reason}`).join("; ");
}

/** What a spreadsheet takes for the beginning of a formula, also after white space and in full width. */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/;

function cellOf(value: string | number | null): string {
  const text = value === null ? "" : typeof value === "number" ? String(value) : inert(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A text that a spreadsheet shows and never runs: an apostrophe in front marks it as text. */
function inert(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

export function saveCsv(name: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
