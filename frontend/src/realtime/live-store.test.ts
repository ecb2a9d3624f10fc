import { describe, expect, it, vi } from "vitest";

import type { TelemetryLatest, TelemetryUpdate } from "@/api/types";

import { type LiveValue, LiveStore, statusNow } from "./live-store";

const T0 = Date.parse("2026-11-23T18:00:00Z");
const LOCATION = "DC-CNX-01";
const BATTERY = "BAT-DC-CNX-01-UPS-01-STR-01-001";

function storeWith(onGap: (locationId: string) => void = () => undefined) {
  return new LiveStore(
    onGap,
    (run) => run(),
    () => T0,
  );
}

function snapshot(seq: number, at = T0, counts = { critical: 0, warning: 0 }): TelemetryLatest {
  return {
    generated_at: new Date(at).toISOString(),
    locations: { [LOCATION]: { seq } },
    columns: {
      battery_id: [BATTERY],
      time: [new Date(at).toISOString()],
      received_at: [new Date(at).toISOString()],
      voltage_v: [13.6],
      current_a: [0.04],
      temperature_c: [25],
      internal_resistance_mohm: [3.5],
      resistance_drift_pct: [4],
      soc_pct: [null],
      soh_pct: [null],
      status: ["normal"],
      stale_after_s: [300],
      open_critical: [counts.critical],
      open_warning: [counts.warning],
    },
  };
}

function update(seq: number, at: number, columns: Partial<TelemetryUpdate["columns"]> = {}): TelemetryUpdate {
  return {
    room: `location:${LOCATION}`,
    seq,
    location_id: LOCATION,
    timestamp: new Date(at).toISOString(),
    columns: {
      battery_id: [BATTERY],
      time: [new Date(at).toISOString()],
      voltage_v: null,
      current_a: null,
      temperature_c: null,
      internal_resistance_mohm: null,
      soc_pct: null,
      soh_pct: null,
      ...columns,
    },
  };
}

describe("sequence numbers", () => {
  it("asks for the snapshot of a room when an update was missed, and only then", () => {
    const onGap = vi.fn();
    const store = storeWith(onGap);
    store.applySnapshot(snapshot(10));
    store.applyUpdate(update(11, T0 + 1000));
    expect(onGap).not.toHaveBeenCalled();
    store.applyUpdate(update(13, T0 + 2000));
    expect(onGap).toHaveBeenCalledExactlyOnceWith(LOCATION);
    store.applyUpdate(update(14, T0 + 3000));
    expect(onGap).toHaveBeenCalledTimes(1);
  });

  it("takes updates that the snapshot already holds as no gap", () => {
    const onGap = vi.fn();
    const store = storeWith(onGap);
    store.applyUpdate(update(12, T0));
    store.applySnapshot(snapshot(14));
    store.applyUpdate(update(13, T0 + 1));
    store.applyUpdate(update(15, T0 + 2));
    expect(onGap).not.toHaveBeenCalled();
  });

  it("asks again when the snapshot is older than the room was on joining", () => {
    const onGap = vi.fn();
    const store = storeWith(onGap);
    store.applySubscribed({ room: `location:${LOCATION}`, seq: 20 });
    store.applySnapshot(snapshot(19));
    expect(onGap).toHaveBeenCalledExactlyOnceWith(LOCATION);
  });

  it("asks again when the room turns out to be ahead of the snapshot", () => {
    const onGap = vi.fn();
    const store = storeWith(onGap);
    store.applySnapshot(snapshot(19));
    store.applySubscribed({ room: `location:${LOCATION}`, seq: 20 });
    expect(onGap).toHaveBeenCalledExactlyOnceWith(LOCATION);
  });

  it("restarts the count with a new connection, even from a lower number", () => {
    const onGap = vi.fn();
    const store = storeWith(onGap);
    store.applySnapshot(snapshot(900));
    store.beginConnection();
    store.applySnapshot(snapshot(3, T0 + 1));
    store.applyUpdate(update(5, T0 + 1000));
    expect(onGap).toHaveBeenCalledExactlyOnceWith(LOCATION);
  });
});

describe("values", () => {
  it("never go back: neither an older update nor an older snapshot replaces a newer value", () => {
    const store = storeWith();
    store.applySnapshot(snapshot(1));
    store.applyUpdate(update(2, T0 + 5000, { voltage_v: [13.1] }));
    store.applyUpdate(update(3, T0 + 1000, { voltage_v: [14] }));
    store.applySnapshot(snapshot(3, T0 + 2000));
    expect(store.get(BATTERY)).toMatchObject({ voltage_v: 13.1, time: T0 + 5000 });
  });

  it("keep their own age when one sensor stops and the others continue", () => {
    const store = storeWith();
    store.applySnapshot(snapshot(1));
    store.applyUpdate(update(2, T0 + 60_000, { voltage_v: [13.5] }));
    const value = store.get(BATTERY);
    expect(value?.temperature_c).toBe(25);
    expect(value?.measured_at).toMatchObject({ voltage_v: T0 + 60_000, temperature_c: T0 });
  });

  it("reach listeners once per frame, however many updates come", () => {
    const frames: (() => void)[] = [];
    const store = new LiveStore(
      () => undefined,
      (run) => frames.push(run),
      () => T0,
    );
    const listener = vi.fn();
    store.subscribe(listener);
    for (let seq = 1; seq <= 50; seq += 1) store.applyUpdate(update(seq, T0 + seq));
    expect(frames).toHaveLength(1);
    frames[0]?.();
    expect(listener).toHaveBeenCalledTimes(1);
  });
});

describe("statusNow", () => {
  const value = (change: Partial<LiveValue>): LiveValue => {
    const store = storeWith();
    store.applySnapshot(snapshot(1));
    return { ...(store.get(BATTERY) as LiveValue), ...change };
  };

  it.each([
    ["nothing known", undefined, 0, "no_data"],
    ["fresh without alerts", {}, 1000, "normal"],
    ["fresh with a warning", { open_warning: 1 }, 1000, "warning"],
    ["stale", {}, 301_000, "no_data"],
    ["stale data outranks a warning", { open_warning: 1 }, 301_000, "no_data"],
    ["critical outranks stale data", { open_critical: 1 }, 301_000, "critical"],
    ["alerts not known yet", { open_critical: null, open_warning: null }, 1000, "no_data"],
    ["never reported", { time: null }, 1000, "no_data"],
  ] as const)("%s", (_, change, age, expected) => {
    expect(statusNow(change === undefined ? undefined : value(change), T0 + age)).toBe(expected);
  });

  it("keeps a battery's open warning when its data returns", () => {
    const store = storeWith();
    store.applySnapshot(snapshot(1, T0 - 3_600_000, { critical: 0, warning: 1 }));
    expect(statusNow(store.get(BATTERY), T0)).toBe("no_data");
    store.applyUpdate(update(2, T0, { voltage_v: [13.6] }));
    expect(statusNow(store.get(BATTERY), T0)).toBe("warning");
  });

  it("does not call a battery normal before its alerts are known", () => {
    const store = storeWith();
    store.applyUpdate(update(2, T0, { voltage_v: [13.6] }));
    expect(statusNow(store.get(BATTERY), T0)).toBe("no_data");
  });

  it("follows the counts of a status update", () => {
    const store = storeWith();
    store.applySnapshot(snapshot(1));
    store.applyStatuses({
      location_id: LOCATION,
      columns: { battery_id: [BATTERY], status: ["critical"], open_critical: [1], open_warning: [0] },
    });
    expect(statusNow(store.get(BATTERY), T0)).toBe("critical");
  });
});
