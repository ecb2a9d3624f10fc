import clsx from "clsx";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { BatteryDetail } from "@/api/types";
import { Card } from "@/components/ui/card";
import { batteryIdsOf } from "@/lib/ids";
import { formatQuantity } from "@/lib/units";
import { liveStore } from "@/realtime/connection";
import { useLiveVersion } from "@/realtime/hooks";

const PEERS = 24;
const HEIGHT = 76;
const BAR = 56;

/** Resistance drift of the blocks of the string side by side, this one marked. */
export function Peers({ battery }: { battery: BatteryDetail }) {
  const { t } = useTranslation();
  useLiveVersion();
  const peers = batteryIdsOf(battery.string_id, PEERS).map((id) => ({
    id,
    value: liveStore.get(id)?.resistance_drift_pct ?? null,
  }));
  const top = Math.max(25, ...peers.map((peer) => peer.value ?? 0));
  return (
    <Card title={`${t("battery.peers")}: ${t("location.drift").toLowerCase()}`}>
      {/* Two rows, so that each bar is wide enough to be hit. */}
      <ul className="grid grid-cols-12 gap-x-1 gap-y-2">
        {peers.map(({ id, value }, i) => {
          const isThis = id === battery.battery_id;
          const label = `${i + 1}: ${formatQuantity(value, "resistance_drift_pct")}`;
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
                  {i + 1}
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
