import clsx from "clsx";
import { CircleCheck, CircleHelp, LoaderCircle, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { useMay } from "@/api/session";
import type { PredictionRun, PredictionSummary } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";
import { isOverdue } from "@/lib/remaining-life";
import { formatCount } from "@/lib/units";
import { useNow } from "@/realtime/hooks";

import { usePredictNow } from "./mutations";

/** Shape and text together; being complete is quiet and no praise of the batteries. */
const looks = {
  ready: { Icon: CircleCheck, tone: "text-text" },
  running: { Icon: LoaderCircle, tone: "text-accent" },
  no_model: { Icon: TriangleAlert, tone: "text-warning-text" },
  ml_away: { Icon: TriangleAlert, tone: "text-warning-text" },
  no_history: { Icon: CircleHelp, tone: "text-warning-text" },
} as const;

/** What is happening: how complete the predictions are, when they were made and by what, and the newest run. */
export function RunStatus({ summary }: { summary: PredictionSummary }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const now = useNow(60_000);
  const { state, predicted_at: predictedAt, run } = summary;
  const { Icon, tone } = looks[state];
  return (
    <Card title={t("predictions.title")} actions={<PredictNow isRunning={run?.state === "running"} />}>
      <p role="status" className={clsx("flex items-start gap-1.5 font-medium", tone)} data-testid="run-state">
        <Icon aria-hidden size={16} className="mt-0.5 shrink-0" />
        {t(`predictions.state.${state}`)}
      </p>
      <p className="mt-1 text-muted">
        {predictedAt === null
          ? t("predictions.never")
          : t("predictions.newest", { date: formatDateTime(predictedAt, language) })}
        {predictedAt !== null &&
          ` · ${summary.model_version === null ? t("predictions.noModel") : t("predictions.model", { version: summary.model_version })}`}
      </p>
      {predictedAt !== null && isOverdue(predictedAt, now) && (
        <p className="font-medium text-warning-text">{t("predictions.stale")}</p>
      )}
      <p className="text-muted">
        {t("predictions.counts", { count: summary.predicted, total: summary.total })}
        {summary.withheld > 0 && (
          <>
            {" "}
            <Link to="?source=none" className="text-accent hover:underline">
              {t("rul.unpredicted", { count: summary.withheld })}
            </Link>
          </>
        )}
      </p>
      <dl className="mt-3 grid grid-cols-2 gap-3">
        <Due days={90} count={summary.due_within_90_days} isKnown={summary.predicted > 0} />
        <Due days={180} count={summary.due_within_180_days} isKnown={summary.predicted > 0} />
      </dl>
      {run !== null && <Run run={run} />}
    </Card>
  );
}

/** Without any prediction there is no count: zero would read as an all-clear. */
function Due({ days, count, isKnown }: { days: number; count: number; isKnown: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    <div className="rounded-lg border border-border px-3 py-2">
      <dt className="text-muted">{t("predictions.due", { days })}</dt>
      <dd>
        {isKnown ? (
          <Link to={`?due=${days}`} className="text-2xl font-semibold hover:underline">
            {formatCount(count, language)}
          </Link>
        ) : (
          <span className="font-medium text-muted">{t("rul.unknown")}</span>
        )}
      </dd>
    </div>
  );
}

function Run({ run }: { run: PredictionRun }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { state, done, total, error } = run;
  const at = state === "succeeded" || state === "failed" ? (run.finished_at ?? run.started_at) : run.started_at;
  const isCounted = done !== null && total !== null && total > 0;
  return (
    <div className="mt-3 border-t border-border pt-2 text-muted" data-testid="run">
      <p className={clsx((state === "failed" || state === "interrupted") && "text-warning-text")}>
        {t(`predictions.run.${state}`, { date: formatDateTime(at, language) })}
        {run.requested_by !== null && ` · ${t("alerts.by", { who: run.requested_by })}`}
      </p>
      {state === "failed" && error !== null && (
        <p>{error === "services_away" ? t("predictions.failedAway") : t("predictions.failedCode", { code: error })}</p>
      )}
      {state === "running" && (
        <>
          <progress
            className="mt-1 h-2 w-full"
            aria-label={t("predictions.state.running")}
            {...(isCounted ? { value: done, max: total } : {})}
          />
          <p>
            {isCounted ? t("predictions.progress", { done, total }) : t("predictions.progressUnknown")}
            {run.step !== null && ` · ${run.step}`}
          </p>
        </>
      )}
    </div>
  );
}

function PredictNow({ isRunning }: { isRunning: boolean }) {
  const { t } = useTranslation();
  const mayRun = useMay("engineer");
  const predictNow = usePredictNow();
  if (!mayRun) return null;
  return (
    <Button disabled={isRunning || predictNow.isPending} onClick={() => predictNow.mutate()}>
      {t("predictions.now")}
    </Button>
  );
}
