import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { Alert } from "@/api/types";
import { SeverityLabel } from "@/components/status";
import { useLanguage } from "@/i18n";
import { alertTypeText } from "@/i18n/alert-texts";
import { formatDateTime } from "@/lib/dates";

import { stateText } from "@/components/alert-explanation/alert-text";

/** What kind of alert it is, of what, its state, and how soon somebody must respond. */
export function AlertSummary({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    <>
      <p className="mb-1 flex items-center gap-2">
        <SeverityLabel severity={alert.severity} />
        <span className="font-semibold">{alertTypeText(alert.type)}</span>
      </p>
      <p className="mb-2 break-all">
        {alert.battery_id ? (
          <Link className="text-accent underline" to={`/batteries/${alert.battery_id}`}>
            {alert.battery_id}
          </Link>
        ) : (
          <Link className="text-accent underline" to={`/locations/${alert.location_id}`}>
            {alert.string_id ?? alert.location_id}
          </Link>
        )}
      </p>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        <dt className="text-muted">{t("alerts.raised")}</dt>
        <dd>{formatDateTime(alert.raised_at, language)}</dd>
        <dt className="text-muted">{t("alerts.state")}</dt>
        <dd>
          {stateText(alert, t)}
          {alert.acknowledged_at !== null && ` · ${t("alerts.acknowledged")}`}
          {alert.resolved_at !== null && ` · ${t("alerts.resolved")}`}
        </dd>
        <dt className="text-muted">{t("alerts.respond")}</dt>
        <dd>{t(`alerts.respondWithin.${alert.respond_within}`)}</dd>
      </dl>
    </>
  );
}
