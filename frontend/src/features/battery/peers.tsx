import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { BatteryDetail } from "@/api/types";
import { Card } from "@/components/ui/card";
import { batteryIdsOf } from "@/lib/ids";
import { formatQuantity } from "@/lib/units";
import { liveStore } from "@/realtime/connection";
import { useLiveVersion } from "@/realtime/hooks";

const PEERS = 24;
const HEIGHT = 96;

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
      <ul className="flex items-end gap-[3px]" style={{ height: HEIGHT }}>
        {peers.map(({ id, value }, i) => (
          <li key={id} className="flex h-full min-w-0 flex-1 items-end">
            <Link
              to={`/batteries/${id}`}
              aria-label={`${i + 1}: ${formatQuantity(value, "resistance_drift_pct")}`}
              title={`${i + 1}: ${formatQuantity(value, "resistance_drift_pct")}`}
              aria-current={id === battery.battery_id ? "page" : undefined}
              className={`block w-full rounded-t-sm ${value === null ? "hatched border border-border-strong" : id === battery.battery_id ? "bg-accent" : "bg-ok-fill"}`}
              style={{ height: Math.max(4, (HEIGHT * Math.max(0, value ?? 20)) / top) }}
            />
          </li>
        ))}
      </ul>
      <p className="mt-1 flex justify-between text-xs text-muted">
        <span>1</span>
        <span>{formatQuantity(top, "resistance_drift_pct")}</span>
        <span>{PEERS}</span>
      </p>
    </Card>
  );
}
