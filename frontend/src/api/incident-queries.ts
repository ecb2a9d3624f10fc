import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "./client";
import type { IncidentFilter, IncidentPage } from "./types";

const PAGE = 200;
const ALERTS_PAGE = 100;

/** Where the next page starts; a list that events have patched is as long as the gateway's. */
function nextSkip(pages: readonly { items: readonly unknown[]; total: number }[]): number | undefined {
  const loaded = pages.reduce((sum, page) => sum + page.items.length, 0);
  const last = pages.at(-1);
  return last !== undefined && last.items.length > 0 && loaded < last.total ? loaded : undefined;
}

/** Incidents of a filter without what the pages say: the list adds where each page starts. */
export type IncidentListFilter = Omit<IncidentFilter, "skip" | "limit">;

export const incidentQueries = {
  root: ["incidents"] as const,
  lists: ["incidents", "list"] as const,
  /** Events patch what is loaded; it is read again only after a lost connection and on request. */
  list: (filter: IncidentListFilter) =>
    infiniteQueryOptions({
      queryKey: ["incidents", "list", filter] as const,
      queryFn: ({ pageParam, signal }): Promise<IncidentPage> =>
        get("/api/v1/incidents", { query: { ...filter, skip: pageParam, limit: PAGE }, signal }),
      initialPageParam: 0,
      getNextPageParam: (_, pages) => nextSkip(pages),
      refetchOnWindowFocus: false,
      staleTime: 60_000,
    }),
  /** How many wait for somebody, in every location of the user. */
  counts: () =>
    queryOptions({
      queryKey: ["incidents", "counts"] as const,
      queryFn: ({ signal }) => get("/api/v1/incidents", { query: { limit: 1 }, signal }),
      placeholderData: keepPreviousData,
      refetchInterval: 30_000,
    }),
  detail: (incidentId: number) =>
    queryOptions({
      queryKey: ["incidents", "detail", incidentId] as const,
      queryFn: ({ signal }) => get("/api/v1/incidents/{incident_id}", { path: { incident_id: incidentId }, signal }),
    }),
  alerts: (incidentId: number) =>
    infiniteQueryOptions({
      queryKey: ["incidents", "alerts", incidentId] as const,
      queryFn: ({ pageParam, signal }) =>
        get("/api/v1/incidents/{incident_id}/alerts", {
          path: { incident_id: incidentId },
          query: { skip: pageParam, limit: ALERTS_PAGE },
          signal,
        }),
      initialPageParam: 0,
      getNextPageParam: (_, pages) => nextSkip(pages),
    }),
  noteTemplates: () =>
    queryOptions({
      queryKey: ["note-templates"] as const,
      queryFn: ({ signal }) => get("/api/v1/incidents/note-templates", { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
};
