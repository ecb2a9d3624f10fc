/** A small world with the whole fleet's shape, for the mock API: the same seed gives the same 1,944 batteries. */
import type { components } from "../api/schema.gen.ts";

type Schemas = components["schemas"];
type Alert = Schemas["AlertOut"];
type Status = Schemas["HealthStatus"];
type Mode = Schemas["StringMode"];

const locations = [
  ["DC-CNX-01", "Chiang Mai", "northern", 18.7883, 98.9853, "N"],
  ["DC-KKN-01", "Khon Kaen", "northeastern", 16.4322, 102.8236, "NE"],
  ["DC-NTB-01", "Nonthaburi", "central", 13.8598, 100.5254, "C"],
  ["DC-BKK-01", "Bangrak, Bangkok", "central", 13.7248, 100.531, "C"],
  ["DC-BKK-02", "Phrakhanong, Bangkok", "central", 13.7051, 100.604, "C"],
  ["DC-SRC-01", "Sriracha", "eastern", 13.1664, 100.9308, "E"],
  ["DC-URT-01", "Surat Thani", "southern", 9.1355, 99.3331, "S-Gulf"],
  ["DC-PKT-01", "Phuket", "southern", 7.8804, 98.3923, "S-Andaman"],
  ["DC-HDY-01", "Hat Yai", "southern", 7.0061, 100.4667, "S-Gulf"],
] as const;

const MINUTE_MS = 60_000;
const BATTERIES_PER_STRING = 24;
export const STALE_AFTER_S = 300;

const signals = [
  "voltage",
  "voltage_vs_string",
  "discharge_voltage",
  "temperature",
  "temperature_over_room",
  "temperature_over_string",
  "resistance",
] as const;

export interface MockBattery {
  battery_id: string;
  location_id: string;
  system_id: string;
  string_id: string;
  position: number;
  serial_number: string;
  baseline_mohm: number;
  drift_pct: number;
  time: number;
  voltage_v: number;
  current_a: number;
  temperature_c: number;
  open_critical: number;
  open_warning: number;
  silent: boolean;
  neverReported: boolean;
  /** Signals that the rules cannot judge although it reports. */
  notJudged?: Schemas["NotJudged"][];
  retirement?: { at: string; reason: string };
}

export interface MockString {
  string_id: string;
  system_id: string;
  location_id: string;
  mode: Mode;
  batteries: MockBattery[];
}

