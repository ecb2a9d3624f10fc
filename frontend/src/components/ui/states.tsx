import { useTranslation } from "react-i18next";

import { problemOf } from "@/api/errors";

import { Button } from "./button";

export function Skeleton({ height = 96 }: { height?: number }) {
  const { t } = useTranslation();
  return (
    <div
      role="status"
      aria-label={t("common.loading")}
      className="animate-pulse rounded-lg bg-surface-2"
      style={{ height }}
    />
  );
}

export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const problem = problemOf(error);
  return (
    <div role="alert" className="rounded-lg border border-border bg-surface p-4">
      <p className="font-medium">{problem.status === 403 ? t("common.forbidden") : t("common.failed")}</p>
      <p className="mt-1 text-muted">{problem.detail}</p>
      {problem.requestId !== null && (
        <p className="mt-1 text-xs text-muted">{t("common.request", { id: problem.requestId })}</p>
      )}
      {onRetry && (
        <Button className="mt-3" onClick={onRetry}>
          {t("common.retry")}
        </Button>
      )}
    </div>
  );
}

export function EmptyState({ title, hint, action }: { title: string; hint?: string; action?: React.ReactNode }) {
  return (
    <div className="grid place-items-center gap-1 rounded-lg border border-dashed border-border p-8 text-center">
      <p className="font-medium">{title}</p>
      {hint !== undefined && <p className="text-muted">{hint}</p>}
      {action}
    </div>
  );
}
