import type { AlertFilter, Severity } from "@/api/types";
import { isAlertType } from "@/i18n";

export const states = ["active", "pending", "acknowledged", "cleared", "resolved", "all"] as const;
export type AlertState = (typeof states)[number];

export function stateOf(params: URLSearchParams): AlertState {
  return states.find((state) => state === params.get("state")) ?? "active";
}

const conditions: Record<AlertState, AlertFilter> = {
  active: { active: true },
  pending: { active: true, acknowledged: false, resolved: false },
  acknowledged: { active: true, acknowledged: true, resolved: false },
  cleared: { active: false, resolved: false },
  resolved: { resolved: true },
  all: {},
};

export const severities = ["critical", "warning", "info"] as const satisfies readonly Severity[];

/** The URL as a filter for the gateway; unknown values are left out. */
export function filterOf(params: URLSearchParams, limit: number): AlertFilter {
  const filter: AlertFilter = { ...conditions[stateOf(params)], limit };
  for (const name of ["location_id", "battery_id"] as const) {
    const value = params.get(name);
    if (value) filter[name] = value;
  }
  const severity = severities.find((candidate) => candidate === params.get("severity"));
  if (severity !== undefined) filter.severity = [severity];
  const type = params.get("type") ?? "";
  if (isAlertType(type)) filter.type = [type];
  return filter;
}
