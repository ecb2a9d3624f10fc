import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { ArrowLeft, X } from "lucide-react";
import { useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { incidentQueries } from "@/api/incident-queries";
import type { Incident, IncidentDetail } from "@/api/types";
import { AlertExplanation } from "@/components/alert-explanation/alert-explanation";
import { Button } from "@/components/ui/button";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import type { ActionKind } from "@/i18n/incident-texts";
import { useReturningFocus } from "@/lib/use-returning-focus";

import { IncidentActions } from "./incident-actions";
import { IncidentAlerts } from "./incident-alerts";
import { IncidentFacts } from "./incident-facts";
import { IncidentTimeline } from "./incident-timeline";
import { useSizes } from "./queries";
import { partOf } from "./row-text";

interface IncidentPanelProps {
  incidentId: number;
  markedAlert: number | null;
  /** In place of the list, on narrow screens, rather than beside it. */
  isPage: boolean;
  mayAct: boolean;
  nameOf: (locationId: string) => string;
  onClose: () => void;
  onAct: (kind: ActionKind, incident: Incident) => void;
}

/**
 * One incident in full. Beside the list it is a landmark rather than a dialog, because the list stays in use; it takes
 * the focus when it opens and gives it back when it closes.
 */
export function IncidentPanel({ incidentId, isPage, onClose, ...content }: IncidentPanelProps) {
  const { t } = useTranslation();
  const headingId = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const panel = useReturningFocus<HTMLElement>();
  const detail = useQuery(incidentQueries.detail(incidentId));
  useEffect(() => heading.current?.focus(), [incidentId]);
  return (
    <aside
      ref={panel}
      aria-labelledby={headingId}
      data-testid="incident-panel"
      className={clsx(
        !isPage &&
          "fixed inset-y-0 right-0 z-20 w-[min(30rem,100vw)] overflow-auto border-l border-border bg-surface p-4 shadow-xl",
      )}
    >
      {isPage && (
        <Button tone="quiet" className="mb-2" onClick={onClose}>
          <ArrowLeft size={16} aria-hidden /> {t("incidents.back")}
        </Button>
      )}
      <div className="mb-3 flex items-center justify-between gap-2">
        <h2 ref={heading} id={headingId} tabIndex={-1}>
          {t("incidents.detail", { id: incidentId })}
        </h2>
        {!isPage && (
          <button
            type="button"
            aria-label={t("common.close")}
            className="grid size-8 place-items-center rounded-lg hover:bg-surface-2"
            onClick={onClose}
          >
            <X size={18} aria-hidden />
          </button>
        )}
      </div>
      <QueryFailure query={detail} />
      {detail.isPending && <Skeleton height={300} />}
      {detail.data && <Content key={incidentId} incident={detail.data} {...content} />}
    </aside>
  );
}

interface ContentProps extends Pick<IncidentPanelProps, "markedAlert" | "mayAct" | "nameOf" | "onAct"> {
  incident: IncidentDetail;
}

function Content({ incident, markedAlert, mayAct, nameOf, onAct }: ContentProps) {
  const { t } = useTranslation();
  const size = useSizes([incident.location_id]).get(partOf(incident) ?? incident.location_id);
  const { merged_into: cause } = incident;
  return (
    <>
      <IncidentFacts incident={incident} locationName={nameOf(incident.location_id)} size={size} />
      {cause !== null && (
        <p className="my-3">
          {t("incidents.mergedInto", { id: cause })}{" "}
          <Link className="text-accent underline" to={`/incidents/${cause}`}>
            {t("incidents.openOther", { id: cause })}
          </Link>
        </p>
      )}
      {mayAct ? (
        <IncidentActions incident={incident} onAct={(kind) => onAct(kind, incident)} />
      ) : (
        <p className="my-3 text-muted">{t("incidents.viewer")}</p>
      )}
      <h3 className="mt-3 mb-2 font-semibold">{t("incidents.why")}</h3>
      <AlertExplanation key={incident.lead.alert_id} alert={incident.lead} />
      <IncidentAlerts incidentId={incident.incident_id} marked={markedAlert} />
      <IncidentTimeline entries={incident.timeline} />
    </>
  );
}
