import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import clsx from "clsx";
import { Download } from "lucide-react";
import { useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { fleetQueries } from "@/api/queries";
import { Age } from "@/components/age";
import { StatusLabel } from "@/components/status";
import { Button } from "@/components/ui/button";
import { EmptyState, ErrorState, Skeleton } from "@/components/ui/states";
import { shortId } from "@/lib/ids";
import { formatQuantity } from "@/lib/units";
import { liveStore } from "@/realtime/connection";
import { useLiveVersion, useNow } from "@/realtime/hooks";

import { columns, csvOf, type Row, rowOf, selectRows } from "./rows";

interface BatteryTableProps {
  locationId: string;
  params: URLSearchParams;
  onChange: (name: string, value: string | null) => void;
}

const ROW_HEIGHT = 36;

export function BatteryTable({ locationId, params, onChange }: BatteryTableProps) {
  const { t } = useTranslation();
  const { data, isError, error, isPending, refetch } = useQuery(fleetQueries.batteriesOf(locationId));
  const version = useLiveVersion();
  const now = useNow(5000);
  const sort = params.get("sort") ?? "battery_id";
  const rows = useMemo(
    () =>
      selectRows(
        (data?.items ?? []).map((battery) => rowOf(battery, liveStore.get(battery.battery_id), now)),
        { text: params.get("q") ?? "", status: params.get("status") ?? "", sort },
      ),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the store's version stands for its content
    [data, params, sort, version, now],
  );

  if (isError) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Skeleton height={400} />;
  return (
    <>
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <input
          type="search"
          value={params.get("q") ?? ""}
          onChange={(event) => onChange("q", event.target.value)}
          placeholder={t("location.filter")}
          aria-label={t("location.filter")}
          className="min-h-8 rounded-lg border border-border-strong bg-surface px-3"
        />
        <select
          aria-label={t("location.status")}
          value={params.get("status") ?? ""}
          onChange={(event) => onChange("status", event.target.value)}
          className="min-h-8 rounded-lg border border-border-strong bg-surface px-2"
        >
          <option value="">{t("alerts.any")}</option>
          {(["critical", "no_data", "warning", "normal"] as const).map((status) => (
            <option key={status} value={status}>
              {t(`status.${status}`)}
            </option>
          ))}
        </select>
        <Button onClick={() => saveCsv(`${locationId}.csv`, csvOf(rows))}>
          <Download size={15} aria-hidden />
          {t("location.csv")}
        </Button>
        <span className="text-muted">{rows.length}</span>
      </div>
      {rows.length === 0 ? (
        <EmptyState title={t("location.noMatch")} />
      ) : (
        <VirtualRows rows={rows} sort={sort} onSort={(next) => onChange("sort", next)} />
      )}
    </>
  );
}

function VirtualRows({ rows, sort, onSort }: { rows: Row[]; sort: string; onSort: (sort: string) => void }) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const layout = "grid grid-cols-[minmax(9rem,1.6fr)_7rem_5.5rem_5.5rem_5.5rem_5rem_6rem] items-center gap-2 px-3";
  return (
    <div
      ref={scroller}
      role="table"
      aria-rowcount={rows.length}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard
      tabIndex={0}
      className="max-h-[65vh] overflow-auto rounded-lg border border-border bg-surface"
    >
      <div className="min-w-[46rem]">
        <div
          role="row"
          className={clsx(layout, "sticky top-0 z-[1] border-b border-border bg-surface-2 py-1.5 text-left")}
        >
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
        <div className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <div
                key={row.battery_id}
                role="row"
                aria-rowindex={item.index + 1}
                className={clsx(layout, "absolute inset-x-0 border-b border-border")}
                style={{ height: ROW_HEIGHT, transform: `translateY(${item.start}px)` }}
              >
                <span role="cell" className="truncate">
                  <Link to={`/batteries/${row.battery_id}`} className="text-accent hover:underline">
                    {shortId(row.battery_id)}
                  </Link>
                </span>
                <span role="cell">
                  <StatusLabel status={row.status} />
                </span>
                <span role="cell">{formatQuantity(row.voltage_v, "voltage_v")}</span>
                <span role="cell">{formatQuantity(row.temperature_c, "temperature_c")}</span>
                <span role="cell">{formatQuantity(row.internal_resistance_mohm, "internal_resistance_mohm")}</span>
                <span role="cell">{formatQuantity(row.resistance_drift_pct, "resistance_drift_pct")}</span>
                <span role="cell">
                  <Age at={row.time} staleAfterMs={row.staleAfterMs} />
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

const headings = {
  battery_id: "location.battery",
  status: "location.status",
  voltage_v: "location.voltage",
  temperature_c: "location.temperature",
  internal_resistance_mohm: "location.resistance",
  resistance_drift_pct: "location.drift",
  time: "location.seen",
} as const;

function saveCsv(name: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
