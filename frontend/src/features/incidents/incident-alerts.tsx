import { useInfiniteQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { incidentQueries } from "@/api/incident-queries";
import type { Alert } from "@/api/types";
import { figure } from "@/components/alert-explanation/figures";
import { stateText } from "@/components/alert-explanation/alert-text";
import { Age } from "@/components/age";
import { StatusIcon } from "@/components/status";
import { Button } from "@/components/ui/button";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { alertTypeText } from "@/i18n/alert-texts";
import { shortId } from "@/lib/ids";
import { useScrollIntoView } from "@/lib/use-scroll-into-view";

interface IncidentAlertsProps {
  incidentId: number;
  /** The alert that a link led to. */
  marked: number | null;
}

/** Every alert of the incident, string by string; a thousand come a hundred at a time. */
export function IncidentAlerts({ incidentId, marked }: IncidentAlertsProps) {
  const { t } = useTranslation();
  const alerts = useInfiniteQuery(incidentQueries.alerts(incidentId));
  const unique = new Map(alerts.data?.pages.flatMap((page) => page.items).map((alert) => [alert.alert_id, alert]));
  const items = [...unique.values()];
  const total = alerts.data?.pages.at(-1)?.total ?? 0;
  return (
    <section className="mb-3">
      <h3 className="mb-1 font-semibold">
        {t("incidents.children")} {alerts.data && `(${total})`}
      </h3>
      <QueryFailure query={alerts} />
      {alerts.isPending && <Skeleton height={80} />}
      {alerts.data && items.length === 0 && <p className="text-muted">{t("incidents.childrenNone")}</p>}
      {[...byString(items)].map(([id, group]) => (
        <div key={id} className="mb-2">
          <h4 className="font-medium text-muted [overflow-wrap:anywhere]">
            {group[0]?.string_id === null ? t("incidents.ofLocation", { id }) : id}
          </h4>
          <ul>
            {group.map((alert) => (
              <Child key={alert.alert_id} alert={alert} isMarked={alert.alert_id === marked} />
            ))}
          </ul>
        </div>
      ))}
      {alerts.hasNextPage && (
        <Button disabled={alerts.isFetchingNextPage} onClick={() => void alerts.fetchNextPage()}>
          {t("incidents.childrenMore", { shown: items.length, total })}
        </Button>
      )}
    </section>
  );
}

/** In the order in which the strings come first. */
function byString(alerts: readonly Alert[]): Map<string, Alert[]> {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const id = alert.string_id ?? alert.location_id;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [alert]);
    else group.push(alert);
  }
  return groups;
}

function Child({ alert, isMarked }: { alert: Alert; isMarked: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const row = useScrollIntoView<HTMLLIElement>(isMarked);
  const value = figure(alert.value, alert.unit, { t, language });
  return (
    <li
      ref={row}
      aria-current={isMarked || undefined}
      className={clsx("rounded", isMarked && "bg-surface-2 shadow-[inset_4px_0_0_var(--accent)]")}
    >
      <Link
        to={`/alerts/${alert.alert_id}`}
        className={clsx(
          "flex flex-wrap items-center gap-x-2 px-2 py-1 hover:bg-surface-2",
          !alert.is_active && "text-muted",
        )}
      >
        <StatusIcon status={alert.severity} size={14} />
        <span className="sr-only">{t(`severity.${alert.severity}`)}</span>
        {alert.battery_id !== null && <span>{shortId(alert.battery_id)}</span>}
        <span>{alertTypeText(alert.type)}</span>
        {value !== null && <span>{value}</span>}
        <span className="ml-auto text-xs text-muted">
          {stateText(alert, t)}
          {alert.acknowledged_at !== null && ` · ${t("alerts.acknowledged")}`} · <Age at={alert.raised_at} />
        </span>
      </Link>
    </li>
  );
}
