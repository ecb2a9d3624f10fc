import type { AlertRule } from "@/api/types";

import type { FieldName, Typed } from "./draft";
import { bandOf } from "./effective";

export const LONGEST_HOLD_S = 3 * 86_400;
const LONGEST_BELOW_FLOOR_MS = 30 * 86_400_000;

/** What is wrong with a field; the values are in the unit of the rule. */
export type Issue =
  | { code: "notNumber" | "hold" | "past" | "nothing" | "admin" | "reasonNeeded" | "expiryNeeded" }
  | { code: "bounds"; low: number; high: number }
  | { code: "boundsCompleted"; value: number; low: number; high: number }
  | { code: "clearBelow" | "clearAbove"; value: number };

export type Issues = Partial<Record<FieldName, Issue>>;

export interface Caller {
  isAdmin: boolean;
  now: number;
}

/** What the gateway would refuse, by field. */
export function checkDraft(rule: AlertRule, typed: Typed, caller: Caller): Issues {
  const issues: Issues = { ...holdIssues(typed), ...bandIssues(rule, typed) };
  if (valuesOf(typed).every((value) => value === null)) issues.enabled = { code: "nothing" };
  if (typed.expires_at !== null && !(typed.expires_at > caller.now)) issues.expires_at = { code: "past" };
  return { ...floorIssues(rule, typed, caller), ...issues };
}

/** The fields by which a life-safety rule is weakened beyond its floor; none for another rule. */
export function weakenedBy(rule: AlertRule, typed: Typed): FieldName[] {
  const { floor } = rule;
  if (floor === null) return [];
  const fields: FieldName[] = [];
  if (typed.enabled === false) fields.push("enabled");
  const { raise } = bandOf(rule, typed.raise_value, typed.clear_value);
  const isBeyond = rule.direction === "above" ? raise > floor.raise_value : raise < floor.raise_value;
  if (isBeyond) fields.push(typed.raise_value === null ? "clear_value" : "raise_value");
  if (typed.hold_s !== null && typed.hold_s > floor.hold_s) fields.push("hold_s");
  return fields;
}

function valuesOf(typed: Typed): (number | boolean | null)[] {
  return [typed.raise_value, typed.clear_value, typed.hold_s, typed.clear_hold_s, typed.enabled];
}

function holdIssues(typed: Typed): Issues {
  const issues: Issues = {};
  for (const name of ["hold_s", "clear_hold_s"] as const) {
    const seconds = typed[name];
    if (seconds === null) continue;
    if (Number.isNaN(seconds)) issues[name] = { code: "notNumber" };
    else if (seconds < 0 || seconds > LONGEST_HOLD_S) issues[name] = { code: "hold" };
  }
  return issues;
}

function bandIssues(rule: AlertRule, typed: Typed): Issues {
  const issues: Issues = {};
  for (const name of ["raise_value", "clear_value"] as const) {
    if (Number.isNaN(typed[name])) issues[name] = { code: "notNumber" };
  }
  if (Object.keys(issues).length > 0 || (typed.raise_value === null && typed.clear_value === null)) return issues;
  const { raise, clear } = bandOf(rule, typed.raise_value, typed.clear_value);
  const { low, high } = rule.bounds ?? { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const isOut = (value: number) => value < low || value > high;
  if (isOut(raise)) issues[typed.raise_value === null ? "clear_value" : "raise_value"] = { code: "bounds", low, high };
  else if (isOut(clear) && typed.clear_value === null)
    // The side that was left out follows, so the field that was typed carries the issue.
    issues.raise_value = { code: "boundsCompleted", value: clear, low, high };
  else if (isOut(clear)) issues.clear_value = { code: "bounds", low, high };
  else if (rule.direction === "above" && clear > raise) issues.clear_value = { code: "clearBelow", value: raise };
  else if (rule.direction === "below" && clear < raise) issues.clear_value = { code: "clearAbove", value: raise };
  return issues;
}

function floorIssues(rule: AlertRule, typed: Typed, { isAdmin, now }: Caller): Issues {
  const weakened = weakenedBy(rule, typed);
  if (weakened.length === 0) return {};
  if (!isAdmin) return Object.fromEntries(weakened.map((field) => [field, { code: "admin" }]));
  const issues: Issues = {};
  if (typed.reason === null) issues.reason = { code: "reasonNeeded" };
  if (typed.expires_at === null || typed.expires_at > now + LONGEST_BELOW_FLOOR_MS)
    issues.expires_at = { code: "expiryNeeded" };
  return issues;
}
