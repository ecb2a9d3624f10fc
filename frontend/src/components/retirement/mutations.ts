import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";

import { post } from "@/api/client";
import { problemOf } from "@/api/errors";
import { alertQueries, fleetQueries } from "@/api/queries";
import { problemText } from "@/i18n";

const requests = {
  retire: {
    battery: (id: string, reason: string) =>
      post("/api/v1/batteries/{battery_id}/retire", { path: { battery_id: id }, body: { reason } }),
    string: (id: string, reason: string) =>
      post("/api/v1/strings/{string_id}/retire", { path: { string_id: id }, body: { reason } }),
    location: (id: string, reason: string) =>
      post("/api/v1/locations/{location_id}/retire", { path: { location_id: id }, body: { reason } }),
  },
  unretire: {
    battery: (id: string, reason: string) =>
      post("/api/v1/batteries/{battery_id}/unretire", { path: { battery_id: id }, body: { reason } }),
    string: (id: string, reason: string) =>
      post("/api/v1/strings/{string_id}/unretire", { path: { string_id: id }, body: { reason } }),
    location: (id: string, reason: string) =>
      post("/api/v1/locations/{location_id}/unretire", { path: { location_id: id }, body: { reason } }),
  },
};

export type RetirementAction = keyof typeof requests;
export type RetirableKind = keyof (typeof requests)["retire"];

/** Take a battery, a string or a location out of service, or bring it back; lists, counts and alerts are read again. */
export function useRetirement(action: RetirementAction, kind: RetirableKind, id: string) {
  const { t } = useTranslation();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => requests[action][kind](id, reason),
    onSuccess: () => {
      toast.success(t(`retirement.done.${action}`, { id }));
    },
    onError: (error) => {
      const problem = problemOf(error);
      toast.error(problemText(problem), { description: problem.requestId ?? undefined });
    },
    onSettled: async () => {
      await cache.invalidateQueries({ queryKey: alertQueries.root });
      await cache.invalidateQueries({ queryKey: fleetQueries.root });
    },
  });
}
