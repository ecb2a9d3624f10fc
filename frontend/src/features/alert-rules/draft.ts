import type { AlertRule, OverrideIn, RuleOverride } from "@/api/types";
import { isoInBangkok } from "@/lib/dates";

import { isFlag } from "./figures";
import type { Scope } from "./scopes";

export const spanUnits = ["s", "min", "h"] as const;
export type SpanUnit = (typeof spanUnits)[number];
const secondsOf: Record<SpanUnit, number> = { s: 1, min: 60, h: 3600 };

/** A duration as it is typed. */
export interface Span {
  amount: string;
  unit: SpanUnit;
}

/** The editor's fields as they are typed; blank keeps the value of the wider scope. */
export interface Draft {
  raise_value: string;
  clear_value: string;
  hold_s: Span;
  clear_hold_s: Span;
  enabled: "" | "on" | "off";
  reason: string;
  /** Bangkok time, as the browser's field has it. */
  expires_at: string;
}

export type FieldName = keyof Draft;

/** What is typed, as numbers; NaN where it is none, null where it is blank. */
export interface Typed {
  raise_value: number | null;
  clear_value: number | null;
  hold_s: number | null;
  clear_hold_s: number | null;
  enabled: boolean | null;
  reason: string | null;
  /** Milliseconds since 1970. */
  expires_at: number | null;
}

/** The fields for an override that exists, or for a new one in the units of the rule's own holds. */
export function draftOf(rule: AlertRule, override: RuleOverride | undefined): Draft {
  return {
    raise_value: textOf(override?.raise_value),
    clear_value: textOf(override?.clear_value),
    hold_s: spanOf(override?.hold_s, rule.hold_s),
    clear_hold_s: spanOf(override?.clear_hold_s, rule.clear_hold_s),
    enabled: override?.enabled === true ? "on" : override?.enabled === false ? "off" : "",
    reason: override?.reason ?? "",
    expires_at: override?.expires_at ? isoInBangkok(Date.parse(override.expires_at)).slice(0, 16) : "",
  };
}

/** Whether the editor has a field: the limit of a reported state means nothing to a person, unless somebody set one. */
export function isShown(field: FieldName, rule: AlertRule, draft: Draft): boolean {
  if (field === "hold_s" || field === "clear_hold_s") return rule.has_hold;
  if (field !== "raise_value" && field !== "clear_value") return true;
  return !isFlag(rule) || draft.raise_value !== "" || draft.clear_value !== "";
}

export function typedOf(draft: Draft): Typed {
  return {
    raise_value: numberOf(draft.raise_value),
    clear_value: numberOf(draft.clear_value),
    hold_s: secondsIn(draft.hold_s),
    clear_hold_s: secondsIn(draft.clear_hold_s),
    enabled: draft.enabled === "" ? null : draft.enabled === "on",
    reason: draft.reason.trim() === "" ? null : draft.reason.trim(),
    expires_at: draft.expires_at === "" ? null : Date.parse(`${draft.expires_at.slice(0, 16)}:00+07:00`),
  };
}

/** The request for what is typed; it replaces all that is set at the scope. */
export function requestOf(typed: Typed, scope: Scope): OverrideIn {
  const { expires_at: expiresAt, ...values } = typed;
  return {
    scope: scope.kind,
    scope_id: scope.id,
    ...values,
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}

function textOf(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : String(value);
}

function spanOf(seconds: number | null | undefined, standardS: number): Span {
  const unit = unitOf(seconds ?? standardS);
  return { amount: seconds === null || seconds === undefined ? "" : String(seconds / secondsOf[unit]), unit };
}

/** The largest unit that leaves a whole number. */
function unitOf(seconds: number): SpanUnit {
  if (seconds === 0) return "min";
  return [...spanUnits].reverse().find((unit) => seconds % secondsOf[unit] === 0) ?? "s";
}

function secondsIn({ amount, unit }: Span): number | null {
  const value = numberOf(amount);
  return value === null ? null : value * secondsOf[unit];
}

/** A comma is taken for the decimal point; a thousands separator is not a number. */
function numberOf(text: string): number | null {
  const trimmed = text.trim().replace("−", "-");
  if (trimmed === "") return null;
  return /^-?\d+([.,]\d+)?$/.test(trimmed) ? Number(trimmed.replace(",", ".")) : Number.NaN;
}
