import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "@/api/client";
import type { components } from "@/api/schema.gen";
import type { Page, TelemetrySeries } from "@/api/types";

export type EffectiveRule = components["schemas"]["EffectiveRuleOut"];
export type TwinRecord = components["schemas"]["TwinRecord"];
export type Evidence = components["schemas"]["Evidence"];
export type BatteryDischarge = components["schemas"]["BatteryDischarge"];
export type Runtime = components["schemas"]["RuntimeOut"];

const MAX_POINTS = 500;

export const batteryQueries = {
  /** History between two instants; the range is rounded so that a live page asks anew at most every ten seconds. */
  series: (batteryId: string, from: number, to: number) => {
    const [start, end] = [rounded(from), rounded(to)];
    return queryOptions({
      queryKey: ["battery", batteryId, "series", start, end] as const,
      queryFn: ({ signal }) =>
        get<TelemetrySeries>(
          `/batteries/${batteryId}/telemetry`,
          { start: new Date(start).toISOString(), end: new Date(end).toISOString(), max_points: MAX_POINTS },
          signal,
        ),
      placeholderData: keepPreviousData,
      staleTime: 60_000,
    });
  },
  twin: (batteryId: string) =>
    queryOptions({
      queryKey: ["battery", batteryId, "twin"] as const,
      queryFn: ({ signal }) => get<TwinRecord>(`/batteries/${batteryId}/twin`, undefined, signal),
      refetchInterval: 60_000,
    }),
  discharges: (batteryId: string) =>
    queryOptions({
      queryKey: ["battery", batteryId, "discharges"] as const,
      queryFn: ({ signal }) => get<Page<BatteryDischarge>>(`/batteries/${batteryId}/discharges`, { limit: 20 }, signal),
      refetchInterval: 60_000,
    }),
  /** Under a load, or under the present one. */
  runtime: (stringId: string, powerKw: number | null) =>
    queryOptions({
      queryKey: ["string", stringId, "runtime", powerKw] as const,
      queryFn: ({ signal }) =>
        get<Runtime>(
          `/strings/${stringId}/runtime`,
          powerKw === null ? undefined : { power_w: powerKw * 1000 },
          signal,
        ),
      refetchInterval: 60_000,
      retry: false,
    }),
  rules: (batteryId: string) =>
    queryOptions({
      queryKey: ["battery", batteryId, "rules"] as const,
      queryFn: ({ signal }) =>
        get<{ items: EffectiveRule[] }>(`/batteries/${batteryId}/alert-rules`, { limit: 100 }, signal),
      staleTime: 300_000,
    }),
};

function rounded(at: number): number {
  return Math.ceil(at / 10_000) * 10_000;
}
