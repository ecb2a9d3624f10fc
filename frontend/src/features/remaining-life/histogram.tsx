import { useTranslation } from "react-i18next";

import type { PredictionSummary } from "@/api/types";
import { useLanguage } from "@/i18n";
import { formatCount } from "@/lib/units";

const YEAR_DAYS = 365;

/** Batteries by the year in which their median falls; those without a prediction have a bar of their own. */
export function Histogram({ summary }: { summary: PredictionSummary }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { histogram, withheld } = summary;
  const largest = Math.max(1, withheld, ...histogram.map(({ count }) => count));
  const years = (days: number) => formatCount(Math.round(days / YEAR_DAYS), language);
  const bars = [
    ...histogram.map(({ from_days: from, to_days: to, count }) => ({
      key: String(from),
      name:
        to === null
          ? t("predictions.lastBar", { from: years(from) })
          : t("predictions.bar", { from: years(from), to: years(to) }),
      count,
      look: "bg-accent",
    })),
    { key: "none", name: t("rul.none"), count: withheld, look: "hatched border border-border-strong" },
  ];
  return (
    <ul className="space-y-1" data-testid="histogram">
      {bars.map(({ key, name, count, look }) => (
        <li key={key} className="grid grid-cols-[8rem_1fr_3.5rem] items-center gap-2">
          <span className="text-muted">{name}</span>
          <span aria-hidden className="h-3.5">
            {count > 0 && (
              <span className={`block h-full rounded-sm ${look}`} style={{ width: `${(100 * count) / largest}%` }} />
            )}
          </span>
          <span className="text-right">{formatCount(count, language)}</span>
        </li>
      ))}
    </ul>
  );
}
