import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { fleetQueries } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { EmptyState, ErrorState, RefreshFailed, Skeleton } from "@/components/ui/states";
import { useMediaQuery } from "@/lib/media-query";
import { useLiveLookup, useNow } from "@/realtime/hooks";

import { csvOf, saveCsv } from "./csv";
import { columnOf, columns, NOT_JUDGED, type Row, rowOf, selectRows, unknownCount } from "./rows";
import { headings, VirtualRows } from "./virtual-rows";

interface BatteryTableProps {
  locationId: string;
  params: URLSearchParams;
  showsRetired: boolean;
  onChange: (name: string, value: string | null) => void;
}

export function BatteryTable({ locationId, params, showsRetired, onChange }: BatteryTableProps) {
  const { t } = useTranslation();
  const batteries = useQuery(fleetQueries.batteriesOf(locationId, showsRetired));
  const { data } = batteries;
  const asCards = useMediaQuery("(max-width: 767px)");
  const find = useLiveLookup();
  const now = useNow(5000);
  const sort = params.get("sort") ?? "battery_id";
  const rows = useMemo(
    () =>
      selectRows(
        (data?.items ?? []).map((battery) => rowOf(battery, find(battery.battery_id), now)),
        { text: params.get("q") ?? "", status: params.get("status") ?? "", sort },
      ),
    [data, params, sort, find, now],
  );

  if (batteries.isLoadingError) return <ErrorState error={batteries.error} onRetry={() => void batteries.refetch()} />;
  if (batteries.isPending) return <Skeleton height={400} />;
  return (
    <>
      <RefreshFailed query={batteries} />
      <Toolbar
        locationId={locationId}
        params={params}
        showsRetired={showsRetired}
        rows={rows}
        asCards={asCards}
        sort={sort}
        onChange={onChange}
      />
      {rows.length === 0 ? (
        <EmptyState
          title={t("location.noMatch")}
          action={
            <Button
              className="mt-2"
              onClick={() => {
                onChange("q", null);
                onChange("status", null);
              }}
            >
              {t("alerts.reset")}
            </Button>
          }
        />
      ) : (
        <VirtualRows
          key={asCards ? "cards" : "rows"}
          rows={rows}
          sort={sort}
          asCards={asCards}
          onSort={(next) => onChange("sort", next)}
        />
      )}
    </>
  );
}

interface ToolbarProps extends BatteryTableProps {
  rows: readonly Row[];
  asCards: boolean;
  sort: string;
}

function Toolbar({ locationId, params, showsRetired, rows, asCards, sort, onChange }: ToolbarProps) {
  const { t } = useTranslation();
  const unknown = unknownCount(rows, sort);
  const field = "min-h-8 rounded-lg border border-border-strong bg-surface px-2";
  return (
    <div className="mb-2 flex flex-wrap items-center gap-2">
      <input
        type="search"
        value={params.get("q") ?? ""}
        onChange={(event) => onChange("q", event.target.value)}
        placeholder={t("location.filter")}
        aria-label={t("location.filter")}
        className={`${field} px-3 max-sm:w-full`}
      />
      <select
        aria-label={t("location.status")}
        value={params.get("status") ?? ""}
        onChange={(event) => onChange("status", event.target.value)}
        className={field}
      >
        <option value="">{t("alerts.any")}</option>
        {(["critical", "no_data", "warning", "normal"] as const).map((status) => (
          <option key={status} value={status}>
            {t(`status.${status}`)}
          </option>
        ))}
        {(showsRetired || params.get("status") === "retired") && (
          <option value="retired">{t("retirement.mark")}</option>
        )}
        <option value={NOT_JUDGED}>{t("notJudged.only")}</option>
      </select>
      {asCards && (
        <select
          aria-label={t("location.sort")}
          value={sort}
          onChange={(event) => onChange("sort", event.target.value)}
          className={field}
        >
          {columns.flatMap((column) => [
            <option key={column} value={column}>{`${t(headings[column])} ↑`}</option>,
            <option key={`-${column}`} value={`-${column}`}>{`${t(headings[column])} ↓`}</option>,
          ])}
        </select>
      )}
      <Button onClick={() => saveCsv(`${locationId}.csv`, csvOf(rows))}>
        <Download size={15} aria-hidden />
        {t("location.csv")}
      </Button>
      <span role="status" className="text-muted">
        {t("common.results", { count: rows.length })}
        {unknown > 0 && ` · ${t(headings[columnOf(sort)])}: ${t("notJudged.unknown", { count: unknown })}`}
      </span>
    </div>
  );
}
