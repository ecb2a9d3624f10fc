import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "@/api/client";
import { historyQueries, ruleQueries } from "@/api/queries";
import type { components } from "@/api/schema.gen";

export type { EffectiveRule } from "@/api/types";
export type TwinRecord = components["schemas"]["TwinRecord"];
export type Evidence = components["schemas"]["HealthEvidence"];
export type BatteryDischarge = components["schemas"]["BatteryDischarge"];
export type Runtime = components["schemas"]["RuntimeOut"];

/** A year of daily predictions. */
const MAX_PREDICTIONS = 366;

export const batteryQueries = {
  series: (batteryId: string, from: number, to: number) =>
    queryOptions({ ...historyQueries.series(batteryId, from, to), placeholderData: keepPreviousData }),
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
  rules: ruleQueries.ofBattery,
};
