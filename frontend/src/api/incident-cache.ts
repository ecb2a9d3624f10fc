import type { InfiniteData, QueryClient } from "@tanstack/react-query";

import { compareUrgency, matches } from "./incident-match";
import { type IncidentListFilter, incidentQueries } from "./incident-queries";
import type { Incident, IncidentDetail, IncidentPage } from "./types";

type Pages = InfiniteData<IncidentPage, number>;

/** Write incidents as they are now into every cached list and detail. Returns whether a list needs the gateway to decide. */
export function patchIncidents(cache: QueryClient, incidents: readonly Incident[]): boolean {
  let isUndecided = false;
  for (const query of cache.getQueryCache().findAll({ queryKey: incidentQueries.lists })) {
    const filter = query.queryKey[2] as IncidentListFilter;
    cache.setQueryData<Pages>(query.queryKey, (pages) => {
      if (pages === undefined) return pages;
      const patched = patchPages(pages, incidents, filter);
      isUndecided ||= patched.isUndecided;
      return patched.pages;
    });
  }
  for (const incident of incidents) {
    // The timeline is not part of what an event carries; it is read again by whoever shows it.
    cache.setQueryData<IncidentDetail>(incidentQueries.detail(incident.incident_id).queryKey, (shown) =>
      shown === undefined || isOlder(incident, shown) ? shown : { ...shown, ...incident },
    );
  }
  return isUndecided;
}

function patchPages(
  data: Pages,
  incidents: readonly Incident[],
  filter: IncidentListFilter,
): { pages: Pages; isUndecided: boolean } {
  const known = new Map(data.pages.flatMap((page) => page.items).map((item) => [item.incident_id, item]));
  const fresh = incidents.filter((incident) => !isOlder(incident, known.get(incident.incident_id)));
  const ids = new Set(fresh.map((incident) => incident.incident_id));
  let isUndecided = false;
  let total = data.pages.at(-1)?.total ?? 0;
  const items = data.pages.map((page) => page.items.filter((item) => !ids.has(item.incident_id)));
  const isComplete = known.size >= total;
  for (const incident of fresh) {
    const wasListed = known.has(incident.incident_id);
    const match = matches(incident, filter);
    isUndecided ||= match === null && !wasListed;
    const belongs = match ?? wasListed;
    if (wasListed && !belongs) total -= 1;
    // One that is not loaded may be further down the list already, so only an incident's first revision adds to the total.
    if (!wasListed && belongs && (isComplete || incident.revision === 1)) total += 1;
    if (belongs) insert(items, incident, isComplete);
  }
  return {
    pages: { ...data, pages: data.pages.map((page, i) => ({ ...page, items: items[i] ?? [], total })) },
    isUndecided,
  };
}

/** Put an incident at its position; after the last one only where nothing else follows on the gateway. */
function insert(pages: Incident[][], incident: Incident, isComplete: boolean): void {
  for (const page of pages) {
    const index = page.findIndex((other) => compareUrgency(incident, other) < 0);
    if (index >= 0) {
      page.splice(index, 0, incident);
      return;
    }
  }
  if (isComplete) pages.at(-1)?.push(incident);
}

/** Events may come late or twice: what was changed later, by the gateway's clock, stands. */
function isOlder(incident: Incident, shown: Incident | undefined): boolean {
  if (shown === undefined) return false;
  return (
    incident.revision < shown.revision ||
    (incident.revision === shown.revision && Date.parse(incident.updated_at) < Date.parse(shown.updated_at))
  );
}
