import clsx from "clsx";
import { useTranslation } from "react-i18next";

import { useLanguage } from "@/i18n";
import { formatAge, formatDateTime } from "@/lib/dates";
import { isStale } from "@/lib/staleness";
import { useNow } from "@/realtime/hooks";

interface AgeProps {
  at: string | number | null | undefined;
  /** Past this age it is shown as stale. */
  staleAfterS?: number;
}

/** The age of a value; every live number has one beside it. */
export function Age({ at, staleAfterS }: AgeProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const now = useNow();
  if (at === null || at === undefined) return <span className="text-muted">{t("live.never")}</span>;
  const instant = typeof at === "string" ? Date.parse(at) : at;
  const stale = staleAfterS !== undefined && isStale(instant, staleAfterS, now);
  return (
    <time
      dateTime={new Date(instant).toISOString()}
      title={formatDateTime(instant, language)}
      className={clsx("text-xs whitespace-nowrap", stale ? "font-medium text-warning-text" : "text-muted")}
    >
      {t("live.ago", { age: formatAge(now - instant, language) })}
    </time>
  );
}
