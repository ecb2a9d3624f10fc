import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { fleetQueries } from "@/api/queries";
import type { Location } from "@/api/types";
import { Age } from "@/components/age";
import type { FillBy } from "@/components/heat-fill";
import { HeatMap } from "@/components/heat-map";
import { StatusIcon } from "@/components/status";
import { batteryIdsOf } from "@/lib/ids";
import { formatQuantity } from "@/lib/units";

export function LocationCard({ location, fillBy }: { location: Location; fillBy: FillBy }) {
  const { t } = useTranslation();
  const { data } = useQuery(fleetQueries.location(location.location_id));
  const rows = useMemo(
    () =>
      (data?.systems ?? []).flatMap((system) =>
        system.strings.map((string) => batteryIdsOf(string.string_id, string.battery_count)),
      ),
    [data],
  );
  const stats = location.stats;
  const counts = stats?.status_counts;
  const room = stats?.environment;
  return (
    <Link
      to={`/locations/${location.location_id}`}
      className="block rounded-lg border border-border bg-surface p-3 hover:border-accent"
      data-testid={`location-${location.location_id}`}
    >
      <div className="mb-2 flex items-baseline justify-between gap-2">
        <span className="min-w-0 truncate text-base font-semibold">{location.name}</span>
        <span className="text-xs whitespace-nowrap text-muted">{location.location_id}</span>
      </div>
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-0.5">
        {(["critical", "no_data", "warning", "normal"] as const).map((status) => (
          <span key={status} className="inline-flex items-center gap-1" title={t(`status.${status}`)}>
            <StatusIcon status={status} size={14} />
            <span className="sr-only">{t(`status.${status}`)}</span>
            {counts?.[status] ?? 0}
          </span>
        ))}
        <span className="ml-auto text-muted">
          {room ? (
            <>
              {t("fleet.room")} {formatQuantity(room.ambient_c, "temperature_c")}
              {room.mains === false && <strong className="ml-2 text-critical-text">{t("fleet.offMains")}</strong>}
            </>
          ) : null}
        </span>
      </div>
      <HeatMap
        rows={rows}
        fillBy={fillBy}
        label={t("fleet.mapLabel", {
          name: location.name,
          normal: counts?.normal ?? 0,
          warning: counts?.warning ?? 0,
          critical: counts?.critical ?? 0,
          noData: counts?.no_data ?? 0,
        })}
      />
      <div className="mt-2 flex items-center justify-between gap-2 text-xs text-muted">
        <span className="min-w-0 truncate">
          {stats?.worst_battery_id
            ? `${t("fleet.worst")}: ${stats.worst_battery_id.slice(4 + location.location_id.length + 1)}`
            : ""}
        </span>
        <Age at={stats?.newest_reading_at} staleAfterMs={300_000} />
      </div>
    </Link>
  );
}
