import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "./client";
import type {
  Alert,
  AlertDetail,
  BatteryDetail,
  BatterySummary,
  FleetOverview,
  Location,
  LocationDetail,
  Page,
  TelemetryLatest,
} from "./types";

/** Queries that several features share; one feature's own stand beside it. */
export const fleetQueries = {
  root: ["fleet"] as const,
  overview: () =>
    queryOptions({
      queryKey: ["fleet", "overview"] as const,
      queryFn: ({ signal }) => get<FleetOverview>("/fleet/overview", undefined, signal),
      refetchInterval: 15_000,
    }),
  locations: () =>
    queryOptions({
      queryKey: ["fleet", "locations"] as const,
      queryFn: ({ signal }) => get<Page<Location>>("/locations", { include_stats: true }, signal),
      refetchInterval: 15_000,
    }),
  location: (locationId: string) =>
    queryOptions({
      queryKey: ["fleet", "location", locationId] as const,
      queryFn: ({ signal }) => get<LocationDetail>(`/locations/${locationId}`, undefined, signal),
      refetchInterval: 15_000,
    }),
  batteriesOf: (locationId: string) =>
    queryOptions({
      queryKey: ["fleet", "batteries", locationId] as const,
      queryFn: ({ signal }) => get<Page<BatterySummary>>(`/locations/${locationId}/batteries`, { limit: 1000 }, signal),
      refetchInterval: 60_000,
    }),
  battery: (batteryId: string) =>
    queryOptions({
      queryKey: ["fleet", "battery", batteryId] as const,
      queryFn: ({ signal }) => get<BatteryDetail>(`/batteries/${batteryId}`, undefined, signal),
      refetchInterval: 30_000,
    }),
  search: (text: string) =>
    queryOptions({
      queryKey: ["fleet", "search", text] as const,
      queryFn: ({ signal }) => get<Page<BatterySummary>>("/batteries", { q: text, limit: 12 }, signal),
      enabled: text.length >= 2,
    }),
};

export const latestTelemetry = (locationId?: string) =>
  get<TelemetryLatest>("/telemetry/latest", locationId === undefined ? undefined : { location_id: locationId });

export interface AlertFilter {
  location_id?: string;
  battery_id?: string;
  severity?: string;
  type?: string;
  active?: boolean;
  acknowledged?: boolean;
  resolved?: boolean;
  limit?: number;
}

export type AlertPage = Page<Alert> & { active_count: number; pending_count: number };

export const alertQueries = {
  root: ["alerts"] as const,
  list: (filter: AlertFilter) =>
    queryOptions({
      queryKey: ["alerts", "list", filter] as const,
      queryFn: ({ signal }) => get<AlertPage>("/alerts", filter, signal),
      placeholderData: keepPreviousData,
      refetchInterval: 30_000,
    }),
  detail: (alertId: number) =>
    queryOptions({
      queryKey: ["alerts", "detail", alertId] as const,
      queryFn: ({ signal }) => get<AlertDetail>(`/alerts/${alertId}`, undefined, signal),
    }),
};
