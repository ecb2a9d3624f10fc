/** What the mock API answers, built from the mock fleet and checked against the gateway's own schema. */
import type { components } from "../api/schema.gen.ts";
import { type MockBattery, type MockFleet, rounded, severityCounts, STALE_AFTER_S } from "./fleet.ts";
import { rulEntryOf } from "./predictions.ts";

type Schemas = components["schemas"];
/** Who is signed in to the mock gateway. */
export const operatorName = "somchai";

const unknown: Schemas["Estimate"] = {
  value_pct: null,
  low_pct: null,
  high_pct: null,
  provenance: null,
  reason: "no_estimate_yet",
};

export function summaryOf(fleet: MockFleet, battery: MockBattery, now: number): Schemas["BatterySummary"] {
  const open = fleet.alerts.filter((alert) => alert.battery_id === battery.battery_id && alert.is_active);
  const status = fleet.statusOf(battery, now);
  const rul = rulEntryOf(battery, now);
  return {
    battery_id: battery.battery_id,
    location_id: battery.location_id,
    system_id: battery.system_id,
    string_id: battery.string_id,
    position: battery.position,
    model_id: "CSB-HX12-120",
    serial_number: battery.serial_number,
    installed_at: "2021-03-14T17:00:00Z",
    status,
    status_reasons: status === "no_data" ? ["data_stale"] : open.map((alert) => alert.type),
    not_judged: fleet.notJudgedOf(battery, now),
    live: battery.neverReported ? null : liveOf(battery, now),
    open_alerts: severityCounts(open),
    rul_days: rul.fused.p50_days,
    rul_p10_days: rul.fused.p10_days,
    rul_p50_days: rul.fused.p50_days,
    rul_p90_days: rul.fused.p90_days,
    rul_source: rul.source,
    rul_predicted_at: rul.predicted_at,
    retired_at: battery.retirement?.at ?? null,
    retired_by: battery.retirement === undefined ? null : operatorName,
    retired_reason: battery.retirement?.reason ?? null,
  };
}

function liveOf(battery: MockBattery, now: number): Schemas["LiveValues"] {
  return {
    time: new Date(battery.time).toISOString(),
    received_at: new Date(battery.time + 300).toISOString(),
    voltage_v: rounded(battery.voltage_v, 3),
    current_a: battery.current_a,
    temperature_c: rounded(battery.temperature_c, 1),
    internal_resistance_mohm: rounded(battery.baseline_mohm * (1 + battery.drift_pct / 100), 2),
    resistance_measured_at: new Date(battery.time - 5 * 3_600_000).toISOString(),
    resistance_drift_pct: rounded(battery.drift_pct, 1),
    soc: unknown,
    soh: unknown,
    quality: [],
    reporting_interval_s: 60,
    stale_after_s: STALE_AFTER_S,
    is_stale: now - battery.time > STALE_AFTER_S * 1000,
  };
}

export function batteryDetail(fleet: MockFleet, battery: MockBattery, now: number): Schemas["BatteryDetail"] {
  const string = fleet.strings.find((candidate) => candidate.string_id === battery.string_id);
  if (string === undefined) throw new Error(`no string ${battery.string_id}`);
  return {
    ...summaryOf(fleet, battery, now),
    location_name: fleet.location(battery.location_id, now)?.name ?? battery.location_id,
    model: {
      model_id: "CSB-HX12-120",
      manufacturer: "CSB",
      name: "HX12-120",
      chemistry: "VRLA-AGM",
      nominal_voltage_v: 12,
      cell_count: 6,
      rated_capacity_ah: 120,
      float_voltage_low_v: 13.5,
      float_voltage_high_v: 13.8,
      float_compensation_v_per_c: -0.02,
      nominal_resistance_mohm: 3.5,
      max_charge_current_a: 36,
      mass_kg: 38,
      design_life_years: 10,
    },
    baseline_resistance_mohm: rounded(battery.baseline_mohm, 2),
    baseline_temperature_c: 25,
    age_years: 5.7,
    string_state: fleet.stringState(string),
  };
}

