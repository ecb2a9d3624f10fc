import clsx from "clsx";
import { useTranslation } from "react-i18next";

import { useLanguage } from "@/i18n";
import { formatAge, formatDateTime } from "@/lib/dates";
import { useNow } from "@/realtime/hooks";

interface AgeProps {
  at: string | number | null | undefined;
  /** Older than this it is shown as stale. */
  staleAfterMs?: number;
}

/** How old a value is; every live number stands beside one. */
export function Age({ at, staleAfterMs }: AgeProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const now = useNow();
  if (at === null || at === undefined) return <span className="text-muted">{t("live.never")}</span>;
  const instant = typeof at === "string" ? Date.parse(at) : at;
  const stale = staleAfterMs !== undefined && now - instant > staleAfterMs;
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
