import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router-dom";

import { alertQueries, fleetQueries, predictionQueries } from "@/api/queries";
import { AlertLine } from "@/components/alert-line";
import { useTitle } from "@/components/breadcrumb";
import { FillSelect } from "@/components/fill-select";
import { fillByOf, type LiveFillBy, liveFillChoices } from "@/components/heat-fill";
import { HeatLegend } from "@/components/heat-legend";
import { ShowRetired } from "@/components/retirement/show-retired";
import { Card } from "@/components/ui/card";
import { EmptyState, ErrorState, QueryFailure, RefreshFailed, Skeleton } from "@/components/ui/states";

import { LocationCard, RetiredLocationCard } from "./location-card";
import { worstFirst } from "./order";
import { Totals } from "./totals";

export function OverviewPage() {
  const { t } = useTranslation();
  const overview = useQuery(fleetQueries.overview());
  const predictions = useQuery(predictionQueries.summary());
  const [params, setParams] = useSearchParams();
  const fillBy = fillByOf(params, liveFillChoices);
  const showsRetired = params.get("retired") === "1";
  useTitle(t("fleet.title"));

  function change(name: string, value: string | null): void {
    setParams(
      (current) => {
        if (value === null) current.delete(name);
        else current.set(name, value);
        return current;
      },
      { replace: true },
    );
  }

  if (overview.isLoadingError) return <ErrorState error={overview.error} onRetry={() => void overview.refetch()} />;
  return (
    <>
      <RefreshFailed query={overview} />
      <h1 className="mb-2">{t("fleet.title")}</h1>
      {overview.data ? (
        <Totals overview={overview.data} predictions={predictions.isLoadingError ? null : predictions.data} />
      ) : (
        <Skeleton height={92} />
      )}
      <div className="mt-3 grid items-start gap-3 xl:grid-cols-[1fr_19rem]">
        <div className="min-w-0">
          <div className="mb-2 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
            <HeatLegend fillBy={fillBy} />
            <ShowRetired checked={showsRetired} onChange={(shows) => change("retired", shows ? "1" : null)} />
            <FillSelect
              value={fillBy}
              choices={liveFillChoices}
              onChange={(next) => change("fill", next === "status" ? null : next)}
            />
          </div>
          <LocationCards fillBy={fillBy} showsRetired={showsRetired} />
        </div>
        <NewestAlerts />
      </div>
    </>
  );
}

interface LocationCardsProps {
  fillBy: LiveFillBy;
  showsRetired: boolean;
}

function LocationCards({ fillBy, showsRetired }: LocationCardsProps) {
  const { t } = useTranslation();
  const locations = useQuery(fleetQueries.locations(showsRetired));
  const predictions = useQuery(predictionQueries.summary());
  const predictionsOf = new Map(predictions.data?.locations.map((one) => [one.location_id, one]));
  const items = locations.data?.items ?? [];
  if (locations.isLoadingError) return <ErrorState error={locations.error} onRetry={() => void locations.refetch()} />;
  return (
    <>
      <RefreshFailed query={locations} />
      {locations.data?.items.length === 0 && (
        <EmptyState title={t("fleet.noLocations")} hint={t("fleet.noLocationsHint")} />
      )}
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {locations.isPending && Array.from({ length: 9 }, (_, i) => <Skeleton key={i} height={210} />)}
        {worstFirst(items.filter((location) => location.retired_at === null)).map((location) => (
          <LocationCard
            key={location.location_id}
            location={location}
            fillBy={fillBy}
            predictions={predictionsOf.get(location.location_id)}
          />
        ))}
        {items.map(
          (location) =>
            location.retired_at !== null && (
              <RetiredLocationCard key={location.location_id} location={location} at={location.retired_at} />
            ),
        )}
      </div>
    </>
  );
}

function NewestAlerts() {
  const { t } = useTranslation();
  const alerts = useQuery(alertQueries.list({ active: true, limit: 12 }));
  const { data } = alerts;
  return (
    <Card
      title={t("fleet.newestAlerts")}
      actions={
        <Link to="/incidents" className="text-accent hover:underline">
          {t("fleet.allAlerts")}
        </Link>
      }
    >
      <QueryFailure query={alerts} />
      {data?.items.length === 0 && <EmptyState title={t("fleet.noAlerts")} hint={t("status.normalHint")} />}
      <ul className="divide-y divide-border">
        {data?.items.map((alert) => (
          <AlertLine key={alert.alert_id} alert={alert} />
        ))}
      </ul>
    </Card>
  );
}
