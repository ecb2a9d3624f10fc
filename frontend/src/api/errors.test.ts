import axios from "axios";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { problem } from "@/testing/handlers";
import { server } from "@/testing/server";

import { problemOf } from "./errors";

async function failureOf(response: () => Response): Promise<unknown> {
  server.use(http.get("*/broken", response));
  return axios.get("http://gateway/broken").then(
    () => undefined,
    (error: unknown) => error,
  );
}

it("reads the gateway's problem details", async () => {
  const error = await failureOf(() => problem(404, "battery_not_found", "There is no battery X."));
  expect(problemOf(error)).toEqual({
    status: 404,
    code: "battery_not_found",
    detail: "There is no battery X.",
    requestId: "req-7f3a",
    retryAfterS: null,
  });
});

it("reads how long to wait", async () => {
  const error = await failureOf(() => problem(429, "too_many_attempts", "Wait.", { "Retry-After": "42" }));
  expect(problemOf(error).retryAfterS).toBe(42);
});

it.each(["soon", "-3", "0"])("ignores %j as a time to wait", async (retryAfter) => {
  const error = await failureOf(() => problem(429, "too_many_attempts", "Wait.", { "Retry-After": retryAfter }));
  expect(problemOf(error).retryAfterS).toBeNull();
});

it("makes the best of an answer that is no problem document", async () => {
  const error = await failureOf(
    () => new HttpResponse("<html>", { status: 502, statusText: "Bad Gateway", headers: { "X-Request-Id": "r-1" } }),
  );
  expect(problemOf(error)).toEqual({
    status: 502,
    code: "http_502",
    detail: "Bad Gateway",
    requestId: "r-1",
    retryAfterS: null,
  });
});

it("has no status without an answer", async () => {
  const error = await failureOf(() => HttpResponse.error());
  expect(problemOf(error)).toMatchObject({ status: null, code: "unreachable" });
});

it("takes anything else that was thrown", () => {
  expect(problemOf(new Error("boom"))).toMatchObject({ status: null, code: "unknown", detail: "boom" });
  expect(problemOf("boom")).toMatchObject({ status: null, code: "unknown", detail: "unknown" });
});
