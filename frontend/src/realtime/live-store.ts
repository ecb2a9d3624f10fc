import type { BatteryStatusUpdate, HealthStatus, Subscribed, TelemetryLatest, TelemetryUpdate } from "@/api/types";

const channels = ["voltage_v", "current_a", "temperature_c", "internal_resistance_mohm"] as const;
type Channel = (typeof channels)[number];

/** Newest values of one battery; times are milliseconds since 1970. */
export interface LiveValue extends Record<Channel, number | null> {
  batteryId: string;
  /** Of the newest reading, whatever it held. */
  time: number | null;
  /** Of each value: a sensor may fall silent while the others go on. */
  measuredAt: Record<Channel, number | null>;
  resistance_drift_pct: number | null;
  /** Open alerts; null until the gateway has said how many. */
  openCritical: number | null;
  openWarning: number | null;
  staleAfterMs: number;
}

type Listener = () => void;

/**
 * Plain store of live values, outside React: ten thousand updates cost nothing until somebody looks.
 *
 * Rooms carry sequence numbers. An update that does not follow the last one means that something was missed; then
 * `onGap` is asked to read the room's snapshot again.
 */
export class LiveStore {
  private readonly values = new Map<string, LiveValue>();
  private readonly sequences = new Map<string, number>();
  /** Where each room stood when it was joined. */
  private readonly joinedAt = new Map<string, number>();
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

  /** A new connection: rooms are joined anew, and their numbers may have started again. */
  beginConnection(): void {
    this.sequences.clear();
    this.joinedAt.clear();
  }

  applySubscribed({ room, seq }: Subscribed): void {
    if (!room.startsWith("location:")) return;
    const locationId = room.slice("location:".length);
    this.joinedAt.set(locationId, seq);
    const last = this.sequences.get(locationId);
    if (last !== undefined && last < seq) this.onGap(locationId);
  }

  applySnapshot(snapshot: TelemetryLatest): void {
    const { columns } = snapshot;
    columns.battery_id.forEach((batteryId, i) => {
      const time = parsed(columns.time[i]);
      const known = this.values.get(batteryId);
      const next: LiveValue = {
        ...(known ?? empty(batteryId)),
        resistance_drift_pct: columns.resistance_drift_pct[i] ?? null,
        openCritical: columns.open_critical[i] ?? null,
        openWarning: columns.open_warning[i] ?? null,
        staleAfterMs: (columns.stale_after_s[i] ?? DEFAULT_STALE_AFTER_S) * 1000,
      };
      // A snapshot may be older than an update that overtook it.
      if (time !== null && (known?.time == null || time >= known.time)) {
        next.time = time;
        next.measuredAt = { ...next.measuredAt, voltage_v: time, current_a: time, temperature_c: time };
        for (const channel of channels) next[channel] = columns[channel][i] ?? null;
      }
      this.values.set(batteryId, next);
    });
    for (const [locationId, { seq }] of Object.entries(snapshot.locations)) {
      this.sequences.set(locationId, Math.max(seq, this.sequences.get(locationId) ?? 0));
      if (seq < (this.joinedAt.get(locationId) ?? 0)) this.onGap(locationId);
    }
    this.changed();
  }

  applyUpdate(update: TelemetryUpdate): void {
    const last = this.sequences.get(update.location_id);
    let missing = last !== undefined && update.seq > last + 1;
    if (last === undefined || update.seq > last) this.sequences.set(update.location_id, update.seq);
    const { columns } = update;
    columns.battery_id.forEach((batteryId, i) => {
      const known = this.values.get(batteryId);
      const time = parsed(columns.time[i]);
      if (time === null || (known?.time != null && time < known.time)) return;
      // Without a snapshot nothing is known of its alerts; it stays without status until one has come.
      if (known === undefined && last !== undefined) missing = true;
      const next: LiveValue = { ...(known ?? empty(batteryId)), time };
      next.measuredAt = { ...next.measuredAt };
      for (const channel of channels) {
        const value = columns[channel]?.[i];
        // A column that is absent was not measured this time; the last value stays, with its own age.
        if (value === undefined || value === null) continue;
        next[channel] = value;
        next.measuredAt[channel] = time;
      }
      this.values.set(batteryId, next);
    });
    this.lastUpdateAt = this.now();
    if (missing) this.onGap(update.location_id);
    this.changed();
  }

  applyStatuses({ columns }: BatteryStatusUpdate): void {
    columns.battery_id.forEach((batteryId, i) => {
      const known = this.values.get(batteryId);
      if (known === undefined) return;
      this.values.set(batteryId, {
        ...known,
        openCritical: columns.open_critical[i] ?? null,
        openWarning: columns.open_warning[i] ?? null,
      });
    });
    this.changed();
  }

  clear(): void {
    this.values.clear();
    this.beginConnection();
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

/**
 * A battery's status at an instant, by the gateway's rule: silence outranks a warning, so that nothing looks milder
 * because its data stopped. What is not known is never normal.
 */
export function statusNow(value: LiveValue | undefined, now: number): HealthStatus {
  if (value === undefined) return "no_data";
  if (value.openCritical !== null && value.openCritical > 0) return "critical";
  if (value.openWarning === null || value.time === null || now - value.time > value.staleAfterMs) return "no_data";
  return value.openWarning > 0 ? "warning" : "normal";
}

const DEFAULT_STALE_AFTER_S = 300;

function empty(batteryId: string): LiveValue {
  return {
    batteryId,
    time: null,
    measuredAt: { voltage_v: null, current_a: null, temperature_c: null, internal_resistance_mohm: null },
    voltage_v: null,
    current_a: null,
    temperature_c: null,
    internal_resistance_mohm: null,
    resistance_drift_pct: null,
    openCritical: null,
    openWarning: null,
    staleAfterMs: DEFAULT_STALE_AFTER_S * 1000,
  };
}

function parsed(text: string | null | undefined): number | null {
  return text == null ? null : Date.parse(text);
}
