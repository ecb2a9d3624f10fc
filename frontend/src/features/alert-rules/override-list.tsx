import { useTranslation } from "react-i18next";

import type { AlertRule, OverrideScope, RuleOverride } from "@/api/types";
import { Button } from "@/components/ui/button";
import { useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

import { valueText } from "./changes";
import { resolve, valueNames } from "./effective";

interface OverrideListProps {
  rule: AlertRule;
  overrides: readonly RuleOverride[];
  mayChange: (kind: OverrideScope) => boolean;
  onEdit: (override: RuleOverride) => void;
  onRemove: (override: RuleOverride) => void;
}

/** What is set for a rule at its scopes: the values, who set them, when, why, and until when. */
export function OverrideList({ rule, overrides, mayChange, onEdit, onRemove }: OverrideListProps) {
  const { t } = useTranslation();
  if (overrides.length === 0) return null;
  return (
    <details className="mt-1" open={overrides.length <= 3}>
      <summary className="cursor-pointer text-muted">{t("rules.overrides", { count: overrides.length })}</summary>
      <ul className="mt-1 divide-y divide-border rounded-lg border border-border">
        {overrides.map((override) => (
          <li key={override.override_id} className="flex flex-wrap items-start gap-2 px-3 py-2">
            <OverrideFacts rule={rule} override={override} />
            {mayChange(override.scope) && (
              <span className="flex gap-2">
                <Button
                  aria-label={t("rules.editOf", { rule: rule.rule_id, scope: override.scope_id })}
                  onClick={() => onEdit(override)}
                >
                  {t("rules.edit")}
                </Button>
                <Button
                  aria-label={t("rules.removeOf", { rule: rule.rule_id, scope: override.scope_id })}
                  onClick={() => onRemove(override)}
                >
                  {t("rules.remove")}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

function OverrideFacts({ rule, override }: { rule: AlertRule; override: RuleOverride }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { values } = resolve(rule, [override]);
  const set = valueNames
    .filter((name) => override[name] !== null && override[name] !== undefined)
    .map((name) => `${t(`rules.value.${name}`)} ${valueText(rule, values, name, t)}`);
  const history = [
    t("rules.set", {
      date: formatDateTime(override.updated_at, language),
      who: override.updated_by ?? t("rules.somebody"),
    }),
    override.expires_at ? t("rules.ends", { date: formatDateTime(override.expires_at, language) }) : null,
    override.reason ? t("rules.reasonIs", { reason: override.reason }) : null,
  ].filter((part) => part !== null);
  return (
    <div className="min-w-0 flex-1 basis-52 break-words">
      <p className="font-medium break-all">
        {t(`rules.scope.kind.${override.scope}`)} {override.scope_id}
      </p>
      <p>{set.join(" · ")}</p>
      <p className="text-muted">{history.join(" · ")}</p>
    </div>
  );
}
