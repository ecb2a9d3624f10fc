import clsx from "clsx";
import { useTranslation } from "react-i18next";

import type { HealthStatus } from "@/api/types";
import { unitText } from "@/i18n";

import { colourAt, type FillBy, scales } from "./heat-fill";

const units: Record<Exclude<FillBy, "status">, string> = {
  voltage_v: "V",
  temperature_c: "°C",
  resistance_drift_pct: "%",
  age: "s",
  rul_p10_days: "d",
};

const swatches: Record<HealthStatus, { look: string; glyph: string }> = {
  critical: { look: "bg-critical-fill text-on-critical", glyph: "✕" },
  no_data: { look: "hatched border border-border-strong", glyph: "" },
  warning: { look: "bg-warning-fill text-on-warning", glyph: "▲" },
  normal: { look: "bg-ok-fill", glyph: "" },
};

/** A retired battery in the map: an empty outline, neither filled nor hatched. */
export const RETIRED_LOOK = "border border-dashed border-border-strong text-muted";
export const RETIRED_GLYPH = "–";

export function HeatLegend({ fillBy, showsRetired = false }: { fillBy: FillBy; showsRetired?: boolean }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-xs text-muted">
      {fillBy === "status" ? (
        (["critical", "no_data", "warning", "normal"] as const).map((status) => <Swatch key={status} status={status} />)
      ) : (
        <>
          <Ramp fillBy={fillBy} />
          <Swatch status="no_data" name={fillBy === "rul_p10_days" ? t("rul.unknown") : undefined} />
        </>
      )}
      {showsRetired && (
        <span className="inline-flex items-center gap-1.5">
          <span aria-hidden className={clsx("grid h-3 w-4 place-items-center leading-none", RETIRED_LOOK)}>
            {RETIRED_GLYPH}
          </span>
          {t("retirement.mark")}
        </span>
      )}
    </div>
  );
}

function Swatch({ status, name }: { status: HealthStatus; name?: string | undefined }) {
  const { t } = useTranslation();
  const { look, glyph } = swatches[status];
  return (
    <span className="inline-flex items-center gap-1.5" title={status === "normal" ? t("status.normalHint") : undefined}>
      <span aria-hidden className={clsx("grid h-3 w-4 place-items-center text-[9px] leading-none font-bold", look)}>
        {glyph}
      </span>
      {name ?? t(`status.${status}`)}
    </span>
  );
}

function Ramp({ fillBy }: { fillBy: Exclude<FillBy, "status"> }) {
  const { t } = useTranslation();
  const { low, high } = scales[fillBy];
  const unit = unitText(units[fillBy]);
  return (
    <span className="inline-flex items-center gap-2">
      {t(`fillBy.${fillBy}`)}: {low} {unit}
      <span
        aria-hidden
        className="h-3 w-40 rounded"
        style={{ background: `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(colourAt).join(",")})` }}
      />
      {high} {unit}
    </span>
  );
}
