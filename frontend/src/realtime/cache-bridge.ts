import type { QueryClient } from "@tanstack/react-query";

import { alertQueries, fleetQueries } from "@/api/queries";

import type { AppSocket } from "./connection";

const GROUP_MS = 400;

/** Keep cached alerts and counts true while the socket is open; the only place that turns events into reading again. */
export function bridgeAlerts(socket: Pick<AppSocket, "on">, cache: QueryClient) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const readAgain = () => {
    timer = undefined;
    void cache.invalidateQueries({ queryKey: alertQueries.root });
    void cache.invalidateQueries({ queryKey: fleetQueries.root });
  };
  // A site outage raises hundreds at once; the lists are read again once.
  socket.on("alert", () => {
    timer ??= setTimeout(readAgain, GROUP_MS);
  });
  return { readAgain, stop: () => clearTimeout(timer) };
}
