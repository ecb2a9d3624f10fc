import type { BatterySummary, HealthStatus, NotJudged } from "@/api/types";
import { daysLeft } from "@/lib/remaining-life";
import { DEFAULT_STALE_AFTER_S } from "@/lib/staleness";
import { type LiveValue, statusNow } from "@/realtime/live-store";

export const columns = [
  "battery_id",
  "status",
  "voltage_v",
  "temperature_c",
  "internal_resistance_mohm",
  "resistance_drift_pct",
  "rul_p10_days",
  "time",
] as const;
type Column = (typeof columns)[number];

export interface Row {
  battery_id: string;
  serial_number: string;
  /** Nothing watches what is retired, so it has no status of health. */
  status: HealthStatus | "retired";
  not_judged: readonly NotJudged[];
  voltage_v: number | null;
  temperature_c: number | null;
  internal_resistance_mohm: number | null;
  resistance_drift_pct: number | null;
  /** Days from now on; null without a prediction, which is no long life. */
  rul_p10_days: number | null;
  rul_p50_days: number | null;
  time: number | null;
  stale_after_s: number;
}

/** A battery's row: live values where they are known, else those of the list. */
export function rowOf(battery: BatterySummary, live: LiveValue | undefined, now: number): Row {
  const stored = battery.live;
  const rul = rulOf(battery, now);
  return {
    battery_id: battery.battery_id,
    serial_number: battery.serial_number,
    status: battery.retired_at !== null ? "retired" : live ? statusNow(live, now) : battery.status,
    not_judged: battery.not_judged,
    voltage_v: live?.voltage_v ?? stored?.voltage_v ?? null,
    temperature_c: live?.temperature_c ?? stored?.temperature_c ?? null,
    internal_resistance_mohm: live?.internal_resistance_mohm ?? stored?.internal_resistance_mohm ?? null,
    resistance_drift_pct: live?.resistance_drift_pct ?? stored?.resistance_drift_pct ?? null,
    rul_p10_days: rul.p10,
    rul_p50_days: rul.p50,
    time: live?.time ?? (stored ? Date.parse(stored.time) : null),
    stale_after_s: live?.stale_after_s ?? stored?.stale_after_s ?? DEFAULT_STALE_AFTER_S,
  };
}

/** Remaining life from now on: the days of the list count from the prediction. */
export function rulOf(battery: BatterySummary, now: number): { p10: number | null; p50: number | null } {
  const { rul_p10_days: p10 = null, rul_p50_days: p50 = null, rul_predicted_at: at = null } = battery;
  if (p10 === null || p50 === null || at === null || battery.retired_at !== null) return { p10: null, p50: null };
  return { p10: daysLeft(p10, at, now), p50: daysLeft(p50, at, now) };
}

const statusOrder: Record<Row["status"], number> = { critical: 0, no_data: 1, warning: 2, normal: 3, retired: 4 };

/** Value of the status filter that keeps the rows of which the alert rules cannot judge something. */
export const NOT_JUDGED = "not_judged";

export function selectRows(rows: readonly Row[], selection: { text: string; status: string; sort: string }): Row[] {
  const text = selection.text.trim().toLowerCase();
  const descending = selection.sort.startsWith("-");
  const column = columnOf(selection.sort);
  const selected = rows.filter(
    (row) =>
      (text === "" || row.battery_id.toLowerCase().includes(text) || row.serial_number.toLowerCase().includes(text)) &&
      (selection.status === "" ||
        (selection.status === NOT_JUDGED ? row.not_judged.length > 0 : row.status === selection.status)),
  );
  return selected.sort((a, b) => compare(a, b, column, descending) || a.battery_id.localeCompare(b.battery_id));
}

/** How many rows have no value of the column that they are sorted by; they come last. */
export function unknownCount(rows: readonly Row[], sort: string): number {
  const column = columnOf(sort);
  return rows.filter((row) => row[column] === null).length;
}

export function columnOf(sort: string): Column {
  const name = sort.replace(/^-/, "");
  return columns.find((candidate) => candidate === name) ?? "battery_id";
}

function compare(a: Row, b: Row, column: Column, descending: boolean): number {
  const left = column === "status" ? statusOrder[a.status] : a[column];
  const right = column === "status" ? statusOrder[b.status] : b[column];
  // Values never measured come last in either direction.
  if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
  const order = typeof left === "string" ? left.localeCompare(String(right)) : left - Number(right);
  return descending ? -order : order;
}
