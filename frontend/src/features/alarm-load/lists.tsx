import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { IncidentFigures } from "@/api/types";
import { SeverityLabel } from "@/components/status";
import { useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

/** The ten conditions that came most often, with bars; the numbers stand beside them. */
export function MostFrequent({ conditions }: { conditions: IncidentFigures["most_frequent"] }) {
  const { t } = useTranslation();
  const most = Math.max(1, ...conditions.map(({ times }) => times));
  if (conditions.length === 0) return <p className="text-muted">{t("load.noFrequent")}</p>;
  return (
    <ol className="space-y-1" data-testid="frequent">
      {conditions.map(({ subject, type, rule_id: rule, times, share_pct: share }) => (
        <li key={`${subject} ${type} ${rule ?? ""}`}>
          <span className="flex flex-wrap justify-between gap-x-3 [overflow-wrap:anywhere]">
            <span>
              {t(`type.${type}`)} · <span className="text-muted">{subject}</span>
            </span>
            <span>
              {t("load.times", { count: times })} ({share.toFixed(0)} %)
            </span>
          </span>
          <span
            aria-hidden
            className="block h-1.5 rounded-sm bg-accent"
            style={{ width: `${(100 * times) / most}%` }}
          />
        </li>
      ))}
    </ol>
  );
}

/** What has been active for more than a day. */
export function Standing({ incidents, count }: { incidents: IncidentFigures["standing"]; count: number }) {
  const { t } = useTranslation();
  const language = useLanguage();
  if (count === 0) return <p className="text-muted">{t("load.noStanding")}</p>;
  return (
    <>
      <p>{t("load.standingCount", { count })}</p>
      <ul data-testid="standing">
        {incidents.map((one) => (
          <li key={one.incident_id} className="flex flex-wrap items-baseline gap-x-3 [overflow-wrap:anywhere]">
            <SeverityLabel severity={one.severity} />
            <Link className="text-accent underline" to={`/incidents/${one.incident_id}`}>
              {one.string_id ?? one.location_id}
            </Link>
            <span className="text-muted">{formatDateTime(one.opened_at, language)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Alerts whose condition keeps coming back. */
export function Chattering({ alerts }: { alerts: IncidentFigures["chattering"] }) {
  const { t } = useTranslation();
  if (alerts.length === 0) return <p className="text-muted">{t("load.noChattering")}</p>;
  return (
    <ul data-testid="chattering">
      {alerts.map((one) => (
        <li key={one.alert_id} className="flex flex-wrap items-baseline gap-x-3 [overflow-wrap:anywhere]">
          <span>{t(`type.${one.type}`)}</span>
          <Link className="text-accent underline" to={`/alerts/${one.alert_id}`}>
            {one.subject}
          </Link>
          <span>{t("load.times", { count: one.episode_count })}</span>
        </li>
      ))}
    </ul>
  );
}
