import { useTranslation } from "react-i18next";

import { colourAt, type FillBy, scales } from "./heat-fill";
import { StatusLabel } from "./status";

const units: Record<Exclude<FillBy, "status">, string> = {
  voltage_v: "V",
  temperature_c: "°C",
  resistance_drift_pct: "%",
  age: "s",
};

export function HeatLegend({ fillBy }: { fillBy: FillBy }) {
  const { t } = useTranslation();
  if (fillBy === "status") {
    return (
      <div className="my-3 flex flex-wrap gap-x-4 gap-y-1 text-xs">
        {(["critical", "no_data", "warning", "normal"] as const).map((status) => (
          <span key={status} className="inline-flex items-center gap-1.5">
            <span
              aria-hidden
              className={`inline-block size-3 ${status === "no_data" ? "hatched border border-border-strong" : ""}`}
              style={
                status === "no_data" ? undefined : { background: `var(--${status === "normal" ? "ok" : status}-fill)` }
              }
            />
            <StatusLabel status={status} />
          </span>
        ))}
      </div>
    );
  }
  const { low, high } = scales[fillBy];
  return (
    <div className="my-3 flex items-center gap-2 text-xs text-muted">
      {t(`fillBy.${fillBy}`)}: {low} {units[fillBy]}
      <span
        aria-hidden
        className="h-3 w-40 rounded"
        style={{ background: `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(colourAt).join(",")})` }}
      />
      {high} {units[fillBy]}
    </div>
  );
}
