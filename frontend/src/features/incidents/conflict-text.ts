import type { Incident } from "@/api/types";
import type { Words } from "@/components/alert-explanation/figures";
import { formatDateTime } from "@/lib/dates";

import type { Conflict } from "./commands";
import { hasEnded } from "./filters";

/** Whether the same command makes sense once more, now that the user knows what has changed. */
export function canSendAgain({ code, state }: Conflict): boolean {
  return code === "incident_changed" && state !== null && !hasEnded(state.status);
}

/** What somebody else did, or what became of an incident, since the user saw it. */
export function changesText(seen: Incident | undefined, { state }: Conflict, words: Words): string[] {
  const { t } = words;
  if (state === null) return [t("incidents.conflict.hidden")];
  const changes = [...peopleText(seen, state, words), ...courseText(seen, state, words)];
  if (changes.length > 0) return changes;
  const name = hasEnded(state.status) ? "ended" : "other";
  return [t(`incidents.conflict.${name}`, { status: t(`incidents.status.${state.status}`) })];
}

function peopleText(seen: Incident | undefined, state: Incident, { t, language }: Words): string[] {
  const changes: string[] = [];
  const { acknowledged_at, resolved_at, snoozed_until, assignee } = state;
  const at = (instant: string) => formatDateTime(instant, language);
  if (acknowledged_at !== null && acknowledged_at !== seen?.acknowledged_at) {
    changes.push(t("incidents.conflict.acknowledged", { who: state.acknowledged_by ?? "–", at: at(acknowledged_at) }));
  }
  if (resolved_at !== null && resolved_at !== seen?.resolved_at) {
    changes.push(t("incidents.conflict.resolved", { who: state.resolved_by ?? "–", at: at(resolved_at) }));
  }
  if (seen !== undefined && assignee !== seen.assignee) {
    changes.push(
      assignee === null ? t("incidents.conflict.unassigned") : t("incidents.conflict.assigned", { who: assignee }),
    );
  }
  if (seen !== undefined && snoozed_until !== seen.snoozed_until) {
    changes.push(
      snoozed_until === null
        ? t("incidents.conflict.unsnoozed")
        : t("incidents.conflict.snoozed", { at: at(snoozed_until) }),
    );
  }
  return changes;
}

function courseText(seen: Incident | undefined, state: Incident, { t }: Words): string[] {
  const changes: string[] = [];
  if (state.merged_into !== null) changes.push(t("incidents.conflict.merged", { id: state.merged_into }));
  if (seen === undefined) return changes;
  if (state.severity !== seen.severity) {
    changes.push(t("incidents.conflict.severity", { severity: t(`severity.${state.severity}`) }));
  }
  if (state.alert_count > seen.alert_count) changes.push(t("incidents.conflict.more", { count: state.alert_count }));
  if (seen.is_active !== state.is_active) {
    changes.push(t(state.is_active ? "incidents.conflict.back" : "incidents.conflict.over"));
  }
  return changes;
}
