import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { alertQueries } from "@/api/queries";
import type { Alert, AlertDetail } from "@/api/types";
import { Button } from "@/components/ui/button";
import { QueryFailure, Skeleton } from "@/components/ui/states";

import { AlertExplanation } from "@/components/alert-explanation/alert-explanation";
import { AlertSummary } from "./alert-summary";
import { Timeline } from "./alert-timeline";
import { useAlertAction } from "./mutations";
import { NoteDialog } from "./note-dialog";
import { useReturningFocus } from "@/lib/use-returning-focus";

interface AlertDrawerProps {
  alertId: number;
  mayAct: boolean;
  onClose: () => void;
  onAcknowledge: (alert: Alert) => void;
}

/**
 * One alert in full beside the list, which keeps its scroll position. It is a landmark rather than a dialog, because the
 * list stays in use; it takes the focus when it opens and gives it back when it closes.
 */
export function AlertDrawer({ alertId, mayAct, onClose, onAcknowledge }: AlertDrawerProps) {
  const { t } = useTranslation();
  const headingId = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const panel = useReturningFocus<HTMLElement>();
  const detail = useQuery(alertQueries.detail(alertId));
  const { data } = detail;
  useEffect(() => heading.current?.focus(), [alertId]);
  return (
    <aside
      ref={panel}
      aria-labelledby={headingId}
      data-testid="alert-drawer"
      className="fixed inset-y-0 right-0 z-20 w-[min(28rem,100vw)] overflow-auto border-l border-border bg-surface p-4 shadow-xl"
    >
      <div className="mb-3 flex items-center justify-between gap-2">
        <h2 ref={heading} id={headingId} tabIndex={-1}>
          {t("alerts.detail", { id: alertId })}
        </h2>
        <button
          type="button"
          aria-label={t("common.close")}
          className="grid size-8 place-items-center rounded-lg hover:bg-surface-2"
          onClick={onClose}
        >
          <X size={18} aria-hidden />
        </button>
      </div>
      <QueryFailure query={detail} />
      {detail.isPending && <Skeleton height={300} />}
      {data && (
        <>
          <AlertSummary alert={data} />
          {typeof data.incident_id === "number" && (
            <p className="my-2">
              <Link className="text-accent underline" to={`/incidents/${data.incident_id}?alert=${data.alert_id}`}>
                {t("alerts.partOf", { id: data.incident_id })}
              </Link>
            </p>
          )}
          {mayAct ? (
            <Actions key={alertId} alert={data} onAcknowledge={() => onAcknowledge(data)} />
          ) : (
            <p className="my-3 text-muted">{t("alerts.viewer")}</p>
          )}
          {data.is_active && data.resolved_at !== null && <p className="my-3">{t("alerts.lasting")}</p>}
          <AlertExplanation key={`why-${alertId}`} alert={data} />
          <Timeline alert={data} />
        </>
      )}
    </aside>
  );
}

function Actions({ alert, onAcknowledge }: { alert: AlertDetail; onAcknowledge: () => void }) {
  const { t } = useTranslation();
  const [noting, setNoting] = useState<"resolve" | "comment" | null>(null);
  // While it closes, the dialog keeps the words that it had.
  const shown = noting ?? "comment";
  const resolve = useAlertAction("resolve");
  const comment = useAlertAction("comment");
  return (
    <div className="my-4 flex flex-wrap gap-2">
      {alert.acknowledged_at === null && alert.resolved_at === null && (
        <Button tone="primary" onClick={onAcknowledge}>
          {t("alerts.acknowledge")}
        </Button>
      )}
      {alert.resolved_at === null && <Button onClick={() => setNoting("resolve")}>{t("alerts.resolve")}</Button>}
      <Button onClick={() => setNoting("comment")}>{t("alerts.comment")}</Button>
      <NoteDialog
        title={t(`alerts.${shown}`)}
        confirm={t(`alerts.${shown}`)}
        alerts={[alert]}
        open={noting !== null}
        busy={resolve.isPending || comment.isPending}
        required={shown === "comment"}
        onOpenChange={(isOpen) => !isOpen && setNoting(null)}
        onConfirm={(note) =>
          (shown === "resolve" ? resolve : comment).mutate(
            { alertIds: [alert.alert_id], note },
            { onSuccess: () => setNoting(null) },
          )
        }
      />
    </div>
  );
}