/** Mulberry32: small, seeded, good enough for pictures. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function systemsOf(
  locationId: string,
  zone: string,
): { system_id: string; kind: Schemas["SystemKind"]; strings: number }[] {
  const rectifier = { system_id: `${locationId}-REC-01`, kind: "RECTIFIER" as const, strings: 3 };
  const ups = (number: number, strings: number) => ({
    system_id: `${locationId}-UPS-0${number}`,
    kind: "UPS" as const,
    strings,
  });
  return zone === "C" ? [rectifier, ups(1, 3), ups(2, 3)] : [rectifier, ups(1, 6)];
}

export class MockFleet {
  readonly strings: MockString[] = [];
  readonly alerts: Alert[] = [];
  readonly sequences = new Map<string, number>();
  private readonly random: () => number;
  private readonly byId = new Map<string, MockBattery>();

  constructor(
    readonly startedAt: number = Date.now(),
    seed = 7,
  ) {
    this.random = randomOf(seed);
    for (const [locationId, , , , , zone] of locations) this.addLocation(locationId, zone);
    this.addConditions();
  }

  private addLocation(locationId: string, zone: string): void {
    this.sequences.set(locationId, 1);
    for (const system of systemsOf(locationId, zone)) {
      for (let i = 1; i <= system.strings; i += 1) {
        const stringId = `${system.system_id}-STR-0${i}`;
        const batteries = Array.from({ length: BATTERIES_PER_STRING }, (_, k) =>
          this.battery(locationId, system.system_id, stringId, k),
        );
        this.strings.push({
          string_id: stringId,
          system_id: system.system_id,
          location_id: locationId,
          mode: "float",
          batteries,
        });
        for (const battery of batteries) this.byId.set(battery.battery_id, battery);
      }
    }
  }

  private battery(locationId: string, systemId: string, stringId: string, index: number): MockBattery {
    const position = String(index + 1).padStart(3, "0");
    return {
      battery_id: `BAT-${stringId}-${position}`,
      location_id: locationId,
      system_id: systemId,
      string_id: stringId,
      position: index + 1,
      serial_number: `CSB-${stringId.replaceAll("-", "")}-${position}`,
      baseline_mohm: 3.5 * (1 + 0.04 * this.spread()),
      drift_pct: Math.max(-3, 9 + 7 * this.spread()),
      time: this.startedAt - this.random() * MINUTE_MS,
      voltage_v: 13.62 + 0.035 * this.spread(),
      current_a: 0.04,
      temperature_c: 25.2 + 1.1 * this.spread(),
      open_critical: 0,
      open_warning: 0,
      silent: false,
      neverReported: false,
    };
  }

  /** About normal, between -3 and 3. */
  private spread(): number {
    return this.random() + this.random() + this.random() + this.random() - 2;
  }

  private addConditions(): void {
    const batteryIn = (stringId: string, position: number) =>
      this.need(`BAT-${stringId}-${String(position).padStart(3, "0")}`);
    const hot = batteryIn("DC-SRC-01-UPS-01-STR-02", 7);
    Object.assign(hot, { temperature_c: 47.8, drift_pct: 38 });
    this.raise(hot, "temperature_high", "critical", 47.8, 45, "°C", 42);
    const worn = batteryIn("DC-SRC-01-UPS-01-STR-02", 8);
    Object.assign(worn, { drift_pct: 57 });
    this.raise(worn, "resistance_drift", "critical", 57, 50, "%", 3 * 24 * 60);
    for (const position of [3, 11, 19]) {
      const drifting = batteryIn("DC-KKN-01-REC-01-STR-01", position);
      drifting.drift_pct = 26 + position / 4;
      this.raise(drifting, "resistance_drift", "warning", drifting.drift_pct, 25, "%", 26 * 60 + position);
    }
    const low = batteryIn("DC-BKK-01-UPS-02-STR-03", 14);
    low.voltage_v = 13.12;
    this.raise(low, "voltage_low", "warning", 13.12, 13.2, "V", 190);
    for (const battery of this.strings.find((s) => s.string_id === "DC-PKT-01-UPS-01-STR-04")?.batteries ?? []) {
      battery.silent = true;
      battery.time = this.startedAt - 47 * MINUTE_MS;
    }
    this.raise(batteryIn("DC-PKT-01-UPS-01-STR-04", 1), "data_stale", "warning", 2820, 300, "s", 42);
    batteryIn("DC-HDY-01-REC-01-STR-02", 24).neverReported = true;
    const discharging = this.strings.find((s) => s.string_id === "DC-CNX-01-UPS-01-STR-01");
    if (discharging) discharging.mode = "discharge";
  }

  private raise(
    battery: MockBattery,
    type: Schemas["AlertType"],
    severity: Schemas["Severity"],
    value: number,
    threshold: number,
    unit: string,
    minutesAgo: number,
  ): Alert {
    if (severity === "critical") battery.open_critical += 1;
    else if (type !== "data_stale") battery.open_warning += 1;
    const alert: Alert = {
      alert_id: this.alerts.length + 1,
      type,
      severity,
      respond_within: severity === "critical" ? "same_day" : "7d",
      rule_id: `${type}_${severity}`,
      location_id: battery.location_id,
      system_id: battery.system_id,
      string_id: battery.string_id,
      battery_id: type === "data_stale" ? null : battery.battery_id,
      is_active: true,
      raised_at: new Date(this.startedAt - minutesAgo * MINUTE_MS).toISOString(),
      cleared_at: null,
      acknowledged_at: null,
      acknowledged_by: null,
      resolved_at: null,
      resolved_by: null,
      value,
      threshold,
      unit,
      peak_value: value,
      message: `${type} on ${battery.battery_id}`,
      message_code: type === "data_stale" ? "data_stale_string" : type,
      message_params: type === "data_stale" ? { battery_count: BATTERIES_PER_STRING } : {},
      episode_count: 1,
    };
    this.alerts.unshift(alert);
    return alert;
  }

  /** A new critical alert on a battery, as the gateway would announce it. */
  strike(batteryId: string): Alert {
    const battery = this.need(batteryId);
    battery.temperature_c = 52;
    return this.raise(battery, "temperature_high", "critical", 52, 45, "°C", 0);
  }

  need(batteryId: string): MockBattery {
    const battery = this.byId.get(batteryId);
    if (battery === undefined) throw new Error(`no battery ${batteryId}`);
    return battery;
  }

  find(batteryId: string): MockBattery | undefined {
    return this.byId.get(batteryId);
  }

  batteriesOf(locationId?: string): MockBattery[] {
    return this.strings
      .filter((s) => locationId === undefined || s.location_id === locationId)
      .flatMap((s) => s.batteries);
  }

  statusOf(battery: MockBattery, now: number): Status {
    if (battery.neverReported) return "no_data";
    if (battery.open_critical > 0) return "critical";
    if (now - battery.time > STALE_AFTER_S * 1000) return "no_data";
    return battery.open_warning > 0 ? "warning" : "normal";
  }

  /** What the rules cannot judge: everything of a silent battery, else what the test gave it. */
  notJudgedOf(battery: MockBattery, now: number): Schemas["NotJudged"][] {
    const ofAll = (reason: Schemas["NotJudgedReason"]) => signals.map((signal) => ({ signal, reason }));
    if (battery.neverReported) return ofAll("never_measured");
    if (now - battery.time > STALE_AFTER_S * 1000) return ofAll("reading_too_old");
    return battery.notJudged ?? [];
  }

  notJudgedCount(batteries: readonly MockBattery[], now: number): number {
    return batteries.filter((battery) => this.notJudgedOf(battery, now).length > 0).length;
  }

  /** The next string's readings at `now`, as one update of its location's room; null when the string is silent. */
  report(index: number, now: number): Schemas["TelemetryUpdate"] | null {
    const string = this.strings[index % this.strings.length];
    if (string === undefined || string.batteries[0]?.silent) return null;
    const reporting = string.batteries.filter((battery) => !battery.neverReported);
    for (const battery of reporting) {
      battery.time = now;
      battery.voltage_v += 0.004 * this.spread();
      battery.temperature_c += 0.02 * this.spread();
    }
    const seq = (this.sequences.get(string.location_id) ?? 0) + 1;
    this.sequences.set(string.location_id, seq);
    return {
      room: `location:${string.location_id}`,
      seq,
      location_id: string.location_id,
      timestamp: new Date(now).toISOString(),
      columns: {
        battery_id: reporting.map((battery) => battery.battery_id),
        time: reporting.map(() => new Date(now).toISOString()),
        voltage_v: reporting.map((battery) => rounded(battery.voltage_v, 3)),
        current_a: reporting.map((battery) => battery.current_a),
        temperature_c: reporting.map((battery) => rounded(battery.temperature_c, 1)),
        internal_resistance_mohm: null,
        soc_pct: null,
        soh_pct: null,
      },
    };
  }

  locationIds(): string[] {
    return locations.map(([locationId]) => locationId);
  }

  location(locationId: string, now: number): Schemas["LocationOut"] | null {
    const location = locations.find(([id]) => id === locationId);
    if (location === undefined) return null;
    const [, name, region, latitude, longitude, zone] = location;
    const batteries = this.batteriesOf(locationId);
    const open = this.alerts.filter((alert) => alert.location_id === locationId && alert.is_active);
    const reporting = batteries.filter((battery) => !battery.neverReported);
    return {
      location_id: locationId,
      name,
      region,
      latitude,
      longitude,
      altitude_m: 20,
      commissioned_on: "2019-05-20",
      utility: zone === "C" ? "MEA" : "PEA",
      climate_zone: zone,
      system_count: systemsOf(locationId, zone).length,
      string_count: batteries.length / BATTERIES_PER_STRING,
      battery_count: batteries.filter((battery) => battery.retirement === undefined).length,
      retired_at: batteries.every((battery) => battery.retirement !== undefined)
        ? (batteries.at(-1)?.retirement?.at ?? null)
        : null,
      stats: {
        status_counts: this.statusCounts(batteries, now),
        not_judged_count: this.notJudgedCount(batteries, now),
        alert_counts: severityCounts(open),
        pending_alert_count: open.filter((alert) => alert.acknowledged_at === null).length,
        mean_soh_pct: null,
        soh_evidence_count: 0,
        soh_reason: "no_estimate_yet",
        environment: {
          time: new Date(now - 20_000).toISOString(),
          ambient_c: locationId === "DC-SRC-01" ? 29.4 : 24.1,
          humidity_pct: 58,
          hvac: locationId === "DC-SRC-01" ? "degraded" : "running",
          mains: locationId !== "DC-CNX-01",
          is_stale: false,
        },
        newest_reading_at: new Date(Math.max(...reporting.map((battery) => battery.time))).toISOString(),
        worst_battery_id: open.find((alert) => alert.battery_id !== null)?.battery_id ?? null,
      },
    };
  }

  statusCounts(batteries: readonly MockBattery[], now: number): Schemas["StatusCounts"] {
    const counts = { normal: 0, warning: 0, critical: 0, no_data: 0 };
    for (const battery of batteries) counts[this.statusOf(battery, now)] += 1;
    return counts;
  }

  /** With the strings in service, and the retired ones on request. */
  systems(locationId: string, includeRetired = false): Schemas["SystemOut"][] {
    const zone = locations.find(([id]) => id === locationId)?.[5] ?? "C";
    return systemsOf(locationId, zone).map(({ system_id, kind }) => ({
      system_id,
      kind,
      rated_power_kva: kind === "UPS" ? 200 : 150,
      runtime: systemRuntimeOf(
        this.strings.filter((string) => string.system_id === system_id).map((string) => this.stringState(string)),
      ),
      strings: this.strings
        .filter((string) => string.system_id === system_id)
        .map((string) => this.string(string))
        .filter((string) => includeRetired || string.retired_at === null),
    }));
  }

  private string(string: MockString): Schemas["StringOut"] {
    const retired = string.batteries.filter((battery) => battery.retirement !== undefined);
    const inService = string.batteries.filter((battery) => battery.retirement === undefined);
    return {
      string_id: string.string_id,
      system_id: string.system_id,
      battery_count: inService.length,
      battery_ids: inService.map((battery) => battery.battery_id),
      retired_battery_ids: retired.map((battery) => battery.battery_id),
      retired_at: inService.length > 0 ? null : (retired.at(-1)?.retirement?.at ?? null),
      state: this.stringState(string),
    };
  }

  stringState(string: MockString): Schemas["StringStateOut"] {
    const discharging = string.mode === "discharge";
    const time = new Date(Math.max(...string.batteries.map((battery) => battery.time))).toISOString();
    return {
      time,
      voltage_v: rounded(
        string.batteries.reduce((sum, battery) => sum + battery.voltage_v, 0),
        1,
      ),
      current_a: discharging ? -74.2 : 0.04,
      float_current_ma: discharging ? null : 41,
      ripple_voltage_v: 0.6,
      ripple_current_a: 1.2,
      mode: string.mode,
      mode_since: new Date(this.startedAt - 9 * MINUTE_MS).toISOString(),
      reporting_interval_s: 60,
      is_stale: string.batteries.every((battery) => battery.silent),
      runtime: runtimeOfString(string, time),
    };
  }
}

