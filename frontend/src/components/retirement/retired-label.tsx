import { Archive } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useLanguage } from "@/i18n";
import { formatDate } from "@/lib/dates";

interface RetiredLabelProps {
  at: string;
  by?: string | null;
  reason?: string | null;
}

/** In the place of a status: nothing watches what is retired, so no status would be true. */
export function RetiredLabel({ at, by = null, reason = null }: RetiredLabelProps) {
  const { t } = useTranslation();
  const date = formatDate(at, useLanguage());
  return (
    <span data-testid="retired" className="rounded-lg border border-border-strong px-2 py-0.5">
      <span className="font-medium">
        {by === null ? t("retirement.retiredLocation", { date }) : t("retirement.retired", { date, who: by })}
      </span>
      {reason !== null && <span className="text-muted"> · {reason}</span>}
    </span>
  );
}

/** The same in a list, where there is room for one word. */
export function RetiredMark() {
  const { t } = useTranslation();
  return (
    <span className="inline-flex items-center gap-1 font-medium text-muted">
      <Archive aria-hidden size={16} className="shrink-0" />
      {t("retirement.mark")}
    </span>
  );
}
