import type { IncidentListFilter } from "./incident-queries";
import type { Incident } from "./types";

const severityRank = { critical: 2, warning: 1, info: 0 } as const;
const urgencyRank = { same_day: 3, "7d": 2, "30d": 1 } as const;

export function isWaiting({ status, hidden_by: hider }: Pick<Incident, "status" | "hidden_by">): boolean {
  return hider === null && (status === "open" || status === "cleared");
}

/** The gateway's order by urgency: what waits first, then the worst, the most urgent, the newest. */
export function compareUrgency(a: Incident, b: Incident): number {
  return (
    Number(isWaiting(b)) - Number(isWaiting(a)) ||
    severityRank[b.severity] - severityRank[a.severity] ||
    urgencyRank[b.respond_within] - urgencyRank[a.respond_within] ||
    Date.parse(b.opened_at) - Date.parse(a.opened_at) ||
    b.incident_id - a.incident_id
  );
}

/** Whether an incident belongs to a list, by what the gateway filters by; null where only the gateway can tell. */
export function matches(incident: Incident, filter: IncidentListFilter): boolean | null {
  const isKnown =
    (filter.include_hidden === true || incident.hidden_by === null) &&
    isAmong(incident.status, filter.status) &&
    isAmong(incident.severity, filter.severity) &&
    (filter.type?.length ? incident.types.some((type) => filter.type?.includes(type)) : true) &&
    isAmong(incident.location_id, filter.location_id ? [filter.location_id] : undefined) &&
    isAmong(incident.assignee, filter.assignee ? [filter.assignee] : undefined) &&
    !(filter.unassigned === true && incident.assignee !== null) &&
    isWithin(incident, filter);
  // A search also looks at names and at every battery in it, which the incident does not carry.
  return isKnown && filter.search ? null : isKnown;
}

function isAmong<T>(value: T, wanted: readonly T[] | undefined): boolean {
  return wanted === undefined || wanted.length === 0 || wanted.includes(value);
}

function isWithin({ opened_at: opened, cleared_at: cleared }: Incident, { start, end }: IncidentListFilter): boolean {
  if (start && cleared !== null && Date.parse(cleared) < Date.parse(start)) return false;
  return !end || Date.parse(opened) < Date.parse(end);
}
