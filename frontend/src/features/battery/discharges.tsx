import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { Card } from "@/components/ui/card";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { EmptyState, QueryFailure, Skeleton } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { formatAge, formatDateTime } from "@/lib/dates";
import { formatQuantity } from "@/lib/units";

import { type BatteryDischarge, batteryQueries } from "./queries";

const EVIDENCE_FROM_PCT = 15;

/** Discharges of this battery in outages and tests, with the capacity that each indicates. */
export function Discharges({ batteryId }: { batteryId: string }) {
  const { t } = useTranslation();
  const query = useQuery(batteryQueries.discharges(batteryId));
  return (
    <Card title={t("twin.discharges")} className="mt-3">
      <QueryFailure query={query} />
      {query.isPending && <Skeleton height={90} />}
      {query.data?.items.length === 0 && (
        <EmptyState title={t("twin.noDischarges")} hint={t("twin.noDischargesHint")} />
      )}
      {query.data !== undefined && query.data.items.length > 0 && <DischargeTable discharges={query.data.items} />}
    </Card>
  );
}

function DischargeTable({ discharges }: { discharges: BatteryDischarge[] }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    <ScrollRegion label={t("twin.discharges")} className="overflow-x-auto">
      <table className="w-full min-w-[44rem] text-left" data-testid="discharges">
        <thead className="text-muted">
          <tr>
            <th className="py-1 font-medium">{t("twin.began")}</th>
            <th className="font-medium">{t("twin.lasted")}</th>
            <th className="font-medium">{t("twin.drawn")}</th>
            <th className="font-medium">{t("location.current")}</th>
            <th className="font-medium">{t("twin.lowestVoltage")}</th>
            <th className="font-medium">{t("twin.capacityEstimate")}</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-border">
          {discharges.map((discharge) => (
            <tr key={discharge.discharge_id}>
              <td className="py-1">
                {formatDateTime(discharge.started_at, language)}
                {discharge.mode === "test" && <span className="text-muted"> · {t("twin.kind.test")}</span>}
                {discharge.is_open && <span className="text-warning-text"> · {t("twin.ongoing")}</span>}
              </td>
              <td>{formatAge(discharge.duration_s * 1000, language)}</td>
              <td>
                {discharge.drawn_ah.toFixed(1)} Ah · {Math.round(discharge.depth_pct)} %
                {!discharge.complete && <span className="text-muted"> · {t("twin.incomplete")}</span>}
              </td>
              <td>{formatQuantity(discharge.mean_current_a, "current_a")}</td>
              <td>
                {formatQuantity(discharge.block.min_voltage_v, "voltage_v")}
                {discharge.lowest_battery_id === discharge.block.battery_id && (
                  <span className="text-warning-text"> · {t("twin.lowestOfString")}</span>
                )}
              </td>
              <td>
                <CapacityEstimate discharge={discharge} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function CapacityEstimate({ discharge }: { discharge: BatteryDischarge }) {
  const { t } = useTranslation();
  const { value_pct: value = null, low_pct: low = null, high_pct: high = null } = discharge.block.soh ?? {};
  if (value !== null && low !== null && high !== null) {
    return (
      <span className="font-medium">
        {t("twin.capacity", { value: Math.round(value), low: Math.round(low), high: Math.round(high) })}
      </span>
    );
  }
  const shallow = discharge.depth_pct < EVIDENCE_FROM_PCT;
  return <span className="text-muted">{t(shallow ? "twin.tooShallow" : "twin.inconclusive")}</span>;
}
