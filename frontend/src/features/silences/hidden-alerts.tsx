import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { SeverityLabel } from "@/components/status";
import { Button } from "@/components/ui/button";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

import { silenceQueries } from "./queries";

/** The alerts that a silence or window covers or has covered, each with its incident. */
export function HiddenAlerts({ isWindow, id }: { isWindow: boolean; id: number }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const list = useInfiniteQuery(silenceQueries.hidden(isWindow, id));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="mt-2">
      <QueryFailure query={list} />
      {list.isPending && <Skeleton height={80} />}
      <ul className="divide-y divide-border">
        {items.map(({ alert, from_at: from }) => (
          <li key={`${alert.alert_id} ${from}`} className="flex flex-wrap items-baseline gap-x-3 py-1">
            <SeverityLabel severity={alert.severity} />
            <span>{t(`type.${alert.type}`)}</span>
            <Link
              className="min-w-0 break-all text-accent underline"
              to={
                alert.incident_id === null
                  ? `/alerts/${alert.alert_id}`
                  : `/incidents/${alert.incident_id}?alert=${alert.alert_id}`
              }
            >
              {alert.battery_id ?? alert.string_id ?? alert.location_id}
            </Link>
            <span className="text-xs text-muted">{formatDateTime(from, language)}</span>
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <Button className="mt-1" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {t("silences.more")}
        </Button>
      )}
    </div>
  );
}
