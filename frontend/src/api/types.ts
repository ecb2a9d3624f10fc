/** Short names for what the gateway answers; the definitions are generated from its OpenAPI description. */

import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type User = Schemas["UserOut"];
export type Session = Schemas["SessionOut"];
export type FleetOverview = Schemas["FleetOverview"];
export type Location = Schemas["LocationOut"];
export type LocationDetail = Schemas["LocationDetail"];
export type StringOut = Schemas["StringOut"];
export type BatterySummary = Schemas["BatterySummary"];
export type BatteryDetail = Schemas["BatteryDetail"];
export type Estimate = Schemas["Estimate"];
export type Alert = Schemas["AlertOut"];
export type AlertDetail = Schemas["AlertDetail"];
export type TelemetrySeries = Schemas["TelemetrySeries"];
export type TelemetryUpdate = Schemas["TelemetryUpdate"];
export type Subscribed = Schemas["Subscribed"];
export type AlertEvent = Schemas["AlertEvent"];
export type BatteryStatusUpdate = Schemas["BatteryStatusUpdate"];
export type TelemetryLatest = Schemas["TelemetryLatest"];
export type HealthStatus = Schemas["HealthStatus"];
export type Severity = Schemas["Severity"];

export interface Page<T> {
  items: T[];
  total: number;
  skip: number;
  limit: number;
}
