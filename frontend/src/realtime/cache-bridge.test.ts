import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { incidentQueries } from "@/api/incident-queries";
import type { Incident } from "@/api/types";
import { MockFleet } from "@/testing/fleet";
import { incidentOf } from "@/testing/incidents";

import { bridgeEvents } from "./cache-bridge";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function bridge() {
  const cache = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } });
  for (const key of [
    ["alerts", "list"],
    ["fleet", "overview"],
    ["battery", "BAT-1", "twin"],
    ["predictions", "summary"],
    ["incidents", "counts"],
  ]) {
    cache.setQueryData(key, "cached");
  }
  const listeners = new Map<string, (payload?: unknown) => void>();
  const on = vi.fn((event: string, listener: (payload?: unknown) => void) => listeners.set(event, listener));
  const { refetch, stop } = bridgeEvents({ on } as unknown as Parameters<typeof bridgeEvents>[0], cache);
  const invalidate = vi.spyOn(cache, "invalidateQueries");
  const isStale = (...key: string[]) => cache.getQueryState(key)?.isInvalidated;
  const emit = (event: string, payload?: unknown) => listeners.get(event)?.(payload);
  return { cache, refetch, stop, invalidate, isStale, emit, alert: () => emit("alert") };
}

it("refetches alerts and counts after an alert, and leaves other data alone", () => {
  const { alert, isStale } = bridge();
  alert();
  expect(isStale("alerts", "list")).toBe(false);
  vi.runAllTimers();
  expect(isStale("alerts", "list")).toBe(true);
  expect(isStale("fleet", "overview")).toBe(true);
  expect(isStale("battery", "BAT-1", "twin")).toBe(false);
});

it("refetches once for hundreds of alerts at once, and again for a later one", () => {
  const { alert, invalidate } = bridge();
  for (let i = 0; i < 300; i += 1) alert();
  vi.runAllTimers();
  expect(invalidate).toHaveBeenCalledTimes(2);
  alert();
  vi.runAllTimers();
  expect(invalidate).toHaveBeenCalledTimes(4);
});

it("refetches at once on request", () => {
  const { refetch, isStale } = bridge();
  refetch();
  expect(isStale("alerts", "list")).toBe(true);
});

it("does not refetch a second time for alerts before a refetch on request", () => {
  const { alert, refetch, invalidate } = bridge();
  alert();
  refetch();
  vi.runAllTimers();
  expect(invalidate.mock.calls.filter(([filter]) => filter?.queryKey?.[0] === "alerts")).toHaveLength(1);
});

it("refetches nothing after it has stopped", () => {
  const { alert, refetch, stop, invalidate } = bridge();
  alert();
  refetch();
  alert();
  stop();
  invalidate.mockClear();
  vi.runAllTimers();
  expect(invalidate).not.toHaveBeenCalled();
});

it("refetches predictions and lists once for the locations of a run", () => {
  const { emit, isStale, invalidate } = bridge();
  for (let i = 0; i < 9; i += 1) emit("prediction_update");
  vi.runAllTimers();
  expect(isStale("predictions", "summary")).toBe(true);
  expect(isStale("fleet", "overview")).toBe(true);
  expect(isStale("alerts", "list")).toBe(false);
  expect(invalidate).toHaveBeenCalledTimes(2);
});

const lead = new MockFleet().strike("BAT-DC-KKN-01-UPS-01-STR-01-001");
const list = incidentQueries.list({ status: ["open", "cleared"] }).queryKey;

function cached(cache: QueryClient): Incident[] {
  return cache.getQueryData(list)?.pages.flatMap((page) => page.items) ?? [];
}

it("writes an incident into the list from its event, without reading the list again", () => {
  const { cache, emit, isStale } = bridge();
  const page = { total: 1, skip: 0, limit: 200, open_count: 1, critical_count: 1, alert_count: 1, hidden_count: 0 };
  cache.setQueryData(list, { pages: [{ ...page, items: [incidentOf(lead, 1)] }], pageParams: [0] });
  emit("incident", { event: "assigned", incident: incidentOf(lead, 1, { assignee: "malee", revision: 2 }) });
  emit("incident", { event: "opened", incident: incidentOf(lead, 2, { severity: "warning" }) });
  vi.runAllTimers();
  expect(cached(cache).map(({ incident_id, assignee }) => [incident_id, assignee])).toEqual([
    [1, "malee"],
    [2, null],
  ]);
  expect(cache.getQueryState(list)?.isInvalidated).toBe(false);
  expect(isStale("incidents", "counts")).toBe(true);
});

it("reads again at most every 3 s in a storm of 200 events a second", () => {
  const { cache, emit, invalidate } = bridge();
  cache.setQueryData(incidentQueries.detail(7).queryKey, incidentOf(lead, 7));
  invalidate.mockClear();
  const readAt: Record<string, number[]> = {};
  invalidate.mockImplementation((filter) => {
    const key = JSON.stringify(filter?.queryKey);
    readAt[key] = [...(readAt[key] ?? []), Date.now()];
    return Promise.resolve();
  });
  for (let i = 0; i < 200 * 30; i += 1) {
    emit("alert", { event: "raised", alert: lead });
    emit("incident", { event: "joined", incident: incidentOf(lead, 7 + (i % 100), { revision: 1 + i }) });
    vi.advanceTimersByTime(5);
  }
  expect(Object.keys(readAt).sort()).toEqual([
    '["alerts"]',
    '["fleet"]',
    '["incidents","counts"]',
    '["incidents","detail",7]',
  ]);
  for (const times of Object.values(readAt)) {
    for (const [i, time] of times.slice(1).entries()) expect(time - (times[i] ?? 0)).toBeGreaterThanOrEqual(3000);
  }
  expect(readAt['["incidents","counts"]']?.length).toBeGreaterThan(5);
  expect(readAt['["alerts"]']?.length).toBeGreaterThan(5);
});
