import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { isWaiting } from "@/api/incident-match";
import type { Incident } from "@/api/types";
import { Button } from "@/components/ui/button";
import type { ActionKind } from "@/i18n/incident-texts";

import { hasEnded } from "./filters";

/** What makes sense for an incident as it is, the most likely first. */
export function actionsFor(incident: Incident): ActionKind[] {
  if (hasEnded(incident.status)) return ["comment"];
  const actions: ActionKind[] = [];
  if (isWaiting(incident) || incident.unacknowledged_count > 0) actions.push("acknowledge");
  actions.push("assign", "comment", incident.status === "snoozed" ? "end-snooze" : "snooze", "resolve");
  return actions;
}

/** The page of silences with a new one about what the incident is about. */
export function silenceLink({ string_id: stringId, location_id, types }: Incident): string {
  const params = new URLSearchParams({
    scope: stringId === null ? "location" : "string",
    scope_id: stringId ?? location_id,
  });
  for (const type of types) params.append("type", type);
  return `/silences?${params.toString()}`;
}

interface IncidentActionsProps {
  incident: Incident;
  onAct: (kind: ActionKind) => void;
}

export function IncidentActions({ incident, onAct }: IncidentActionsProps) {
  const { t } = useTranslation();
  return (
    <div className="my-4 flex flex-wrap gap-2">
      {actionsFor(incident).map((kind) => (
        <Button key={kind} tone={kind === "acknowledge" ? "primary" : "plain"} onClick={() => onAct(kind)}>
          {t(`incidents.action.${kind}`)}
        </Button>
      ))}
      {!hasEnded(incident.status) && (
        <Link to={silenceLink(incident)} className="inline-flex min-h-8 items-center text-accent underline">
          {t("incidents.silenceIt")}
        </Link>
      )}
    </div>
  );
}
