import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { problemOf } from "@/api/errors";
import { problemText, useLanguage } from "@/i18n";
import { formatClock } from "@/lib/dates";

import { Button } from "./button";

/** The final shape in grey; it appears only when the answer takes a moment. */
export function Skeleton({ height = 96 }: { height?: number }) {
  const { t } = useTranslation();
  return (
    <div
      role="status"
      aria-label={t("common.loading")}
      className="skeleton rounded-lg bg-surface-2"
      style={{ height }}
    />
  );
}

/** Nothing can be shown: the reason, the request id and a way to retry. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const problem = problemOf(error);
  if (problem.status === 404) return <NotFound detail={problemText(problem)} />;
  const isForbidden = problem.status === 403;
  return (
    <div role="alert" className="rounded-lg border border-border bg-surface p-4">
      <p className="font-medium">{isForbidden ? t("problem.forbidden") : t("common.failed")}</p>
      <p className="mt-1 text-muted">{problemText(problem)}</p>
      {problem.requestId !== null && (
        <p className="mt-1 text-xs text-muted">{t("common.request", { id: problem.requestId })}</p>
      )}
      {onRetry && !isForbidden && (
        <Button className="mt-3" onClick={onRetry}>
          {t("common.retry")}
        </Button>
      )}
    </div>
  );
}

interface FailingQuery {
  isError: boolean;
  isLoadingError: boolean;
  error: unknown;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

/** For a part of a page: that it could not be loaded, or that what it shows is old; nothing while all is well. */
export function QueryFailure({ query }: { query: FailingQuery }) {
  if (query.isLoadingError) return <ErrorState error={query.error} onRetry={() => query.refetch()} />;
  return <RefreshFailed query={query} />;
}

interface RefreshFailedProps {
  query: Omit<FailingQuery, "isLoadingError">;
}

/** A refresh failed: the older data stays on screen, with its time. */
export function RefreshFailed({ query }: RefreshFailedProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  if (!query.isError || query.dataUpdatedAt === 0) return null;
  const { requestId } = problemOf(query.error);
  return (
    <div
      role="status"
      className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-warning-fill bg-surface px-3 py-1.5"
    >
      <span className="font-medium text-warning-text">
        {t("common.notRefreshed", { since: formatClock(query.dataUpdatedAt, language, true) })}
      </span>
      {requestId !== null && <span className="text-xs text-muted">{t("common.request", { id: requestId })}</span>}
      <Button className="ml-auto" onClick={() => query.refetch()}>
        {t("common.retry")}
      </Button>
    </div>
  );
}

export function NotFound({ detail }: { detail?: string }) {
  const { t } = useTranslation();
  return (
    <EmptyState
      title={t("common.notFound")}
      hint={detail ?? t("common.notFoundHint")}
      action={
        <Link to="/" className="mt-2 text-accent underline">
          {t("common.home")}
        </Link>
      }
    />
  );
}

export function EmptyState({ title, hint, action }: { title: string; hint?: string; action?: React.ReactNode }) {
  return (
    <div className="grid place-items-center gap-1 rounded-lg border border-dashed border-border p-8 text-center">
      <p className="font-medium">{title}</p>
      {hint !== undefined && <p className="max-w-full break-words text-muted">{hint}</p>}
      {action}
    </div>
  );
}
