import { CircleHelp, GitCompareArrows } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { PredictionItem } from "@/api/types";
import { useReasonText } from "@/components/remaining-life/reason-text";
import { useSpanText } from "@/components/remaining-life/span-text";
import { useWhyText } from "@/components/remaining-life/withheld-text";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { useLanguage } from "@/i18n";
import { formatDate } from "@/lib/dates";
import { shortId } from "@/lib/ids";
import { daysLeft, isOverdue, knownDays } from "@/lib/remaining-life";
import { useNow } from "@/realtime/hooks";

import type { Sort, SortKey } from "./filters";

interface PredictionTableProps {
  items: readonly PredictionItem[];
  sort: Sort;
  /** A key, with a minus in front where the largest come first. */
  onSort: (sort: string) => void;
}

/** One row per battery: P10 and P50 from now on, who says so, and the main reason; or why there is no prediction. */
export function PredictionTable({ items, sort, onSort }: PredictionTableProps) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const heading = (key: SortKey, name: string) => {
    const isSorted = sort.key === key;
    return (
      <th
        className="py-1 pr-3 font-medium"
        aria-sort={!isSorted ? "none" : sort.isDescending ? "descending" : "ascending"}
      >
        <button
          type="button"
          className="font-medium hover:underline"
          onClick={() => onSort(isSorted && !sort.isDescending ? `-${key}` : key)}
        >
          {name} {isSorted && (sort.isDescending ? "↓" : "↑")}
        </button>
      </th>
    );
  };
  return (
    <ScrollRegion label={t("predictions.table")} className="overflow-x-auto">
      <table className="w-full min-w-[52rem] text-left" data-testid="predictions">
        <thead className="text-muted">
          <tr>
            {heading("battery_id", t("location.battery"))}
            {heading("p10_days", t("rul.earliest"))}
            {heading("p50_days", t("rul.median"))}
            <th className="py-1 pr-3 font-medium">{t("rul.latest")}</th>
            <th className="pr-3 font-medium">{t("predictions.source")}</th>
            <th className="font-medium">{t("predictions.mainReason")}</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-border">
          {items.map((item) => (
            <PredictionRow key={item.battery_id} item={item} now={now} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

interface RowProps {
  item: PredictionItem;
  now: number;
}

function PredictionRow({ item, now }: RowProps) {
  return (
    <tr>
      <td className="py-1 pr-3 whitespace-nowrap">
        <Link to={`/batteries/${item.battery_id}`} className="text-accent hover:underline">
          {shortId(item.battery_id)}
        </Link>
        <span className="block text-xs text-muted">{item.location_id}</span>
      </td>
      <Quantiles item={item} now={now} />
      <td className="pr-3">
        <SourceCell item={item} now={now} />
      </td>
      <td>
        <MainReason item={item} />
      </td>
    </tr>
  );
}

function Quantiles({ item, now }: RowProps) {
  const { t } = useTranslation();
  const spanText = useSpanText();
  const whyText = useWhyText();
  const days = knownDays(item);
  if (days === null || item.as_of === null) {
    return (
      <td colSpan={3} className="pr-3 text-muted">
        <CircleHelp aria-hidden size={14} className="mr-1 inline align-text-bottom" />
        {t("rul.none")}: {whyText(item.withheld_reason ?? "not_predicted_yet")}
      </td>
    );
  }
  const since = item.as_of;
  const left = (value: number) => daysLeft(value, since, now);
  const limit = days.longerThan === null ? null : left(days.longerThan);
  return (
    <>
      <td className="pr-3 font-semibold whitespace-nowrap">{spanText(left(days.p10), limit)}</td>
      <td className="pr-3 whitespace-nowrap">{spanText(left(days.p50), limit)}</td>
      <td className="pr-3 whitespace-nowrap">{spanText(left(days.p90), limit)}</td>
    </>
  );
}

function SourceCell({ item, now }: RowProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { predicted_at: predictedAt } = item;
  return (
    <>
      {t(`predictions.sourceChoice.${item.source}`)}
      {item.is_conflict && (
        <span className="ml-2 inline-flex items-center gap-1 font-medium text-warning-text">
          <GitCompareArrows aria-hidden size={14} />
          {t("rul.conflictMark")}
        </span>
      )}
      {predictedAt !== null && isOverdue(predictedAt, now) && (
        <span className="block text-xs text-warning-text">
          {t("rul.onDate")} {formatDate(predictedAt, language)}
        </span>
      )}
    </>
  );
}

function MainReason({ item }: { item: PredictionItem }) {
  const reasonText = useReasonText();
  const { main_reason: reason } = item;
  if (reason === null) return <span className="text-muted">–</span>;
  const text = reasonText(reason);
  if (text === null) return <span lang="en">{reason.sentence}</span>;
  return (
    <>
      {text.name} <span className="text-muted">{text.measured}</span>, {text.effect}
    </>
  );
}
