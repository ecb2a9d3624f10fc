import type { ReactNode } from "react";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { Incident } from "@/api/types";
import { SeverityLabel } from "@/components/status";
import { useLanguage } from "@/i18n";
import { alertTypeText } from "@/i18n/alert-texts";
import { formatDateTime } from "@/lib/dates";

import { batteriesText, newText, statusText } from "./row-text";

interface IncidentFactsProps {
  incident: Incident;
  locationName: string;
  size: number | undefined;
}

/** How bad it is, what it is about and where, how far it is and with whom. */
export function IncidentFacts({ incident, locationName, size }: IncidentFactsProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const fresh = newText(incident, t);
  const facts: [string, ReactNode][] = [
    [t("incidents.fact.where"), <Where key="where" incident={incident} locationName={locationName} size={size} />],
    [t("incidents.fact.family"), t(`incidents.family.${incident.family}`)],
    [t("incidents.fact.status"), statusText(incident, t, language)],
    [t("incidents.fact.assignee"), incident.assignee ?? t("incidents.fact.unassigned")],
    [t("incidents.fact.opened"), formatDateTime(incident.opened_at, language)],
    [
      t("incidents.fact.alerts"),
      [t("incidents.activeOf", { active: incident.active_count, count: incident.alert_count }), fresh]
        .filter((text) => text !== null)
        .join(" · "),
    ],
    [t("incidents.fact.respond"), t(`alerts.respondWithin.${incident.respond_within}`)],
  ];
  if (incident.cleared_at !== null) {
    facts.push([t("incidents.fact.cleared"), formatDateTime(incident.cleared_at, language)]);
  }
  if (incident.snoozed_until !== null && incident.status !== "snoozed") {
    facts.push([t("incidents.fact.snoozed"), formatDateTime(incident.snoozed_until, language)]);
  }
  return (
    <>
      <p className="mb-1 flex flex-wrap items-center gap-2">
        <SeverityLabel severity={incident.severity} />
        <span className="font-semibold">{incident.types.map(alertTypeText).join(", ")}</span>
      </p>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        {facts.map(([name, value]) => (
          <Fragment key={name}>
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
          </Fragment>
        ))}
      </dl>
    </>
  );
}

function Where({ incident, locationName, size }: IncidentFactsProps) {
  const { t } = useTranslation();
  const { battery_id: batteryId, string_id, system_id, location_id } = incident;
  const batteries = batteriesText(incident, size, t);
  return (
    <>
      <Link className="text-accent underline" to={`/locations/${location_id}`}>
        {locationName}
      </Link>
      {" · "}
      {batteryId === null ? (
        (string_id ?? system_id ?? t("incidents.wholeLocation"))
      ) : (
        <Link className="text-accent underline" to={`/batteries/${batteryId}`}>
          {batteryId}
        </Link>
      )}
      {batteries !== null && ` · ${batteries}`}
    </>
  );
}
