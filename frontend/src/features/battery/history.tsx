import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { ChevronLeft, ChevronRight, ZoomOut } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router-dom";

import type { Alert, BatteryDetail } from "@/api/types";
import { TimeSeriesChart } from "@/components/charts/time-series-chart";
import { Button } from "@/components/ui/button";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { type Preset, paramsOf, presets, rangeOf, shifted, type TimeRange, zoomedOut } from "@/lib/time-range";
import { useNow } from "@/realtime/hooks";

import { batteryQueries } from "./queries";

/** What a point is: a reading, or an average over a width such as "6h". */
function resolutionText(label: string, t: TFunction): string {
  const [, width, unit] = /^(\d+)([mhd])$/.exec(label) ?? [];
  return t(`battery.resolution.${unit === "m" || unit === "h" || unit === "d" ? unit : "raw"}`, { width });
}

interface HistoryProps {
  battery: BatteryDetail;
  /** The alerts to mark in the charts; null if they could not be loaded. */
  alerts: readonly Alert[] | null;
}

/** The battery's charts over the range in the URL. */
export function History({ battery, alerts }: HistoryProps) {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const now = useNow(10_000);
  const range = rangeOf(params, now);
  const series = useQuery(batteryQueries.series(battery.battery_id, range.from, range.to));
  const { data } = series;

  function choose(next: Preset | { from: number; to: number }): void {
    setParams((current) => {
      for (const [name, value] of Object.entries(paramsOf(next))) current.set(name, value);
      return current;
    });
  }

  const shared = { from: range.from, to: range.to, onZoom: (from: number, to: number) => choose({ from, to }) };
  const alertsInRange = (alerts ?? []).filter(
    (alert) =>
      Date.parse(alert.raised_at) < range.to &&
      (alert.cleared_at === null || Date.parse(alert.cleared_at) > range.from),
  );
  return (
    <section className="mt-4">
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <h2 className="mr-2">{t("battery.history")}</h2>
        <RangeControl range={range} now={now} onChoose={choose} />
        <span className="ml-auto text-xs text-muted">
          {data && `${t("battery.points", { count: data.point_count })}, ${resolutionText(data.resolution, t)} · `}
          {t("battery.zone")} · {t("battery.gaps")}
        </span>
      </div>
      <QueryFailure query={series} />
      {alerts === null && <p className="mb-2 text-warning-text">{t("battery.alertsUnmarked")}</p>}
      {series.isPending && <Skeleton height={420} />}
      {data && (
        <div className="grid gap-3 lg:grid-cols-2">
          <TimeSeriesChart
            name={t("location.voltage")}
            series={data}
            channel="voltage_v"
            alerts={alertsInRange}
            marks={[
              { value: battery.model.float_voltage_low_v, label: `${battery.model.float_voltage_low_v.toFixed(1)} V` },
              {
                value: battery.model.float_voltage_high_v,
                label: `${battery.model.float_voltage_high_v.toFixed(1)} V`,
              },
            ]}
            {...shared}
          />
          <TimeSeriesChart
            name={t("location.resistance")}
            series={data}
            channel="internal_resistance_mohm"
            alerts={alertsInRange}
            marks={
              battery.baseline_resistance_mohm === null
                ? []
                : [{ value: battery.baseline_resistance_mohm, label: t("battery.baseline") }]
            }
            {...shared}
          />
          <TimeSeriesChart
            name={t("location.temperature")}
            series={data}
            channel="temperature_c"
            alerts={alertsInRange}
            {...shared}
          />
          <TimeSeriesChart
            name={t("location.current")}
            series={data}
            channel="current_a"
            alerts={alertsInRange}
            {...shared}
          />
        </div>
      )}
      <p className="mt-1 text-xs text-muted">{t("battery.zoomHint")}</p>
    </section>
  );
}

function RangeControl({
  range,
  now,
  onChoose,
}: {
  range: TimeRange;
  now: number;
  onChoose: (next: Preset | { from: number; to: number }) => void;
}) {
  const { t } = useTranslation();
  return (
    <div role="group" aria-label={t("battery.history")} className="flex flex-wrap gap-1">
      {presets.map((preset) => (
        <Button
          key={preset}
          tone={range.preset === preset ? "primary" : "plain"}
          aria-pressed={range.preset === preset}
          onClick={() => onChoose(preset)}
        >
          {t(`battery.range.${preset}`)}
        </Button>
      ))}
      <Button
        aria-label={t("battery.earlier")}
        title={t("battery.earlier")}
        onClick={() => onChoose(shifted(range, -1, now))}
      >
        <ChevronLeft size={16} aria-hidden />
      </Button>
      <Button
        aria-label={t("battery.later")}
        title={t("battery.later")}
        disabled={range.preset !== null}
        onClick={() => onChoose(shifted(range, 1, now))}
      >
        <ChevronRight size={16} aria-hidden />
      </Button>
      <Button
        aria-label={t("battery.zoomOut")}
        title={t("battery.zoomOut")}
        onClick={() => onChoose(zoomedOut(range, now))}
      >
        <ZoomOut size={16} aria-hidden />
      </Button>
    </div>
  );
}
