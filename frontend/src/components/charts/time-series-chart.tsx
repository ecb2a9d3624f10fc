import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  Area,
  CartesianGrid,
  ComposedChart,
  Line,
  ReferenceArea,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";

import type { Alert, TelemetrySeries } from "@/api/types";
import { useLanguage } from "@/i18n";
import { formatDateTime, formatTick, timeTicks } from "@/lib/dates";
import { formatQuantity, quantities } from "@/lib/units";

import { ScrollRegion } from "../ui/scroll-region";
import { axisDomain, type Channel, extentOf, type Point, pointsOf } from "./series";

type Measured = Exclude<Channel, "soc_pct" | "soh_pct">;

export interface Mark {
  value: number;
  label: string;
}

interface TimeSeriesChartProps {
  name: string;
  series: TelemetrySeries;
  channel: Measured;
  from: number;
  to: number;
  marks?: readonly Mark[];
  alerts?: readonly Alert[];
  /** The axis takes in the marks, however far from the data they lie. */
  framesMarks?: boolean;
  onZoom?: (from: number, to: number) => void;
}

const leastSpans: Record<Measured, number> = {
  voltage_v: 0.2,
  current_a: 1,
  temperature_c: 2,
  internal_resistance_mohm: 0.5,
};

/** One channel over time: the mean as a line, lowest and highest as a band, so that spikes stay visible at any zoom. */
export function TimeSeriesChart({
  name,
  series,
  channel,
  from,
  to,
  marks = [],
  alerts = [],
  framesMarks = false,
  onZoom = () => undefined,
}: TimeSeriesChartProps) {
  const { t } = useTranslation();
  const [asTable, setAsTable] = useState(false);
  const points = useMemo(() => pointsOf(series, channel), [series, channel]);
  const extent = useMemo(() => extentOf(points), [points]);
  const show = (value: number) => formatQuantity(value, channel);
  return (
    <figure className="min-w-0 rounded-lg border border-border bg-surface p-3">
      <div className="flex items-baseline justify-between gap-2">
        <figcaption className="font-semibold">
          {name} <span className="font-normal text-muted">{quantities[channel].unit}</span>
        </figcaption>
        {extent !== null && (
          <button type="button" className="text-xs text-accent hover:underline" onClick={() => setAsTable(!asTable)}>
            {asTable ? t("battery.chart") : t("battery.table")}
          </button>
        )}
      </div>
      {extent === null ? (
        <p className="grid h-40 place-items-center text-muted">{t("battery.empty")}</p>
      ) : (
        <>
          <p className="mb-1 text-xs text-muted">
            {t("battery.summary", { name, min: show(extent.min), max: show(extent.max), last: show(extent.last) })}
          </p>
          {asTable ? (
            <PointTable name={name} points={points} channel={channel} />
          ) : (
            <Plot
              {...{ name, points, channel, from, to, marks, alerts, onZoom }}
              domain={axisDomain(extent, leastSpans[channel], framesMarks ? marks.map((mark) => mark.value) : [])}
            />
          )}
        </>
      )}
    </figure>
  );
}

interface PlotProps extends Required<Omit<TimeSeriesChartProps, "series" | "framesMarks">> {
  points: Point[];
  domain: [number, number];
}

