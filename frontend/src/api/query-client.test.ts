import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { problem } from "@/testing/handlers";
import { server } from "@/testing/server";

import { get } from "./client";
import { createQueryClient } from "./query-client";

beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 400 }));
afterEach(() => void vi.useRealTimers());

async function attemptsOf(answer: () => Response): Promise<number> {
  let attempts = 0;
  server.use(
    http.get("*/api/v1/fleet/overview", () => {
      attempts += 1;
      return answer();
    }),
  );
  const cache = createQueryClient();
  const query = cache.query({
    queryKey: ["x"],
    queryFn: () => get("/api/v1/fleet/overview"),
    retry: cache.getDefaultOptions().queries?.retry ?? false,
  });
  await expect(query).rejects.toThrow();
  return attempts;
}

it.each([403, 404, 422])("does not repeat a request that was refused with %d", async (status) => {
  expect(await attemptsOf(() => problem(status, "refused", "No."))).toBe(1);
});

it("repeats three times while the server fails", async () => {
  expect(await attemptsOf(() => problem(503, "database_unavailable", "Away."))).toBe(4);
}, 20_000);

it("repeats three times without an answer", async () => {
  expect(await attemptsOf(() => HttpResponse.error())).toBe(4);
}, 20_000);
