import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { fleetQueries } from "@/api/queries";
import type { BatteryDetail } from "@/api/types";
import { Card } from "@/components/ui/card";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { formatQuantity } from "@/lib/units";
import { useLiveLookup } from "@/realtime/hooks";

const HEIGHT = 76;
const BAR = 56;

/** Resistance drift of the string's batteries side by side, this one marked. */
export function Peers({ battery }: { battery: BatteryDetail }) {
  const { t } = useTranslation();
  const find = useLiveLookup();
  const batteries = useQuery(fleetQueries.batteriesOfString(battery.string_id));
  const peers = (batteries.data?.items ?? []).map(({ battery_id: id, position, live }) => ({
    id,
    position,
    value: find(id)?.resistance_drift_pct ?? live?.resistance_drift_pct ?? null,
  }));
  const top = Math.max(25, ...peers.map((peer) => peer.value ?? 0));
  return (
    <Card title={t("battery.peers")}>
      <QueryFailure query={batteries} />
      {batteries.isPending && <Skeleton height={2 * HEIGHT} />}
      {/* Two rows, so that each bar is wide enough to be hit. */}
      <ul className="grid grid-cols-12 gap-x-1 gap-y-2">
        {peers.map(({ id, position, value }) => {
          const isThis = id === battery.battery_id;
          const label = `${position}: ${formatQuantity(value, "resistance_drift_pct")}`;
          return (
            <li key={id}>
              <Link
                to={`/batteries/${id}`}
                aria-label={label}
                title={label}
                aria-current={isThis ? "page" : undefined}
                className="flex min-w-6 flex-col justify-end text-center text-xs hover:bg-surface-2"
                style={{ height: HEIGHT }}
              >
                <span
                  aria-hidden
                  className={clsx(
                    "block rounded-t-sm",
                    value === null ? "hatched border border-border-strong" : isThis ? "bg-accent" : "bg-ok-fill",
                  )}
                  style={{ height: value === null ? BAR : Math.max(2, (BAR * Math.max(0, value)) / top) }}
                />
                <span aria-hidden className={isThis ? "font-semibold text-accent" : "text-muted"}>
                  {position}
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
      <p className="mt-1 text-xs text-muted">
        {t("battery.peersScale", { top: formatQuantity(top, "resistance_drift_pct") })}
      </p>
    </Card>
  );
}
