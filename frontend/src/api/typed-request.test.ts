import axios from "axios";
import { http, HttpResponse } from "msw";
import { describe, expect, expectTypeOf, it } from "vitest";

import { server } from "@/testing/server";

import { get, post } from "./client";
import { type AnswerOf, filled, type OptionsOf, type PathWith, send } from "./typed-request";
import type { AlertDetail, LocationDetail, User } from "./types";

describe("a path template", () => {
  it("takes its parameters in place", () => {
    expect(filled("/api/v1/strings/{string_id}/runtime", { string_id: "DC-CNX-01-UPS-01-STR-01" })).toBe(
      "/api/v1/strings/DC-CNX-01-UPS-01-STR-01/runtime",
    );
    expect(filled("/a/{x}/{y}", { x: 1, y: 2 })).toBe("/a/1/2");
  });

  it("encodes what would change the path", () => {
    expect(filled("/api/v1/batteries/{battery_id}", { battery_id: "../users?a=b" })).toBe(
      "/api/v1/batteries/..%2Fusers%3Fa%3Db",
    );
  });

  it("throws without a parameter instead of sending a wrong request", () => {
    expect(() => filled("/api/v1/alerts/{alert_id}", {})).toThrow("/api/v1/alerts/{alert_id} needs alert_id");
  });
});

describe("types", () => {
  it("pair each path with its answer", () => {
    expectTypeOf<AnswerOf<"get", "/api/v1/locations/{location_id}">>().toEqualTypeOf<LocationDetail>();
    expectTypeOf<AnswerOf<"get", "/api/v1/auth/me">>().toEqualTypeOf<User>();
    expectTypeOf<AnswerOf<"post", "/api/v1/alerts/{alert_id}/acknowledge">>().toEqualTypeOf<AlertDetail>();
    expectTypeOf<AnswerOf<"post", "/api/v1/auth/logout">>().toEqualTypeOf<undefined>();
  });

  it("pair each path with its parameters and body", () => {
    expectTypeOf<OptionsOf<"get", "/api/v1/alerts/{alert_id}">["path"]>().toEqualTypeOf<{ alert_id: number }>();
    expectTypeOf<OptionsOf<"post", "/api/v1/alerts/{alert_id}/acknowledge">["body"]>().toEqualTypeOf<{
      note: string;
    }>();
    expectTypeOf<"/api/v1/auth/logout">().not.toExtend<PathWith<"get">>();
    expectTypeOf<"/api/v1/auth/me">().not.toExtend<PathWith<"post">>();
  });

  it("refuse a call without what the operation requires", () => {
    // The type errors are what this test checks: the compiler fails when one of them is missing.
    const calls = [
      // @ts-expect-error -- the path needs its parameter
      () => get("/api/v1/locations/{location_id}"),
      // @ts-expect-error -- a wrong parameter
      () => get("/api/v1/locations/{location_id}", { path: { battery_id: "x" } }),
      // @ts-expect-error -- no such path
      () => get("/api/v1/places"),
      // @ts-expect-error -- a query that the operation does not have
      () => get("/api/v1/locations", { query: { include_everything: true } }),
      // @ts-expect-error -- the body is required
      () => post("/api/v1/alerts/{alert_id}/acknowledge", { path: { alert_id: 1 } }),
    ];
    expect(calls).toHaveLength(5);
  });
});

describe("a request", () => {
  it("sends path, query and body as described", async () => {
    const seen: unknown[] = [];
    server.use(
      http.get("*/api/v1/alerts", ({ request }) => {
        seen.push(new URL(request.url).search);
        return HttpResponse.json({ items: [] });
      }),
      http.post("*/api/v1/alerts/7/resolve", async ({ request }) => {
        seen.push(await request.json());
        return HttpResponse.json({ alert_id: 7 });
      }),
    );
    await get("/api/v1/alerts", { query: { severity: ["critical", "warning"], active: true, limit: 5 } });
    await post("/api/v1/alerts/{alert_id}/resolve", { path: { alert_id: 7 }, body: { note: "done" } });
    expect(seen).toEqual(["?severity=critical&severity=warning&active=true&limit=5", { note: "done" }]);
  });

  it("stops with its signal", async () => {
    server.use(http.get("*/api/v1/auth/me", () => new Promise<never>(() => undefined)));
    const controller = new AbortController();
    const call = send(axios.create(), "get", "/api/v1/auth/me", { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toThrow("canceled");
  });
});
