import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";

import { post } from "@/api/client";
import { problemOf } from "@/api/errors";
import { predictionQueries } from "@/api/queries";
import { problemText } from "@/i18n";

import { remainingLifeQueries } from "./queries";

function showProblem(error: unknown): void {
  const problem = problemOf(error);
  toast.error(problemText(problem), { description: problem.requestId ?? undefined });
}

/** Request a run; one that is under way already is no failure, its progress is shown. */
export function usePredictNow() {
  const { t } = useTranslation();
  const cache = useQueryClient();
  // A request whose answer was lost names the same run when it is repeated.
  const requestKey = useRef<string | null>(null);
  return useMutation({
    mutationFn: async () => {
      requestKey.current ??= crypto.randomUUID();
      try {
        await post("/api/v1/predictions/run", { body: { request_key: requestKey.current } });
        return "started" as const;
      } catch (error) {
        const { status, code } = problemOf(error);
        if (status === 409 && code === "prediction_run_running") return "alreadyRunning" as const;
        throw error;
      }
    },
    onSuccess: (outcome) => {
      requestKey.current = null;
      toast.info(t(`predictions.${outcome}`));
    },
    onError: showProblem,
    onSettled: () => cache.invalidateQueries({ queryKey: predictionQueries.root }),
  });
}

/** Make a version the one in service. */
export function usePromotion() {
  const { t } = useTranslation();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (version: string) => post("/api/v1/models/{version}/promote", { path: { version } }),
    onSuccess: ({ version }) => toast.success(t("models.promoted", { version })),
    onError: showProblem,
    onSettled: () => cache.invalidateQueries({ queryKey: remainingLifeQueries.models().queryKey }),
  });
}

/** Start to train a version. */
export function useTraining(onStarted: (jobId: string) => void) {
  return useMutation({
    mutationFn: (request: { dataset: string; seed: number }) => post("/api/v1/models/train", { body: request }),
    onSuccess: ({ job_id: jobId }) => onStarted(jobId),
    onError: showProblem,
  });
}
