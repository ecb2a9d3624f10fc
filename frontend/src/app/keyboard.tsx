import { Dialog } from "radix-ui";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router-dom";

import { Button } from "@/components/ui/button";
import { usePreferences } from "@/stores/preferences";

interface Shortcuts {
  onSearch: () => void;
  onHelp: () => void;
}

/** `/` or mod+k searches, `g f` and `g a` go to fleet and alerts, `?` helps; never while somebody types. */
export function useKeyboardShortcuts({ onSearch, onHelp }: Shortcuts): void {
  const navigate = useNavigate();
  const pendingGo = useRef(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key === "k") {
        event.preventDefault();
        onSearch();
        return;
      }
      const target = event.target as HTMLElement;
      if (!usePreferences.getState().shortcuts) return;
      if (event.metaKey || event.ctrlKey || event.altKey || target.closest("input, textarea, select, [role=dialog]"))
        return;
      const going = event.timeStamp - pendingGo.current < 1000;
      pendingGo.current = event.key === "g" ? event.timeStamp : 0;
      if (event.key === "/") {
        event.preventDefault();
        onSearch();
      } else if (event.key === "?") onHelp();
      else if (going && event.key === "f") navigate("/");
      else if (going && event.key === "a") navigate("/alerts");
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate, onSearch, onHelp]);
}

export function KeyboardHelp({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { t } = useTranslation();
  const { shortcuts, setShortcuts } = usePreferences();
  const keys = [
    ["/", t("keys.search")],
    ["Ctrl K", t("keys.search")],
    ["g f", t("keys.fleet")],
    ["g a", t("keys.alerts")],
    ["j / k", `${t("keys.next")} / ${t("keys.previous")}`],
    ["x", t("keys.select")],
    ["e", t("keys.acknowledge")],
    ["esc", t("keys.close")],
    ["?", t("keys.help")],
  ];
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-24 left-1/2 z-50 w-[min(24rem,calc(100vw-2rem))] -translate-x-1/2 rounded-lg border border-border bg-surface p-4"
        >
          <Dialog.Title className="mb-3 text-base font-semibold">{t("keys.title")}</Dialog.Title>
          <dl className="grid grid-cols-[5rem_1fr] gap-y-1.5">
            {keys.map(([key, meaning]) => (
              <div key={key} className="contents">
                <dt>
                  <kbd className="rounded border border-border px-1.5 text-xs">{key}</kbd>
                </dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
          <label className="mt-4 flex items-center gap-2">
            <input
              type="checkbox"
              className="size-4"
              checked={shortcuts}
              onChange={(event) => setShortcuts(event.target.checked)}
            />
            {t("keys.enabled")}
          </label>
          <Dialog.Close asChild>
            <Button className="mt-4 w-full">{t("alerts.close")}</Button>
          </Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
