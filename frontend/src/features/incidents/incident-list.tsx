import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { Incident } from "@/api/types";
import { Button } from "@/components/ui/button";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { useMediaQuery } from "@/lib/media-query";
import { useNow } from "@/realtime/hooks";

import { IncidentRow, type RowState } from "./incident-row";
import { useSizes } from "./queries";
import { partOf } from "./row-text";

const ROW_HEIGHT = 76;
const CARD_HEIGHT = 190;
/** Rows from the end of what is loaded at which the next page is asked for. */
const AHEAD = 30;

export interface Paging {
  total: number;
  hasMore: boolean;
  isLoading: boolean;
  isFailed: boolean;
  loadMore: () => void;
}

interface IncidentListProps {
  items: readonly Incident[];
  paging: Paging;
  selected: ReadonlySet<number>;
  focused: number | null;
  opened: number | null;
  mayAct: boolean;
  nameOf: (locationId: string) => string;
  onToggle: (id: number) => void;
  onOpen: (id: number) => void;
  onAcknowledge: (id: number) => void;
}

/** Only the rows in sight are in the document; the next page is read before the end of the loaded ones is reached. */
export function IncidentList({ items, paging, focused, ...rest }: IncidentListProps) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const estimate = useMediaQuery("(max-width: 1023px)") ? CARD_HEIGHT : ROW_HEIGHT;
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => estimate,
    // Rows are as high as their sentences; where nothing is laid out, as estimated.
    measureElement: (element) => element.getBoundingClientRect().height || estimate,
    getItemKey: (index) => items[index]?.incident_id ?? index,
    overscan: 8,
  });
  const rows = virtual.getVirtualItems();
  const focusedIndex = focused === null ? -1 : items.findIndex((item) => item.incident_id === focused);
  useEffect(() => {
    if (focusedIndex >= 0) virtual.scrollToIndex(focusedIndex);
    // Only when the focus moves: a row that shifts under it must not drag the list along.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [focused]);
  useLoadAhead(rows.at(-1)?.index ?? 0, items.length, paging);
  const now = useNow(10_000);
  const sizes = useSizes(rows.flatMap((row) => items[row.index]?.location_id ?? []));
  return (
    <>
      <ScrollRegion
        ref={scroller}
        label={t("incidents.list")}
        data-testid="incident-list"
        className="max-h-[70vh] overflow-auto rounded-lg border border-border bg-surface"
      >
        <div
          role="list"
          aria-label={t("incidents.list")}
          className="relative"
          style={{ height: virtual.getTotalSize() }}
        >
          {rows.map((row) => {
            const incident = items[row.index];
            if (incident === undefined) return null;
            return (
              <div
                key={row.key}
                ref={virtual.measureElement}
                data-index={row.index}
                data-testid={`incident-${incident.incident_id}`}
                role="listitem"
                aria-setsize={paging.total}
                aria-posinset={row.index + 1}
                className="absolute inset-x-0"
                style={{ transform: `translateY(${row.start}px)` }}
              >
                <IncidentRow
                  {...stateOf(incident, focused, now, sizes, rest)}
                  incident={incident}
                  {...actionsOf(incident, rest)}
                />
              </div>
            );
          })}
        </div>
      </ScrollRegion>
      <MoreState paging={paging} />
    </>
  );
}

type Shown = Omit<IncidentListProps, "items" | "paging" | "focused">;

function stateOf(
  incident: Incident,
  focused: number | null,
  now: number,
  sizes: ReadonlyMap<string, number>,
  { selected, opened, mayAct, nameOf }: Shown,
): RowState {
  const id = incident.incident_id;
  return {
    isSelected: selected.has(id),
    isFocused: focused === id,
    isOpen: opened === id,
    mayAct,
    now,
    locationName: nameOf(incident.location_id),
    size: sizes.get(partOf(incident) ?? incident.location_id),
  };
}

function actionsOf({ incident_id: id }: Incident, { onToggle, onOpen, onAcknowledge }: Shown) {
  return { onToggle: () => onToggle(id), onOpen: () => onOpen(id), onAcknowledge: () => onAcknowledge(id) };
}

function useLoadAhead(last: number, loaded: number, { hasMore, isLoading, isFailed, loadMore }: Paging): void {
  const latest = useRef(loadMore);
  useEffect(() => {
    latest.current = loadMore;
  });
  const isDue = hasMore && !isLoading && !isFailed && last >= loaded - AHEAD;
  useEffect(() => {
    if (isDue) latest.current();
  }, [isDue, loaded]);
}

function MoreState({ paging }: { paging: Paging }) {
  const { t } = useTranslation();
  if (paging.isFailed) {
    return (
      <p role="alert" className="mt-2 flex items-center gap-2 text-warning-text">
        {t("incidents.moreFailed")} <Button onClick={paging.loadMore}>{t("common.retry")}</Button>
      </p>
    );
  }
  return paging.isLoading ? <p className="mt-2 text-muted">{t("incidents.more")}</p> : null;
}
