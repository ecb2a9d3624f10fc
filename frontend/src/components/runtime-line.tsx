import clsx from "clsx";
import { BatteryLow, OctagonX, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { ListedRuntime } from "@/api/types";
import { runtimeLeft, type RuntimeLeft } from "@/lib/runtime";
import { useNow } from "@/realtime/hooks";

/** While on battery: shape, colour and text together. */
const looks = {
  normal: { Icon: BatteryLow, tone: "border-accent bg-surface text-accent" },
  warning: { Icon: TriangleAlert, tone: "border-warning-fill bg-warning-fill text-on-warning" },
  critical: { Icon: OctagonX, tone: "border-critical-fill bg-critical-fill text-on-critical" },
} as const;

/** Minutes left with their interval and the load, quiet on float and a badge on battery; else the reason in words. */
export function RuntimeLine({ runtime, onBattery }: { runtime: ListedRuntime; onBattery: boolean }) {
  const { t } = useTranslation();
  const left = runtimeLeft(runtime, onBattery, useNow(5000));
  if (typeof left === "string") {
    return (
      <span className={clsx("text-xs", onBattery ? "font-semibold text-warning-text" : "text-muted")}>
        {onBattery && <TriangleAlert aria-hidden size={14} className="mr-1 inline align-text-bottom" />}
        {t("runtime.none", { reason: t(`runtime.reason.${left}`) })}
      </span>
    );
  }
  return (
    <span className="inline-flex flex-wrap items-center gap-x-1 text-xs">
      {onBattery ? <Badge left={left} runtime={runtime} /> : <Text left={left} runtime={runtime} />}
      {(runtime.withheld_count ?? 0) > 0 && (
        <span className="text-muted">· {t("notJudged.unknown", { count: runtime.withheld_count ?? 0 })}</span>
      )}
    </span>
  );
}

interface Shown {
  left: RuntimeLeft;
  runtime: ListedRuntime;
}

function Badge({ left, runtime }: Shown) {
  const { t } = useTranslation();
  const { Icon, tone } = looks[left.level];
  return (
    <strong
      data-level={left.level}
      className={clsx("inline-flex items-center gap-1 rounded border px-1.5 font-semibold", tone)}
    >
      <Icon aria-hidden size={14} className="shrink-0" />
      <span className="sr-only">
        {left.level === "normal" ? t("runtime.onBattery") : t(`severity.${left.level}`)}:{" "}
      </span>
      <Text left={left} runtime={runtime} onBadge />
    </strong>
  );
}

function Text({ left, runtime, onBadge = false }: Shown & { onBadge?: boolean }) {
  const { t } = useTranslation();
  const { load } = runtime;
  const amount = amountOf(load);
  // Down, so that a number never promises more than is known.
  const minutes = (seconds: number) => Math.floor(seconds / 60).toString();
  const values = { minutes: minutes(left.medianS), load: amount };
  return (
    <span
      className={onBadge ? undefined : "text-muted"}
      title={load === null ? undefined : t(`twin.basis.${load.basis}`, { load: amount })}
    >
      {runtime.reaches_cut_off === false
        ? t("runtime.atLeast", values)
        : t("runtime.text", { ...values, low: minutes(left.lowS), high: minutes(left.highS) })}
    </span>
  );
}

function amountOf(load: ListedRuntime["load"]): string {
  if (load === null) return "–";
  return load.power_w === null
    ? `${Math.abs(load.current_a ?? 0).toFixed(0)} A`
    : `${(load.power_w / 1000).toFixed(1)} kW`;
}
