import type { BatteryStatusUpdate, HealthStatus, Subscribed, TelemetryLatest, TelemetryUpdate } from "@/api/types";
import { DEFAULT_STALE_AFTER_S, isStale } from "@/lib/staleness";

const channels = ["voltage_v", "current_a", "temperature_c", "internal_resistance_mohm"] as const;
type Channel = (typeof channels)[number];

/** Newest values of one battery, named as on the wire; times are milliseconds since 1970. */
export interface LiveValue extends Record<Channel, number | null> {
  battery_id: string;
  /** Of the newest reading, whatever channels it had. */
  time: number | null;
  /** Of each value: one sensor may stop while the others continue. */
  measured_at: Record<Channel, number | null>;
  resistance_drift_pct: number | null;
  /** Open alerts; null until the gateway has sent the counts. */
  open_critical: number | null;
  open_warning: number | null;
  stale_after_s: number;
}

export type LiveLookup = (batteryId: string) => LiveValue | undefined;

type Listener = () => void;

/**
 * Plain store of live values, outside React: ten thousand updates cost nothing until a component reads them.
 *
 * Rooms carry sequence numbers. An update that does not follow the last one shows that updates were missed; then
 * `onGap` reads the room's snapshot again.
 */
export class LiveStore {
  private readonly values = new Map<string, LiveValue>();
  private readonly sequences = new Map<string, number>();
  /** Sequence number of each room when it was joined. */
  private readonly joinedSeq = new Map<string, number>();
  private readonly listeners = new Set<Listener>();
  private notifying = false;
  private lookup: LiveLookup = (batteryId) => this.values.get(batteryId);
  lastUpdateAt: number | null = null;

  constructor(
    private readonly onGap: (locationId: string) => void,
    private readonly schedule: (run: () => void) => void = (run) => requestAnimationFrame(run),
    private readonly now: () => number = Date.now,
  ) {}

  get(batteryId: string): LiveValue | undefined {
    return this.values.get(batteryId);
  }

  batteryIds(): string[] {
    return [...this.values.keys()];
  }

  /** The look-up of values; a new function after every change, so that React sees it. */
  getLookup = (): LiveLookup => this.lookup;

  subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** A new connection: rooms are joined again, and their numbers may have restarted. */
  beginConnection(): void {
    this.sequences.clear();
    this.joinedSeq.clear();
  }

  applySubscribed({ room, seq }: Subscribed): void {
    if (!room.startsWith("location:")) return;
    const locationId = room.slice("location:".length);
    this.joinedSeq.set(locationId, seq);
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
        open_critical: columns.open_critical[i] ?? null,
        open_warning: columns.open_warning[i] ?? null,
        stale_after_s: columns.stale_after_s[i] ?? DEFAULT_STALE_AFTER_S,
      };
      // A snapshot may be older than an update that overtook it.
      if (time !== null && (known?.time == null || time >= known.time)) {
        next.time = time;
        next.measured_at = { ...next.measured_at, voltage_v: time, current_a: time, temperature_c: time };
        for (const channel of channels) next[channel] = columns[channel][i] ?? null;
      }
      this.values.set(batteryId, next);
    });
    for (const [locationId, { seq }] of Object.entries(snapshot.locations)) {
      this.sequences.set(locationId, Math.max(seq, this.sequences.get(locationId) ?? 0));
      if (seq < (this.joinedSeq.get(locationId) ?? 0)) this.onGap(locationId);
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
      // Without a snapshot its alerts are unknown; it has no status until one arrives.
      if (known === undefined && last !== undefined) missing = true;
      const next: LiveValue = { ...(known ?? empty(batteryId)), time };
      next.measured_at = { ...next.measured_at };
      for (const channel of channels) {
        const value = columns[channel]?.[i];
        // An absent column was not measured this time; the last value stays, with its own age.
        if (value === undefined || value === null) continue;
        next[channel] = value;
        next.measured_at[channel] = time;
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
        open_critical: columns.open_critical[i] ?? null,
        open_warning: columns.open_warning[i] ?? null,
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
    this.lookup = (batteryId) => this.values.get(batteryId);
    if (this.notifying) return;
    this.notifying = true;
    this.schedule(() => {
      this.notifying = false;
      for (const listener of this.listeners) listener();
    });
  }
}

/**
 * A battery's status at an instant, by the gateway's rule: stale data outranks a warning, so that nothing looks milder
 * because its data stopped. What is unknown is never normal.
 */
export function statusNow(value: LiveValue | undefined, now: number): HealthStatus {
  if (value === undefined) return "no_data";
  if (value.open_critical !== null && value.open_critical > 0) return "critical";
  if (value.open_warning === null || isStale(value.time, value.stale_after_s, now)) return "no_data";
  return value.open_warning > 0 ? "warning" : "normal";
}

function empty(batteryId: string): LiveValue {
  return {
    battery_id: batteryId,
    time: null,
    measured_at: { voltage_v: null, current_a: null, temperature_c: null, internal_resistance_mohm: null },
    voltage_v: null,
    current_a: null,
    temperature_c: null,
    internal_resistance_mohm: null,
    resistance_drift_pct: null,
    open_critical: null,
    open_warning: null,
    stale_after_s: DEFAULT_STALE_AFTER_S,
  };
}

function parsed(text: string | null | undefined): number | null {
  return text == null ? null : Date.parse(text);
}
