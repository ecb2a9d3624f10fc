import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "@/api/client";
import type { components } from "@/api/schema.gen";
import type { TelemetrySeries } from "@/api/types";

export type EffectiveRule = components["schemas"]["EffectiveRuleOut"];

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
