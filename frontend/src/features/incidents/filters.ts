import type { IncidentListFilter } from "@/api/incident-queries";
import type { IncidentStatus, Severity } from "@/api/types";
import { isAlertType } from "@/i18n";

export const groups = ["waiting", "hand", "ended", "all"] as const;
export type Group = (typeof groups)[number];
export const severities = ["critical", "warning", "info"] as const satisfies readonly Severity[];
/** Values of the parameter `assignee` that are no user name: user names have no colon. */
export const ME = ":me";
export const NOBODY = ":nobody";

const statuses: Record<Group, IncidentStatus[]> = {
  waiting: ["open", "cleared"],
  hand: ["acknowledged", "snoozed"],
  ended: ["resolved", "closed", "merged", "withdrawn"],
  all: [],
};
const DAY_MS = 86_400_000;

export function groupOf(params: URLSearchParams): Group {
  return groups.find((group) => group === params.get("status")) ?? "waiting";
}

export function hasEnded(status: IncidentStatus): boolean {
  return statuses.ended.includes(status);
}

const names = ["severity", "type", "location_id", "string_id", "battery_id", "assignee", "q", "from", "to"];

/** Whether the address asks for less than all that waits. */
export function isFiltered(params: URLSearchParams): boolean {
  return groupOf(params) !== "waiting" || names.some((name) => params.get(name));
}

/** The address as a filter for the gateway; unknown values are left out. */
export function filterOf(params: URLSearchParams, username: string | null): IncidentListFilter {
  const filter: IncidentListFilter = {};
  const status = statuses[groupOf(params)];
  if (status.length > 0) filter.status = status;
  const severity = severities.find((candidate) => candidate === params.get("severity"));
  if (severity !== undefined) filter.severity = [severity];
  const type = params.get("type") ?? "";
  if (isAlertType(type)) filter.type = [type];
  for (const name of ["location_id", "string_id", "battery_id"] as const) {
    const value = params.get(name);
    if (value) filter[name] = value;
  }
  if (params.get("hidden") === "1") filter.include_hidden = true;
  const assignee = params.get("assignee");
  if (assignee === NOBODY) filter.unassigned = true;
  else if (assignee === ME) filter.assignee = username;
  else if (assignee) filter.assignee = assignee;
  const search = params.get("q")?.trim();
  if (search) filter.search = search;
  const start = startOfDay(params.get("from"));
  if (start !== null) filter.start = new Date(start).toISOString();
  const end = startOfDay(params.get("to"));
  if (end !== null) filter.end = new Date(end + DAY_MS).toISOString();
  return filter;
}

/** A date of the address as the instant at which it begins in Bangkok. */
function startOfDay(date: string | null): number | null {
  const instant = /^\d{4}-\d{2}-\d{2}$/.test(date ?? "") ? Date.parse(`${date}T00:00:00+07:00`) : Number.NaN;
  return Number.isNaN(instant) ? null : instant;
}
