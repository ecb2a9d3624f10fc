import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { BatteryCharging, Bell, Hourglass, MapPin } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router-dom";

import { fleetQueries } from "@/api/queries";
import { StatusIcon } from "@/components/status";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { useScrollIntoView } from "@/lib/use-scroll-into-view";
import { liveStore } from "@/realtime/connection";
import { statusNow } from "@/realtime/live-store";

import { type Entry, findEntries } from "./search-entries";

/** Go anywhere by typing: pages, locations and every battery, by any part of an id or serial number. */
export function SearchDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { t } = useTranslation();
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={t("nav.search")}
      hidesTitle
      className="top-4 w-[min(36rem,calc(100vw-1.5rem))] p-3 sm:top-20"
    >
      <Palette onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

function Palette({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const listId = useId();
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const { entries, failed, retry } = useEntries(text);
  const chosen = Math.max(0, Math.min(active, entries.length - 1));

  function go(entry: Entry | undefined): void {
    if (entry === undefined) return;
    onDone();
    navigate(entry.to);
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") setActive(Math.min(chosen + 1, entries.length - 1));
    else if (event.key === "ArrowUp") setActive(Math.max(chosen - 1, 0));
    else if (event.key === "Enter") go(entries[chosen]);
    else return;
    event.preventDefault();
  }

  return (
    <>
      <input
        type="search"
        role="combobox"
        aria-expanded={entries.length > 0}
        aria-controls={listId}
        aria-activedescendant={entries.length > 0 ? `${listId}-${chosen}` : undefined}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKey}
        placeholder={t("common.searchHint")}
        aria-label={t("nav.search")}
        className="min-h-10 w-full rounded-lg border border-border-strong bg-bg px-3"
      />
      <div id={listId} role="listbox" aria-label={t("nav.search")} className="mt-2 max-h-[60dvh] overflow-auto">
        {entries.map((entry, i) => (
          <Option
            key={entry.to}
            id={`${listId}-${i}`}
            entry={entry}
            isActive={i === chosen}
            onHover={() => setActive(i)}
            onGo={() => go(entry)}
          />
        ))}
      </div>
      {failed && (
        <p role="alert" className="flex items-center gap-2 px-2 pt-1 text-warning-text">
          {t("common.searchIncomplete")}
          <Button onClick={retry}>{t("common.retry")}</Button>
        </p>
      )}
      <p role="status" className="px-2 pt-1 text-xs text-muted">
        {text.trim() !== "" &&
          !(failed && entries.length === 0) &&
          (entries.length === 0 ? t("common.noResults") : t("common.results", { count: entries.length }))}
      </p>
    </>
  );
}

const icons = { fleet: BatteryCharging, alerts: Bell, remainingLife: Hourglass, location: MapPin };

interface OptionProps {
  id: string;
  entry: Entry;
  isActive: boolean;
  onHover: () => void;
  onGo: () => void;
}

function Option({ id, entry, isActive, onHover, onGo }: OptionProps) {
  const row = useScrollIntoView<HTMLDivElement>(isActive);
  const Icon = entry.kind === "battery" ? null : icons[entry.kind];
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the combobox holds the focus and the keys
    <div
      ref={row}
      id={id}
      role="option"
      aria-selected={isActive}
      tabIndex={-1}
      className={clsx(
        "flex min-h-9 cursor-pointer items-center gap-2 rounded-lg px-2 text-left",
        isActive && "bg-surface-2",
      )}
      onMouseMove={onHover}
      onClick={onGo}
    >
      {Icon === null ? (
        <StatusIcon status={statusNow(liveStore.get(entry.name), Date.now())} />
      ) : (
        <Icon size={16} aria-hidden className="text-muted" />
      )}
      <span className="truncate">{entry.name}</span>
      <span className="ml-auto hidden truncate text-xs text-muted sm:inline">{entry.detail}</span>
    </div>
  );
}

/** The live store has all ids; only serial numbers need the gateway. */
function useEntries(text: string): { entries: Entry[]; failed: boolean; retry: () => void } {
  const { t } = useTranslation();
  const query = useDeferredValue(text.trim());
  const locations = useQuery(fleetQueries.locations());
  const bySerial = useQuery(fleetQueries.search(query));
  const failing = [locations, bySerial].filter((source) => source.isLoadingError);
  const entries = findEntries(query, {
    pages: [
      { kind: "fleet", name: t("nav.fleet"), detail: "g f", to: "/" },
      { kind: "alerts", name: t("nav.alerts"), detail: "g a", to: "/incidents" },
      { kind: "remainingLife", name: t("nav.remainingLife"), detail: "g l", to: "/remaining-life" },
    ],
    locations: locations.data?.items ?? [],
    batteryIds: liveStore.batteryIds(),
    serialMatches: bySerial.data?.items ?? [],
  });
  return { entries, failed: failing.length > 0, retry: () => failing.forEach((source) => void source.refetch()) };
}
