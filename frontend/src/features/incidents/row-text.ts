import type { TFunction } from "i18next";

import type { Incident } from "@/api/types";
import { formatDateTime, type Language } from "@/lib/dates";

/** The smallest part that holds all of an incident, with its whole id: strings of one location differ at their end. */
export function partOf({ battery_id, string_id, system_id }: Incident): string | null {
  return battery_id ?? string_id ?? system_id;
}

/** How many batteries have an alert of their own, of how many; null for an incident of none. */
export function batteriesText(incident: Incident, size: number | undefined, t: TFunction): string | null {
  const { battery_count: count } = incident;
  if (count === 0) return null;
  if (size === undefined || size < count || incident.battery_id !== null) return t("incidents.batteries", { count });
  return t("incidents.batteriesOf", { count, of: size });
}

/** Alerts that joined after the acknowledgement; null where there are none, or where all of it waits anyway. */
export function newText({ status, unacknowledged_count: count }: Incident, t: TFunction): string | null {
  const isInHand = status === "acknowledged" || status === "snoozed";
  return isInHand && count > 0 ? t("incidents.new", { count }) : null;
}

/** How far it is, and what keeps it out of the inbox. */
export function statusText(incident: Incident, t: TFunction, language: Language): string {
  const { status, snoozed_until: until, hidden_by: hider } = incident;
  const at = (instant: string) => formatDateTime(instant, language);
  const text =
    status === "snoozed" && until !== null
      ? t("incidents.snoozedUntil", { at: at(until) })
      : t(`incidents.status.${status}`);
  return hider === null ? text : `${text} · ${t(`incidents.hiddenBy.${hider.kind}`, { at: at(hider.ends_at) })}`;
}

export function assigneeText({ assignee }: Incident, t: TFunction): string {
  return assignee === null ? t("incidents.nobody") : t("incidents.assignedTo", { who: assignee });
}
