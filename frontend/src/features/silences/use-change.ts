import { useMutation, useQueryClient } from "@tanstack/react-query";

import { post } from "@/api/client";
import { incidentQueries } from "@/api/incident-queries";
import type { SilenceIn, WindowIn } from "@/api/types";
import { useRequestKey } from "@/lib/request-key";

import { silenceQueries } from "./queries";
import type { QuietSpan } from "./quiet-spans";

/** What a person does about silences and windows. */
export type Change =
  | { kind: "silence"; body: SilenceIn }
  | { kind: "window"; body: WindowIn }
  | { kind: "end"; of: QuietSpan }
  | { kind: "approve"; id: number };

async function send(change: Change, key: string): Promise<unknown> {
  const headers = { "Idempotency-Key": key };
  switch (change.kind) {
    case "silence":
      return post("/api/v1/silences", { body: change.body, headers });
    case "window":
      return post("/api/v1/maintenance-windows", { body: change.body, headers });
    case "approve":
      return post("/api/v1/silences/{silence_id}/approve", { path: { silence_id: change.id } });
    default:
      return change.of.kind === "silence"
        ? post("/api/v1/silences/{silence_id}/end", { path: { silence_id: change.of.id } })
        : post("/api/v1/maintenance-windows/{window_id}/end", { path: { window_id: change.of.id } });
  }
}

/** Carry out changes; a repetition of the same one keeps its key. */
export function useChange() {
  const cache = useQueryClient();
  const requestKey = useRequestKey();
  return useMutation({
    networkMode: "always",
    mutationFn: (change: Change) => send(change, requestKey.of(change)),
    onSuccess: () => {
      requestKey.answered();
      for (const queryKey of [silenceQueries.root, incidentQueries.root]) void cache.invalidateQueries({ queryKey });
    },
  });
}
