import { useTranslation } from "react-i18next";
import { Area, CartesianGrid, ComposedChart, Line, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";

import { useLanguage } from "@/i18n";
import { calendarTicks, formatMonth } from "@/lib/calendar";
import { formatDate, formatTick, timeTicks } from "@/lib/dates";

import type { Promised } from "./promises";

const DAY_MS = 86_400_000;
const HEIGHT = 200;

/** Promised ends (upwards) over the days of prediction: P10 to P90 as a band, the median as a line. */
export function PromisesChart({ promises }: { promises: readonly Promised[] }) {
  const language = useLanguage();
  const times = promises.map(({ time }) => time);
  const [from, to] = widened(Math.min(...times), Math.max(...times), DAY_MS);
  const ends = promises.flatMap(({ band }) => band ?? []);
  const [low, high] = widened(Math.min(...ends), Math.max(...ends), 60 * DAY_MS);
  const tick = { fill: "var(--muted)", fontSize: 12 };
  return (
    <ResponsiveContainer width="100%" height={HEIGHT} initialDimension={{ width: 600, height: HEIGHT }}>
      <ComposedChart data={[...promises]} margin={{ top: 4, right: 8, bottom: 0, left: 0 }}>
        <CartesianGrid stroke="var(--border)" vertical={false} />
        <XAxis
          dataKey="time"
          type="number"
          domain={[from, to]}
          ticks={timeTicks(from, to, 5)}
          tickFormatter={(time: number) => formatTick(time, Number.POSITIVE_INFINITY, language)}
          tick={tick}
          stroke="var(--border-strong)"
        />
        <YAxis
          domain={[low, high]}
          width={72}
          ticks={calendarTicks(low, high, 5, language).map(({ at }) => at)}
          tickFormatter={(at: number) => formatMonth(at, language, "short")}
          tick={tick}
          stroke="var(--border-strong)"
          allowDataOverflow
        />
        <Area
          dataKey="band"
          stroke="none"
          fill="var(--band)"
          isAnimationActive={false}
          connectNulls={false}
          activeDot={false}
        />
        <Line
          dataKey="mid"
          stroke="var(--series-1)"
          strokeWidth={1.6}
          dot={promises.length < 40 ? { r: 2 } : false}
          isAnimationActive={false}
          connectNulls={false}
        />
        <Tooltip content={<PromiseTooltip />} isAnimationActive={false} />
      </ComposedChart>
    </ResponsiveContainer>
  );
}

/** A span with some air, and never without width. */
function widened(from: number, to: number, least: number): [number, number] {
  const air = Math.max((to - from) * 0.06, least / 2);
  return [from - air, to + air];
}

interface TooltipProps {
  active?: boolean;
  payload?: readonly { payload?: Promised }[];
}

function PromiseTooltip({ active, payload }: TooltipProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const promise = payload?.[0]?.payload;
  if (active !== true || promise === undefined || promise.band === null || promise.mid === null) return null;
  const { band, mid, isOpen } = promise;
  const end = (at: number, open: boolean) =>
    open ? t("rul.laterThan", { date: formatMonth(at, language) }) : formatMonth(at, language);
  return (
    <div className="rounded-lg border border-border bg-surface px-3 py-2 text-xs shadow">
      <div className="text-muted">{formatDate(promise.time, language)}</div>
      <div className="font-semibold">{end(mid, isOpen.p50)}</div>
      <div className="text-muted">
        {t("rul.earliest")} {end(band[0], isOpen.p10)} · {t("rul.latest")} {end(band[1], isOpen.p90)}
      </div>
    </div>
  );
}
