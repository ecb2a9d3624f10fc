import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { RulEntry } from "@/api/types";
import { useWhyText } from "@/components/remaining-life/withheld-text";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { useLanguage } from "@/i18n";
import { formatMonth } from "@/lib/calendar";
import { formatDate } from "@/lib/dates";

import { PromisesChart } from "./promises-chart";
import { type Promised, promisesOf } from "./promises";

interface RulPromisesProps {
  /** Newest first. */
  entries: readonly RulEntry[];
  /** All that there are, of which these may be a part. */
  total: number;
}

/** What was promised on which day, as a chart and as a table: a prediction that holds stays level. */
export function RulPromises({ entries, total }: RulPromisesProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const [asTable, setAsTable] = useState(false);
  const promises = useMemo(() => promisesOf(entries), [entries]);
  const known = promises.filter(({ mid }) => mid !== null);
  const month = (promise: Promised | undefined) => (promise?.mid == null ? "–" : formatMonth(promise.mid, language));
  return (
    <figure className="min-w-0">
      <div className="flex flex-wrap items-baseline justify-between gap-2">
        <figcaption className="font-medium">{t("rul.promises")}</figcaption>
        {promises.length > 0 && (
          <button type="button" className="text-xs text-accent hover:underline" onClick={() => setAsTable(!asTable)}>
            {asTable ? t("battery.chart") : t("battery.table")}
          </button>
        )}
      </div>
      <p className="text-xs text-muted">
        {known.length === 0
          ? t("rul.noPromises", { count: promises.length })
          : t("rul.promisesSummary", { count: known.length, first: month(known[0]), last: month(known.at(-1)) })}{" "}
        {total > entries.length && t("rul.promisesMore", { shown: entries.length, total })}
      </p>
      {asTable ? (
        <PromisesTable promises={[...promises].reverse()} />
      ) : (
        known.length > 0 && (
          <>
            <p className="text-xs text-muted">{t("rul.promisesHint")}</p>
            <PromisesChart promises={promises} />
          </>
        )
      )}
    </figure>
  );
}

function PromisesTable({ promises }: { promises: readonly Promised[] }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const whyText = useWhyText();
  const end = (at: number, isOpen: boolean) =>
    isOpen ? t("rul.laterThan", { date: formatMonth(at, language) }) : formatMonth(at, language);
  return (
    <ScrollRegion label={t("rul.promises")} className="max-h-64 overflow-auto">
      <table className="w-full min-w-[26rem] text-left text-xs">
        <thead className="sticky top-0 bg-surface">
          <tr>
            <th>{t("rul.onDate")}</th>
            <th>{t("rul.earliest")}</th>
            <th>{t("rul.median")}</th>
            <th>{t("rul.latest")}</th>
          </tr>
        </thead>
        <tbody>
          {promises.map(({ time, band, mid, isOpen, withheldReason }) => (
            <tr key={time}>
              <td>{formatDate(time, language)}</td>
              {band === null || mid === null ? (
                <td colSpan={3} className="text-muted">
                  {t("rul.none")}: {whyText(withheldReason ?? "not_predicted_yet")}
                </td>
              ) : (
                <>
                  <td>{end(band[0], isOpen.p10)}</td>
                  <td>{end(mid, isOpen.p50)}</td>
                  <td>{end(band[1], isOpen.p90)}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
