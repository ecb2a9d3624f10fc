import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { Alert } from "@/api/types";
import { shortId } from "@/lib/ids";

import { Age } from "./age";
import { SeverityLabel } from "./status";

/** One alert in a line: how bad, what, where, since when. */
export function AlertLine({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  return (
    <li>
      <Link
        to={`/alerts/${alert.alert_id}`}
        className="flex flex-wrap items-center gap-x-3 gap-y-0.5 rounded px-1 py-1.5 hover:bg-surface-2"
      >
        <span className="w-20">
          <SeverityLabel severity={alert.severity} />
        </span>
        <span className="font-medium">{t(`type.${alert.type}`)}</span>
        <span className="text-muted">{alert.location_id}</span>
        <span className="min-w-0 truncate text-muted">{shortId(alert.battery_id ?? alert.string_id ?? "")}</span>
        <span className="ml-auto">
          <Age at={alert.raised_at} />
        </span>
      </Link>
    </li>
  );
}