function runtimeOfString({ string_id: id, mode, batteries }: MockString, at: string): Schemas["StringRuntime"] {
  if (batteries.every((battery) => battery.silent)) {
    const none = { runtime_p10_s: null, runtime_p50_s: null, runtime_p90_s: null, reaches_cut_off: null, load: null };
    return { ...none, limiting_battery_id: null, at, withheld_count: 24, reason: "fewer_than_half_known" };
  }
  const minutes = mode === "discharge" ? [19, 27, 35] : [90, 118, 140];
  const [p10, p50, p90] = minutes.map((value) => value * 60) as [number, number, number];
  return {
    runtime_p10_s: p10,
    runtime_p50_s: p50,
    runtime_p90_s: p90,
    reaches_cut_off: true,
    limiting_battery_id: `BAT-${id}-011`,
    reason: null,
    at,
    load:
      mode === "discharge"
        ? { basis: "present", current_a: -74.2, power_w: null }
        : { basis: "last_discharge", current_a: -62, power_w: null },
    withheld_count: batteries.filter((battery) => battery.neverReported).length,
  };
}

/** The runtime of the string that ends first, or none if one string has none. */
function systemRuntimeOf(states: Schemas["StringStateOut"][]): Schemas["SystemRuntime"] {
  const runtimes = states.map((state) => state.runtime);
  const [first] = [...runtimes].sort((a, b) => (a.runtime_p10_s ?? 0) - (b.runtime_p10_s ?? 0));
  if (first === undefined) throw new Error("a system without strings");
  const sum = runtimes.reduce((total, { load }) => total + (load?.current_a ?? 0), 0);
  return {
    ...first,
    load: first.load && { ...first.load, current_a: sum },
    limiting_string_id: first.limiting_battery_id?.slice(4, -4) ?? null,
  };
}

export function severityCounts(alerts: readonly Alert[]): Schemas["SeverityCounts"] {
  const counts = { info: 0, warning: 0, critical: 0 };
  for (const alert of alerts) counts[alert.severity] += 1;
  return counts;
}

export function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
