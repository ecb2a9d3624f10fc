import clsx from "clsx";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { NotJudged } from "@/api/types";
import { Age } from "@/components/age";
import { NotJudgedLabel } from "@/components/not-judged";
import { useSpanText } from "@/components/remaining-life/span-text";
import { RetiredMark } from "@/components/retirement/retired-label";
import { StatusLabel } from "@/components/status";
import { Card } from "@/components/ui/card";
import { shortId } from "@/lib/ids";
import { DEFAULT_STALE_AFTER_S } from "@/lib/staleness";
import { formatQuantity } from "@/lib/units";
import { useLiveValue, useNow } from "@/realtime/hooks";
import { type LiveValue, statusNow } from "@/realtime/live-store";

const labels = {
  voltage_v: "location.voltage",
  temperature_c: "location.temperature",
  internal_resistance_mohm: "location.resistance",
  resistance_drift_pct: "location.drift",
} as const;
const names = ["voltage_v", "temperature_c", "internal_resistance_mohm", "resistance_drift_pct"] as const;

interface SelectedBatteryProps {
  batteryId: string | null;
  isRetired: boolean;
  notJudged: readonly NotJudged[];
  /** Days of remaining life from now on; undefined while the list is read. */
  rul: { p10: number | null; p50: number | null } | undefined;
}

/** The battery of the cell under the pointer or the focus. */
export function SelectedBattery({ batteryId, isRetired, notJudged, rul }: SelectedBatteryProps) {
  const { t } = useTranslation();
  const now = useNow(5000);
  const value = useLiveValue(batteryId);
  const status = statusNow(value, now);
  const spanText = useSpanText();
  return (
    <Card title={t("location.selected")} className="self-start xl:sticky xl:top-16">
      {batteryId === null ? (
        <p className="text-muted">{t("location.mapHelp")}</p>
      ) : (
        <>
          <p className="font-medium break-all">{shortId(batteryId)}</p>
          <p className="my-1 flex flex-wrap gap-x-3">
            {isRetired ? <RetiredMark /> : <StatusLabel status={status} />}
            {!isRetired && <NotJudgedLabel notJudged={notJudged} />}
          </p>
          {!isRetired && <LiveFacts value={value} isOld={status === "no_data"} />}
          {!isRetired && rul !== undefined && (
            <p className="mt-1">
              <span className="text-muted">{t("rul.column")}</span>{" "}
              {rul.p10 === null || rul.p50 === null ? t("rul.unknown") : `${spanText(rul.p10)} / ${spanText(rul.p50)}`}
            </p>
          )}
          <Link to={`/batteries/${batteryId}`} className="mt-2 inline-block text-accent underline">
            {t("location.open")}
          </Link>
        </>
      )}
    </Card>
  );
}

function LiveFacts({ value, isOld }: { value: LiveValue | undefined; isOld: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      <dl className={clsx("grid grid-cols-2 gap-y-1", isOld && "opacity-60")}>
        {names.map((name) => (
          <div key={name} className="contents">
            <dt className="text-muted">{t(labels[name])}</dt>
            <dd>{formatQuantity(value?.[name], name)}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-1">
        <Age at={value?.time} staleAfterS={value?.stale_after_s ?? DEFAULT_STALE_AFTER_S} />
      </p>
    </>
  );
}
