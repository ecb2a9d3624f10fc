import clsx from "clsx";
import { useTranslation } from "react-i18next";

import type { Alert } from "@/api/types";
import { Age } from "@/components/age";
import { SeverityLabel } from "@/components/status";
import { Button } from "@/components/ui/button";
import { shortId } from "@/lib/ids";
import { useScrollIntoView } from "@/lib/use-scroll-into-view";

import { alertText, stateText } from "./alert-text";

interface AlertRowProps {
  alert: Alert;
  isSelected: boolean;
  isFocused: boolean;
  mayAct: boolean;
  onToggle: () => void;
  onOpen: () => void;
  onAcknowledge: () => void;
}

export function AlertRow({ alert, isSelected, isFocused, mayAct, onToggle, onOpen, onAcknowledge }: AlertRowProps) {
  const { t } = useTranslation();
  const row = useScrollIntoView<HTMLLIElement>(isFocused);
  return (
    <li
      ref={row}
      data-testid={`alert-${alert.alert_id}`}
      className={clsx(
        "grid grid-cols-[1.5rem_1fr] items-center gap-x-3 gap-y-1 px-3 py-2 sm:grid-cols-[1.5rem_1fr_auto]",
        isFocused && "bg-surface-2",
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
      <button type="button" className="grid min-w-0 gap-x-4 text-left sm:grid-cols-[6rem_1fr_auto]" onClick={onOpen}>
        <SeverityLabel severity={alert.severity} />
        <span className="min-w-0">
          <span className="font-medium">{t(`type.${alert.type}`)}</span>{" "}
          <span className="text-muted">{alertText(alert)}</span>
          <span className="block truncate text-xs text-muted">
            {alert.location_id} · {shortId(alert.battery_id ?? alert.string_id ?? alert.location_id)}
          </span>
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
