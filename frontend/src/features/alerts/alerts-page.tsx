import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams, useSearchParams } from "react-router-dom";

import { alertQueries } from "@/api/queries";
import { useMay } from "@/api/session";
import type { Alert } from "@/api/types";
import { useTitle } from "@/components/breadcrumb";
import { Button } from "@/components/ui/button";
import { EmptyState, ErrorState, RefreshFailed, Skeleton } from "@/components/ui/states";

import { AlertDrawer } from "./alert-drawer";
import { AlertFilters } from "./alert-filters";
import { AlertRow } from "./alert-row";
import { filterOf } from "./filters";
import { useInboxKeys } from "@/lib/use-inbox-keys";
import { useAlertAction } from "./mutations";
import { NoteDialog } from "./note-dialog";

const PAGE = 50;

export function AlertsPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { alertId } = useParams();
  const [params, setParams] = useSearchParams();
  const [limit, setLimit] = useState(PAGE);
  const list = useQuery(alertQueries.list(filterOf(params, limit)));
  const { data, isLoadingError, error, isPending, refetch } = list;
  useTitle(t("alerts.title"));
  const mayAct = useMay("engineer");
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [acknowledging, setAcknowledging] = useState<readonly Alert[] | null>(null);
  const acknowledge = useAlertAction("acknowledge");
  const items = data?.items ?? [];
  const opened = alertId === undefined ? null : Number(alertId);
  const search = params.toString() === "" ? "" : `?${params.toString()}`;
  const open = (id: number | null) =>
    navigate((id === null ? "/alerts" : `/alerts/${id}`) + search, { replace: opened !== null });

  const toggle = (id: number) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    setSelected(next);
  };
  const pendingOf = (ids: Iterable<number>) => {
    const chosenIds = new Set(ids);
    return items.filter((alert) => chosenIds.has(alert.alert_id) && alert.acknowledged_at === null);
  };
  const { focused, setFocused } = useInboxKeys({
    ids: items.map((alert) => alert.alert_id),
    onToggle: toggle,
    onOpen: open,
    onAcknowledge: (id) => {
      const pending = pendingOf(selected.size > 0 ? selected : [id]);
      if (mayAct && pending.length > 0) setAcknowledging(pending);
    },
    onEscape: () => (opened === null ? setSelected(new Set()) : open(null)),
  });
  const chosen = pendingOf(selected);
  const shown = acknowledging ?? [];
  /** A second attempt leaves out what the first one got through. */
  const isDone = ({ alert_id: id }: Alert) =>
    items.some((alert) => alert.alert_id === id && alert.acknowledged_at !== null);

  return (
    <>
      <div className="mb-3 flex flex-wrap items-baseline gap-x-4 gap-y-1">
        <h1>{t("alerts.title")}</h1>
        {data && (
          <span className="text-muted">
            {t("alerts.active")} {data.active_count} · {t("alerts.pending")} {data.pending_count}
          </span>
        )}
        {!mayAct && <span className="text-muted">{t("alerts.viewer")}</span>}
      </div>
      <AlertFilters params={params} onChange={setParams} />
      {chosen.length > 0 && mayAct && (
        <p className="mb-2" role="status">
          <Button tone="primary" onClick={() => setAcknowledging(chosen)}>
            {t("alerts.acknowledgeCount", { count: chosen.length })}
          </Button>
        </p>
      )}
      {isLoadingError && <ErrorState error={error} onRetry={() => void refetch()} />}
      <RefreshFailed query={list} />
      {isPending && <Skeleton height={300} />}
      {data && items.length === 0 && (
        <EmptyState
          title={t("alerts.empty")}
          hint={t("alerts.emptyHint")}
          action={
            <Button className="mt-2" onClick={() => setParams({})}>
              {t("alerts.reset")}
            </Button>
          }
        />
      )}
      {items.length > 0 && (
        <ul className="divide-y divide-border rounded-lg border border-border bg-surface" data-testid="alert-list">
          {items.map((alert) => (
            <AlertRow
              key={alert.alert_id}
              alert={alert}
              isSelected={selected.has(alert.alert_id)}
              isFocused={focused === alert.alert_id}
              isOpen={opened === alert.alert_id}
              mayAct={mayAct}
              onToggle={() => toggle(alert.alert_id)}
              onOpen={() => {
                setFocused(alert.alert_id);
                open(alert.alert_id);
              }}
              onAcknowledge={() => setAcknowledging([alert])}
            />
          ))}
        </ul>
      )}
      {data && data.total > items.length && (
        <p className="mt-3 text-center">
          <Button onClick={() => setLimit(Math.min(limit + 200, 1000))}>
            {t("alerts.more")} ({items.length} / {data.total})
          </Button>
        </p>
      )}
      {opened !== null && (
        <AlertDrawer
          alertId={opened}
          mayAct={mayAct}
          onClose={() => open(null)}
          onAcknowledge={(alert) => setAcknowledging([alert])}
        />
      )}
      <NoteDialog
        title={t("alerts.acknowledgeCount", { count: shown.length })}
        confirm={t("alerts.acknowledge")}
        alerts={shown}
        open={acknowledging !== null}
        busy={acknowledge.isPending}
        onOpenChange={(isOpen) => !isOpen && setAcknowledging(null)}
        onConfirm={(note) =>
          acknowledge.mutate(
            { alertIds: shown.filter((alert) => !isDone(alert)).map((alert) => alert.alert_id), note },
            {
              onSuccess: () => {
                setAcknowledging(null);
                setSelected(new Set());
              },
            },
          )
        }
      />
    </>
  );
}
