import "@/i18n/incident-texts";

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router-dom";

import { incidentQueries } from "@/api/incident-queries";
import { fleetQueries } from "@/api/queries";
import { useMay, useSession } from "@/api/session";
import type { Incident } from "@/api/types";
import { useTitle } from "@/components/breadcrumb";
import { Button } from "@/components/ui/button";
import { EmptyState, ErrorState, RefreshFailed, Skeleton } from "@/components/ui/states";
import type { ActionKind } from "@/i18n/incident-texts";
import { useMediaQuery } from "@/lib/media-query";
import { useInboxKeys } from "@/lib/use-inbox-keys";

import { CommandDialog } from "./command-dialog";
import { filterOf, isFiltered } from "./filters";
import { actionsFor } from "./incident-actions";
import { IncidentFilters } from "./incident-filters";
import { IncidentList } from "./incident-list";
import { IncidentPanel } from "./incident-panel";
import { useOpened } from "./use-opened";

/** The gateway takes so many at once. */
const MOST = 200;

const pages = { silences: "/silences", rules: "/alert-rules", load: "/alert-load", each: "/alerts" } as const;

interface Acting {
  kind: ActionKind;
  incidents: readonly Incident[];
}

/** The inbox: what waits for somebody, one row for each trouble, the most urgent first. */
export function IncidentsPage() {
  const { t } = useTranslation();
  useTitle(t("incidents.title"));
  const mayAct = useMay("engineer");
  const isNarrow = useMediaQuery("(max-width: 767px)");
  const { incidentId } = useParams();
  const [params, setParams] = useSearchParams();
  const { opened, open } = useOpened(incidentId);
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [acting, setActing] = useState<Acting | null>(null);
  const { list, items } = useIncidents(params);
  const nameOf = useLocationNames();

  const toggle = (id: number) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    setSelected(next);
  };
  const acknowledgeable = (ids: ReadonlySet<number>) =>
    items.filter((incident) => ids.has(incident.incident_id) && actionsFor(incident).includes("acknowledge"));
  const acknowledge = (ids: ReadonlySet<number>) => {
    const incidents = acknowledgeable(ids).slice(0, MOST);
    if (mayAct && incidents.length > 0) setActing({ kind: "acknowledge", incidents });
  };
  const { focused, setFocused } = useInboxKeys({
    ids: items.map((incident) => incident.incident_id),
    onToggle: (id) => mayAct && toggle(id),
    onOpen: open,
    onAcknowledge: (id) => acknowledge(selected.size > 0 ? selected : new Set([id])),
    onEscape: () => (opened === null ? setSelected(new Set()) : open(null)),
  });
  const chosen = acknowledgeable(selected).length;
  const marked = Number(params.get("alert") ?? Number.NaN);
  return (
    <>
      <Heading mayAct={mayAct} params={params} onChange={setParams} />
      {!(isNarrow && opened !== null) && (
        <>
          {isNarrow ? (
            // Eight fields would push the list off a phone's screen.
            <details className="mb-3" open={isFiltered(params) || undefined}>
              <summary className="mb-2 min-h-8 py-1 text-accent">{t("incidents.filter.title")}</summary>
              <IncidentFilters params={params} onChange={setParams} />
            </details>
          ) : (
            <IncidentFilters params={params} onChange={setParams} />
          )}
          {chosen > 0 && mayAct && (
            <p className="mb-2 flex flex-wrap items-center gap-2" role="status">
              <Button tone="primary" onClick={() => acknowledge(selected)}>
                {t("incidents.acknowledgeCount", { count: Math.min(chosen, MOST) })}
              </Button>
              {t("incidents.chosen", { count: chosen })}
              {chosen > MOST && <span>{t("incidents.chosenMost", { most: MOST })}</span>}
            </p>
          )}
          {list.isLoadingError && <ErrorState error={list.error} onRetry={() => void list.refetch()} />}
          {!list.isFetchNextPageError && <RefreshFailed query={list} />}
          {list.isPending && <Skeleton height={300} />}
          {list.data && <Loaded shown={items.length} total={totalOf(list.data)} />}
          {list.data && items.length === 0 && (
            <Empty isFiltered={isFiltered(params)} onReset={() => setParams(new URLSearchParams())} />
          )}
          {items.length > 0 && (
            <IncidentList
              items={items}
              paging={{
                total: totalOf(list.data),
                hasMore: list.hasNextPage,
                isLoading: list.isFetchingNextPage,
                isFailed: list.isFetchNextPageError,
                loadMore: () => void list.fetchNextPage(),
              }}
              selected={selected}
              focused={focused}
              opened={opened}
              mayAct={mayAct}
              nameOf={nameOf}
              onToggle={toggle}
              onOpen={(id) => {
                setFocused(id);
                open(id);
              }}
              onAcknowledge={(id) => acknowledge(new Set([id]))}
            />
          )}
        </>
      )}
      {opened !== null && (
        <IncidentPanel
          incidentId={opened}
          markedAlert={Number.isNaN(marked) ? null : marked}
          isPage={isNarrow}
          mayAct={mayAct}
          nameOf={nameOf}
          onClose={() => open(null)}
          onAct={(kind, incident) => setActing({ kind, incidents: [incident] })}
        />
      )}
      {acting !== null && (
        <CommandDialog
          {...acting}
          onClose={() => setActing(null)}
          onDone={() => acting.kind === "acknowledge" && setSelected(new Set())}
        />
      )}
    </>
  );
}

