import type { QueryClient, QueryKey } from "@tanstack/react-query";

import { patchIncidents } from "@/api/incident-cache";
import { incidentQueries } from "@/api/incident-queries";
import { alertQueries, fleetQueries, predictionQueries } from "@/api/queries";
import type { Incident } from "@/api/types";

import { paced } from "./paced";
import type { AppSocket } from "./socket";

const READ = { groupMs: 400, everyMs: 3000, jitterMs: 600 };
/** A run predicts location after location, each within a second or two. */
const READ_PREDICTIONS = { groupMs: 3000, everyMs: 3000, jitterMs: 0 };
/** A storm renders the list a few times a second, however many events arrive. */
const PATCH = { groupMs: 100, everyMs: 300, jitterMs: 0 };

/** Keep cached answers current while the socket is open; the only place where an event leads to a refetch. */
export function bridgeEvents(socket: Pick<AppSocket, "on">, cache: QueryClient) {
  const read = (keys: readonly QueryKey[]) => {
    for (const queryKey of keys) void cache.invalidateQueries({ queryKey });
  };
  const alerts = paced(() => read([alertQueries.root, fleetQueries.root]), READ);
  const predictions = paced(() => read([predictionQueries.root, fleetQueries.root]), READ_PREDICTIONS);
  const incidents = incidentEvents(cache, read);
  // A mains outage raises hundreds at once; the lists are fetched again once.
  socket.on("alert", alerts.soon);
  socket.on("prediction_update", predictions.soon);
  socket.on("incident", ({ incident }) => incidents.add(incident));
  return {
    refetch: () => {
      alerts.now();
      read([incidentQueries.root]);
    },
    stop: () => {
      alerts.stop();
      predictions.stop();
      incidents.stop();
    },
  };
}

/** An event carries the whole incident, which goes into the cache as it is; only counts and timelines are read again. */
function incidentEvents(cache: QueryClient, read: (keys: readonly QueryKey[]) => void) {
  const arrived = new Map<number, Incident>();
  const stale = new Map<string, QueryKey>();
  const counts = paced(() => {
    read([incidentQueries.counts().queryKey, ...stale.values()]);
    stale.clear();
  }, READ);
  const mark = (queryKey: QueryKey) => stale.set(JSON.stringify(queryKey), queryKey);
  const patch = paced(() => {
    if (patchIncidents(cache, [...arrived.values()])) mark(incidentQueries.lists);
    for (const id of arrived.keys()) {
      for (const { queryKey } of [incidentQueries.detail(id), incidentQueries.alerts(id)]) {
        if (cache.getQueryState(queryKey) !== undefined) mark(queryKey);
      }
    }
    arrived.clear();
    counts.soon();
  }, PATCH);
  return {
    add: (incident: Incident) => {
      arrived.set(incident.incident_id, incident);
      patch.soon();
    },
    stop: () => {
      patch.stop();
      counts.stop();
    },
  };
}
