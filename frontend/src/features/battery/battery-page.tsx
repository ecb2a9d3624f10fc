import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router-dom";

import { alertQueries, fleetQueries } from "@/api/queries";
import type { BatteryDetail } from "@/api/types";
import { AlertLine } from "@/components/alert-line";
import { Breadcrumb, useTitle } from "@/components/breadcrumb";
import { NotJudgedCard, NotJudgedLabel } from "@/components/not-judged";
import { QuietNotice } from "@/components/quiet-notice";
import { StatusLabel } from "@/components/status";
import { Card } from "@/components/ui/card";
import { EmptyState, ErrorState, QueryFailure, RefreshFailed, Skeleton } from "@/components/ui/states";
import { RetiredLabel } from "@/components/retirement/retired-label";
import { RetirementButton } from "@/components/retirement/retirement-button";
import { RuntimeLine } from "@/components/runtime-line";
import { isAlertType, useLanguage } from "@/i18n";
import { formatDate } from "@/lib/dates";
import { shortId } from "@/lib/ids";
import { isOnBattery } from "@/lib/runtime";
import { formatQuantity } from "@/lib/units";
import { useLiveValue, useNow } from "@/realtime/hooks";
import { statusNow } from "@/realtime/live-store";

import { Discharges } from "./discharges";
import { EvidenceCard } from "./evidence";
import { History } from "./history";
import { LiveValues } from "./live-values";
import { Peers } from "./peers";
import { RemainingLife } from "./remaining-life";
import { RulesTable } from "./rules-table";
import { RuntimeCard } from "./runtime";

export function BatteryPage() {
  const { t } = useTranslation();
  const { batteryId = "" } = useParams();
  const battery = useQuery(fleetQueries.battery(batteryId));
  const alerts = useQuery(alertQueries.list({ battery_id: batteryId, limit: 50 }));
  const live = useLiveValue(batteryId);
  const now = useNow(5000);
  useTitle(shortId(batteryId));

  if (battery.isLoadingError) return <ErrorState error={battery.error} onRetry={() => void battery.refetch()} />;
  if (battery.data === undefined) return <Skeleton height={500} />;
  const { data } = battery;
  return (
    <>
      <Breadcrumb
        steps={[{ name: data.location_name, to: `/locations/${data.location_id}` }, { name: shortId(data.string_id) }]}
      />
      <RefreshFailed query={battery} />
      <QuietNotice locationId={data.location_id} stringId={data.string_id} />
      <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-1">
        <h1 className="break-all">{data.battery_id}</h1>
        {data.retired_at === null ? (
          <>
            <StatusLabel status={live ? statusNow(live, now) : data.status} />
            <NotJudgedLabel notJudged={data.not_judged} />
            <RetirementButton action="retire" kind="battery" id={data.battery_id} batteryCount={1} />
          </>
        ) : (
          <>
            <RetiredLabel at={data.retired_at} by={data.retired_by} reason={data.retired_reason} />
            <RetirementButton action="unretire" kind="battery" id={data.battery_id} batteryCount={1} />
          </>
        )}
        <span className="text-muted">
          {reasonsOf(data)
            .map((reason) => (isAlertType(reason) ? t(`type.${reason}`) : reason))
            .join(", ")}
        </span>
      </div>
      {data.retired_at === null && <NotJudgedCard notJudged={data.not_judged} />}
      <div className="grid gap-3 lg:grid-cols-[1.6fr_1fr]">
        <LiveValues battery={data} />
        <Facts battery={data} />
      </div>
      <div className="mt-3 grid gap-3 lg:grid-cols-[1.6fr_1fr]">
        <EvidenceCard batteryId={data.battery_id} />
        <RuntimeCard battery={data} />
      </div>
      <RemainingLife batteryId={data.battery_id} />
      <History battery={data} alerts={alerts.isLoadingError ? null : (alerts.data?.items ?? [])} />
      <div className="mt-3 grid gap-3 lg:grid-cols-2">
        <Peers battery={data} />
        <Card title={t("battery.alerts")}>
          <QueryFailure query={alerts} />
          {alerts.data?.items.length === 0 && <EmptyState title={t("battery.noAlerts")} />}
          <ul className="divide-y divide-border">
            {alerts.data?.items.map((alert) => (
              <AlertLine key={alert.alert_id} alert={alert} />
            ))}
          </ul>
        </Card>
      </div>
      <Discharges batteryId={batteryId} />
      <RulesTable batteryId={batteryId} />
    </>
  );
}

/** The label says already that it is retired. */
function reasonsOf({ status_reasons: reasons }: BatteryDetail): string[] {
  return reasons.filter((reason) => reason !== "retired");
}

function Facts({ battery }: { battery: BatteryDetail }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const facts = [
    [t("battery.model"), battery.model.name],
    [t("battery.serial"), battery.serial_number],
    [t("battery.installed"), formatDate(battery.installed_at, language)],
    [t("battery.age"), t("battery.years", { years: battery.age_years.toFixed(1) })],
    [t("battery.capacity"), `${battery.model.rated_capacity_ah} Ah`],
    [
      t("battery.baseline"),
      battery.baseline_resistance_mohm === null
        ? "–"
        : `${formatQuantity(battery.baseline_resistance_mohm, "internal_resistance_mohm")} (${formatQuantity(battery.baseline_temperature_c, "temperature_c")})`,
    ],
    [t("battery.string"), `${shortId(battery.string_id)}, ${t("location.position")} ${battery.position}`],
  ];
  const { mode, runtime } = battery.string_state;
  return (
    <Card title={t("battery.facts")}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
        <dt className="text-muted">{t("runtime.ofString")}</dt>
        <dd>
          <RuntimeLine runtime={runtime} onBattery={isOnBattery(mode)} />
        </dd>
      </dl>
    </Card>
  );
}
