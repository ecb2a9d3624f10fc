import type { BatteryStatusUpdate, HealthStatus, TelemetryLatest, TelemetryUpdate } from "@/api/types";

/** Newest values of one battery; times are milliseconds since 1970. */
export interface LiveValue {
  batteryId: string;
  time: number | null;
  voltage_v: number | null;
  current_a: number | null;
  temperature_c: number | null;
  internal_resistance_mohm: number | null;
  resistance_drift_pct: number | null;
  status: HealthStatus;
  staleAfterMs: number;
}

type Listener = () => void;

const channels = ["voltage_v", "current_a", "temperature_c", "internal_resistance_mohm"] as const;

/**
 * Plain store of live values, outside React: ten thousand updates cost nothing until somebody looks.
 *
 * Rooms carry sequence numbers. An update that does not follow the last one means that something was missed; then
 * `onGap` is asked to read the room's snapshot again.
 */
export class LiveStore {
  private readonly values = new Map<string, LiveValue>();
  private readonly sequences = new Map<string, number>();
  private readonly listeners = new Set<Listener>();
  private version = 0;
  private notifying = false;
  lastUpdateAt: number | null = null;

  constructor(
    private readonly onGap: (locationId: string) => void,
    private readonly schedule: (run: () => void) => void = (run) => requestAnimationFrame(run),
    private readonly now: () => number = Date.now,
  ) {}

  get(batteryId: string): LiveValue | undefined {
    return this.values.get(batteryId);
  }

  all(): Iterable<LiveValue> {
    return this.values.values();
  }

  getVersion = (): number => this.version;

  subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  applySnapshot(snapshot: TelemetryLatest): void {
    const { columns } = snapshot;
    columns.battery_id.forEach((batteryId, i) => {
      const time = parsed(columns.time[i]);
      const known = this.values.get(batteryId);
      // A snapshot may be older than an update that overtook it.
      const newer = known?.time == null || (time !== null && time >= known.time);
      this.values.set(batteryId, {
        batteryId,
        time: newer ? time : known.time,
        voltage_v: newer ? number(columns.voltage_v[i]) : known.voltage_v,
        current_a: newer ? number(columns.current_a[i]) : known.current_a,
        temperature_c: newer ? number(columns.temperature_c[i]) : known.temperature_c,
        internal_resistance_mohm: number(columns.internal_resistance_mohm[i]),
        resistance_drift_pct: number(columns.resistance_drift_pct[i]),
        status: columns.status[i] ?? "no_data",
        staleAfterMs: (columns.stale_after_s[i] ?? 300) * 1000,
      });
    });
    for (const [locationId, room] of Object.entries(snapshot.locations)) {
      this.sequences.set(locationId, Math.max(room.seq, this.sequences.get(locationId) ?? 0));
    }
    this.changed();
  }

  applyUpdate(update: TelemetryUpdate): void {
    const last = this.sequences.get(update.location_id);
    if (last !== undefined && update.seq > last + 1) this.onGap(update.location_id);
    if (last === undefined || update.seq > last) this.sequences.set(update.location_id, update.seq);
    const { columns } = update;
    columns.battery_id.forEach((batteryId, i) => {
      const known = this.values.get(batteryId);
      const time = parsed(columns.time[i]);
      if (time === null || (known?.time != null && time < known.time)) return;
      const next: LiveValue = { ...(known ?? empty(batteryId)), time };
      for (const channel of channels) {
        const value = columns[channel]?.[i];
        // A column that is absent was not measured this time; the last value stays, with its own age.
        if (value !== undefined && value !== null) next[channel] = value;
      }
      if (next.status === "no_data") next.status = "normal";
      this.values.set(batteryId, next);
    });
    this.lastUpdateAt = this.now();
    this.changed();
  }

  applyStatuses(update: BatteryStatusUpdate): void {
    update.columns.battery_id.forEach((batteryId, i) => {
      const known = this.values.get(batteryId);
      const status = update.columns.status[i];
      if (known && status) this.values.set(batteryId, { ...known, status });
    });
    this.changed();
  }

  clear(): void {
    this.values.clear();
    this.sequences.clear();
    this.lastUpdateAt = null;
    this.changed();
  }

  private changed(): void {
    this.version += 1;
    if (this.notifying) return;
    this.notifying = true;
    this.schedule(() => {
      this.notifying = false;
      for (const listener of this.listeners) listener();
    });
  }
}

/** A battery's status as it stands now: silence outranks everything but a critical condition. */
export function statusNow(value: LiveValue | undefined, now: number): HealthStatus {
  if (value === undefined || value.time === null) return "no_data";
  if (value.status === "critical") return "critical";
  return now - value.time > value.staleAfterMs ? "no_data" : value.status;
}

function empty(batteryId: string): LiveValue {
  return {
    batteryId,
    time: null,
    voltage_v: null,
    current_a: null,
    temperature_c: null,
    internal_resistance_mohm: null,
    resistance_drift_pct: null,
    status: "normal",
    staleAfterMs: 300_000,
  };
}

function parsed(text: string | null | undefined): number | null {
  return text == null ? null : Date.parse(text);
}

function number(value: number | null | undefined): number | null {
  return value ?? null;
}
