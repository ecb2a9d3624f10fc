import clsx from "clsx";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { isWaiting } from "@/api/incident-match";
import type { Incident } from "@/api/types";
import { seenText } from "@/components/alert-explanation/alert-text";
import { SeverityLabel } from "@/components/status";
import { Button } from "@/components/ui/button";
import { useLanguage } from "@/i18n";
import { alertTypeText } from "@/i18n/alert-texts";
import { formatAge, formatDateTime } from "@/lib/dates";

import { hasEnded } from "./filters";
import { assigneeText, batteriesText, newText, partOf, statusText } from "./row-text";

export interface RowState {
  isSelected: boolean;
  isFocused: boolean;
  isOpen: boolean;
  mayAct: boolean;
  now: number;
  locationName: string;
  /** Batteries in the smallest part that holds all of it; undefined while it is not known. */
  size: number | undefined;
}

interface IncidentRowProps extends RowState {
  incident: Incident;
  onToggle: () => void;
  onOpen: () => void;
  onAcknowledge: () => void;
}

/** One incident of the list: how bad, what and where, how far it is and with whom, and the way to acknowledge it. */
export function IncidentRow({ incident, onToggle, onOpen, onAcknowledge, ...state }: IncidentRowProps) {
  const { t } = useTranslation();
  const opener = useFocus(state.isFocused);
  const needsSomebody = isWaiting(incident) || incident.unacknowledged_count > 0;
  return (
    <div
      className={clsx(
        "grid grid-cols-[1.5rem_1fr] items-center gap-x-3 gap-y-1 border-b border-border px-3 py-2 lg:grid-cols-[1.5rem_1fr_auto]",
        state.isFocused && "bg-surface-2",
        state.isOpen && "shadow-[inset_4px_0_0_var(--accent)]",
        hasEnded(incident.status) && "text-muted",
      )}
    >
      <input
        type="checkbox"
        className="size-4"
        checked={state.isSelected}
        onChange={onToggle}
        aria-label={t("incidents.select", { id: incident.incident_id })}
        disabled={!state.mayAct}
      />
      <button
        ref={opener}
        type="button"
        aria-current={state.isOpen || undefined}
        className="grid min-w-0 gap-x-4 text-left lg:grid-cols-[7rem_1fr] xl:grid-cols-[7rem_1fr_15rem]"
        onClick={onOpen}
      >
        <SeverityLabel severity={incident.severity} />
        <What incident={incident} locationName={state.locationName} size={state.size} />
        <Progress incident={incident} now={state.now} />
      </button>
      {state.mayAct && needsSomebody && !hasEnded(incident.status) ? (
        <Button className="max-lg:col-start-2 max-lg:justify-self-start" onClick={onAcknowledge}>
          {t("incidents.action.acknowledge")}
        </Button>
      ) : (
        <span />
      )}
    </div>
  );
}

/** Ids are never cut: batteries of a location differ only at the end. */
function What({ incident, locationName, size }: { incident: Incident } & Pick<RowState, "locationName" | "size">) {
  const { t } = useTranslation();
  const words = { t, language: useLanguage() };
  const part = partOf(incident);
  const batteries = batteriesText(incident, size, t);
  const fresh = newText(incident, t);
  return (
    <span className="min-w-0 [overflow-wrap:anywhere]">
      <span className="font-medium">{alertTypeText(incident.lead.type)}</span> ·{" "}
      <span>{seenText(incident.lead, words)}</span>
      <span className="block text-muted">
        {locationName} · {part ?? t("incidents.wholeLocation")}
        {batteries !== null && ` · ${batteries}`}
        {fresh !== null && <span className="font-semibold text-warning-text"> · {fresh}</span>}
      </span>
    </span>
  );
}

function Progress({ incident, now }: { incident: Incident; now: number }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const opened = Date.parse(incident.opened_at);
  return (
    <span className="flex flex-wrap gap-x-2 text-xs text-muted lg:col-start-2 xl:col-start-3 xl:block">
      <span className="xl:block">
        {statusText(incident, t, language)} · {assigneeText(incident, t)}
      </span>
      <span className="xl:block">
        <time dateTime={incident.opened_at} title={formatDateTime(opened, language)} className="whitespace-nowrap">
          {t("live.ago", { age: formatAge(now - opened, language) })}
        </time>
        {!hasEnded(incident.status) &&
          ` · ${t("incidents.respond", { span: t(`alerts.respondWithin.${incident.respond_within}`) })}`}
      </span>
    </span>
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
