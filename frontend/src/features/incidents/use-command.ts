import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";

import { problemOf } from "@/api/errors";
import { patchIncidents } from "@/api/incident-cache";
import { incidentQueries } from "@/api/incident-queries";
import { alertQueries, fleetQueries } from "@/api/queries";
import type { Incident } from "@/api/types";
import { problemText } from "@/i18n";
import { useRequestKey } from "@/lib/request-key";

import { type Command, type Outcome, sendCommand } from "./commands";

/** Send commands; what they answer goes into the cache, and a repetition of the same one keeps its key. */
export function useCommand() {
  const cache = useQueryClient();
  const requestKey = useRequestKey();
  return useMutation({
    // Offline it fails at once and the note stays in its dialog; it must not be sent later, after it was cancelled.
    networkMode: "always",
    mutationFn: ({ command, seen }: { command: Command; seen: readonly Incident[] }): Promise<Outcome> => {
      const revisions = seen.map(({ incident_id, revision }) => [incident_id, revision]);
      return sendCommand(command, seen, requestKey.of([command, revisions]));
    },
    onSuccess: ({ changed, conflicts }) => {
      requestKey.answered();
      const states = [...changed, ...conflicts.flatMap(({ state }) => state ?? [])];
      patchIncidents(cache, states);
      const stale = [
        incidentQueries.counts().queryKey,
        ...states.flatMap(({ incident_id: id }) => [
          incidentQueries.detail(id).queryKey,
          incidentQueries.alerts(id).queryKey,
        ]),
        alertQueries.root,
        fleetQueries.root,
      ];
      for (const queryKey of stale) void cache.invalidateQueries({ queryKey });
    },
    onError: (error) => {
      const problem = problemOf(error);
      toast.error(problemText(problem), { description: problem.requestId ?? undefined });
    },
  });
}