function totalOf(data: { pages: readonly { total: number }[] } | undefined): number {
  return data?.pages.at(-1)?.total ?? 0;
}

/** What is loaded; pages that shifted between two reads may repeat an incident. */
function useIncidents(params: URLSearchParams) {
  const username = useSession((state) => state.user?.username ?? null);
  const list = useInfiniteQuery(incidentQueries.list(filterOf(params, username)));
  const items = useMemo(() => {
    const unique = new Map(list.data?.pages.flatMap((page) => page.items).map((item) => [item.incident_id, item]));
    return [...unique.values()];
  }, [list.data]);
  return { list, items };
}

function useLocationNames(): (locationId: string) => string {
  const { data } = useQuery(fleetQueries.locations());
  return (locationId) => data?.items.find((one) => one.location_id === locationId)?.name ?? locationId;
}

interface HeadingProps {
  mayAct: boolean;
  params: URLSearchParams;
  onChange: (params: URLSearchParams) => void;
}

function Heading({ mayAct, params, onChange }: HeadingProps) {
  const { t } = useTranslation();
  const { data } = useQuery(incidentQueries.counts());
  return (
    <div className="mb-3 flex flex-wrap items-baseline gap-x-4 gap-y-1">
      <h1>{t("incidents.title")}</h1>
      {data && (
        <span className="text-muted">
          {t("incidents.waiting", { count: data.open_count })}
          {data.critical_count > 0 && ` · ${t("incidents.critical", { count: data.critical_count })}`}
        </span>
      )}
      {data && <Hidden count={data.hidden_count} params={params} onChange={onChange} />}
      {!mayAct && <span className="text-muted">{t("incidents.viewer")}</span>}
      <nav className="flex flex-wrap gap-x-4 sm:ml-auto" aria-label={t("incidents.title")}>
        {(["silences", "rules", "load", "each"] as const).map((page) => (
          <Link key={page} to={pages[page]} className="text-accent underline">
            {t(`incidents.${page}`)}
          </Link>
        ))}
      </nav>
    </div>
  );
}

/** What silences and windows keep out of the list is counted, and one step away. */
function Hidden({ count, params, onChange }: { count: number } & Omit<HeadingProps, "mayAct">) {
  const { t } = useTranslation();
  const isShown = params.get("hidden") === "1";
  if (count === 0 && !isShown) return null;
  const toggle = () => {
    const next = new URLSearchParams(params);
    if (isShown) next.delete("hidden");
    else next.set("hidden", "1");
    onChange(next);
  };
  return (
    <span>
      {t("incidents.hiddenCount", { count })}{" "}
      <Button tone="quiet" aria-pressed={isShown} onClick={toggle}>
        {t(isShown ? "incidents.leaveHidden" : "incidents.showHidden")}
      </Button>
    </span>
  );
}

function Loaded({ shown, total }: { shown: number; total: number }) {
  const { t } = useTranslation();
  return (
    <p className="mb-1 text-xs text-muted" data-testid="incident-total">
      {t("incidents.total", { count: total })}
      {shown < total && ` · ${t("incidents.shown", { shown, total })}`}
    </p>
  );
}

function Empty({ isFiltered: filtered, onReset }: { isFiltered: boolean; onReset: () => void }) {
  const { t } = useTranslation();
  if (!filtered) return <EmptyState title={t("incidents.empty")} hint={t("incidents.emptyHint")} />;
  return (
    <EmptyState
      title={t("incidents.noMatch")}
      hint={t("incidents.noMatchHint")}
      action={
        <Button className="mt-2" onClick={onReset}>
          {t("incidents.reset")}
        </Button>
      }
    />
  );
}
