import clsx from "clsx";
import type { KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { colourAt, type FillBy, partOf, partOfScale } from "@/components/heat-fill";
import { RETIRED_GLYPH, RETIRED_LOOK } from "@/components/heat-legend";
import { useSpanText } from "@/components/remaining-life/span-text";
import { shortId } from "@/lib/ids";
import { formatQuantity } from "@/lib/units";
import { type LiveValue, statusNow } from "@/realtime/live-store";

const glyphs = { critical: "✕", warning: "▲", normal: "", no_data: "" } as const;
const statusLooks = {
  critical: "bg-critical-fill text-on-critical",
  warning: "bg-warning-fill text-on-warning border border-warning-text",
  normal: "bg-ok-fill",
  no_data: "hatched border border-border-strong",
} as const;

interface BatteryCellProps {
  batteryId: string;
  value: LiveValue | undefined;
  fillBy: FillBy;
  now: number;
  isRetired: boolean;
  isSelected: boolean;
  isTabStop: boolean;
  notJudgedCount: number;
  /** P10 of its remaining life from now on; null where nothing is predicted. */
  rulP10Days: number | null;
  onSelect: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
  onOpen: () => void;
}

/** One battery: its status as colour and shape, or a measurement as a bar from the bottom. */
export function BatteryCell({
  batteryId,
  value,
  fillBy,
  now,
  isRetired,
  isSelected,
  isTabStop,
  notJudgedCount,
  rulP10Days,
  ...on
}: BatteryCellProps) {
  const { t } = useTranslation();
  const status = statusNow(value, now);
  const spanText = useSpanText();
  const rulPart = rulP10Days === null ? null : partOfScale(rulP10Days, "rul_p10_days");
  const part =
    isRetired || fillBy === "status" ? null : fillBy === "rul_p10_days" ? rulPart : partOf(value, fillBy, now);
  const isBar = !isRetired && fillBy !== "status";
  const notJudged = notJudgedCount > 0 ? `, ${t("notJudged.label", { count: notJudgedCount })}` : "";
  // A normal battery that is not fully judged must not look like one that is.
  const glyph = status === "normal" && notJudgedCount > 0 ? "?" : glyphs[status];
  const name = isRetired
    ? t("retirement.mark")
    : `${t(`status.${status}`)}${notJudged}, ${
        fillBy === "rul_p10_days"
          ? `${t("fillBy.rul_p10_days")} ${rulP10Days === null ? t("rul.unknown") : spanText(rulP10Days)}`
          : formatQuantity(value?.voltage_v, "voltage_v")
      }`;
  return (
    <button
      type="button"
      data-battery={batteryId}
      data-status={isRetired ? "retired" : status}
      tabIndex={isTabStop ? 0 : -1}
      aria-label={`${shortId(batteryId)}: ${name}`}
      onFocus={on.onSelect}
      onMouseEnter={on.onSelect}
      onKeyDown={on.onKeyDown}
      onClick={on.onOpen}
      className={clsx(
        "relative grid h-8 min-w-6 place-items-center overflow-hidden rounded-sm text-[11px] leading-none font-bold",
        isRetired ? RETIRED_LOOK : isBar ? (part === null ? statusLooks.no_data : "bg-surface-2") : statusLooks[status],
        isSelected && "ring-2 ring-accent ring-offset-1 ring-offset-surface",
      )}
    >
      {part !== null && (
        <span
          aria-hidden
          className="absolute inset-x-0 bottom-0"
          style={{ height: `${Math.max(6, part * 100)}%`, background: colourAt(part) }}
        />
      )}
      {isBar && (status === "critical" || status === "warning") ? (
        <span
          aria-hidden
          className={clsx("relative grid size-4 place-items-center rounded-full text-[9px]", statusLooks[status])}
        >
          {glyphs[status]}
        </span>
      ) : (
        !isBar && <span aria-hidden>{isRetired ? RETIRED_GLYPH : glyph}</span>
      )}
    </button>
  );
}
