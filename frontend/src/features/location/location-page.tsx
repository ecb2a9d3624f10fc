import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router-dom";

import { alertQueries, fleetQueries } from "@/api/queries";
import type { LocationDetail } from "@/api/types";
import { Age } from "@/components/age";
import { AlertLine } from "@/components/alert-line";
import { type FillBy, fillChoices } from "@/components/heat-fill";
import { HeatLegend } from "@/components/heat-legend";
import { StatusIcon } from "@/components/status";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states";
import { formatQuantity } from "@/lib/units";

import { BatteryTable } from "./battery-table";
import { StringMap } from "./string-map";

export function LocationPage() {
  const { t } = useTranslation();
  const { locationId = "" } = useParams();
  const [params, setParams] = useSearchParams();
  const location = useQuery(fleetQueries.location(locationId));
  const view = params.get("view") === "table" ? "table" : "map";
  const fillBy: FillBy = fillChoices.find((choice) => choice === params.get("fill")) ?? "status";

  function change(name: string, value: string | null): void {
    setParams(
      (current) => {
        if (value === null || value === "") current.delete(name);
        else current.set(name, value);
        return current;
      },
      { replace: true },
    );
  }

  if (location.isError) return <ErrorState error={location.error} onRetry={() => void location.refetch()} />;
  if (location.isPending) return <Skeleton height={400} />;
  return (
    <>
      <nav className="mb-1 text-muted">
        <Link to="/" className="hover:underline">
          {t("nav.fleet")}
        </Link>{" "}
        / {locationId}
      </nav>
      <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1>{location.data.name}</h1>
        <Counts location={location.data} />
      </div>
      <RoomClimate location={location.data} />
      <div className="my-3 flex flex-wrap items-center gap-2">
        <div role="group" className="flex gap-1">
          {(["map", "table"] as const).map((choice) => (
            <Button
              key={choice}
              aria-pressed={view === choice}
              tone={view === choice ? "primary" : "plain"}
              onClick={() => change("view", choice === "map" ? null : choice)}
            >
              {t(`location.${choice}`)}
            </Button>
          ))}
        </div>
        {view === "map" && (
          <select
            aria-label={t("fleet.fill")}
            value={fillBy}
            onChange={(event) => change("fill", event.target.value === "status" ? null : event.target.value)}
            className="min-h-8 rounded-lg border border-border-strong bg-surface px-2"
          >
            {fillChoices.map((choice) => (
              <option key={choice} value={choice}>
                {t(`fillBy.${choice}`)}
              </option>
            ))}
          </select>
        )}
      </div>
      {view === "map" ? (
        <>
          <HeatLegend fillBy={fillBy} />
          <StringMap location={location.data} fillBy={fillBy} />
        </>
      ) : (
        <BatteryTable locationId={locationId} params={params} onChange={change} />
      )}
      <LocationAlerts locationId={locationId} />
    </>
  );
}

function Counts({ location }: { location: LocationDetail }) {
  const { t } = useTranslation();
  return (
    <span className="flex flex-wrap gap-3">
      {(["critical", "no_data", "warning", "normal"] as const).map((status) => (
        <span key={status} className="inline-flex items-center gap-1">
          <StatusIcon status={status} /> {location.stats?.status_counts[status] ?? 0} {t(`status.${status}`)}
        </span>
      ))}
    </span>
  );
}

function RoomClimate({ location }: { location: LocationDetail }) {
  const { t } = useTranslation();
  const room = location.stats?.environment;
  if (!room) return <p className="text-muted">{t("live.never")}</p>;
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-1 rounded-lg border border-border bg-surface px-4 py-2">
      <Fact name={t("location.room")}>{formatQuantity(room.ambient_c, "temperature_c")}</Fact>
      <Fact name={t("location.humidity")}>{formatQuantity(room.humidity_pct, "humidity_pct")}</Fact>
      <Fact name={t("location.hvac")}>{room.hvac === null ? "–" : t(`location.hvacState.${room.hvac}`)}</Fact>
      <Fact name={t("fleet.mains")}>
        {room.mains === null ? (
          "–"
        ) : room.mains ? (
          t("fleet.onMains")
        ) : (
          <strong className="text-critical-text">{t("fleet.offMains")}</strong>
        )}
      </Fact>
      <Age at={room.time} staleAfterMs={300_000} />
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex gap-2">
      <dt className="text-muted">{name}</dt>
      <dd className="font-medium">{children}</dd>
    </div>
  );
}

function LocationAlerts({ locationId }: { locationId: string }) {
  const { t } = useTranslation();
  const { data, isError, error } = useQuery(alertQueries.list({ location_id: locationId, active: true, limit: 10 }));
  return (
    <Card
      className="mt-4"
      title={t("fleet.newestAlerts")}
      actions={
        <Link to={`/alerts?location_id=${locationId}`} className="text-accent hover:underline">
          {t("fleet.allAlerts")}
        </Link>
      }
    >
      {isError && <ErrorState error={error} />}
      {data?.items.length === 0 && <EmptyState title={t("fleet.noAlerts")} />}
      <ul className="divide-y divide-border">
        {data?.items.map((alert) => (
          <AlertLine key={alert.alert_id} alert={alert} />
        ))}
      </ul>
    </Card>
  );
}
