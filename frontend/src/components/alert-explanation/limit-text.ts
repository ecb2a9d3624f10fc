import type { Alert, EffectiveRule } from "@/api/types";
import { alertTypeText } from "@/i18n/alert-texts";

import { figure, numberOf, type Words } from "./figures";

/** The limit in force when the alert was raised, how long it had to be passed, and who set it. */
export function limitText(alert: Alert, rule: EffectiveRule | null, words: Words): string {
  if (alert.rule_id === null || alert.threshold === null) return words.t("why.noRule");
  return [ruleText(alert, alert.threshold, rule, words), ...(rule === null ? [] : nowOf(alert, rule, words))].join(" ");
}

function ruleText(alert: Alert, threshold: number, rule: EffectiveRule | null, words: Words): string {
  const { t } = words;
  const holdS = numberOf(alert, "hold_s") ?? rule?.hold_s ?? null;
  const parts = [
    [raiseText(alert, threshold, rule, words), holdS === null || holdS === 0 ? null : holdText(holdS, words)]
      .filter((part) => part !== null)
      .join(" "),
    rule === null || rule.gate === "always" ? null : t(`why.gate.${rule.gate}`),
  ].filter((part) => part !== null);
  return t("why.rule", { name: alertTypeText(alert.type), limit: parts.join(", ") });
}

function holdText(holdS: number, words: Words): string {
  return words.t("why.holdFor", { duration: figure(holdS, "s", words) ?? "" });
}

function raiseText(alert: Alert, threshold: number, rule: EffectiveRule | null, words: Words): string {
  const value = limitFigure(alert, threshold, words);
  if (value === null) return words.t("why.reported");
  const isBelow = rule === null ? alert.value !== null && alert.value < threshold : rule.direction === "below";
  return words.t(`why.raisesAt.${isBelow ? "below" : "above"}`, { value });
}

/** A count of events has no unit, but is a figure; any other value without a unit is a flag. */
function limitFigure(alert: Alert, value: number, words: Words): string | null {
  if (alert.message_code === "grid_unstable") return value.toFixed(0);
  return figure(value, alert.unit, words);
}

/** What holds now of the rule. */
function nowOf(alert: Alert, rule: EffectiveRule, words: Words): string[] {
  const { t } = words;
  const clears = limitFigure(alert, rule.clear_value, words);
  const raises = limitFigure(alert, rule.raise_value, words);
  const isChanged = alert.threshold !== null && Math.abs(rule.raise_value - alert.threshold) > 1e-9;
  const scope = rule.origin.raise_value?.scope;
  return [
    clears === null ? null : t("why.clearsAt", { value: clears }),
    isChanged && raises !== null ? t("why.changed", { value: raises }) : null,
    rule.enabled ? null : t("why.off"),
    scope === undefined ? null : t(`why.origin.${scope}`),
  ].filter((part) => part !== null);
}
