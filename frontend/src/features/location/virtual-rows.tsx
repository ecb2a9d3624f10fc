import { useVirtualizer } from "@tanstack/react-virtual";
import clsx from "clsx";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { Age } from "@/components/age";
import { NotJudgedLabel } from "@/components/not-judged";
import { useSpanText } from "@/components/remaining-life/span-text";
import { RetiredMark } from "@/components/retirement/retired-label";
import { StatusLabel } from "@/components/status";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { shortId } from "@/lib/ids";
import { formatQuantity } from "@/lib/units";

import { columns, type Row } from "./rows";

const ROW_HEIGHT = 36;
const CARD_HEIGHT = 98;
const layout = "grid grid-cols-[minmax(9rem,1.6fr)_13rem_5.5rem_6.5rem_6.5rem_5rem_10rem_7rem] items-center gap-2 px-3";

interface VirtualRowsProps {
  rows: readonly Row[];
  sort: string;
  /** One card per battery instead of a row, for narrow screens. */
  asCards: boolean;
  onSort: (sort: string) => void;
}

/** Only the rows in sight are in the document. */
export function VirtualRows({ rows, sort, asCards, onSort }: VirtualRowsProps) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (asCards ? CARD_HEIGHT : ROW_HEIGHT),
    overscan: 12,
  });
  return (
    <ScrollRegion
      ref={scroller}
      role="table"
      label={t("location.table")}
      aria-rowcount={rows.length}
      className="max-h-[65vh] overflow-auto rounded-lg border border-border bg-surface"
    >
      <div className={asCards ? "" : "min-w-[66rem]"}>
        {!asCards && <Headings sort={sort} onSort={onSort} />}
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <div
                key={row.battery_id}
                role="row"
                aria-rowindex={item.index + 1}
                className={clsx(
                  "absolute inset-x-0 border-b border-border",
                  asCards ? "grid grid-cols-[1fr_auto] content-center gap-x-3 px-3" : layout,
                )}
                style={{ height: item.size, transform: `translateY(${item.start}px)` }}
              >
                {asCards ? <CardCells row={row} /> : <Cells row={row} />}
              </div>
            );
          })}
        </div>
      </div>
    </ScrollRegion>
  );
}

function Headings({ sort, onSort }: { sort: string; onSort: (sort: string) => void }) {
  const { t } = useTranslation();
  return (
    <div role="rowgroup" className="sticky top-0 z-[1]">
      <div role="row" className={clsx(layout, "border-b border-border bg-surface-2 py-1.5 text-left")}>
        {columns.map((column) => (
          <span
            key={column}
            role="columnheader"
            aria-sort={sort === column ? "ascending" : sort === `-${column}` ? "descending" : "none"}
          >
            <button
              type="button"
              className="font-medium hover:underline"
              onClick={() => onSort(sort === column ? `-${column}` : column)}
            >
              {t(headings[column])} {sort === column ? "↑" : sort === `-${column}` ? "↓" : ""}
            </button>
          </span>
        ))}
      </div>
    </div>
  );
}

function Cells({ row }: { row: Row }) {
  const value = isOld(row) ? "text-muted opacity-70" : "";
  return (
    <>
      <Name row={row} />
      <span role="cell" className="flex flex-wrap items-center gap-x-2 overflow-hidden leading-tight">
        <RowStatus status={row.status} />
        {row.status !== "retired" && <NotJudgedLabel notJudged={row.not_judged} />}
      </span>
      <span role="cell" className={value}>
        {formatQuantity(row.voltage_v, "voltage_v")}
      </span>
      <span role="cell" className={value}>
        {formatQuantity(row.temperature_c, "temperature_c")}
      </span>
      <span role="cell" className={value}>
        {formatQuantity(row.internal_resistance_mohm, "internal_resistance_mohm")}
      </span>
      <span role="cell" className={value}>
        {formatQuantity(row.resistance_drift_pct, "resistance_drift_pct")}
      </span>
      <RowRul row={row} />
      <span role="cell">
        <Age at={row.time} staleAfterS={row.stale_after_s} />
      </span>
    </>
  );
}

function CardCells({ row }: { row: Row }) {
  const { t } = useTranslation();
  return (
    <>
      <Name row={row} />
      <span role="cell" className="flex items-center gap-2 justify-self-end">
        <RowStatus status={row.status} />
        {row.status !== "retired" && <NotJudgedLabel notJudged={row.not_judged} />}
      </span>
      <span role="cell" className={clsx("text-muted", isOld(row) && "opacity-70")}>
        {formatQuantity(row.voltage_v, "voltage_v")} · {formatQuantity(row.temperature_c, "temperature_c")} ·{" "}
        {formatQuantity(row.internal_resistance_mohm, "internal_resistance_mohm")}{" "}
        <span className="whitespace-nowrap">({formatQuantity(row.resistance_drift_pct, "resistance_drift_pct")})</span>
      </span>
      <span role="cell" className="justify-self-end">
        <Age at={row.time} staleAfterS={row.stale_after_s} />
      </span>
      <span role="cell" className="col-span-2 text-muted">
        {t("rul.column")}: <RulText row={row} />
      </span>
    </>
  );
}

function RowRul({ row }: { row: Row }) {
  return (
    <span role="cell" className={row.rul_p10_days === null ? "text-muted" : ""}>
      <RulText row={row} />
    </span>
  );
}

/** P10 and P50; "unknown" in words where nothing is predicted. */
function RulText({ row }: { row: Row }) {
  const { t } = useTranslation();
  const spanText = useSpanText();
  const { rul_p10_days: p10, rul_p50_days: p50 } = row;
  if (row.status === "retired") return <>–</>;
  return <>{p10 === null || p50 === null ? t("rul.unknown") : `${spanText(p10)} / ${spanText(p50)}`}</>;
}

/** What was measured last says nothing of now. */
function isOld({ status }: Row): boolean {
  return status === "no_data" || status === "retired";
}

function RowStatus({ status }: Pick<Row, "status">) {
  return status === "retired" ? <RetiredMark /> : <StatusLabel status={status} />;
}

function Name({ row }: { row: Row }) {
  return (
    <span role="cell" className="truncate">
      <Link to={`/batteries/${row.battery_id}`} className="text-accent hover:underline">
        {shortId(row.battery_id)}
      </Link>
    </span>
  );
}

export const headings = {
  battery_id: "location.battery",
  status: "location.status",
  voltage_v: "location.voltage",
  temperature_c: "location.temperature",
  internal_resistance_mohm: "location.resistance",
  resistance_drift_pct: "location.drift",
  rul_p10_days: "rul.column",
  time: "location.lastReading",
} as const;
