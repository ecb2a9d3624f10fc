import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "@/api/client";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export const figureQueries = {
  /** The figures of the last days; the begin is rounded, so that the page asks once a minute at most. */
  of: (days: number, operators: number) =>
    queryOptions({
      queryKey: ["incidents", "figures", days, operators] as const,
      queryFn: ({ signal }) => {
        const end = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
        const query = {
          start: new Date(end - days * DAY_MS).toISOString(),
          end: new Date(end).toISOString(),
          operators,
        };
        return get("/api/v1/incidents/figures", { query, signal });
      },
      placeholderData: keepPreviousData,
      refetchInterval: MINUTE_MS,
    }),
};
