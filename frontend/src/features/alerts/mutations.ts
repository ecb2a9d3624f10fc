import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";

import { http } from "@/api/client";
import { problemOf } from "@/api/errors";
import { alertQueries, fleetQueries } from "@/api/queries";

type Action = "acknowledge" | "resolve";

/** Acknowledge or resolve alerts; what somebody else did first is read again and said. */
export function useAlertAction(action: Action) {
  const { t } = useTranslation();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async ({ alertIds, note }: { alertIds: readonly number[]; note: string }) => {
      let conflicts = 0;
      for (const alertId of alertIds) {
        try {
          await http.post(`/alerts/${alertId}/${action}`, { note });
        } catch (error) {
          if (problemOf(error).status !== 409) throw error;
          conflicts += 1;
        }
      }
      return conflicts;
    },
    onSuccess: (conflicts) => {
      if (conflicts > 0) toast.info(t("alerts.conflict"));
    },
    onError: (error) => {
      const problem = problemOf(error);
      toast.error(problem.detail, { description: problem.requestId ?? undefined });
    },
    onSettled: async () => {
      await cache.invalidateQueries({ queryKey: alertQueries.root });
      await cache.invalidateQueries({ queryKey: fleetQueries.root });
    },
  });
}
