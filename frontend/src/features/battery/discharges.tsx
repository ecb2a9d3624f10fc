import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { Card } from "@/components/ui/card";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { formatAge, formatDateTime } from "@/lib/dates";
import { formatQuantity } from "@/lib/units";

import { type BatteryDischarge, batteryQueries } from "./queries";

const EVIDENCE_FROM_PCT = 15;

/** Outages and tests that this battery went through, and what each told of its capacity. */
export function Discharges({ batteryId }: { batteryId: string }) {
  const { t } = useTranslation();
  const found = useQuery(batteryQueries.discharges(batteryId));
  return (
    <Card title={t("twin.discharges")} className="mt-3">
      {found.isLoadingError && <ErrorState error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={90} />}
      {found.data?.items.length === 0 && (
        <EmptyState title={t("twin.noDischarges")} hint={t("twin.noDischargesHint")} />
      )}
      {found.data !== undefined && found.data.items.length > 0 && <DischargeTable discharges={found.data.items} />}
    </Card>
  );
}

function DischargeTable({ discharges }: { discharges: BatteryDischarge[] }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard
    <div className="overflow-x-auto" role="region" aria-label={t("twin.discharges")} tabIndex={0}>
      <table className="w-full min-w-[44rem] text-left" data-testid="discharges">
        <thead className="text-muted">
          <tr>
            <th className="py-1 font-medium">{t("twin.began")}</th>
            <th className="font-medium">{t("twin.lasted")}</th>
            <th className="font-medium">{t("twin.taken")}</th>
            <th className="font-medium">{t("location.current")}</th>
            <th className="font-medium">{t("twin.ownLowest")}</th>
            <th className="font-medium">{t("twin.tells")}</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-border">
          {discharges.map((one) => (
            <tr key={one.discharge_id}>
              <td className="py-1">
                {formatDateTime(one.started_at, language)}
                {one.mode === "test" && <span className="text-muted"> · {t("twin.kind.test")}</span>}
                {one.is_open && <span className="text-warning-text"> · {t("twin.goesOn")}</span>}
              </td>
              <td>{formatAge(one.duration_s * 1000, language)}</td>
              <td>
                {one.drawn_ah.toFixed(1)} Ah · {Math.round(one.depth_pct)} %
                {!one.complete && <span className="text-muted"> · {t("twin.incomplete")}</span>}
              </td>
              <td>{formatQuantity(one.mean_current_a, "current_a")}</td>
              <td>
                {formatQuantity(one.block.min_voltage_v, "voltage_v")}
                {one.lowest_battery_id === one.block.battery_id && (
                  <span className="text-warning-text"> · {t("twin.lowestOfString")}</span>
                )}
              </td>
              <td>
                <Told discharge={one} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Told({ discharge }: { discharge: BatteryDischarge }) {
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
  return <span className="text-muted">{t(shallow ? "twin.tooShallow" : "twin.toldNothing")}</span>;
}
