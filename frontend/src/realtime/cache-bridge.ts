import type { QueryClient } from "@tanstack/react-query";

import { alertQueries, fleetQueries } from "@/api/queries";

import type { AppSocket } from "./socket";

const GROUP_MS = 400;

/** Keep cached alerts and counts current while the socket is open; the only place where an event leads to a refetch. */
export function bridgeAlerts(socket: Pick<AppSocket, "on">, cache: QueryClient) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const refetch = () => {
    clearTimeout(timer);
    timer = undefined;
    void cache.invalidateQueries({ queryKey: alertQueries.root });
    void cache.invalidateQueries({ queryKey: fleetQueries.root });
  };
  // A mains outage raises hundreds at once; the lists are fetched again once.
  socket.on("alert", () => {
    timer ??= setTimeout(refetch, GROUP_MS);
  });
  return { refetch, stop: () => clearTimeout(timer) };
}
