import { useTranslation } from "react-i18next";

import { useLanguage } from "@/i18n";
import { formatEnd } from "@/lib/calendar";
import { endOf, isLonger, type KnownDays } from "@/lib/remaining-life";

/** When 80 % of the capacity is reached, as dates in a sentence. */
export function useEndText(): (days: KnownDays, asOf: string, now: number) => string {
  const { t } = useTranslation();
  const language = useLanguage();
  return ({ p10, p50, p90, longerThan }, asOf, now) => {
    const date = (days: number) => formatEnd(endOf(asOf, days), now, language);
    const [from, mid, to] = [date(p10), date(p50), date(p90)];
    if (longerThan === null || !isLonger(p90, longerThan)) return t("rul.end.between", { from, mid, to });
    const limit = date(longerThan);
    if (isLonger(p10, longerThan)) return t("rul.end.allLonger", { limit });
    if (isLonger(p50, longerThan)) return t("rul.end.medianLonger", { from, limit });
    return t("rul.end.highLonger", { from, mid, limit });
  };
}

/** The same without a sentence, for the rows of a chart. */
export function useRangeText(): (days: KnownDays, asOf: string, now: number) => string {
  const { t } = useTranslation();
  const language = useLanguage();
  return ({ p10, p50, p90, longerThan }, asOf, now) => {
    const date = (days: number) => {
      const reaches = isLonger(days, longerThan);
      const text = formatEnd(endOf(asOf, reaches && longerThan !== null ? longerThan : days), now, language);
      return reaches ? t("rul.laterThan", { date: text }) : text;
    };
    return t("rul.range", { from: date(p10), mid: date(p50), to: date(p90) });
  };
}
