import { useQuery } from "@tanstack/react-query";
import { Dialog } from "radix-ui";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router-dom";

import { fleetQueries } from "@/api/queries";
import { StatusIcon } from "@/components/status";

/** Find one of all batteries by any part of its id or serial number. */
export function SearchDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const sought = useDeferredValue(text.trim());
  const { data } = useQuery(fleetQueries.search(sought));
  const found = sought.length >= 2 ? (data?.items ?? []) : [];

  function go(batteryId: string): void {
    onOpenChange(false);
    setText("");
    navigate(`/batteries/${batteryId}`);
  }

  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-20 left-1/2 z-50 w-[min(34rem,calc(100vw-2rem))] -translate-x-1/2 rounded-lg border border-border bg-surface p-3"
        >
          <Dialog.Title className="sr-only">{t("nav.search")}</Dialog.Title>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              const first = found[0];
              if (first) go(first.battery_id);
            }}
          >
            <input
              type="search"
              value={text}
              onChange={(event) => setText(event.target.value)}
              placeholder={t("common.searchHint")}
              aria-label={t("nav.search")}
              className="min-h-10 w-full rounded-lg border border-border-strong bg-bg px-3"
            />
          </form>
          <ul className="mt-2 max-h-80 overflow-auto">
            {found.map((battery) => (
              <li key={battery.battery_id}>
                <button
                  type="button"
                  className="flex min-h-9 w-full items-center gap-2 rounded-lg px-2 text-left hover:bg-surface-2"
                  onClick={() => go(battery.battery_id)}
                >
                  <StatusIcon status={battery.status} />
                  <span className="truncate">{battery.battery_id}</span>
                  <span className="ml-auto hidden text-xs text-muted sm:inline">{battery.serial_number}</span>
                </button>
              </li>
            ))}
            {sought.length >= 2 && data !== undefined && found.length === 0 && (
              <li className="p-2 text-muted">{t("common.noResults")}</li>
            )}
          </ul>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
