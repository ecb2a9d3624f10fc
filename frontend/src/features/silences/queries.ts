import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { get } from "@/api/client";
import type { SilenceState } from "@/api/types";

const REFRESH_MS = 30_000;
const PAGE = 50;
const MOST = 200;

export const silenceQueries = {
  root: ["silences"] as const,
  list: (state: SilenceState[]) =>
    queryOptions({
      queryKey: ["silences", "list", state] as const,
      queryFn: ({ signal }) => get("/api/v1/silences", { query: { state, limit: MOST }, signal }),
      refetchInterval: REFRESH_MS,
    }),
  windows: (state: SilenceState[]) =>
    queryOptions({
      queryKey: ["silences", "windows", state] as const,
      queryFn: ({ signal }) => get("/api/v1/maintenance-windows", { query: { state, limit: MOST }, signal }),
      refetchInterval: REFRESH_MS,
    }),
  window: (windowId: number) =>
    queryOptions({
      queryKey: ["silences", "window", windowId] as const,
      queryFn: ({ signal }) =>
        get("/api/v1/maintenance-windows/{window_id}", { path: { window_id: windowId }, signal }),
    }),
  hidden: (isWindow: boolean, id: number) =>
    infiniteQueryOptions({
      queryKey: ["silences", "hidden", isWindow, id] as const,
      queryFn: ({ pageParam, signal }) => {
        const query = { skip: pageParam, limit: PAGE };
        return isWindow
          ? get("/api/v1/maintenance-windows/{window_id}/hidden", { path: { window_id: id }, query, signal })
          : get("/api/v1/silences/{silence_id}/hidden", { path: { silence_id: id }, query, signal });
      },
      initialPageParam: 0,
      getNextPageParam: ({ skip, items, total }) => (skip + items.length < total ? skip + items.length : undefined),
    }),
};
