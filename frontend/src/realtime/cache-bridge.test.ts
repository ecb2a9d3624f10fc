import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

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
  ]) {
    cache.setQueryData(key, "cached");
  }
  const listeners = new Map<string, () => void>();
  const on = vi.fn((event: string, listener: () => void) => listeners.set(event, listener));
  const { refetch, stop } = bridgeEvents({ on } as unknown as Parameters<typeof bridgeEvents>[0], cache);
  const invalidate = vi.spyOn(cache, "invalidateQueries");
  const isStale = (...key: string[]) => cache.getQueryState(key)?.isInvalidated;
  const emit = (event: string) => listeners.get(event)?.();
  return { refetch, stop, invalidate, isStale, emit, alert: () => emit("alert") };
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
  expect(invalidate).toHaveBeenCalledTimes(2);
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
