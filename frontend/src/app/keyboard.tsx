import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router-dom";

import { Button } from "@/components/ui/button";
import { Dialog, DialogClose } from "@/components/ui/dialog";
import { useHotkeys } from "@/lib/use-hotkeys";
import { usePreferences } from "@/stores/preferences";

interface Shortcuts {
  onSearch: () => void;
  onHelp: () => void;
}

/** The shortcuts of every page. */
export function useKeyboardShortcuts({ onSearch, onHelp }: Shortcuts): void {
  const navigate = useNavigate();
  useHotkeys({
    "mod+k": onSearch,
    "/": onSearch,
    "?": onHelp,
    "g f": () => navigate("/"),
    "g a": () => navigate("/incidents"),
    "g l": () => navigate("/remaining-life"),
  });
}

export function KeyboardHelp({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { t } = useTranslation();
  const { shortcuts, setShortcuts } = usePreferences();
  const keys = [
    ["/", t("keys.search")],
    ["Ctrl K", t("keys.search")],
    ["g f", t("keys.fleet")],
    ["g a", t("keys.alerts")],
    ["g l", t("keys.remainingLife")],
    ["j / k", t("keys.nextPrevious")],
    ["x", t("keys.select")],
    ["e", t("keys.acknowledge")],
    ["Esc", t("keys.close")],
    ["?", t("keys.help")],
  ];
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={t("keys.title")}
      className="top-24 w-[min(24rem,calc(100vw-2rem))] p-4"
    >
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
      <DialogClose>
        <Button className="mt-4 w-full">{t("common.close")}</Button>
      </DialogClose>
    </Dialog>
  );
}
