import { ShieldAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { AlertRule, OverrideScope, RuleOverride } from "@/api/types";
import { SeverityLabel } from "@/components/status";
import { Button } from "@/components/ui/button";

import { conditionText } from "./condition";
import type { Effective } from "./effective";
import { durationText, limitText } from "./figures";
import { originLines } from "./origin-text";
import { OverrideList } from "./override-list";
import type { Scope } from "./scopes";

interface RuleItemProps {
  rule: AlertRule;
  effective: Effective;
  /** The scope whose values are shown; null for the defaults. */
  scope: Scope | null;
  /** Overrides that give a part of the scope values of its own. */
  nearer: readonly RuleOverride[];
  mayEdit: boolean;
  mayChange: (kind: OverrideScope) => boolean;
  onEdit: (scope: Scope) => void;
  onRemove: (override: RuleOverride) => void;
}

export function RuleItem({ rule, effective, scope, nearer, mayEdit, mayChange, onEdit, onRemove }: RuleItemProps) {
  const { t } = useTranslation();
  const condition = conditionText(rule, effective.values, t);
  const lines = originLines(effective, t);
  return (
    <li className="py-3 first:pt-0 last:pb-0" data-testid={`rule-${rule.rule_id}`}>
      <div className="flex flex-wrap items-start gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1 basis-56">
          <p className="font-medium break-words">
            {!effective.values.enabled && <span className="text-critical-text">{t("rules.off")}: </span>}
            {condition}
          </p>
          {scope !== null && lines.length === 0 && <p className="text-muted">{t("rules.allDefault")}</p>}
          {scope !== null && lines.length > 0 && (
            <ul className="text-accent">
              {lines.map((line) => (
                <li key={line} className="break-words">
                  {line}
                </li>
              ))}
            </ul>
          )}
          <RuleFacts rule={rule} />
          {nearer.length > 0 && <p className="text-warning-text">{t("rules.nearer", { count: nearer.length })}</p>}
        </div>
        <SeverityLabel severity={rule.severity} />
        {scope !== null && mayEdit && rule.adjustable && (
          <Button aria-label={t("rules.editOf", { rule: condition, scope: scope.id })} onClick={() => onEdit(scope)}>
            {t("rules.edit")}
          </Button>
        )}
      </div>
      <OverrideList
        rule={rule}
        overrides={scope === null ? rule.overrides : ownAnd(nearer, rule, scope)}
        mayChange={mayChange}
        onEdit={(override) => onEdit({ kind: override.scope, id: override.scope_id })}
        onRemove={onRemove}
      />
    </li>
  );
}

function ownAnd(nearer: readonly RuleOverride[], rule: AlertRule, scope: Scope): RuleOverride[] {
  const own = rule.overrides.filter((override) => override.scope === scope.kind && override.scope_id === scope.id);
  return [...own, ...nearer];
}

function RuleFacts({ rule }: { rule: AlertRule }) {
  const { t } = useTranslation();
  const facts = [
    t("rules.respond", { time: t(`alerts.respondWithin.${rule.respond_within}`) }),
    t("rules.source", { source: rule.source }),
    rule.after_commissioning ? t("rules.newBattery") : null,
    rule.adjustable ? null : t("rules.fixed"),
  ].filter((fact) => fact !== null);
  return (
    <>
      <p className="text-muted break-words">{facts.join(" · ")}</p>
      {rule.floor !== null && (
        <p className="flex flex-wrap items-center gap-x-1.5 text-warning-text">
          <ShieldAlert size={16} aria-hidden className="shrink-0" />
          <span className="font-medium">{t("rules.lifeSafety")}</span>
          <span>
            {t("rules.floor", {
              value: limitText(rule.floor.raise_value, rule.unit, t),
              duration: durationText(rule.floor.hold_s, t),
            })}
          </span>
        </p>
      )}
    </>
  );
}
