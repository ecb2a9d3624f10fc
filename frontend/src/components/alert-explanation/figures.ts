import type { TFunction } from "i18next";

import type { Alert } from "@/api/types";
import { unitText } from "@/i18n";
import { formatAge, type Language } from "@/lib/dates";

/** Digits that the sensors resolve, by unit. */
const decimals: Readonly<Record<string, number>> = { V: 2, "°C": 1, "%": 0, A: 0, "mA/Ah": 1, mA: 0, mΩ: 2 };

/** The language and the texts to write in. */
export interface Words {
  t: TFunction;
  language: Language;
}

/** A value in the unit of an alert; null for a flag, which has a meaning but no figure. */
export function figure(value: number | null, unit: string | null, words: Words, extraDigits = 0): string | null {
  if (value === null || unit === null || !Number.isFinite(value)) return null;
  if (unit === "s") return formatAge(Math.abs(value) * 1000, words.language);
  // A day that has begun is not a whole one left.
  if (unit === "d") return words.t("battery.days", { count: Math.floor(Math.max(value, 0)) });
  const shown = value.toFixed((decimals[unit] ?? 1) + extraDigits);
  return `${Number(shown) === 0 ? shown.replace("-", "") : shown} ${unitText(unit)}`;
}

/** A value beside its limit, with as many digits as it takes to see that they differ. */
export function besideLimit(
  value: number | null,
  limit: number | null,
  unit: string | null,
  words: Words,
): { value: string | null; limit: string | null } {
  for (const extraDigits of [0, 1, 2]) {
    const pair = { value: figure(value, unit, words, extraDigits), limit: figure(limit, unit, words, extraDigits) };
    if (pair.value !== pair.limit || value === limit || extraDigits === 2) return pair;
  }
  return { value: null, limit: null };
}

/** A number of the message's parameters; null where it is absent. */
export function numberOf({ message_params: params }: Pick<Alert, "message_params">, name: string): number | null {
  const value = params[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function textOf({ message_params: params }: Pick<Alert, "message_params">, name: string): string | null {
  const value = params[name];
  return typeof value === "string" && value !== "" ? value : null;
}

/** State of health has no decimals, so that it never looks more exact than it is; it is rounded towards the worse. */
export function seenFigures(alert: Alert, words: Words): { value: string | null; limit: string | null } {
  const { type, value, threshold, unit } = alert;
  if (type !== "soh_degraded" || value === null) return besideLimit(value, threshold, unit, words);
  return besideLimit(Math.floor(value), threshold, unit, words);
}
