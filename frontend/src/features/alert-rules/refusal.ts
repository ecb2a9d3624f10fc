import i18next from "i18next";

import { problemOf } from "@/api/errors";
import { problemText } from "@/i18n";
import { isRefusal } from "@/i18n/rule-texts";

import type { FieldName } from "./draft";

/** Why the gateway refused, and the field that its sentence names first; null for none of them. */
export interface Refusal {
  field: FieldName | null;
  text: string;
  requestId: string | null;
}

const fields: readonly FieldName[] = [
  "raise_value",
  "clear_value",
  "hold_s",
  "clear_hold_s",
  "enabled",
  "reason",
  "expires_at",
];

export function refusalOf(error: unknown): Refusal {
  const problem = problemOf(error);
  const { code, detail, requestId } = problem;
  const text = isRefusal(code) ? i18next.t(`rules.refused.${code}`, { detail }) : problemText(problem);
  return { field: fieldIn(detail), text, requestId };
}

function fieldIn(detail: string): FieldName | null {
  const [first] = fields
    .map((field): [FieldName, number] => [field, detail.search(new RegExp(`\\b${field}\\b`))])
    .filter(([, index]) => index >= 0)
    .sort(([, one], [, other]) => one - other);
  return first?.[0] ?? null;
}
