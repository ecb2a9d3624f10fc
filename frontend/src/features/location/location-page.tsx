import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router-dom";

import { alertQueries, fleetQueries } from "@/api/queries";
import type { LocationDetail } from "@/api/types";
import { AlertLine } from "@/components/alert-line";
import { Breadcrumb, useTitle } from "@/components/breadcrumb";
import { FillSelect } from "@/components/fill-select";
import { fillByOf, fillChoices } from "@/components/heat-fill";
import { HeatLegend } from "@/components/heat-legend";
import { NotJudgedCount } from "@/components/not-judged";
import { QuietNotice } from "@/components/quiet-notice";
import { StatusCounts } from "@/components/status";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, ErrorState, QueryFailure, RefreshFailed, Skeleton } from "@/components/ui/states";
import { RetiredLabel } from "@/components/retirement/retired-label";
import { RetirementButton } from "@/components/retirement/retirement-button";
import { ShowRetired } from "@/components/retirement/show-retired";

import { BatteryTable } from "./battery-table";
import { RoomClimate } from "./room-climate";
import { ShortestLife } from "./shortest-life";
import { StringMap } from "./string-map";

export function LocationPage() {
  const { t } = useTranslation();
  const { locationId = "" } = useParams();
  const [params, setParams] = useSearchParams();
  const asksForRetired = params.get("retired") === "1";
  const location = useQuery(fleetQueries.location(locationId, asksForRetired));
  const view = params.get("view") === "table" ? "table" : "map";
  const fillBy = fillByOf(params, fillChoices);
  useTitle(location.data?.name ?? locationId);

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

  if (location.isLoadingError) return <ErrorState error={location.error} onRetry={() => void location.refetch()} />;
  if (location.data === undefined) return <Skeleton height={400} />;
  // Of a retired location there is nothing else to see.
  const showsRetired = asksForRetired || location.data.retired_at !== null;
  return (
    <>
      <Breadcrumb steps={[{ name: locationId }]} />
      <RefreshFailed query={location} />
      <QuietNotice locationId={locationId} />
      <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1>{location.data.name}</h1>
        {location.data.retired_at !== null && (
          <>
            <RetiredLabel at={location.data.retired_at} />
            <RetirementButton
              action="unretire"
              kind="location"
              id={locationId}
              batteryCount={retiredCountOf(location.data)}
            />
          </>
        )}
        {location.data.retired_at === null && (
          <>
            {location.data.stats && (
              <>
                <StatusCounts counts={location.data.stats.status_counts} named />
                <NotJudgedCount count={location.data.stats.not_judged_count} />
              </>
            )}
            <ShortestLife locationId={locationId} />
            {location.data.battery_count > 0 && (
              <RetirementButton
                action="retire"
                kind="location"
                id={locationId}
                batteryCount={location.data.battery_count}
              />
            )}
          </>
        )}
      </div>
      <RoomClimate location={location.data} />
      <div className="my-3 flex flex-wrap items-center gap-x-4 gap-y-2">
        <div role="group" aria-label={t("location.view")} className="flex gap-1">
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
        {location.data.retired_at === null && (
          <ShowRetired checked={asksForRetired} onChange={(shows) => change("retired", shows ? "1" : null)} />
        )}
        {view === "map" && (
          <>
            <FillSelect
              value={fillBy}
              choices={fillChoices}
              onChange={(next) => change("fill", next === "status" ? null : next)}
            />
            <HeatLegend fillBy={fillBy} showsRetired={showsRetired} />
          </>
        )}
      </div>
      {view === "map" ? (
        <StringMap location={location.data} fillBy={fillBy} showsRetired={showsRetired} />
      ) : (
        <BatteryTable locationId={locationId} params={params} showsRetired={showsRetired} onChange={change} />
      )}
      <LocationAlerts locationId={locationId} />
    </>
  );
}

function retiredCountOf({ systems }: LocationDetail): number {
  return systems.flatMap((system) => system.strings).flatMap((string) => string.retired_battery_ids).length;
}

function LocationAlerts({ locationId }: { locationId: string }) {
  const { t } = useTranslation();
  const alerts = useQuery(alertQueries.list({ location_id: locationId, active: true, limit: 10 }));
  return (
    <Card
      className="mt-4"
      title={t("fleet.newestAlerts")}
      actions={
        <Link to={`/incidents?location_id=${locationId}`} className="text-accent hover:underline">
          {t("fleet.allAlerts")}
        </Link>
      }
    >
      <QueryFailure query={alerts} />
      {alerts.data?.items.length === 0 && <EmptyState title={t("fleet.noAlerts")} hint={t("status.normalHint")} />}
      <ul className="divide-y divide-border">
        {alerts.data?.items.map((alert) => (
          <AlertLine key={alert.alert_id} alert={alert} />
        ))}
      </ul>
    </Card>
  );
}
