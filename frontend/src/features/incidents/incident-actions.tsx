import { useTranslation } from "react-i18next";

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
    </div>
  );
}
