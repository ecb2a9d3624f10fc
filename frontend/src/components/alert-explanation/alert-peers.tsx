import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { fleetQueries } from "@/api/queries";
import type { BatterySummary } from "@/api/types";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { formatQuantity } from "@/lib/units";

import type { StoredChannel } from "./alert-kinds";
import { comparisonOf } from "./comparison";

/** Resistances differ between batteries by make; what compares is how far each has drifted. */
const compared = {
  voltage_v: "voltage_v",
  temperature_c: "temperature_c",
  internal_resistance_mohm: "resistance_drift_pct",
} as const satisfies Record<StoredChannel, string>;

interface AlertPeersProps {
  batteryId: string;
  stringId: string;
  channel: StoredChannel;
}

/** The battery's latest value beside those of the others in its string. */
export function AlertPeers({ batteryId, stringId, channel }: AlertPeersProps) {
  const { t } = useTranslation();
  const batteries = useQuery(fleetQueries.batteriesOfString(stringId));
  const quantity = compared[channel];
  const valueOf = ({ status, live }: BatterySummary) => (status === "no_data" ? null : (live?.[quantity] ?? null));
  const items = batteries.data?.items ?? [];
  const found = comparisonOf(
    items.find((battery) => battery.battery_id === batteryId),
    items.filter((battery) => battery.battery_id !== batteryId),
    valueOf,
  );
  return (
    <>
      <QueryFailure query={batteries} />
      {batteries.isPending && <Skeleton height={40} />}
      {batteries.data &&
        (found === null ? (
          <p className="text-muted">{t("why.peersNone")}</p>
        ) : (
          <p>
            {t("why.peersNow", {
              own: formatQuantity(found.own, quantity),
              others: found.others,
              median: formatQuantity(found.median, quantity),
              low: formatQuantity(found.low, quantity),
              high: formatQuantity(found.high, quantity),
            })}
            {found.deviation !== null &&
              ` ${t("why.peersDeviation", { count: Math.round(Math.abs(found.deviation) * 10) / 10 })}`}
          </p>
        ))}
    </>
  );
}
