import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";

import { MockFleet } from "@/testing/fleet";
import { incidentOf } from "@/testing/incidents";

import { patchIncidents } from "./incident-cache";
import { type IncidentListFilter, incidentQueries } from "./incident-queries";
import type { Incident } from "./types";

const lead = new MockFleet().strike("BAT-DC-KKN-01-UPS-01-STR-01-001");
const incident = (id: number, change: Partial<Incident> = {}): Incident =>
  incidentOf(lead, id, { opened_at: new Date(Date.UTC(2026, 10, 1, 0, id)).toISOString(), ...change });
const waiting: IncidentListFilter = { status: ["open", "cleared"] };

function cacheWith(filter: IncidentListFilter, pages: Incident[][], total: number) {
  const cache = new QueryClient();
  const { queryKey } = incidentQueries.list(filter);
  const counts = { skip: 0, limit: 200, open_count: 0, critical_count: 0, alert_count: 0, hidden_count: 0 };
  cache.setQueryData(queryKey, {
    pages: pages.map((items) => ({ ...counts, items, total })),
    pageParams: pages.map((_, i) => i),
  });
  const read = () => {
    const data = cache.getQueryData(queryKey);
    return { ids: data?.pages.map((page) => page.items.map((one) => one.incident_id)), total: data?.pages[0]?.total };
  };
  return { cache, read };
}

it("puts a new incident at its position by urgency", () => {
  const { cache, read } = cacheWith(waiting, [[incident(9)], [incident(8, { severity: "warning" })]], 2);
  patchIncidents(cache, [incident(10), incident(11, { severity: "info" })]);
  expect(read()).toEqual({
    ids: [
      [10, 9],
      [8, 11],
    ],
    total: 4,
  });
});

it("takes an incident out of a list that it has left, and counts it out", () => {
  const { cache, read } = cacheWith(waiting, [[incident(9), incident(8)]], 2);
  patchIncidents(cache, [incident(9, { status: "acknowledged", revision: 2 })]);
  expect(read()).toEqual({ ids: [[8]], total: 1 });
});

it("does not put what lies beyond the loaded pages at the end of them", () => {
  const { cache, read } = cacheWith(waiting, [[incident(9), incident(8)]], 500);
  patchIncidents(cache, [incident(3, { severity: "info" })]);
  expect(read()).toEqual({ ids: [[9, 8]], total: 501 });
});

it("ignores an event that is older than what is shown", () => {
  const { cache, read } = cacheWith(waiting, [[incident(9, { revision: 5 })]], 1);
  patchIncidents(cache, [incident(9, { revision: 4, status: "resolved" })]);
  expect(read().ids).toEqual([[9]]);
});

it("leaves a search to the gateway where it alone knows whether a new incident is found", () => {
  const { cache, read } = cacheWith({ ...waiting, search: "khon" }, [[incident(9)]], 1);
  expect(patchIncidents(cache, [incident(9, { assignee: "malee", revision: 2 })])).toBe(false);
  expect(patchIncidents(cache, [incident(10)])).toBe(true);
  expect(read().ids).toEqual([[9]]);
});

it.each<[string, IncidentListFilter, Partial<Incident>]>([
  ["another location", { location_id: "DC-PKT-01" }, {}],
  ["another severity", { severity: ["warning"] }, {}],
  ["another type", { type: ["mains_outage"] }, {}],
  ["another person", { assignee: "malee" }, { assignee: "somchai" }],
  ["somebody, where nobody is asked for", { unassigned: true }, { assignee: "somchai" }],
  ["a later day", { end: "2026-11-01T00:00:00Z" }, {}],
])("keeps an incident of %s out of the list", (_, filter, change) => {
  const { cache, read } = cacheWith(filter, [[]], 0);
  patchIncidents(cache, [incident(1, change)]);
  expect(read()).toEqual({ ids: [[]], total: 0 });
});

it("keeps the timeline of a detail that an event patches", () => {
  const cache = new QueryClient();
  const { queryKey } = incidentQueries.detail(9);
  const detail = incidentOf(lead, 9);
  cache.setQueryData(queryKey, detail);
  const event: Partial<typeof detail> = { ...detail, status: "acknowledged", revision: 2 };
  delete event.timeline;
  patchIncidents(cache, [event as Incident]);
  expect(cache.getQueryData(queryKey)).toMatchObject({ status: "acknowledged", timeline: detail.timeline });
});
