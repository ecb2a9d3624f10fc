import type { AlertType, SilenceIn, SilenceScope, WindowIn } from "@/api/types";
import { isAlertType } from "@/i18n";
import { bangkokInstant, DAY_MS, type EndChoice, endInstant } from "@/lib/end-choices";

import { scopes } from "./quiet-spans";

/** The gateway takes no longer one. */
export const LONGEST_MS = 30 * DAY_MS;

/** What the fields of the dialog hold. */
export interface Draft {
  scope: SilenceScope;
  scopeId: string;
  types: readonly AlertType[];
  work: "test" | "maintenance";
  /** A Bangkok date and time; empty for now. */
  start: string;
  end: EndChoice;
  endAt: string;
  reason: string;
  coversSafety: boolean;
}

/** The fields as a link presets them. */
export function draftOf(preset: URLSearchParams): Draft {
  return {
    scope: scopes.find((scope) => scope === preset.get("scope")) ?? "string",
    scopeId: preset.get("scope_id") ?? "",
    types: preset.getAll("type").filter(isAlertType),
    work: "test",
    start: "",
    end: "4h",
    endAt: "",
    reason: "",
    coversSafety: false,
  };
}

/** When the draft begins and ends; null while one of the two is missing, past or too far away. */
function spanOf(draft: Draft, now: number): { start: number; end: string } | null {
  const start = draft.start === "" ? now : bangkokInstant(draft.start);
  if (start === null) return null;
  const end = endInstant(draft.end, draft.endAt, draft.end === "other" ? now : start, LONGEST_MS);
  return end === null || Date.parse(end) <= start ? null : { start, end };
}

/** The request for a silence; null while something is missing. */
export function silenceOf(draft: Draft, now: number): SilenceIn | null {
  const span = spanOf(draft, now);
  if (span === null || draft.scopeId.trim() === "" || draft.reason.trim() === "") return null;
  return {
    scope: draft.scope,
    scope_id: draft.scopeId.trim(),
    types: draft.types.length === 0 ? null : [...draft.types],
    starts_at: draft.start === "" ? null : new Date(span.start).toISOString(),
    ends_at: span.end,
    reason: draft.reason.trim(),
    covers_safety: draft.coversSafety,
  };
}

/** The request for a maintenance window; null while something is missing. */
export function windowOf(draft: Draft, now: number): WindowIn | null {
  const span = spanOf(draft, now);
  if (span === null || draft.scopeId.trim() === "" || draft.reason.trim() === "") return null;
  return {
    kind: draft.work,
    scope: draft.scope,
    scope_id: draft.scopeId.trim(),
    starts_at: new Date(span.start).toISOString(),
    ends_at: span.end,
    reason: draft.reason.trim(),
  };
}
