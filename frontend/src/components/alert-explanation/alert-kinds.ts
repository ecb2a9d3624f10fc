import type { Alert } from "@/api/types";
import { type Advice, isMessageCode, type MessageCode } from "@/i18n/alert-texts";

/** Figures that a sentence may need; without one of them it is not shown. */
export type Figure =
  | "value"
  | "threshold"
  | "amount"
  | "limit"
  | "duration"
  | "hold"
  | "batteries"
  | "times"
  | "string"
  | "median"
  | "ml"
  | "twin"
  | "signs";

export type Hazard = "live" | "away" | "none";
export type StoredChannel = "voltage_v" | "temperature_c" | "internal_resistance_mohm";

interface AlertKind {
  needs: readonly Figure[];
  advice: Advice;
  /** The stored channel that shows it; null where there is none. */
  channel: StoredChannel | null;
  /** Its limits are values of the channel itself, not relative to something else. */
  isAbsolute: boolean;
}

function kind(
  needs: string,
  advice: Advice,
  channel: StoredChannel | null = null,
  { isAbsolute = false }: { isAbsolute?: boolean } = {},
): AlertKind {
  return { needs: needs === "" ? [] : (needs.split(" ") as Figure[]), advice, channel, isAbsolute };
}

const absolute = { isAbsolute: true };

const kinds: Record<MessageCode, AlertKind> = {
  voltage_low: kind("value threshold", "low", "voltage_v", absolute),
  voltage_lost: kind("value", "lost", "voltage_v", absolute),
  voltage_high: kind("value threshold", "high", "voltage_v", absolute),
  shorted_cell: kind("amount", "shorted", "voltage_v"),
  voltage_spread: kind("amount limit", "spread", "voltage_v"),
  discharge_weak_block: kind("amount limit", "weak", "voltage_v"),
  temperature_high: kind("value threshold", "warm", "temperature_c", absolute),
  temperature_danger: kind("value", "fire", "temperature_c", absolute),
  temperature_over_room: kind("value threshold", "warm", "temperature_c"),
  temperature_over_string: kind("value threshold", "warm", "temperature_c"),
  thermal_runaway: kind("signs", "runaway", "temperature_c"),
  thermal_runaway_heat: kind("signs", "runaway", "temperature_c"),
  resistance_drift: kind("value threshold", "resistance", "internal_resistance_mohm"),
  resistance_over_nominal: kind("value threshold", "nominal", "internal_resistance_mohm"),
  voltage_channel_lost: kind("duration", "sensor", "voltage_v"),
  temperature_channel_lost: kind("duration", "sensor", "temperature_c"),
  voltage_does_not_follow: kind("amount", "sensor", "voltage_v"),
  voltage_flat: kind("duration", "sensor", "voltage_v"),
  temperature_flat: kind("duration", "sensor", "temperature_c"),
  mode_contradicted: kind("", "stringSensor"),
  current_contradicted: kind("", "stringSensor"),
  string_voltage_off_sum: kind("value threshold", "stringSensor"),
  float_current_off: kind("value threshold", "stringSensor"),
  float_current_high: kind("value threshold", "floatCurrent"),
  string_voltage_low: kind("value", "openString"),
  charge_current_high: kind("value threshold", "charge"),
  discharge_current_high: kind("value threshold", "load"),
  mains_lost: kind("", "mains"),
  mains_lost_long: kind("hold", "mains"),
  grid_unstable: kind("times", "grid"),
  hvac_degraded: kind("", "cooling"),
  hvac_failed: kind("", "cooling"),
  room_hot: kind("value threshold", "cooling"),
  clock_behind: kind("duration string", "clock"),
  clock_ahead: kind("duration string", "clock"),
  rul_warning: kind("value threshold", "plan"),
  rul_critical: kind("value threshold", "replace"),
  rul_warning_conflict: kind("value threshold ml twin", "settle"),
  rul_critical_conflict: kind("value threshold ml twin", "settle"),
  rul_change: kind("value threshold median", "cause"),
  rul_change_conflict: kind("value threshold ml twin", "settle"),
  soh_degraded: kind("value threshold", "plan"),
  soh_degraded_critical: kind("value threshold", "replace"),
  data_stale_battery: kind("duration", "staleBattery"),
  data_stale_string: kind("duration batteries", "staleGroup"),
  data_stale_location: kind("duration batteries", "staleGroup"),
};

/** Rules whose urgency asks for other steps than their message alone. */
const adviceOfRule: Readonly<Record<string, Advice>> = {
  "voltage_low.discharge": "weak",
  "voltage_low.discharge_critical": "weak",
  "voltage_high.danger": "stopCharge",
  "temperature_high.stop_charge": "stopCharge",
  "temperature_deviation.room_critical": "stopCharge",
  "current_high.danger": "short",
};

const hazards: Record<Advice, Hazard> = {
  low: "live",
  weak: "live",
  lost: "live",
  high: "live",
  shorted: "live",
  spread: "live",
  warm: "live",
  stopCharge: "away",
  fire: "away",
  runaway: "away",
  resistance: "live",
  nominal: "live",
  sensor: "live",
  stringSensor: "live",
  floatCurrent: "live",
  openString: "live",
  charge: "live",
  load: "live",
  short: "away",
  mains: "none",
  grid: "none",
  cooling: "none",
  plan: "none",
  replace: "live",
  settle: "live",
  cause: "none",
  staleBattery: "live",
  staleGroup: "live",
  clock: "none",
};

/** What is known of the alert's message; null for a code that is newer than this program. */
export function kindOf({ message_code: code }: Pick<Alert, "message_code">): AlertKind | null {
  return isMessageCode(code) ? kinds[code] : null;
}

export function adviceOf(alert: Pick<Alert, "message_code" | "rule_id">): { advice: Advice; hazard: Hazard } | null {
  const advice = adviceOfRule[alert.rule_id ?? ""] ?? kindOf(alert)?.advice;
  return advice === undefined ? null : { advice, hazard: hazards[advice] };
}
