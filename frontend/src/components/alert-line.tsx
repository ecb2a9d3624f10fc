import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { Alert } from "@/api/types";
import { shortId } from "@/lib/ids";

import { Age } from "./age";
import { SeverityLabel } from "./status";

/** In its incident, where people work on it; by itself for the moment before it has one. */
function addressOf({ alert_id: id, incident_id: incidentId }: Alert): string {
  return typeof incidentId === "number" ? `/incidents/${incidentId}?alert=${id}` : `/alerts/${id}`;
}

/** One alert in two short lines: severity, type and age, then the location. */
export function AlertLine({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const part = shortId(alert.battery_id ?? alert.string_id ?? "");
  return (
    <li>
      <Link to={addressOf(alert)} className="block rounded px-1 py-1.5 hover:bg-surface-2">
        <span className="flex flex-wrap items-center gap-x-2">
          <SeverityLabel severity={alert.severity} />
          <span className="font-medium">{t(`type.${alert.type}`)}</span>
          <span className="ml-auto shrink-0">
            <Age at={alert.raised_at} />
          </span>
        </span>
        <span className="block truncate text-xs text-muted">
          {alert.location_id}
          {part !== "" && ` · ${part}`}
        </span>
      </Link>
    </li>
  );
}
