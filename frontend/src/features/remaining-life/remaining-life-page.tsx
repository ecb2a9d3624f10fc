import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router-dom";

import { predictionQueries } from "@/api/queries";
import { useMay } from "@/api/session";
import { useTitle } from "@/components/breadcrumb";
import { Card } from "@/components/ui/card";
import { QueryFailure, Skeleton } from "@/components/ui/states";

import { Histogram } from "./histogram";
import { ModelsCard } from "./models-card";
import { PredictionList } from "./prediction-list";
import { RunStatus } from "./run-status";

/** What is known of when the batteries of the fleet end, and how that knowledge comes about. */
export function RemainingLifePage() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const summary = useQuery(predictionQueries.summary());
  const mayManageModels = useMay("admin");
  useTitle(t("rul.title"));
  useRefreshAfterRun(summary.data?.run?.state === "running");
  return (
    <>
      <h1 className="mb-3">{t("rul.title")}</h1>
      <div className="grid items-start gap-3 lg:grid-cols-2">
        <div className="min-w-0">
          <QueryFailure query={summary} />
          {summary.isPending && <Skeleton height={200} />}
          {summary.data && <RunStatus summary={summary.data} />}
        </div>
        {summary.data && (
          <Card title={t("predictions.histogram")}>
            <Histogram summary={summary.data} />
          </Card>
        )}
      </div>
      <PredictionList params={params} onChange={setParams} />
      {mayManageModels && <ModelsCard />}
    </>
  );
}

/** When a run has ended, what it has predicted is read. */
function useRefreshAfterRun(isRunning: boolean): void {
  const cache = useQueryClient();
  useEffect(() => {
    if (!isRunning) return;
    return () => void cache.invalidateQueries({ queryKey: predictionQueries.root });
  }, [isRunning, cache]);
}
