import clsx from "clsx";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { Alert } from "@/api/types";
import { Age } from "@/components/age";
import { SeverityLabel } from "@/components/status";
import { Button } from "@/components/ui/button";
import { useLanguage } from "@/i18n";
import { alertTypeText } from "@/i18n/alert-texts";
import { useScrollIntoView } from "@/lib/use-scroll-into-view";
import { useNow } from "@/realtime/hooks";

import { seenText, spanText, stateText } from "@/components/alert-explanation/alert-text";

interface AlertRowProps {
  alert: Alert;
  isSelected: boolean;
  isFocused: boolean;
  /** It is shown in full beside the list. */
  isOpen?: boolean;
  mayAct: boolean;
  onToggle: () => void;
  onOpen: () => void;
  onAcknowledge: () => void;
}

/** One alert of a list: what was seen and where, since when, its state, and the way to acknowledge it. */
export function AlertRow({
  alert,
  isSelected,
  isFocused,
  isOpen = false,
  mayAct,
  onToggle,
  onOpen,
  onAcknowledge,
}: AlertRowProps) {
  const { t } = useTranslation();
  const words = { t, language: useLanguage() };
  const now = useNow(10_000);
  const opener = useFocus(isFocused);
  const row = useScrollIntoView<HTMLLIElement>(isFocused);
  return (
    <li
      ref={row}
      data-testid={`alert-${alert.alert_id}`}
      className={clsx(
        "grid grid-cols-[1.5rem_1fr] items-center gap-x-3 gap-y-1 px-3 py-2 sm:grid-cols-[1.5rem_1fr_auto]",
        isFocused && "bg-surface-2",
        isOpen && "shadow-[inset_4px_0_0_var(--accent)]",
        !alert.is_active && "text-muted",
      )}
    >
      <input
        type="checkbox"
        className="size-4"
        checked={isSelected}
        onChange={onToggle}
        aria-label={t("alerts.select", { id: alert.alert_id })}
        disabled={!mayAct}
      />
      <button
        ref={opener}
        type="button"
        aria-current={isOpen || undefined}
        className="grid min-w-0 gap-x-4 text-left sm:grid-cols-[6rem_1fr_auto]"
        onClick={onOpen}
      >
        <SeverityLabel severity={alert.severity} />
        <span className="min-w-0">
          <span className="font-medium">{alertTypeText(alert.type)}</span> · <span>{seenText(alert, words)}</span>
          <span className="block text-muted">{spanText(alert, now, words)}</span>
        </span>
        <span className="text-xs text-muted max-sm:flex max-sm:gap-2 sm:whitespace-nowrap">
          <Age at={alert.raised_at} />
          <span className="block">
            {alert.resolved_at !== null
              ? t(alert.is_active ? "alerts.resolvedLasting" : "alerts.resolved")
              : `${stateText(alert, t)}${alert.acknowledged_at === null ? "" : ` · ${t("alerts.acknowledged")}`}`}
          </span>
        </span>
      </button>
      {mayAct && alert.acknowledged_at === null && alert.resolved_at === null ? (
        <Button className="max-sm:col-start-2 max-sm:justify-self-start" onClick={onAcknowledge}>
          {t("alerts.acknowledge")}
        </Button>
      ) : (
        <span />
      )}
    </li>
  );
}

/** The keys that move through a list move the focus as well, so that Enter and a screen reader follow. */
function useFocus(isFocused: boolean) {
  const element = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isFocused) element.current?.focus({ preventScroll: true });
  }, [isFocused]);
  return element;
}
