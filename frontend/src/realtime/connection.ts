import type { QueryClient } from "@tanstack/react-query";
import { io, type Socket } from "socket.io-client";
import { create } from "zustand";

import { refreshSession } from "@/api/client";
import { alertQueries, latestTelemetry } from "@/api/queries";
import { useSession } from "@/api/session";
import type { AlertEvent, BatteryStatusUpdate, TelemetryUpdate } from "@/api/types";

import { LiveStore } from "./live-store";

interface ConnectionState {
  phase: "connecting" | "connected" | "disconnected";
  /** When the connection was lost. */
  since: number | null;
}

export const useConnection = create<ConnectionState>(() => ({ phase: "connecting", since: null }));

const rereading = new Set<string>();

/** Live values of the whole application. */
export const liveStore = new LiveStore((locationId) => void rereadSnapshot(locationId));

/** Read a room's snapshot again; several gaps at once cost one call. */
async function rereadSnapshot(locationId: string): Promise<void> {
  if (rereading.has(locationId)) return;
  rereading.add(locationId);
  try {
    liveStore.applySnapshot(await latestTelemetry(locationId));
  } finally {
    rereading.delete(locationId);
  }
}

type AlertListener = (event: AlertEvent) => void;
const alertListeners = new Set<AlertListener>();

export function onAlert(listener: AlertListener): () => void {
  alertListeners.add(listener);
  return () => alertListeners.delete(listener);
}

/** Keep live values and cached alerts true for as long as somebody is signed in; returns how to stop. */
export function startRealtime(cache: QueryClient, locationIds: () => Promise<string[]>): () => void {
  const socket: Socket = io({
    path: "/socket.io",
    transports: ["websocket", "polling"],
    reconnectionDelay: 500,
    reconnectionDelayMax: 10_000,
    auth: (answer) => answer({ token: useSession.getState().accessToken }),
  });
  let invalidating: ReturnType<typeof setTimeout> | null = null;

  async function join(): Promise<void> {
    for (const locationId of await locationIds()) socket.emit("subscribe_location", { location_id: locationId });
    // After subscribing, so that nothing falls between the snapshot and the first update.
    liveStore.applySnapshot(await latestTelemetry());
    // Alerts raised before the rooms were joined, or while the connection was away, were announced to nobody here.
    void cache.invalidateQueries({ queryKey: alertQueries.root });
    void cache.invalidateQueries({ queryKey: ["fleet"] });
  }

  socket.on("connect", () => {
    useConnection.setState({ phase: "connected", since: null });
    void join().catch(() => socket.disconnect().connect());
  });
  socket.on("disconnect", (reason) => {
    lost();
    // The server cut us off: rights changed or the session ended. Ask anew; a refusal leads to the sign-in page.
    if (reason === "io server disconnect") void refreshSession().then((token) => token !== null && socket.connect());
  });
  socket.on("connect_error", (error) => {
    lost();
    const refused = !socket.active || error.message.includes("not_authenticated") || error.message.includes("token");
    if (refused) void refreshSession().then((token) => token !== null && socket.connect());
  });
  socket.on("telemetry_update", (update: TelemetryUpdate) => {
    if (update.room.startsWith("location:")) liveStore.applyUpdate(update);
  });
  socket.on("battery_status_update", (update: BatteryStatusUpdate) => liveStore.applyStatuses(update));
  socket.on("alert", (event: AlertEvent) => {
    for (const listener of alertListeners) listener(event);
    // A site outage raises hundreds at once; the lists are read again once.
    invalidating ??= setTimeout(() => {
      invalidating = null;
      void cache.invalidateQueries({ queryKey: alertQueries.root });
      void cache.invalidateQueries({ queryKey: ["fleet"] });
    }, 400);
  });

  return () => {
    if (invalidating !== null) clearTimeout(invalidating);
    socket.removeAllListeners();
    socket.disconnect();
    liveStore.clear();
  };
}

function lost(): void {
  const { phase, since } = useConnection.getState();
  if (phase !== "disconnected") useConnection.setState({ phase: "disconnected", since: since ?? Date.now() });
}
