import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { alertQueries } from "@/api/queries";
import type { AlertDetail } from "@/api/types";
import { SeverityLabel } from "@/components/status";
import { Button } from "@/components/ui/button";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { unitText, useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

import { formatFigure, stateText } from "./alert-text";
import { useAlertAction } from "./mutations";
import { NoteDialog } from "./note-dialog";

interface AlertDrawerProps {
  alertId: number;
  mayAct: boolean;
  onClose: () => void;
  onAcknowledge: () => void;
}

/** One alert in full beside the list, which keeps its scroll position. */
export function AlertDrawer({ alertId, mayAct, onClose, onAcknowledge }: AlertDrawerProps) {
  const { t } = useTranslation();
  const detail = useQuery(alertQueries.detail(alertId));
  const { data } = detail;
  const [noting, setNoting] = useState<"resolve" | "comment" | null>(null);
  // While it closes, the dialog keeps the words that it had.
  const shown = noting ?? "comment";
  const resolve = useAlertAction("resolve");
  const comment = useAlertAction("comment");
  return (
    <aside
      aria-label={t("alerts.detail", { id: alertId })}
      data-testid="alert-drawer"
      className="fixed inset-y-0 right-0 z-20 w-[min(28rem,100vw)] overflow-auto border-l border-border bg-surface p-4 shadow-xl"
    >
      <div className="mb-3 flex items-center justify-between gap-2">
        <h2>{t("alerts.detail", { id: alertId })}</h2>
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
          <Summary alert={data} />
          {mayAct && (
            <div className="my-4 flex flex-wrap gap-2">
              {data.acknowledged_at === null && data.resolved_at === null && (
                <Button tone="primary" onClick={onAcknowledge}>
                  {t("alerts.acknowledge")}
                </Button>
              )}
              {data.resolved_at === null && <Button onClick={() => setNoting("resolve")}>{t("alerts.resolve")}</Button>}
              <Button onClick={() => setNoting("comment")}>{t("alerts.comment")}</Button>
            </div>
          )}
          {data.is_active && data.resolved_at !== null && <p className="my-3">{t("alerts.lasting")}</p>}
          {!mayAct && <p className="my-3 text-muted">{t("alerts.viewer")}</p>}
          <Timeline alert={data} />
        </>
      )}
      <NoteDialog
        title={t(`alerts.${shown}`)}
        confirm={t(`alerts.${shown}`)}
        open={noting !== null}
        busy={resolve.isPending || comment.isPending}
        required={shown === "comment"}
        onOpenChange={(isOpen) => !isOpen && setNoting(null)}
        onConfirm={(note) =>
          (shown === "resolve" ? resolve : comment).mutate(
            { alertIds: [alertId], note },
            { onSettled: () => setNoting(null) },
          )
        }
      />
    </aside>
  );
}

function Summary({ alert }: { alert: AlertDetail }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const unit = unitText(alert.unit);
  const figures = (value: number | null) => (value === null ? "–" : `${formatFigure(value)} ${unit}`);
  return (
    <>
      <p className="mb-1 flex items-center gap-2">
        <SeverityLabel severity={alert.severity} />
        <span className="font-semibold">{t(`type.${alert.type}`)}</span>
      </p>
      <p className="mb-2 break-all">
        {alert.battery_id ? (
          <Link className="text-accent underline" to={`/batteries/${alert.battery_id}`}>
            {alert.battery_id}
          </Link>
        ) : (
          <Link className="text-accent underline" to={`/locations/${alert.location_id}`}>
            {alert.string_id ?? alert.location_id}
          </Link>
        )}
      </p>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        <dt className="text-muted">{t("alerts.raised")}</dt>
        <dd>{formatDateTime(alert.raised_at, language)}</dd>
        <dt className="text-muted">{t("alerts.state")}</dt>
        <dd>
          {stateText(alert, t)}
          {alert.episode_count > 1 && ` · ${t("alerts.episodes", { count: alert.episode_count })}`}
          {alert.acknowledged_at !== null && ` · ${t("alerts.acknowledged")}`}
          {alert.resolved_at !== null && ` · ${t("alerts.resolved")}`}
        </dd>
        <dt className="text-muted">{t("alerts.respond")}</dt>
        <dd>{t(`alerts.respondWithin.${alert.respond_within}`)}</dd>
        <dt className="text-muted">{t("alerts.value")}</dt>
        <dd>
          {figures(alert.value)} ·{" "}
          <span className="whitespace-nowrap">
            {t("alerts.threshold")} {figures(alert.threshold)} ·
          </span>{" "}
          <span className="whitespace-nowrap">
            {t("alerts.worst")} {figures(alert.peak_value)}
          </span>
        </dd>
      </dl>
    </>
  );
}

function eventText({ kind, data }: AlertDetail["timeline"][number], t: TFunction): string {
  return kind === "reopened" && "resolved_at" in data ? t("alerts.outlasted") : t(`alerts.event.${kind}`);
}

/** Why an alert ended: its battery was replaced or retired. */
function endText(data: Record<string, unknown>, t: TFunction): string {
  if (data.reason !== "replaced") return t("retirement.outOfService");
  const { old_serial_number: old, new_serial_number: fresh } = data;
  return typeof old === "string" && typeof fresh === "string"
    ? t("retirement.replacedBy", { old, new: fresh })
    : t("retirement.replaced");
}

function Timeline({ alert }: { alert: AlertDetail }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    <>
      <h3 className="mb-1 font-semibold">{t("alerts.timeline")}</h3>
      <ol className="border-l-2 border-border pl-4">
        {alert.timeline.map((entry) => (
          <li
            key={entry.event_id}
            className="relative mb-2 before:absolute before:top-1.5 before:-left-[21px] before:size-2 before:rounded-full before:bg-border-strong"
          >
            <span className="font-medium">{eventText(entry, t)}</span>{" "}
            {entry.actor !== null && <span className="text-muted">{t("alerts.by", { who: entry.actor })}</span>}
            <div className="text-xs text-muted">{formatDateTime(entry.at, language)}</div>
            {entry.kind === "ended" && <p className="mt-0.5">{endText(entry.data, t)}</p>}
            {entry.note !== null && entry.note !== "" && <p className="mt-0.5 whitespace-pre-wrap">{entry.note}</p>}
          </li>
        ))}
      </ol>
    </>
  );
}
