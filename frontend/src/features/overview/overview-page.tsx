import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router-dom";

import { alertQueries, fleetQueries } from "@/api/queries";
import type { FleetOverview } from "@/api/types";
import { Age } from "@/components/age";
import { AlertLine } from "@/components/alert-line";
import { type FillBy, fillChoices } from "@/components/heat-fill";
import { HeatLegend } from "@/components/heat-legend";
import { Card } from "@/components/ui/card";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { formatCount } from "@/lib/units";

import { LocationCard } from "./location-card";
import { worstFirst } from "./order";

export function OverviewPage() {
  const { t } = useTranslation();
  const overview = useQuery(fleetQueries.overview());
  const locations = useQuery(fleetQueries.locations());
  const [fillBy, setFillBy] = useFillBy();

  if (overview.isError) return <ErrorState error={overview.error} onRetry={() => void overview.refetch()} />;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h1>{t("fleet.title")}</h1>
        <label className="flex items-center gap-2 text-muted">
          {t("fleet.fill")}
          <select
            value={fillBy}
            onChange={(event) => setFillBy(event.target.value as FillBy)}
            className="min-h-8 rounded-lg border border-border-strong bg-surface px-2 text-text"
          >
            {fillChoices.map((choice) => (
              <option key={choice} value={choice}>
                {t(`fillBy.${choice}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {overview.data ? <Totals overview={overview.data} /> : <Skeleton height={92} />}
      <HeatLegend fillBy={fillBy} />
      {locations.isError && <ErrorState error={locations.error} onRetry={() => void locations.refetch()} />}
      <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {locations.isPending && Array.from({ length: 9 }, (_, i) => <Skeleton key={i} height={230} />)}
        {worstFirst(locations.data?.items ?? []).map((location) => (
          <LocationCard key={location.location_id} location={location} fillBy={fillBy} />
        ))}
      </div>
      <NewestAlerts />
    </>
  );
}

function useFillBy(): [FillBy, (fillBy: FillBy) => void] {
  const [params, setParams] = useSearchParams();
  const wanted = params.get("fill");
  const fillBy = fillChoices.find((choice) => choice === wanted) ?? "status";
  return [fillBy, (next) => setParams(next === "status" ? {} : { fill: next }, { replace: true })];
}

function Totals({ overview }: { overview: FleetOverview }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const missing = (["twin", "ml", "simulator"] as const).filter((name) => overview.services[name] === "down");
  const { status_counts: counts } = overview;
  return (
    <>
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3 xl:grid-cols-5">
        <Total
          name={t("fleet.batteries")}
          value={formatCount(overview.battery_count, language)}
          testId="total-batteries"
        >
          {t("fleet.locations", { count: overview.location_count, strings: overview.string_count })}
        </Total>
        <Total
          name={t("fleet.active")}
          value={formatCount(overview.active_alert_count, language)}
          tone={overview.active_alert_count > 0 ? "warning" : undefined}
          to="/alerts"
        >
          {t("fleet.pending", { count: overview.pending_alert_count })}
        </Total>
        <Total
          name={t("fleet.critical")}
          value={formatCount(counts.critical, language)}
          tone={counts.critical > 0 ? "critical" : undefined}
          to="/alerts?severity=critical"
        >
          {t("status.warning")} {formatCount(counts.warning, language)} · {t("status.normal")}{" "}
          {formatCount(counts.normal, language)}
        </Total>
        <Total
          name={t("fleet.noData")}
          value={formatCount(counts.no_data, language)}
          tone={counts.no_data > 0 ? "warning" : undefined}
        >
          {t("fleet.newest")}: <Age at={overview.newest_reading_at} staleAfterMs={300_000} />
        </Total>
        <Total
          name={t("fleet.soh")}
          value={overview.mean_soh_pct === null ? t("fleet.noEstimate") : `${Math.round(overview.mean_soh_pct)} %`}
          small={overview.mean_soh_pct === null}
        >
          {overview.mean_soh_pct === null ? t("fleet.noEstimateWhy") : null}
        </Total>
      </dl>
      {missing.length > 0 && (
        <p className="mt-2 text-xs text-muted">
          {t("fleet.degraded", { names: missing.map((name) => t(`services.${name}`)).join(", ") })}
        </p>
      )}
    </>
  );
}

interface TotalProps {
  name: string;
  value: string;
  tone?: "warning" | "critical" | undefined;
  small?: boolean;
  to?: string;
  testId?: string;
  children: React.ReactNode;
}

function Total({ name, value, tone, small = false, to, testId, children }: TotalProps) {
  const colour = tone === "critical" ? "text-critical-text" : tone === "warning" ? "text-warning-text" : "";
  const shown = <span className={`${small ? "text-base" : "text-2xl"} font-semibold ${colour}`}>{value}</span>;
  return (
    <div className="rounded-lg border border-border bg-surface p-3" data-testid={testId}>
      <dt className="text-muted">{name}</dt>
      <dd className="mt-0.5">
        {to === undefined ? (
          shown
        ) : (
          <Link to={to} className="hover:underline">
            {shown}
          </Link>
        )}
        <div className="text-xs text-muted">{children}</div>
      </dd>
    </div>
  );
}

function NewestAlerts() {
  const { t } = useTranslation();
  const { data, isError, error, refetch } = useQuery(alertQueries.list({ active: true, limit: 8 }));
  return (
    <Card
      className="mt-4"
      title={t("fleet.newestAlerts")}
      actions={
        <Link to="/alerts" className="text-accent hover:underline">
          {t("fleet.allAlerts")}
        </Link>
      }
    >
      {isError && <ErrorState error={error} onRetry={() => void refetch()} />}
      {data?.items.length === 0 && <EmptyState title={t("fleet.noAlerts")} />}
      <ul className="divide-y divide-border">
        {data?.items.map((alert) => (
          <AlertLine key={alert.alert_id} alert={alert} />
        ))}
      </ul>
    </Card>
  );
}