function Plot({ points, channel, from, to, marks, alerts, onZoom, domain }: PlotProps) {
  const language = useLanguage();
  const [drag, setDrag] = useState<{ start: number; end: number } | null>(null);
  const ticks = useMemo(() => timeTicks(from, to, 6), [from, to]);
  const timeOf = (state: { activeLabel?: string | number | undefined }) =>
    state.activeLabel === undefined ? null : Number(state.activeLabel);

  function finish(): void {
    if (drag !== null && Math.abs(drag.end - drag.start) > 60_000)
      onZoom(Math.min(drag.start, drag.end), Math.max(drag.start, drag.end));
    setDrag(null);
  }

  return (
    <ResponsiveContainer width="100%" height={190} initialDimension={{ width: 600, height: 190 }}>
      <ComposedChart
        data={points}
        syncId="battery"
        syncMethod="value"
        margin={{ top: 4, right: 8, bottom: 0, left: 0 }}
        onMouseDown={(state) => {
          const time = timeOf(state);
          if (time !== null) setDrag({ start: time, end: time });
        }}
        onMouseMove={(state) => {
          const time = timeOf(state);
          if (drag !== null && time !== null) setDrag({ start: drag.start, end: time });
        }}
        onMouseUp={finish}
        onMouseLeave={() => setDrag(null)}
      >
        <CartesianGrid stroke="var(--border)" vertical={false} />
        <XAxis
          dataKey="time"
          type="number"
          domain={[from, to]}
          ticks={ticks}
          tickFormatter={(time: number) => formatTick(time, to - from, language)}
          tick={{ fill: "var(--muted)", fontSize: 12 }}
          stroke="var(--border-strong)"
        />
        <YAxis
          domain={domain}
          width={52}
          tickFormatter={(value: number) => formatQuantity(value, channel, false)}
          tick={{ fill: "var(--muted)", fontSize: 12 }}
          stroke="var(--border-strong)"
          allowDataOverflow
        />
        {alerts.map((alert) => (
          <ReferenceArea
            key={alert.alert_id}
            x1={Math.max(Date.parse(alert.raised_at), from)}
            x2={Math.min(alert.cleared_at === null ? to : Date.parse(alert.cleared_at), to)}
            fill={`var(--${alert.severity === "critical" ? "critical" : "warning"}-fill)`}
            fillOpacity={0.12}
          />
        ))}
        {marks.map((mark) => (
          <ReferenceLine
            key={mark.label}
            y={mark.value}
            stroke="var(--muted)"
            strokeDasharray="5 4"
            label={{
              value: mark.label,
              position: "insideBottomRight",
              fill: "var(--muted)",
              fontSize: 11,
              // A halo keeps it readable where the curve runs behind it.
              stroke: "var(--surface)",
              strokeWidth: 4,
              paintOrder: "stroke",
            }}
          />
        ))}
        <Area
          dataKey="band"
          stroke="none"
          fill="var(--band)"
          isAnimationActive={false}
          connectNulls={false}
          activeDot={false}
        />
        <Line
          dataKey="mean"
          stroke="var(--series-1)"
          strokeWidth={1.6}
          dot={points.length < 40 ? { r: 2 } : false}
          isAnimationActive={false}
          connectNulls={false}
        />
        <Tooltip content={<PointTooltip channel={channel} />} isAnimationActive={false} />
        {drag !== null && <ReferenceArea x1={drag.start} x2={drag.end} fill="var(--accent)" fillOpacity={0.15} />}
      </ComposedChart>
    </ResponsiveContainer>
  );
}

interface TooltipProps {
  channel: Measured;
  active?: boolean;
  payload?: readonly { payload?: Point }[];
}

function PointTooltip({ channel, active, payload }: TooltipProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const point = payload?.[0]?.payload;
  if (active !== true || point === undefined || point.mean === null) return null;
  return (
    <div className="rounded-lg border border-border bg-surface px-3 py-2 text-xs shadow">
      <div className="text-muted">{formatDateTime(point.time, language)}</div>
      <div className="font-semibold">{formatQuantity(point.mean, channel)}</div>
      {point.band !== null && point.band[0] !== point.band[1] && (
        <div className="text-muted">
          {t("battery.min")} {formatQuantity(point.band[0], channel)} · {t("battery.max")}{" "}
          {formatQuantity(point.band[1], channel)}
        </div>
      )}
    </div>
  );
}

function PointTable({ name, points, channel }: { name: string; points: readonly Point[]; channel: Measured }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    <ScrollRegion label={name} className="max-h-56 overflow-auto">
      <table className="w-full text-left text-xs">
        <thead className="sticky top-0 bg-surface">
          <tr>
            <th>{t("battery.time")}</th>
            <th>{t("battery.min")}</th>
            <th>{t("battery.mean")}</th>
            <th>{t("battery.max")}</th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) =>
            point.mean === null ? null : (
              <tr key={point.time}>
                <td>{formatDateTime(point.time, language)}</td>
                <td>{formatQuantity(point.band?.[0], channel, false)}</td>
                <td>{formatQuantity(point.mean, channel, false)}</td>
                <td>{formatQuantity(point.band?.[1], channel, false)}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
