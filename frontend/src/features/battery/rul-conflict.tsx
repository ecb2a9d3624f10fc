import { GitCompareArrows } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { RulEntry } from "@/api/types";
import { useSpanText } from "@/components/remaining-life/span-text";

/** That the sources contradict each other, what each expects, and what would settle it; nothing without a conflict. */
export function RulConflict({ entry }: { entry: RulEntry }) {
  const { t } = useTranslation();
  const spanText = useSpanText();
  const { twin, ml, difference_pct: difference, conflict_advice: advice } = entry;
  if (!entry.is_conflict) return null;
  const medianOf = ({ p50_days: median, longer_than_days: longerThan }: RulEntry["ml"]) =>
    median === null ? t("rul.notKnown") : spanText(median, longerThan);
  return (
    <div className="rounded-lg border border-warning-fill p-3" data-testid="rul-conflict">
      <p className="flex items-center gap-1 font-semibold text-warning-text">
        <GitCompareArrows aria-hidden size={16} className="shrink-0" />
        {t("rul.conflict")}
      </p>
      <p>
        {t("rul.conflictText", {
          twin: medianOf(twin),
          ml: medianOf(ml),
          difference: difference === null ? "–" : Math.round(difference),
        })}
      </p>
      {advice !== null && (
        <p className="mt-1">
          <span className="font-medium">{t("rul.adviceTitle")}:</span> {t(`rul.advice.${advice}`)}
        </p>
      )}
    </div>
  );
}
