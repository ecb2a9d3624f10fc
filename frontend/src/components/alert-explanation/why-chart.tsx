import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import { historyQueries } from "@/api/queries";
import type { Alert, EffectiveRule } from "@/api/types";
import { type Mark, TimeSeriesChart } from "@/components/charts/time-series-chart";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { formatQuantity } from "@/lib/units";
import { useNow } from "@/realtime/hooks";

import { kindOf, type StoredChannel } from "./alert-kinds";

const AROUND_MS = 2 * 3_600_000;

const names = {
  voltage_v: "location.voltage",
  temperature_c: "location.temperature",
  internal_resistance_mohm: "location.resistance",
} as const satisfies Record<StoredChannel, string>;

interface WhyChartProps {
  alert: Alert;
  batteryId: string;
  channel: StoredChannel;
  rule: EffectiveRule | null;
}

/** The signal of an alert two hours before and after it was raised, with the limits of its rule. */
export function WhyChart({ alert, batteryId, channel, rule }: WhyChartProps) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const raisedAt = Date.parse(alert.raised_at);
  const [from, to] = [raisedAt - AROUND_MS, raisedAt + AROUND_MS];
  const series = useQuery({
    ...historyQueries.series(batteryId, from, Math.min(to, now)),
    // The same stretch, a minute shorter.
    placeholderData: (before) => before,
  });
  const isAbsolute = kindOf(alert)?.isAbsolute ?? false;
  return (
    <>
      <QueryFailure query={series} />
      {series.isPending && <Skeleton height={240} />}
      {series.data && (
        <TimeSeriesChart
          name={t(names[channel])}
          series={series.data}
          channel={channel}
          from={from}
          to={to}
          alerts={[alert]}
          marks={isAbsolute ? limitsOf(alert, rule, channel, t) : []}
          framesMarks
        />
      )}
      <p className="mt-1 text-muted">
        {t("why.chartAlert")} {!isAbsolute && t("why.chartRelative")}
      </p>
    </>
  );
}

function limitsOf(alert: Alert, rule: EffectiveRule | null, channel: StoredChannel, t: TFunction): Mark[] {
  const marks: Mark[] = [];
  if (alert.threshold !== null) {
    marks.push({
      value: alert.threshold,
      label: t("why.chartLimit", { value: formatQuantity(alert.threshold, channel) }),
    });
  }
  if (rule !== null) {
    marks.push({
      value: rule.clear_value,
      label: t("why.chartClear", { value: formatQuantity(rule.clear_value, channel) }),
    });
  }
  return marks;
}
