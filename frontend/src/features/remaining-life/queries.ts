import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { get } from "@/api/client";
import type { PredictionFilter } from "@/api/types";

const TRAINING_POLL_MS = 3000;

export const remainingLifeQueries = {
  predictions: (filter: PredictionFilter) =>
    queryOptions({
      queryKey: ["predictions", "list", filter] as const,
      queryFn: ({ signal }) => get("/api/v1/predictions", { query: filter, signal }),
      placeholderData: keepPreviousData,
      refetchInterval: 60_000,
    }),
  models: () =>
    queryOptions({
      queryKey: ["models", "list"] as const,
      queryFn: ({ signal }) => get("/api/v1/models", { signal }),
      refetchInterval: 60_000,
    }),
  training: (jobId: string) =>
    queryOptions({
      queryKey: ["models", "training", jobId] as const,
      queryFn: ({ signal }) => get("/api/v1/models/train/{job}", { path: { job: jobId }, signal }),
      refetchInterval: ({ state }) => (state.data === undefined || state.data.state === "running") && TRAINING_POLL_MS,
    }),
};
