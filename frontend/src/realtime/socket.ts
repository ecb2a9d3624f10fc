import type { Socket } from "socket.io-client";

import type {
  AlertEvent,
  BatteryStatusUpdate,
  IncidentEvent,
  PredictionUpdate,
  Subscribed,
  TelemetryUpdate,
} from "@/api/types";

interface ServerEvents {
  subscribed: (subscribed: Subscribed) => void;
  telemetry_update: (update: TelemetryUpdate) => void;
  battery_status_update: (update: BatteryStatusUpdate) => void;
  alert: (event: AlertEvent) => void;
  incident: (event: IncidentEvent) => void;
  prediction_update: (update: PredictionUpdate) => void;
}

interface ClientEvents {
  subscribe_location: (room: { location_id: string }) => void;
}

/** The gateway's events, each with the type of its payload. */
export type AppSocket = Socket<ServerEvents, ClientEvents>;
