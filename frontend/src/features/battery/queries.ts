import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type EffectiveRule = components["schemas"]["EffectiveRuleOut"];
export type TwinRecord = components["schemas"]["TwinRecord"];
export type Evidence = components["schemas"]["HealthEvidence"];
export type BatteryDischarge = components["schemas"]["BatteryDischarge"];
export type Runtime = components["schemas"]["RuntimeOut"];

const MAX_POINTS = 500;
/** A year of daily predictions. */
const MAX_PREDICTIONS = 366;
const RULES_STALE_MS = 5 * 60_000;

export const batteryQueries = {
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
      placeholderData: keepPreviousData,
      staleTime: 60_000,
    });
  },
  twin: (batteryId: string) =>
    queryOptions({
      queryKey: ["battery", batteryId, "twin"] as const,
      queryFn: ({ signal }) => get("/api/v1/batteries/{battery_id}/twin", { path: { battery_id: batteryId }, signal }),
      refetchInterval: 60_000,
    }),
  discharges: (batteryId: string) =>
    queryOptions({
      queryKey: ["battery", batteryId, "discharges"] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/batteries/{battery_id}/discharges", {
          path: { battery_id: batteryId },
          query: { limit: 20 },
          signal,
        }),
      refetchInterval: 60_000,
    }),
  rul: (batteryId: string) =>
    queryOptions({
      queryKey: ["predictions", "battery", batteryId] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/batteries/{battery_id}/rul", {
          path: { battery_id: batteryId },
          query: { limit: MAX_PREDICTIONS },
          signal,
        }),
      refetchInterval: 60_000,
    }),
  /** At a given load, or at the present one. */
  runtime: (stringId: string, powerKw: number | null) =>
    queryOptions({
      queryKey: ["string", stringId, "runtime", powerKw] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/strings/{string_id}/runtime", {
          path: { string_id: stringId },
          ...(powerKw === null ? {} : { query: { power_w: powerKw * 1000 } }),
          signal,
        }),
      refetchInterval: 60_000,
      retry: false,
    }),
  rules: (batteryId: string) =>
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
