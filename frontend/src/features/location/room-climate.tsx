import clsx from "clsx";
import { useTranslation } from "react-i18next";

import type { LocationDetail } from "@/api/types";
import { Age } from "@/components/age";
import { DEFAULT_STALE_AFTER_S } from "@/lib/staleness";
import { formatQuantity } from "@/lib/units";

/** The room's climate and the mains, with their age; stale values are dimmed. */
export function RoomClimate({ location }: { location: LocationDetail }) {
  const { t } = useTranslation();
  const room = location.stats?.environment;
  if (!room) {
    return (
      <p className="rounded-lg border border-dashed border-border px-4 py-2 text-muted">
        {t("location.room")}: {t("live.never")}
      </p>
    );
  }
  const hvacFails = room.hvac === "failed" || room.hvac === "degraded";
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-1 rounded-lg border border-border bg-surface px-4 py-2">
      <dl className={clsx("flex flex-wrap gap-x-6 gap-y-1", room.is_stale && "opacity-60")}>
        <Fact name={t("location.room")}>{formatQuantity(room.ambient_c, "temperature_c")}</Fact>
        <Fact name={t("location.humidity")}>{formatQuantity(room.humidity_pct, "humidity_pct")}</Fact>
        <Fact name={t("location.hvac")}>
          <span className={hvacFails ? "text-warning-text" : ""}>
            {room.hvac === null ? "–" : t(`location.hvacState.${room.hvac}`)}
          </span>
        </Fact>
        <Fact name={t("fleet.mains")}>
          {room.mains === null ? (
            "–"
          ) : room.mains ? (
            t("fleet.mainsState.available")
          ) : (
            <strong className="text-critical-text">{t("fleet.mainsState.lost")}</strong>
          )}
        </Fact>
      </dl>
      <Age at={room.time} staleAfterS={DEFAULT_STALE_AFTER_S} />
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex gap-2">
      <dt className="text-muted">{name}</dt>
      <dd className="font-medium">{children}</dd>
    </div>
  );
}
