import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router-dom";
import { toast } from "sonner";

import { onAlert } from "@/realtime/connection";

const GROUP_MS = 700;

/** One toast per location for new critical alerts, however many arrive at once; the inbox lists them all. */
export function AlertToasts() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  useEffect(() => {
    const waiting = new Map<string, number>();
    let timer: ReturnType<typeof setTimeout> | null = null;
    const show = () => {
      timer = null;
      for (const [location, count] of waiting) {
        toast.error(t("alerts.new", { count, location }), {
          id: `critical-${location}`,
          duration: Number.POSITIVE_INFINITY,
          action: {
            label: t("alerts.show"),
            onClick: () => navigate(`/alerts?severity=critical&location_id=${location}`),
          },
        });
      }
      waiting.clear();
    };
    const stop = onAlert(({ event, alert }) => {
      const calls = event === "raised" || event === "escalated" || event === "reopened";
      if (!calls || alert.severity !== "critical") return;
      waiting.set(alert.location_id, (waiting.get(alert.location_id) ?? 0) + 1);
      timer ??= setTimeout(show, GROUP_MS);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [t, navigate]);
  return null;
}
