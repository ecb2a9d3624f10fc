import { expect, it, vi } from "vitest";

import { SnapshotReader } from "./snapshot-reader";

it("reads once more, not once per gap, for gaps found while it reads", async () => {
  const pending: (() => void)[] = [];
  const read = vi.fn(() => new Promise<void>((done) => pending.push(done)));
  const reader = new SnapshotReader(read);
  reader.request("DC-CNX-01");
  for (let i = 0; i < 5; i += 1) reader.request("DC-CNX-01");
  expect(read).toHaveBeenCalledTimes(1);
  pending.shift()?.();
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(2));
  pending.shift()?.();
  await Promise.resolve();
  expect(read).toHaveBeenCalledTimes(2);
});

it("retries after a failure until it is stopped", async () => {
  const waits: (() => void)[] = [];
  const read = vi.fn(() => Promise.reject(new Error("away")));
  const reader = new SnapshotReader(read, () => new Promise<void>((done) => waits.push(done)));
  reader.request("DC-CNX-01");
  await vi.waitFor(() => expect(waits).toHaveLength(1));
  waits.shift()?.();
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(2));
  await vi.waitFor(() => expect(waits).toHaveLength(1));
  reader.stop();
  waits.shift()?.();
  await Promise.resolve();
  expect(read).toHaveBeenCalledTimes(2);
});
