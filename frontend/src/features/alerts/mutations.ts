import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";

import { post } from "@/api/client";
import { problemOf } from "@/api/errors";
import { alertQueries, fleetQueries } from "@/api/queries";
import { problemText } from "@/i18n";

const actions = {
  acknowledge: (alertId: number, note: string) =>
    post("/api/v1/alerts/{alert_id}/acknowledge", { path: { alert_id: alertId }, body: { note } }),
  comment: (alertId: number, note: string) =>
    post("/api/v1/alerts/{alert_id}/comments", { path: { alert_id: alertId }, body: { note } }),
  resolve: (alertId: number, note: string) =>
    post("/api/v1/alerts/{alert_id}/resolve", { path: { alert_id: alertId }, body: { note } }),
};

/** Acknowledge, comment on or resolve alerts; where another user was first, the alert is fetched again and a toast says so. */
export function useAlertAction(action: keyof typeof actions) {
  const { t } = useTranslation();
  const cache = useQueryClient();
  async function refresh(): Promise<void> {
    await cache.invalidateQueries({ queryKey: alertQueries.root });
    await cache.invalidateQueries({ queryKey: fleetQueries.root });
  }
  return useMutation({
    // Offline it fails at once and the note stays in its dialog; it must not be sent later, after it was cancelled.
    networkMode: "always",
    mutationFn: async ({ alertIds, note }: { alertIds: readonly number[]; note: string }) => {
      let conflicts = 0;
      for (const alertId of alertIds) {
        try {
          await actions[action](alertId, note);
        } catch (error) {
          if (problemOf(error).status !== 409) throw error;
          conflicts += 1;
        }
      }
      return conflicts;
    },
    onSuccess: async (conflicts) => {
      if (conflicts > 0) toast.info(t("alerts.conflict"));
      await refresh();
    },
    onError: (error) => {
      const problem = problemOf(error);
      toast.error(problemText(problem), { description: problem.requestId ?? undefined });
      // Not awaited: without a network it would wait for one, and keep the dialog with it.
      void refresh();
    },
  });
}
