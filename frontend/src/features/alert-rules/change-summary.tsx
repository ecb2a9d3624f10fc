import { OctagonX } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { AlertRule } from "@/api/types";

import { changesOf } from "./changes";
import { conditionText, raiseText } from "./condition";
import type { Values } from "./effective";

interface ChangeSummaryProps {
  rule: AlertRule;
  before: Values;
  after: Values;
  /** How many subjects the scope has. */
  subjects: number;
  /** How many overrides within the scope have values of their own. */
  nearer: number;
}

/** What saving would change, before it is saved. */
export function ChangeSummary({ rule, before, after, subjects, nearer }: ChangeSummaryProps) {
  const { t } = useTranslation();
  const changes = changesOf(rule, before, after, t);
  return (
    <section className="mt-4 rounded-lg bg-surface-2 p-3" aria-live="polite" data-testid="changes">
      <h3 className="font-semibold">{t("rules.changes")}</h3>
      {changes.length === 0 && <p className="text-muted">{t("rules.noChange")}</p>}
      <ul>
        {changes.map(([name, text]) => (
          <li key={name}>{text}</li>
        ))}
      </ul>
      {!after.enabled && (
        <p className="mt-1 flex gap-1.5 font-medium text-critical-text">
          <OctagonX size={16} aria-hidden className="mt-0.5 shrink-0" />
          <span>{t("rules.offWarning", { condition: raiseText(rule, before, t) })}</span>
        </p>
      )}
      {after.enabled && changes.length > 0 && <p className="mt-1">{conditionText(rule, after, t)}</p>}
      {changes.length > 0 && (
        <p className="mt-1 font-medium">{t(`rules.affected.${rule.subject}`, { count: subjects })}</p>
      )}
      {nearer > 0 && <p className="text-warning-text">{t("rules.nearer", { count: nearer })}</p>}
    </section>
  );
}
