import type { TFunction } from "i18next";

import type { AlertRule } from "@/api/types";

import type { Typed } from "./draft";
import { type Settings, type ValueName, type Values, valueNames } from "./effective";
import { durationText, isCount, limitText } from "./figures";
import type { Scope } from "./scopes";

/** One value of a rule in words. */
export function valueText(
  rule: Pick<AlertRule, "signal" | "unit">,
  values: Values,
  name: ValueName,
  t: TFunction,
): string {
  if (name === "enabled") return values.enabled ? t("rules.on") : t("rules.offState");
  if (name === "hold_s" || name === "clear_hold_s") return durationText(values[name], t);
  return isCount(rule) ? String(values[name]) : limitText(values[name], rule.unit, t);
}

/** The values that differ, in words. */
export function changesOf(rule: AlertRule, before: Values, after: Values, t: TFunction): [ValueName, string][] {
  return valueNames
    .filter((name) => before[name] !== after[name])
    .map((name) => [
      name,
      t("rules.change", {
        name: t(`rules.value.${name}`),
        before: valueText(rule, before, name, t),
        after: valueText(rule, after, name, t),
      }),
    ]);
}

/** What is typed as if it were set already; what is no number counts as blank. */
export function settingsOf(typed: Typed, scope: Scope): Settings {
  const known = (value: number | null) => (Number.isNaN(value) ? null : value);
  return {
    scope: scope.kind,
    scope_id: scope.id,
    raise_value: known(typed.raise_value),
    clear_value: known(typed.clear_value),
    hold_s: known(typed.hold_s),
    clear_hold_s: known(typed.clear_hold_s),
    enabled: typed.enabled,
  };
}
