/** Short names for the gateway's types; the definitions are generated from its OpenAPI description. */

import type { components, paths } from "./schema.gen";

type Schemas = components["schemas"];

export type User = Schemas["UserOut"];
export type FleetOverview = Schemas["FleetOverview"];
export type Location = Schemas["LocationOut"];
export type LocationDetail = Schemas["LocationDetail"];
export type SystemOut = Schemas["SystemOut"];
export type StringOut = Schemas["StringOut"];
export type StringMode = Schemas["StringMode"];
export type ListedRuntime = Schemas["StringRuntime"] | Schemas["SystemRuntime"];
export type NoRuntimeReason = Schemas["NoRuntimeReason"];
export type BatterySummary = Schemas["BatterySummary"];
export type BatteryDetail = Schemas["BatteryDetail"];
export type NotJudged = Schemas["NotJudged"];
export type Estimate = Schemas["Estimate"];
export type Alert = Schemas["AlertOut"];
export type AlertDetail = Schemas["AlertDetail"];
export type AlertFilter = NonNullable<paths["/api/v1/alerts"]["get"]["parameters"]["query"]>;
export type AlertType = Schemas["AlertType"];
export type EffectiveRule = Schemas["EffectiveRuleOut"];
export type TelemetrySeries = Schemas["TelemetrySeries"];
export type TelemetryUpdate = Schemas["TelemetryUpdate"];
export type Subscribed = Schemas["Subscribed"];
export type AlertEvent = Schemas["AlertEvent"];
export type BatteryStatusUpdate = Schemas["BatteryStatusUpdate"];
export type PredictionUpdate = Schemas["PredictionUpdate"];
export type TelemetryLatest = Schemas["TelemetryLatest"];
export type HealthStatus = Schemas["HealthStatus"];
export type Severity = Schemas["Severity"];
export type BatteryRul = Schemas["BatteryRul"];
export type RulEntry = Schemas["RulEntry"];
export type RulReason = Schemas["Reason"];
export type RulSource = Schemas["RulSource"];
export type PredictionItem = Schemas["PredictionItem"];
export type PredictionSummary = Schemas["PredictionSummary"];
export type PredictionRun = Schemas["RunOut"];
export type LocationPredictions = Schemas["LocationPredictions"];
export type PredictionFilter = NonNullable<paths["/api/v1/predictions"]["get"]["parameters"]["query"]>;
export type ModelSummary = Schemas["ModelSummary"];
export type TrainJob = Schemas["TrainJob"];
