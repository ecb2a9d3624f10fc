import { queryOptions, useQueries } from "@tanstack/react-query";

import { get } from "@/api/client";

const SIZES_STALE_MS = 10 * 60_000;

/** How many batteries a location, its systems and its strings have, by id. It hardly changes, so it is kept for long. */
const sizesOf = (locationId: string) =>
  queryOptions({
    queryKey: ["sizes", locationId] as const,
    queryFn: async ({ signal }) => {
      const location = await get("/api/v1/locations/{location_id}", { path: { location_id: locationId }, signal });
      return [
        [location.location_id, location.battery_count] as const,
        ...location.systems.flatMap((system) => [
          [system.system_id, system.strings.reduce((sum, string) => sum + string.battery_count, 0)] as const,
          ...system.strings.map((string) => [string.string_id, string.battery_count] as const),
        ]),
      ];
    },
    staleTime: SIZES_STALE_MS,
    retry: false,
  });

export function useSizes(locationIds: readonly string[]): ReadonlyMap<string, number> {
  return useQueries({
    queries: [...new Set(locationIds)].sort().map(sizesOf),
    combine: (results) => new Map(results.flatMap((result) => result.data ?? [])),
  });
}

export const users = () =>
  queryOptions({
    queryKey: ["users", "assignees"] as const,
    queryFn: ({ signal }) => get("/api/v1/auth/users", { query: { limit: 500 }, signal }),
    staleTime: 60_000,
  });
