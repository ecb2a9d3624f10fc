/** Answers of the twin's endpoints for a mock battery: one deep outage, one short transfer, resistance since. */
import type { components } from "../api/schema.gen.ts";

type Schemas = components["schemas"];

const DAY_MS = 86_400_000;

export const capacity: Schemas["Estimate"] = {
  value_pct: 84,
  low_pct: 77,
  high_pct: 91,
  provenance: "discharge_inferred",
  reason: null,
};

export function twinRecordOf(batteryId: string, now: number): Schemas["TwinRecord"] {
  const daysAgo = (days: number) => new Date(now - days * DAY_MS).toISOString();
  const none = { depth_pct: null, soh: null, resistance_mohm: null, resistance_drift_pct: null };
  return {
    battery_id: batteryId,
    generated_at: daysAgo(0),
    time: daysAgo(0),
    is_stale: false,
    soc: { value_pct: 98, low_pct: 94, high_pct: 100, provenance: "prior_only", reason: null },
    soh: capacity,
    resistance_mohm: 4.21,
    resistance_sd_mohm: 0.05,
    evidence: [
      { ...none, kind: "ohmic", at: daysAgo(1), age_days: 1, resistance_mohm: 4.21, resistance_drift_pct: 18 },
      { ...none, kind: "discharge", at: daysAgo(40), age_days: 40, depth_pct: 22, soh: capacity },
    ],
    history: [],
  };
}

export function dischargesOf(batteryId: string, now: number): Schemas["BatteryDischarge"][] {
  const one = (id: number, days: number, hours: number, soh: Schemas["Estimate"] | null) => ({
    discharge_id: id,
    string_id: batteryId.replace(/^BAT-/, "").replace(/-\d{3}$/, ""),
    started_at: new Date(now - days * DAY_MS).toISOString(),
    ended_at: new Date(now - days * DAY_MS + hours * 3_600_000).toISOString(),
    duration_s: hours * 3600,
    mode: "discharge" as const,
    drawn_ah: 70 * hours,
    depth_pct: (70 * hours) / 1.2,
    mean_current_a: -70,
    min_voltage_v: 280,
    lowest_battery_id: soh === null ? null : batteryId,
    mean_temperature_c: 26,
    complete: true,
    is_open: false,
    block: { battery_id: batteryId, end_voltage_v: 11.9, min_voltage_v: 11.8, mean_temperature_c: 26, soh },
  });
  return [one(2, 12, 0.02, null), one(1, 40, 0.38, capacity)];
}

export function runtimeOf(stringId: string, powerW: string | null, now: number): Schemas["RuntimeOut"] {
  const minutes = powerW === null ? 41 : Math.round(820_000 / Number(powerW));
  return {
    string_id: stringId,
    generated_at: new Date(now).toISOString(),
    load:
      powerW === null
        ? { basis: "last_discharge", current_a: null, power_w: 20_000 }
        : { basis: "given", current_a: null, power_w: Number(powerW) },
    block_count: 24,
    withheld_count: 1,
    unknown_batteries: [{ battery_id: `BAT-${stringId}-003`, reason: "sensor_fault" }],
    assumed_battery_ids: [`BAT-${stringId}-003`],
    oldest_reading_at: new Date(now).toISOString(),
    simulation: {
      runtime_p10_s: 0.8 * minutes * 60,
      runtime_p50_s: minutes * 60,
      runtime_p90_s: 1.2 * minutes * 60,
      reaches_cut_off: true,
      limiting_battery_id: `BAT-${stringId}-011`,
      limiting_probability: 0.7,
      time_s: [],
      current_a: [],
      string_voltage_v: [],
      limiting_voltage_v: [],
      limiting_soc_pct: [],
    },
  };
}
