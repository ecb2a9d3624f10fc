import clsx from "clsx";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { BatteryDetail, Estimate } from "@/api/types";
import { Age } from "@/components/age";
import { EstimateBar } from "@/components/estimate-bar";
import { Card } from "@/components/ui/card";
import { DEFAULT_STALE_AFTER_S, isStale } from "@/lib/staleness";
import { formatQuantity } from "@/lib/units";
import { useLiveValue, useNow } from "@/realtime/hooks";

/** Newest measurements, each with its age; estimates only with evidence behind them. */
export function LiveValues({ battery }: { battery: BatteryDetail }) {
  const { t } = useTranslation();
  const live = useLiveValue(battery.battery_id);
  const now = useNow(5000);
  const stored = battery.live;
  const time = live?.time ?? (stored ? Date.parse(stored.time) : null);
  const staleAfterS = live?.stale_after_s ?? stored?.stale_after_s ?? DEFAULT_STALE_AFTER_S;
  const stale = isStale(time, staleAfterS, now);
  const ageOf = (channel: "voltage_v" | "current_a" | "temperature_c") => (
    <Age at={live?.measured_at[channel] ?? time} staleAfterS={staleAfterS} />
  );
  return (
    <Card title={t("battery.live")}>
      <dl className={clsx("grid grid-cols-2 gap-3 sm:grid-cols-3", stale && "opacity-60")} data-testid="live-values">
        <Value
          name={t("location.voltage")}
          value={formatQuantity(live?.voltage_v ?? stored?.voltage_v, "voltage_v")}
          testId="live-voltage"
        >
          {ageOf("voltage_v")}
        </Value>
        <Value name={t("location.current")} value={formatQuantity(live?.current_a ?? stored?.current_a, "current_a")}>
          {ageOf("current_a")}
        </Value>
        <Value
          name={t("location.temperature")}
          value={formatQuantity(live?.temperature_c ?? stored?.temperature_c, "temperature_c")}
        >
          {ageOf("temperature_c")}
        </Value>
        <Value
          name={t("location.resistance")}
          value={formatQuantity(
            live?.internal_resistance_mohm ?? stored?.internal_resistance_mohm,
            "internal_resistance_mohm",
          )}
        >
          {formatQuantity(live?.resistance_drift_pct ?? stored?.resistance_drift_pct, "resistance_drift_pct")}{" "}
          {t("battery.at25")} ·{" "}
          <Age at={live?.measured_at.internal_resistance_mohm ?? stored?.resistance_measured_at} />
        </Value>
        <EstimateValue name={t("battery.soc")} estimate={stored?.soc} scale={SOC_SCALE} />
        <EstimateValue name={t("battery.soh")} estimate={stored?.soh} scale={SOH_SCALE} />
        <Value
          name={t("battery.rul")}
          value={
            battery.rul_days == null
              ? t("battery.noPrediction")
              : t("battery.days", { count: Math.round(battery.rul_days) })
          }
          small={battery.rul_days == null}
        >
          {null}
        </Value>
      </dl>
    </Card>
  );
}

interface Scale {
  from: number;
  to: number;
  limit?: number;
}

const SOC_SCALE: Scale = { from: 0, to: 100 };
/** Capacity at its end of life is 80 % of rated. */
const SOH_SCALE: Scale = { from: 50, to: 120, limit: 80 };

function EstimateValue({ name, estimate, scale }: { name: string; estimate: Estimate | undefined; scale: Scale }) {
  const { t } = useTranslation();
  if (estimate?.value_pct == null) {
    return (
      <Value name={name} value={t("battery.noEstimate")} small>
        {t(`reason.${estimate?.reason ?? "no_estimate_yet"}`)}
      </Value>
    );
  }
  const { value_pct: value, low_pct: low, high_pct: high, provenance } = estimate;
  const interval = low === null || high === null ? t("battery.noInterval") : `${Math.round(low)}–${Math.round(high)} %`;
  const assumed = provenance === "prior_only";
  // An assumption must not look like a measurement, so only its range is shown.
  return (
    <Value name={name} value={assumed ? interval : `${Math.round(value)} %`} quiet={assumed}>
      <EstimateBar estimate={estimate} {...scale} />
      {assumed ? t("battery.assumed") : interval}
      {!assumed && provenance !== null && ` · ${t(`provenance.${provenance}`)}`}
    </Value>
  );
}

function Value({
  name,
  value,
  small = false,
  quiet = false,
  testId,
  children,
}: {
  name: string;
  value: string;
  small?: boolean;
  quiet?: boolean;
  testId?: string;
  children: ReactNode;
}) {
  return (
    <div>
      <dt className="text-muted">{name}</dt>
      <dd>
        <div
          className={clsx(small ? "font-medium" : "text-xl font-semibold", quiet && "text-muted")}
          data-testid={testId}
        >
          {value}
        </div>
        <div className="text-xs text-muted">{children}</div>
      </dd>
    </div>
  );
}
