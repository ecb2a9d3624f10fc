import type { QueryClient } from "@tanstack/react-query";
import { io } from "socket.io-client";
import { create } from "zustand";

import { refreshSession } from "@/api/client";
import { latestTelemetry } from "@/api/queries";
import { useSession } from "@/api/session";
import type { IncidentEvent } from "@/api/types";

import { bridgeEvents } from "./cache-bridge";
import { LiveStore } from "./live-store";
import { SnapshotReader } from "./snapshot-reader";
import type { AppSocket } from "./socket";

interface ConnectionState {
  phase: "connecting" | "connected" | "disconnected";
  /** When the connection was lost, or made. */
  since: number | null;
}

export const useConnection = create<ConnectionState>(() => ({ phase: "connecting", since: null }));

const reader = new SnapshotReader(async (locationId) => liveStore.applySnapshot(await latestTelemetry(locationId)));

/** Live values of the whole application. */
export const liveStore = new LiveStore((locationId) => reader.request(locationId));

type IncidentListener = (event: IncidentEvent) => void;
const incidentListeners = new Set<IncidentListener>();

export function onIncident(listener: IncidentListener): () => void {
  incidentListeners.add(listener);
  return () => incidentListeners.delete(listener);
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 10_000;

/** Keep live values and cached alerts current while a user is signed in; returns a function that stops it. */
export function startRealtime(cache: QueryClient, locationIds: () => Promise<string[]>, url = ""): () => void {
  const socket: AppSocket = io(url, {
    path: "/socket.io",
    transports: ["websocket", "polling"],
    reconnectionDelay: 500,
    reconnectionDelayMax: LONGEST_RETRY_MS,
    auth: (answer) => answer({ token: useSession.getState().accessToken }),
  });
  const bridge = bridgeEvents(socket, cache);
  let stopped = false;
  let refusals = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  async function join(): Promise<void> {
    liveStore.beginConnection();
    for (const locationId of await locationIds()) socket.emit("subscribe_location", { location_id: locationId });
    liveStore.applySnapshot(await latestTelemetry());
    // Events sent before the rooms were joined, or while the connection was lost, never arrived.
    bridge.refetch();
  }

  /** Without the snapshot nothing can be shown, so it is requested until it arrives. */
  function tryJoin(): void {
    void join().catch(() => {
      clearTimeout(retry);
      retry = setTimeout(() => socket.connected && tryJoin(), FIRST_RETRY_MS);
    });
  }

  /** The server refused: the token has expired, rights changed, or it is shutting down. Get a new token, with back-off. */
  function reconnect(): void {
    const delay = Math.min(FIRST_RETRY_MS * 2 ** refusals, LONGEST_RETRY_MS);
    refusals += 1;
    clearTimeout(retry);
    retry = setTimeout(() => {
      void refreshSession().then((token) => {
        if (stopped || useSession.getState().phase === "signed-out") return;
        if (token === null) reconnect();
        else socket.connect();
      });
    }, delay);
  }

  socket.on("connect", () => {
    refusals = 0;
    useConnection.setState({ phase: "connected", since: Date.now() });
    tryJoin();
  });
  socket.on("disconnect", (reason) => {
    markLost();
    if (reason === "io server disconnect") reconnect();
  });
  socket.on("connect_error", () => {
    markLost();
    // While the socket is active, the library reconnects by itself.
    if (!socket.active) reconnect();
  });
  socket.on("subscribed", (subscribed) => liveStore.applySubscribed(subscribed));
  socket.on("telemetry_update", (update) => {
    if (update.room.startsWith("location:")) liveStore.applyUpdate(update);
  });
  socket.on("battery_status_update", (update) => liveStore.applyStatuses(update));
  socket.on("incident", (event) => {
    for (const listener of incidentListeners) listener(event);
  });

  return () => {
    stopped = true;
    clearTimeout(retry);
    bridge.stop();
    reader.stop();
    socket.removeAllListeners();
    socket.disconnect();
    liveStore.clear();
    useConnection.setState({ phase: "connecting", since: null });
  };
}

function markLost(): void {
  if (useConnection.getState().phase !== "disconnected") {
    useConnection.setState({ phase: "disconnected", since: Date.now() });
  }
}
