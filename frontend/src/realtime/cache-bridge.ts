import type { QueryClient, QueryKey } from "@tanstack/react-query";

import { alertQueries, fleetQueries, predictionQueries } from "@/api/queries";

import type { AppSocket } from "./socket";

const GROUP_MS = 400;
/** A run predicts location after location, each within a second or two. */
const GROUP_PREDICTIONS_MS = 3000;

/** Keep cached answers current while the socket is open; the only place where an event leads to a refetch. */
export function bridgeEvents(socket: Pick<AppSocket, "on">, cache: QueryClient) {
  const alerts = grouped(cache, GROUP_MS, [alertQueries.root, fleetQueries.root]);
  const predictions = grouped(cache, GROUP_PREDICTIONS_MS, [predictionQueries.root, fleetQueries.root]);
  // A mains outage raises hundreds at once; the lists are fetched again once.
  socket.on("alert", alerts.soon);
  socket.on("prediction_update", predictions.soon);
  return {
    refetch: alerts.now,
    stop: () => {
      alerts.stop();
      predictions.stop();
    },
  };
}

function grouped(cache: QueryClient, afterMs: number, keys: readonly QueryKey[]) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => clearTimeout(timer);
  const now = () => {
    stop();
    timer = undefined;
    for (const queryKey of keys) void cache.invalidateQueries({ queryKey });
  };
  const soon = () => {
    timer ??= setTimeout(now, afterMs);
  };
  return { now, soon, stop };
}