export function overviewOf(fleet: MockFleet, now: number): Schemas["FleetOverview"] {
  const batteries = fleet.batteriesOf();
  const active = fleet.alerts.filter((alert) => alert.is_active);
  return {
    location_count: fleet.locationIds().length,
    system_count: 21,
    string_count: fleet.strings.length,
    battery_count: batteries.length,
    status_counts: fleet.statusCounts(batteries, now),
    not_judged_count: fleet.notJudgedCount(batteries, now),
    alert_counts: severityCounts(active),
    active_alert_count: active.length,
    pending_alert_count: active.filter((alert) => alert.acknowledged_at === null).length,
    mean_soh_pct: null,
    soh_evidence_count: 0,
    soh_reason: "no_estimate_yet",
    newest_reading_at: new Date(Math.max(...batteries.map((battery) => battery.time))).toISOString(),
    generated_at: new Date(now).toISOString(),
    services: { twin: "up", ml: "down", simulator: "up" },
    disk: { state: "enough", free_mb: 80_000, days_left: null },
  };
}

export function latestOf(fleet: MockFleet, now: number, locationId?: string): Schemas["TelemetryLatest"] {
  const batteries = fleet.batteriesOf(locationId);
  const known = <T>(battery: MockBattery, value: T): T | null => (battery.neverReported ? null : value);
  const locationIds = locationId === undefined ? fleet.locationIds() : [locationId];
  return {
    generated_at: new Date(now).toISOString(),
    locations: Object.fromEntries(locationIds.map((id) => [id, { seq: fleet.sequences.get(id) ?? 0 }])),
    columns: {
      battery_id: batteries.map((battery) => battery.battery_id),
      time: batteries.map((battery) => known(battery, new Date(battery.time).toISOString())),
      received_at: batteries.map((battery) => known(battery, new Date(battery.time).toISOString())),
      voltage_v: batteries.map((battery) => known(battery, rounded(battery.voltage_v, 3))),
      current_a: batteries.map((battery) => known(battery, battery.current_a)),
      temperature_c: batteries.map((battery) => known(battery, rounded(battery.temperature_c, 1))),
      internal_resistance_mohm: batteries.map((battery) =>
        known(battery, rounded(battery.baseline_mohm * (1 + battery.drift_pct / 100), 2)),
      ),
      resistance_drift_pct: batteries.map((battery) => known(battery, rounded(battery.drift_pct, 1))),
      soc_pct: batteries.map(() => null),
      soh_pct: batteries.map(() => null),
      status: batteries.map((battery) => fleet.statusOf(battery, now)),
      stale_after_s: batteries.map(() => STALE_AFTER_S),
      open_critical: batteries.map((battery) => battery.open_critical),
      open_warning: batteries.map((battery) => battery.open_warning),
    },
  };
}

/** A history with a hole of an eighth of the range, so that gaps can be looked at. */
export function seriesOf(
  battery: MockBattery,
  start: number,
  end: number,
  maxPoints: number,
): Schemas["TelemetrySeries"] {
  const count = Math.min(maxPoints, 240);
  const step = (end - start) / count;
  const times = Array.from({ length: count }, (_, i) => start + i * step).filter(
    (_, i) => i < count / 2 || i > count * 0.62,
  );
  const points = (base: number, swing: number): Schemas["ChannelPoints"] => {
    const mean = times.map((time) => rounded(base + swing * Math.sin(time / 7_200_000), 3));
    return {
      mean,
      last: mean,
      min: mean.map((value) => rounded(value - swing / 2, 3)),
      max: mean.map((value) => rounded(value + swing / 2, 3)),
    };
  };
  const none = { mean: [], last: [], min: [], max: [] } satisfies Schemas["ChannelPoints"];
  return {
    battery_id: battery.battery_id,
    start: new Date(start).toISOString(),
    end: new Date(end).toISOString(),
    resolution: "1h",
    bucket_s: Math.round(step / 1000),
    source: "telemetry_hourly",
    point_count: times.length,
    raw_available_from: new Date(start).toISOString(),
    columns: {
      time: times.map((time) => new Date(time).toISOString()),
      count: times.map(() => 60),
      voltage_v: points(battery.voltage_v, 0.03),
      current_a: points(0.04, 0.01),
      temperature_c: points(battery.temperature_c, 0.6),
      internal_resistance_mohm: points(battery.baseline_mohm * (1 + battery.drift_pct / 100), 0.03),
      soc_pct: none,
      soh_pct: none,
    },
  };
}
