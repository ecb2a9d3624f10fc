import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { problemOf } from "@/api/errors";
import { useLanguage } from "@/i18n";
import { formatClock } from "@/lib/dates";

import { Button } from "./button";

const SKELETON_AFTER_MS = 200;

/** The final shape in grey; an answer that comes at once shows none. */
export function Skeleton({ height = 96 }: { height?: number }) {
  const { t } = useTranslation();
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setVisible(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div
      role="status"
      aria-label={t("common.loading")}
      className={visible ? "animate-pulse rounded-lg bg-surface-2" : ""}
      style={{ height }}
    />
  );
}

/** Nothing could be shown: why, by which request, and how to go on. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const problem = problemOf(error);
  if (problem.status === 404) return <NotFound detail={problem.detail} />;
  const isForbidden = problem.status === 403;
  return (
    <div role="alert" className="rounded-lg border border-border bg-surface p-4">
      <p className="font-medium">{isForbidden ? t("common.forbidden") : t("common.failed")}</p>
      <p className="mt-1 text-muted">{problem.status === null ? t("session.unreachable") : problem.detail}</p>
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

interface RefreshFailedProps {
  query: { isError: boolean; error: unknown; dataUpdatedAt: number; refetch: () => unknown };
}

/** What is shown was read before and could not be read again: it stays, and says from when it is. */
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
