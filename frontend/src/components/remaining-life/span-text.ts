import { useTranslation } from "react-i18next";

import { isLonger, spanOf } from "@/lib/remaining-life";

/** Days in words: days while they are few, years beyond, "longer than" from where the data end. */
export function useSpanText(): (days: number, longerThan?: number | null) => string {
  const { t } = useTranslation();
  return (days, longerThan = null) => {
    const reaches = isLonger(days, longerThan);
    const { unit, value, count } = spanOf(reaches && longerThan !== null ? longerThan : days);
    const span = unit === "days" ? t("battery.days", { count }) : t("rul.years", { value });
    return reaches ? t("rul.longerThan", { span }) : span;
  };
}
