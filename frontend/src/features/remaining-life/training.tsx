import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router-dom";

import type { TrainJob } from "@/api/types";
import { Button } from "@/components/ui/button";
import { QueryFailure } from "@/components/ui/states";

import { useTraining } from "./mutations";
import { remainingLifeQueries } from "./queries";

const MAX_SEED = 2 ** 31 - 1;

/** Start to train a version and follow it; the job is in the address, so that a reload does not lose it. */
export function Training() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const jobId = params.get("training");
  const training = useTraining((started) =>
    setParams(
      (current) => {
        current.set("training", started);
        return current;
      },
      { replace: true },
    ),
  );
  const [dataset, setDataset] = useState("");
  const [seed, setSeed] = useState("1");
  const isSeed = /^\d+$/.test(seed) && Number(seed) <= MAX_SEED;
  const field = "min-h-8 rounded-lg border border-border-strong bg-surface px-2";

  function submit(event: FormEvent): void {
    event.preventDefault();
    training.mutate({ dataset: dataset.trim(), seed: Number(seed) });
  }
  return (
    <section className="mt-4 border-t border-border pt-3" aria-label={t("models.train")}>
      <h3 className="font-medium">{t("models.train")}</h3>
      <p className="text-muted">{t("models.trainHint")}</p>
      <form onSubmit={submit} className="mt-2 flex flex-wrap items-end gap-2">
        <label className="flex min-w-0 flex-col max-sm:w-full">
          {t("models.dataset")}
          <input
            value={dataset}
            onChange={(event) => setDataset(event.target.value)}
            maxLength={1000}
            required
            className={field}
          />
        </label>
        <label className="flex flex-col">
          {t("models.seed")}
          <input
            value={seed}
            onChange={(event) => setSeed(event.target.value)}
            inputMode="numeric"
            className={`${field} w-24`}
          />
        </label>
        <Button type="submit" disabled={dataset.trim() === "" || !isSeed || training.isPending}>
          {t("models.start")}
        </Button>
      </form>
      {jobId !== null && <Progress jobId={jobId} />}
    </section>
  );
}

function Progress({ jobId }: { jobId: string }) {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const query = useQuery(remainingLifeQueries.training(jobId));
  const { data } = query;
  const isDone = data?.state === "succeeded";
  useEffect(() => {
    if (isDone) void cache.invalidateQueries({ queryKey: remainingLifeQueries.models().queryKey });
  }, [isDone, cache]);
  return (
    <div className="mt-3" data-testid="training">
      <QueryFailure query={query} />
      {data && (
        <p role="status" className={data.state === "failed" ? "font-medium text-critical-text" : ""}>
          {t(`models.job.${data.state}`, valuesOf(data))}
        </p>
      )}
      {data?.state === "running" && (
        <progress className="h-2 w-full" value={data.progress} max={1} aria-label={t("models.train")} />
      )}
    </div>
  );
}

function valuesOf({ step, version, error }: TrainJob): { step: string; version: string; error: string } {
  return { step, version: version ?? "–", error: error ?? "–" };
}
