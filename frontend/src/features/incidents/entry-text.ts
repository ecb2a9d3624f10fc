import type { IncidentEntry } from "@/api/types";
import type { Words } from "@/components/alert-explanation/figures";
import { formatDateTime } from "@/lib/dates";

const severities = ["critical", "warning", "info"] as const;

/** What an entry of a timeline says happened. */
export function entryText({ kind, actor, data }: IncidentEntry, words: Words): string {
  const { t } = words;
  switch (kind) {
    case "opened":
      return t("incidents.entry.opened", {
        severity: severityText(data.severity, words),
        count: count(data.alert_count),
      });
    case "joined":
      return t("incidents.entry.joined", { count: count(data.count) });
    case "escalated":
      return t("incidents.entry.escalated", {
        before: severityText(data.severity_before, words),
        severity: severityText(data.severity, words),
      });
    case "reopened":
      return t("resolved_at" in data ? "incidents.entry.outlasted" : "incidents.entry.reopened");
    case "merged":
      return t("incidents.entry.merged", { id: listText([data.merged_into]) });
    case "absorbed":
      return t("incidents.entry.absorbed", { ids: listText(data.incident_ids) });
    case "assigned":
      return typeof data.assignee === "string"
        ? t("incidents.entry.assigned", { who: data.assignee })
        : t("incidents.entry.unassigned");
    case "snoozed":
      return t("incidents.entry.snoozed", { at: instantText(data.until, words) });
    case "snooze_ended":
      return t(actor === null ? "incidents.entry.snooze_over" : "incidents.entry.snooze_ended");
    default:
      return t(`incidents.entry.${kind}`);
  }
}

/** Who did it; what follows from actions on single alerts names its person among the particulars. */
export function actorOf({ actor, data }: IncidentEntry): string | null {
  return actor ?? (typeof data.actor === "string" ? data.actor : null);
}

function severityText(value: unknown, { t }: Words): string {
  const severity = severities.find((one) => one === value);
  return severity === undefined ? "–" : t(`severity.${severity}`);
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function listText(value: unknown): string {
  return Array.isArray(value) ? value.filter((one) => typeof one === "number").join(", ") : "–";
}

function instantText(value: unknown, { language }: Words): string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? formatDateTime(value, language) : "–";
}
