import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { Hourglass } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { fleetQueries } from "@/api/queries";
import type { Location, LocationPredictions } from "@/api/types";
import { Age } from "@/components/age";
import type { LiveFillBy } from "@/components/heat-fill";
import { heightOf } from "@/components/heat-geometry";
import { HeatMap } from "@/components/heat-map";
import { RetiredLabel } from "@/components/retirement/retired-label";
import { RuntimeLine } from "@/components/runtime-line";
import { StatusCounts } from "@/components/status";
import { byPosition, shortId } from "@/lib/ids";
import { isSystemOnBattery } from "@/lib/runtime";
import { DEFAULT_STALE_AFTER_S } from "@/lib/staleness";
import { formatQuantity } from "@/lib/units";

/** The card is one link and cannot hold a button, so a map that failed is asked for again by itself. */
const RETRY_MS = 15_000;
/** On battery the minutes left are shown, which change. */
const ON_BATTERY_MS = 15_000;

interface LocationCardProps {
  location: Location;
  fillBy: LiveFillBy;
  /** Undefined while they are not known. */
  predictions?: LocationPredictions | undefined;
}

/** A location in one look; the whole card is one link, since its cells are too small to be controls. */
export function LocationCard({ location, fillBy, predictions }: LocationCardProps) {
  const { t } = useTranslation();
  const mainsLost = location.stats?.environment?.mains === false;
  // Otherwise only the layout of the strings is needed here, and that does not change by itself.
  const { data, isLoadingError } = useQuery({
    ...fleetQueries.location(location.location_id),
    refetchInterval: ({ state }) => {
      if (state.status === "error") return RETRY_MS;
      return (mainsLost || state.data?.systems.some(isSystemOnBattery)) === true && ON_BATTERY_MS;
    },
  });
  const rows = useMemo(
    () => (data?.systems ?? []).flatMap((system) => system.strings.map((string) => byPosition(string.battery_ids))),
    [data],
  );
  const { stats } = location;
  const counts = stats?.status_counts;
  return (
    <Link
      to={`/locations/${location.location_id}`}
      className={clsx(
        "block rounded-lg border bg-surface p-3 hover:border-accent",
        mainsLost ? "border-critical-fill" : "border-border",
      )}
      data-testid={`location-${location.location_id}`}
    >
      <div className="mb-1 flex items-baseline justify-between gap-2">
        <span className="min-w-0 text-base font-semibold">{location.name}</span>
        <span className="text-xs whitespace-nowrap text-muted">{location.location_id}</span>
      </div>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-x-3 gap-y-0.5">
        {counts ? <StatusCounts counts={counts} /> : <span className="text-muted">{t("live.never")}</span>}
        <RoomBrief room={stats?.environment ?? null} />
      </div>
      <div style={{ minHeight: heightOf(location.string_count) }}>
        {isLoadingError && <p className="text-warning-text">{t("fleet.mapFailed")}</p>}
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
      </div>
      {data?.systems.filter(isSystemOnBattery).map(({ system_id: id, runtime }) => (
        <div key={id} className="mt-1 flex flex-wrap items-center gap-x-2 text-xs">
          <span className="font-medium">{shortId(id)}</span>
          <RuntimeLine runtime={runtime} onBattery />
        </div>
      ))}
      <div className="mt-2 flex items-center justify-between gap-2 text-xs text-muted">
        <span className="min-w-0">
          {predictions !== undefined && predictions.due_within_90_days > 0 && (
            <strong className="mr-2 text-warning-text">
              <Hourglass aria-hidden size={12} className="mr-0.5 inline align-text-bottom" />
              {t("rul.due", { count: predictions.due_within_90_days })}
            </strong>
          )}
          {mainsLost && <strong className="mr-2 text-critical-text">{t("fleet.mainsLost")}</strong>}
          {stats?.worst_battery_id ? `${t("fleet.worst")}: ${shortId(stats.worst_battery_id)}` : ""}
        </span>
        <Age at={stats?.newest_reading_at} staleAfterS={DEFAULT_STALE_AFTER_S} />
      </div>
    </Link>
  );
}

/** A location out of service: no status, no map, only that it is retired and since when. */
export function RetiredLocationCard({ location, at }: { location: Location; at: string }) {
  return (
    <Link
      to={`/locations/${location.location_id}`}
      className="block self-start rounded-lg border border-dashed border-border-strong bg-surface p-3 hover:border-accent"
      data-testid={`location-${location.location_id}`}
    >
      <div className="mb-2 flex items-baseline justify-between gap-2">
        <span className="min-w-0 text-base font-semibold">{location.name}</span>
        <span className="text-xs whitespace-nowrap text-muted">{location.location_id}</span>
      </div>
      <RetiredLabel at={at} />
    </Link>
  );
}

type Room = NonNullable<Location["stats"]>["environment"];

function RoomBrief({ room }: { room: Room }) {
  const { t } = useTranslation();
  if (room === null) return null;
  return (
    <span className={clsx("text-muted", room.is_stale && "opacity-60")}>
      {formatQuantity(room.ambient_c, "temperature_c")}
      {room.is_stale && ` (${t("live.stale")})`}
    </span>
  );
}
