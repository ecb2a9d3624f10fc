import type { Alert } from "@/api/types";

/** The figures of an alert: the value that raised it against its limit; the words come from the type. */
export function alertText(alert: Alert): string {
  if (alert.value === null || alert.threshold === null) return "";
  const unit = alert.unit ?? "";
  return `${shown(alert.value)} ${unit} (${shown(alert.threshold)} ${unit})`;
}

export function shown(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 20 ? 1 : 2);
}
