import type { TFunction } from "i18next";

import type { AlertRule } from "@/api/types";
import { isNamedSignal } from "@/i18n/rule-texts";

import type { Values } from "./effective";
import { durationText, isCount, isFlag, limitText } from "./figures";

type Judged = Pick<AlertRule, "signal" | "subject" | "direction" | "unit" | "gate">;

/** The name of a signal; one that is newer than this program is shown in words. */
export function signalText(signal: string, t: TFunction): string {
  return isNamedSignal(signal) ? t(`rules.signal.${signal}`) : signal.replaceAll("_", " ");
}

/** What raises an alert and what clears it, in one sentence. */
export function conditionText(rule: Judged, values: Values, t: TFunction): string {
  if (neverRaises(rule, values)) return t("rules.never", { signal: signalText(rule.signal, t) });
  return t("rules.condition", { raise: raiseText(rule, values, t), clear: clearText(rule, values, t) });
}

/** What raises an alert, without what clears it. */
export function raiseText(rule: Judged, values: Values, t: TFunction): string {
  const parts = [
    subjectText(rule, values, t),
    isFlag(rule) ? "" : limitPart(rule, values, t),
    values.hold_s > 0 ? t("rules.holds", { duration: durationText(values.hold_s, t) }) : "",
    rule.gate === "always" ? "" : t(`rules.gate.${rule.gate}`),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** A state that is reported is 0 or 1, that of the air conditioning up to 2; a limit at or above never raises. */
function neverRaises(rule: Judged, values: Values): boolean {
  return isFlag(rule) && values.raise_value >= (rule.signal === "hvac_loss" ? 2 : 1);
}

function subjectText(rule: Judged, values: Values, t: TFunction): string {
  if (rule.signal === "silence_s") return t(`rules.silence.${rule.subject}`);
  return rule.signal === "hvac_loss" && values.raise_value >= 1 ? t("rules.hvacFailed") : signalText(rule.signal, t);
}

function limitPart(rule: Judged, values: Values, t: TFunction): string {
  // A count has to pass the limit, so the next whole number raises.
  if (isCount(rule)) return t("rules.raises.atLeast", { value: Math.floor(values.raise_value) + 1 });
  const value = limitText(values.raise_value, rule.unit, t);
  if (rule.unit === "s" && rule.direction === "above") return t("rules.raises.longer", { value });
  return t(`rules.raises.${rule.direction}`, { value });
}

function clearText(rule: Judged, values: Values, t: TFunction): string {
  // A reading ends a silence, and a change a flat line: no figure would say that as well.
  const endsAtOnce = rule.signal === "silence_s" || (rule.unit === "s" && values.clear_value === 0);
  const hasFigure = !isFlag(rule) && !endsAtOnce;
  const shown = isCount(rule) ? String(Math.floor(values.clear_value)) : limitText(values.clear_value, rule.unit, t);
  const duration = durationText(values.clear_hold_s, t);
  if (!hasFigure) return values.clear_hold_s === 0 ? t("rules.clears.over") : t("rules.clears.overFor", { duration });
  const at = t(`rules.clears.${rule.direction}`, { value: shown });
  return values.clear_hold_s === 0 ? at : `${at} ${t("rules.clears.after", { duration })}`;
}
