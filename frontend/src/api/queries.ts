import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "./client";
import type { AlertFilter, TelemetryLatest } from "./types";

/** Queries that several features share; those of a single feature are in its folder. */
export const fleetQueries = {
  root: ["fleet"] as const,
  overview: () =>
    queryOptions({
      queryKey: ["fleet", "overview"] as const,
      queryFn: ({ signal }) => get("/api/v1/fleet/overview", { signal }),
      refetchInterval: 15_000,
    }),
  /** Those in service; on request the retired ones as well, here and below. */
  locations: (includeRetired = false) =>
    queryOptions({
      queryKey: ["fleet", "locations", includeRetired] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/locations", { query: { include_stats: true, include_retired: includeRetired }, signal }),
      placeholderData: keepPreviousData,
      refetchInterval: 15_000,
    }),
  location: (locationId: string, includeRetired = false) =>
    queryOptions({
      queryKey: ["fleet", "location", locationId, includeRetired] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/locations/{location_id}", {
          path: { location_id: locationId },
          query: { include_retired: includeRetired },
          signal,
        }),
      placeholderData: (previous) => (previous?.location_id === locationId ? previous : undefined),
      refetchInterval: 15_000,
    }),
  batteriesOf: (locationId: string, includeRetired = false) =>
    queryOptions({
      queryKey: ["fleet", "batteries", locationId, includeRetired] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/locations/{location_id}/batteries", {
          path: { location_id: locationId },
          query: { limit: 1000, include_retired: includeRetired },
          signal,
        }),
      refetchInterval: 60_000,
    }),
  batteriesOfString: (stringId: string) =>
    queryOptions({
      queryKey: ["fleet", "batteries", stringId] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/batteries", { query: { string_id: stringId, sort: "battery_id", limit: 1000 }, signal }),
      refetchInterval: 60_000,
    }),
  battery: (batteryId: string) =>
    queryOptions({
      queryKey: ["fleet", "battery", batteryId] as const,
      queryFn: ({ signal }) => get("/api/v1/batteries/{battery_id}", { path: { battery_id: batteryId }, signal }),
      refetchInterval: 30_000,
    }),
  search: (text: string) =>
    queryOptions({
      queryKey: ["fleet", "search", text] as const,
      queryFn: ({ signal }) => get("/api/v1/batteries", { query: { q: text, limit: 12 }, signal }),
      enabled: text.length >= 2,
    }),
};

export function latestTelemetry(locationId?: string): Promise<TelemetryLatest> {
  return get("/api/v1/telemetry/latest", locationId === undefined ? {} : { query: { location_id: locationId } });
}

export const alertQueries = {
  root: ["alerts"] as const,
  list: (filter: AlertFilter) =>
    queryOptions({
      queryKey: ["alerts", "list", filter] as const,
      queryFn: ({ signal }) => get("/api/v1/alerts", { query: filter, signal }),
      placeholderData: keepPreviousData,
      refetchInterval: 30_000,
    }),
  detail: (alertId: number) =>
    queryOptions({
      queryKey: ["alerts", "detail", alertId] as const,
      queryFn: ({ signal }) => get("/api/v1/alerts/{alert_id}", { path: { alert_id: alertId }, signal }),
    }),
};

/** A run takes minutes; its progress is worth a look every few seconds. */
const RUN_POLL_MS = 3000;

export const predictionQueries = {
  root: ["predictions"] as const,
  summary: () =>
    queryOptions({
      queryKey: ["predictions", "summary"] as const,
      queryFn: ({ signal }) => get("/api/v1/predictions/summary", { signal }),
      refetchInterval: ({ state }) => (state.data?.run?.state === "running" ? RUN_POLL_MS : 60_000),
    }),
};

const QUIET_REFRESH_MS = 30_000;

/** What keeps alerts of a location out of the inbox now. */
export const quietQueries = {
  silences: (locationId: string) =>
    queryOptions({
      queryKey: ["silences", "of", locationId] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/silences", { query: { location_id: locationId, state: ["active"] }, signal }),
      refetchInterval: QUIET_REFRESH_MS,
    }),
  windows: (locationId: string) =>
    queryOptions({
      queryKey: ["silences", "windows-of", locationId] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/maintenance-windows", { query: { location_id: locationId, state: ["active"] }, signal }),
      refetchInterval: QUIET_REFRESH_MS,
    }),
};

const MAX_POINTS = 500;
const RULES_STALE_MS = 5 * 60_000;

export const historyQueries = {
  /** History between two instants, rounded so that a live page asks again at most every ten seconds. */
  series: (batteryId: string, from: number, to: number) => {
    const [start, end] = [rounded(from), rounded(to)];
    return queryOptions({
      queryKey: ["battery", batteryId, "series", start, end] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/batteries/{battery_id}/telemetry", {
          path: { battery_id: batteryId },
          query: { start: new Date(start).toISOString(), end: new Date(end).toISOString(), max_points: MAX_POINTS },
          signal,
        }),
      staleTime: 60_000,
    });
  },
};

export const ruleQueries = {
  /** The rules as they apply to one battery. */
  ofBattery: (batteryId: string) =>
    queryOptions({
      queryKey: ["battery", batteryId, "rules"] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/batteries/{battery_id}/alert-rules", {
          path: { battery_id: batteryId },
          query: { limit: 100 },
          signal,
        }),
      staleTime: RULES_STALE_MS,
    }),
};

function rounded(instant: number): number {
  return Math.ceil(instant / 10_000) * 10_000;
}
