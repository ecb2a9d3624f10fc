import type { QueryClient } from "@tanstack/react-query";
import { io, type Socket } from "socket.io-client";
import { create } from "zustand";

import { refreshSession } from "@/api/client";
import { latestTelemetry } from "@/api/queries";
import { useSession } from "@/api/session";
import type { AlertEvent, BatteryStatusUpdate, Subscribed, TelemetryUpdate } from "@/api/types";

import { bridgeAlerts } from "./cache-bridge";
import { LiveStore } from "./live-store";
import { SnapshotReader } from "./reread";

interface ConnectionState {
  phase: "connecting" | "connected" | "disconnected";
  /** When the connection was lost, or made. */
  since: number | null;
}

interface ServerEvents {
  subscribed: (subscribed: Subscribed) => void;
  telemetry_update: (update: TelemetryUpdate) => void;
  battery_status_update: (update: BatteryStatusUpdate) => void;
  alert: (event: AlertEvent) => void;
}
interface ClientEvents {
  subscribe_location: (room: { location_id: string }) => void;
}
export type AppSocket = Socket<ServerEvents, ClientEvents>;

export const useConnection = create<ConnectionState>(() => ({ phase: "connecting", since: null }));

const reader = new SnapshotReader(async (locationId) => liveStore.applySnapshot(await latestTelemetry(locationId)));

/** Live values of the whole application. */
export const liveStore = new LiveStore((locationId) => reader.request(locationId));

type AlertListener = (event: AlertEvent) => void;
const alertListeners = new Set<AlertListener>();

export function onAlert(listener: AlertListener): () => void {
  alertListeners.add(listener);
  return () => alertListeners.delete(listener);
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 10_000;

/** Keep live values and cached alerts true for as long as somebody is signed in; returns how to stop. */
export function startRealtime(cache: QueryClient, locationIds: () => Promise<string[]>, url = ""): () => void {
  const socket: AppSocket = io(url, {
    path: "/socket.io",
    transports: ["websocket", "polling"],
    reconnectionDelay: 500,
    reconnectionDelayMax: LONGEST_RETRY_MS,
    auth: (answer) => answer({ token: useSession.getState().accessToken }),
  });
  const bridge = bridgeAlerts(socket, cache);
  let stopped = false;
  let refusals = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  async function join(): Promise<void> {
    liveStore.beginConnection();
    for (const locationId of await locationIds()) socket.emit("subscribe_location", { location_id: locationId });
    liveStore.applySnapshot(await latestTelemetry());
    // Alerts raised before the rooms were joined, or while the connection was away, were announced to nobody here.
    bridge.readAgain();
  }

  /** Without the snapshot nothing shown is true, so it is asked for until it comes. */
  function tryJoin(): void {
    void join().catch(() => {
      clearTimeout(retry);
      retry = setTimeout(() => socket.connected && tryJoin(), FIRST_RETRY_MS);
    });
  }

  /** The server itself said no: the token is old, rights changed, or it stops. Ask for a new token, never in a hurry. */
  function connectAnew(): void {
    const delay = Math.min(FIRST_RETRY_MS * 2 ** refusals, LONGEST_RETRY_MS);
    refusals += 1;
    clearTimeout(retry);
    retry = setTimeout(() => {
      void refreshSession().then((token) => {
        if (stopped || useSession.getState().phase === "signed-out") return;
        if (token === null) connectAnew();
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
    lost();
    if (reason === "io server disconnect") connectAnew();
  });
  socket.on("connect_error", () => {
    lost();
    // While it is active the library itself tries again.
    if (!socket.active) connectAnew();
  });
  socket.on("subscribed", (subscribed) => liveStore.applySubscribed(subscribed));
  socket.on("telemetry_update", (update) => {
    if (update.room.startsWith("location:")) liveStore.applyUpdate(update);
  });
  socket.on("battery_status_update", (update) => liveStore.applyStatuses(update));
  socket.on("alert", (event) => {
    for (const listener of alertListeners) listener(event);
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

function lost(): void {
  if (useConnection.getState().phase !== "disconnected") {
    useConnection.setState({ phase: "disconnected", since: Date.now() });
  }
}
