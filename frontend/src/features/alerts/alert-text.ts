import type { TFunction } from "i18next";

import type { Alert } from "@/api/types";
import { unitText } from "@/i18n";

/** The figures of an alert: the value that raised it, and its threshold. */
export function alertText(alert: Alert): string {
  if (alert.value === null || alert.threshold === null) return "";
  const unit = unitText(alert.unit);
  return `${formatFigure(alert.value)} ${unit} (${formatFigure(alert.threshold)} ${unit})`;
}

/** Whether the condition holds, has passed, or ended with its battery. */
export function stateText(alert: Pick<Alert, "is_active" | "end_reason">, t: TFunction): string {
  if (alert.is_active) return t("alerts.active");
  return alert.end_reason ? t("alerts.event.ended") : t("alerts.cleared");
}

export function formatFigure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 20 ? 1 : 2);
}
