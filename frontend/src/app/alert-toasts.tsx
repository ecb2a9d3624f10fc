import { useQueryClient } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router-dom";
import { toast } from "sonner";

import { fleetQueries } from "@/api/queries";
import type { Incident } from "@/api/types";
import { isAlertType } from "@/i18n";
import { shortId } from "@/lib/ids";
import { onIncident } from "@/realtime/connection";

const GROUP_MS = 700;
const TOAST = "critical-incidents";
const calls: readonly string[] = ["opened", "escalated", "reopened"];

/** One toast for the critical incidents that opened and still wait; the inbox lists them all. */
export function AlertToasts() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const cache = useQueryClient();
  useEffect(() => {
    const waiting = new Map<number, Incident>();
    let timer: ReturnType<typeof setTimeout> | null = null;
    const nameOf = (id: string) =>
      cache.getQueryData(fleetQueries.locations().queryKey)?.items.find((location) => location.location_id === id)
        ?.name ?? id;
    const show = () => {
      timer = null;
      const [first] = waiting.values();
      if (first === undefined) {
        toast.dismiss(TOAST);
        return;
      }
      const isOne = waiting.size === 1;
      const forget = () => waiting.clear();
      toast.error(isOne ? oneText(first, nameOf, t) : t("alerts.newSome", { count: waiting.size }), {
        id: TOAST,
        description: isOne ? undefined : countsText([...waiting.values()], nameOf),
        duration: Number.POSITIVE_INFINITY,
        onDismiss: forget,
        action: {
          label: t("alerts.show"),
          onClick: () => {
            navigate(isOne ? `/incidents/${first.incident_id}` : "/incidents?severity=critical");
            forget();
          },
        },
      });
    };
    const stop = onIncident(({ event, incident }) => {
      const isCritical = incident.severity === "critical" && incident.status === "open";
      if (isCritical && calls.includes(event)) waiting.set(incident.incident_id, incident);
      else if (isCritical || !waiting.delete(incident.incident_id)) return;
      timer ??= setTimeout(show, GROUP_MS);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [t, navigate, cache]);
  return null;
}

function oneText({ lead, location_id, system_id, string_id, battery_id }: Incident, nameOf: Names, t: TFunction) {
  const part = shortId(battery_id ?? string_id ?? system_id ?? "");
  const where = part === "" ? nameOf(location_id) : `${nameOf(location_id)} · ${part}`;
  return t("alerts.newOne", { type: isAlertType(lead.type) ? t(`type.${lead.type}`) : lead.type, where });
}

type Names = (locationId: string) => string;

/** How many in which location, most first. */
function countsText(incidents: readonly Incident[], nameOf: Names): string {
  const counts = new Map<string, number>();
  for (const { location_id: id } of incidents) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([id, count]) => `${nameOf(id)} ${count}`)
    .join(" · ");
}
