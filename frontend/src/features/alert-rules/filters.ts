import type { TFunction } from "i18next";

import type { AlertRule, AlertType, Severity } from "@/api/types";
import { alertTypeText } from "@/i18n/alert-texts";

export const severities = ["critical", "warning", "info"] as const satisfies readonly Severity[];

/** The rules that the address asks for, in the order of the gateway. */
export function selectRules(
  rules: readonly AlertRule[],
  params: URLSearchParams,
  textOf: (rule: AlertRule) => string,
): AlertRule[] {
  const words = (params.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const is = (name: "type" | "severity", rule: AlertRule) => (params.get(name) ?? rule[name]) === rule[name];
  return rules.filter((rule) => {
    const text = textOf(rule).toLowerCase();
    return (
      is("type", rule) &&
      is("severity", rule) &&
      (params.get("changed") !== "1" || rule.overrides.length > 0) &&
      words.every((word) => text.includes(word))
    );
  });
}

/** Rules of one type together, types in the order in which they first come. */
export function byType(rules: readonly AlertRule[]): [AlertType, AlertRule[]][] {
  const groups = new Map<AlertType, AlertRule[]>();
  for (const rule of rules) groups.set(rule.type, [...(groups.get(rule.type) ?? []), rule]);
  return [...groups];
}

/** What a rule can be found by, beside its condition. */
export function searchText(rule: AlertRule, condition: string, t: TFunction): string {
  const ids = rule.overrides.map((override) => override.scope_id).join(" ");
  return [rule.rule_id, alertTypeText(rule.type), condition, t(`severity.${rule.severity}`), rule.source, ids].join(
    " ",
  );
}
