import type { TFunction } from "i18next";

import type { Alert } from "@/api/types";
import { isMessageCode } from "@/i18n/alert-texts";
import { formatAge, formatDateTime } from "@/lib/dates";
import { shortId } from "@/lib/ids";

import { adviceOf, type Figure, kindOf } from "./alert-kinds";
import { besideLimit, figure, numberOf, seenFigures, textOf, type Words } from "./figures";

/** What the alert is about, as the middle of a sentence names it. */
export function subjectText(alert: Alert, t: TFunction): string {
  const location = alert.location_id;
  if (alert.battery_id !== null) return t("why.subject.battery", { id: shortId(alert.battery_id), location });
  if (alert.string_id !== null) return t("why.subject.string", { id: shortId(alert.string_id), location });
  return t("why.subject.location", { location });
}

/** What was seen and where, in one sentence or two; in the gateway's English where this program has no sentence. */
export function seenText(alert: Alert, words: Words): string {
  const { t } = words;
  const code = alert.message_code;
  const kind = kindOf(alert);
  if (!isMessageCode(code) || kind === null) return alert.message;
  const figures = figuresOf(alert, words);
  const known: Record<string, string> = {};
  for (const name of kind.needs) {
    const text = figures[name];
    if (text === null) return alert.message;
    known[name] = text;
  }
  const sentence = t(`why.sentence.${code}`, { ...known, subject: subjectText(alert, t) });
  // The subject stands first in most sentences, but not in all.
  return [sentence.charAt(0).toUpperCase() + sentence.slice(1), basisText(alert, t)]
    .filter((part) => part !== null)
    .join(" ");
}

function figuresOf(alert: Alert, words: Words): Record<Figure, string | null> {
  const { value, threshold, unit } = alert;
  const shown = seenFigures(alert, words);
  const amounts = besideLimit(value && Math.abs(value), threshold && Math.abs(threshold), unit, words);
  const times = numberOf(alert, "value") ?? value;
  return {
    value: shown.value,
    threshold: shown.limit,
    amount: amounts.value,
    limit: amounts.limit,
    duration: figure(value, "s", words),
    hold: figure(numberOf(alert, "hold_s"), "s", words),
    batteries: numberOf(alert, "battery_count")?.toFixed(0) ?? null,
    times: times?.toFixed(0) ?? null,
    string: textOf(alert, "string_id"),
    median: figure(numberOf(alert, "p50_days"), "d", words),
    ml: figure(numberOf(alert, "ml_p50_days"), "d", words),
    twin: figure(numberOf(alert, "twin_p50_days"), "d", words),
    signs: signsText(alert, words),
  };
}

/** The signs of a thermal runaway that were measured. */
function signsText(alert: Alert, words: Words): string {
  const { t } = words;
  const ratio = numberOf(alert, "float_current_ratio");
  const overRoom = figure(numberOf(alert, "over_room_c"), "°C", words);
  const rise = figure(numberOf(alert, "rise_c_per_h"), "°C", words);
  const signs = [
    ratio === null ? null : t("why.sign.floatCurrent", { ratio: ratio.toFixed(1) }),
    overRoom === null ? null : t("why.sign.overRoom", { value: overRoom }),
    rise === null ? null : t("why.sign.rise", { value: rise }),
  ].filter((sign) => sign !== null);
  return signs.length === 0 ? t("why.sign.unknown") : signs.join(", ");
}

const sources = ["fused", "ml", "twin"] as const;
const provenances = ["measured", "discharge_inferred", "ohmic_inferred", "prior_only"] as const;

/** What an estimate rests on; null for what was measured directly, and where it is not known. */
function basisText(alert: Alert, t: TFunction): string | null {
  const provenance = provenances.find((name) => name === textOf(alert, "provenance"));
  if (provenance !== undefined) return t("why.evidence", { provenance: t(`provenance.${provenance}`) });
  const source = sources.find((name) => name === textOf(alert, "source"));
  const isPrediction = alert.message_code.startsWith("rul_") && alert.message_params.is_conflict !== true;
  return source !== undefined && isPrediction ? t("why.basis", { source: t(`rul.source.${source}`) }) : null;
}

/** When the condition began: before the alert, by the hold of its rule. */
export function beganAt(alert: Alert): number {
  const raisedAt = Date.parse(alert.raised_at);
  const since = Date.parse(textOf(alert, "since") ?? "");
  return Number.isNaN(since) ? raisedAt : Math.min(since, raisedAt);
}

/** Since when and for how long, how bad it got, how often it came back. */
export function spanText(alert: Alert, now: number, words: Words): string {
  const { t, language } = words;
  const began = beganAt(alert);
  const ended = alert.cleared_at === null ? null : Date.parse(alert.cleared_at);
  const since = formatDateTime(began, language);
  const duration = formatAge((ended ?? now) - began, language);
  const span =
    ended === null
      ? t("why.active", { since, duration })
      : t("why.past", { since, until: formatDateTime(ended, language), duration });
  const worst = worstText(alert, words);
  const back = alert.episode_count - 1;
  return [
    span,
    worst === null ? null : t("why.peak", { value: worst }),
    back > 0 ? t("why.back", { count: back }) : null,
  ]
    .filter((part) => part !== null)
    .join(" ");
}

/** The worst value, where it is another than the one that raised the alert. */
function worstText(alert: Alert, words: Words): string | null {
  const worst = figure(alert.peak_value, alert.unit, words);
  return worst === figure(alert.value, alert.unit, words) ? null : worst;
}

/** What to do, the hazard first; empty for a message that this program does not know. */
export function stepsOf(alert: Pick<Alert, "message_code" | "rule_id">, t: TFunction): string[] {
  const found = adviceOf(alert);
  if (found === null) return [];
  const steps = t(`why.steps.${found.advice}`).split("\n");
  return found.hazard === "none" ? steps : [t(`why.hazard.${found.hazard}`), ...steps];
}

/** Whether the condition holds, has passed, or ended with its battery. */
export function stateText(alert: Pick<Alert, "is_active" | "end_reason">, t: TFunction): string {
  if (alert.is_active) return t("alerts.active");
  return alert.end_reason ? t("alerts.event.ended") : t("alerts.cleared");
}
