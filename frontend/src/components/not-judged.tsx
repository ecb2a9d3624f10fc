import { CircleHelp } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { NotJudged } from "@/api/types";
import { Card } from "@/components/ui/card";

/** Beside a status: of how many signals the alert rules can say nothing. Nothing where they judge everything. */
export function NotJudgedLabel({ notJudged }: { notJudged: readonly NotJudged[] }) {
  const { t } = useTranslation();
  if (notJudged.length === 0) return null;
  const names = notJudged.map(({ signal }) => t(`notJudged.signal.${signal}`)).join(", ");
  return (
    <span className="inline-flex items-center gap-1 text-muted" title={`${t("notJudged.title")}: ${names}`}>
      <CircleHelp aria-hidden size={14} className="shrink-0" />
      {t("notJudged.label", { count: notJudged.length })}
    </span>
  );
}

/** Of how many batteries the alert rules cannot judge something. */
export function NotJudgedCount({ count }: { count: number }) {
  const { t } = useTranslation();
  if (count === 0) return null;
  return (
    <span className="inline-flex items-center gap-1 text-muted" title={t("notJudged.hint")}>
      <CircleHelp aria-hidden size={14} className="shrink-0" />
      {t("notJudged.batteries", { count })}
    </span>
  );
}

/** What the alert rules cannot judge of a battery, each signal with its reason. */
export function NotJudgedCard({ notJudged }: { notJudged: readonly NotJudged[] }) {
  const { t } = useTranslation();
  if (notJudged.length === 0) return null;
  return (
    <Card title={t("notJudged.title")} className="mb-3">
      <p className="mb-2 text-muted">{t("notJudged.hint")}</p>
      <ul className="divide-y divide-border" data-testid="not-judged">
        {notJudged.map(({ signal, reason }) => (
          <li key={signal} className="flex flex-wrap items-baseline gap-x-4 py-1.5">
            <span className="inline-flex items-center gap-1 font-medium">
              <CircleHelp aria-hidden size={14} className="shrink-0 self-center" />
              {t(`notJudged.signal.${signal}`)}
            </span>
            <span className="text-muted">{t(`notJudged.reason.${reason}`)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
